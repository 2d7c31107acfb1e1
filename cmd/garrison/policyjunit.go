package main

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/garrison-security/garrison/policy"
)

// The parts of JUnit's XML that test reports read: a suite a file, a case a
// finding. An error is a failure; other findings are passed cases with output.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		ClassName string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		Failure   *junitFailure `xml:"failure"`
		Output    string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junitOf is a suite a file.
func junitOf(files []checkedFile) (suites []junitSuite) {
	for i := range files {
		f := &files[i]
		suite := junitSuite{Name: f.File, Failures: f.errors()}
		for j := range f.Findings {
			x := &f.Findings[j]
			c := junitCase{ClassName: f.File, Name: fmt.Sprintf("%s at %d:%d", x.Code, x.Line, x.Column)}
			text := fmt.Sprintf("%s:%d:%d: %s %s: %s", f.File, x.Line, x.Column, x.Severity, x.Code, x.Message)
			if x.Severity == policy.Error {
				c.Failure = &junitFailure{x.Code, x.Message, text}
			} else {
				c.Output = text
			}
			suite.Cases = append(suite.Cases, c)
		}
		if len(suite.Cases) == 0 {
			suite.Cases = []junitCase{{ClassName: f.File, Name: f.Type}}
		}
		suite.Tests = len(suite.Cases)
		suites = append(suites, suite)
	}
	return suites
}

func writeJUnit(to io.Writer, suites []junitSuite) error {
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(to)
	e.Indent("", "  ")
	if err := e.Encode(&junitSuites{Suites: suites}); err != nil {
		return err
	}
	_, err := io.WriteString(to, "\n")
	return err
}
