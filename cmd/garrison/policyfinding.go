package main

import (
	"fmt"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/validate"
)

// checkedFile is what there is to say about a file.
type checkedFile struct {
	File     string         `json:"file"`
	Type     string         `json:"type"`
	Findings []checkFinding `json:"findings"`
}

// checkFinding is a finding: IAM's refusal, or one of Access Analyzer's.
type checkFinding struct {
	policy.Finding
	LearnMore string      `json:"learnMore,omitempty"`
	Places    []filePlace `json:"places,omitempty"` // all of them; the first is Line and Column
}

// filePlace is a part of a file; lines and columns count from 1, in characters, and the end does not belong to it.
type filePlace struct {
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"endLine"`
	EndColumn int `json:"endColumn"`
}

func (f *checkedFile) errors() (n int) {
	for i := range f.Findings {
		if f.Findings[i].Severity == policy.Error {
			n++
		}
	}
	return n
}

// checkFile looks at a policy as IAM does when it is stored, and as Access
// Analyzer does.
func checkFile(name string, text []byte, kind policy.Kind, of string) (checkedFile, error) {
	f := checkedFile{File: name, Type: kind.String(), Findings: []checkFinding{}}
	for _, x := range policy.Check(text, kind) {
		f.Findings = append(f.Findings, checkFinding{Finding: x})
	}
	found, err := validate.Policy(text, validatedType(kind), validatedOf(kind, of))
	if err == validate.ErrTooLong && len(f.Findings) > 0 {
		return f, nil // IAM's refusal says so
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	for i := range found {
		x := checkFinding{
			Finding:   policy.Finding{Severity: found[i].Severity, Code: found[i].Code, Message: found[i].Text},
			LearnMore: found[i].LearnMore(),
		}
		for _, at := range found[i].Locations {
			x.Places = append(x.Places, filePlace{at.Span.Start.Line, at.Span.Start.Column + 1, at.Span.End.Line, at.Span.End.Column + 1})
		}
		x.Line, x.Column = x.Places[0].Line, x.Places[0].Column
		f.Findings = append(f.Findings, x)
	}
	return f, nil
}

// validatedType is the type of policy that Access Analyzer knows a kind as.
func validatedType(kind policy.Kind) validate.Type {
	switch kind {
	case policy.Identity, policy.Boundary, policy.Session:
		return validate.Identity
	case policy.SCP:
		return validate.SCP
	case policy.RCP:
		return validate.RCP
	}
	return validate.Resource
}

func validatedOf(kind policy.Kind, of string) string {
	switch kind {
	case policy.Trust:
		return validate.AssumeRolePolicy
	case policy.Resource:
		return of
	}
	return ""
}
