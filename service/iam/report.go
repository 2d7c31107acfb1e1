package iam

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// CredentialReport is the state of an account's credential report, as stored:
// the one record of its scope. The text stands in reportParts.
type CredentialReport struct {
	Wanted string     `cbor:",omitempty"` // of a report that is asked for and not made yet: an id
	Made   *time.Time `cbor:",omitempty"` // of the report that is there
	Parts  int        `cbor:",omitempty"`
}

// ReportPart is a part of a report's text, as stored under its number.
type ReportPart struct{ Text []byte }

var (
	reports     = store.NewTable[CredentialReport]("iam/credential-report")
	reportParts = store.NewTable[ReportPart]("iam/credential-report-part")
)

const (
	// reportAge is how long a report is answered, and not made anew.
	//
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
	reportAge = 4 * time.Hour
	partSize  = 1 << 20
)

// reportOf is the state of the account's report; the zero value where there never was one.
func reportOf(tx store.Tx, account string) (*CredentialReport, error) {
	r, err := reports.Get(tx, account)
	if errors.Is(err, store.ErrNotFound) {
		return new(CredentialReport), nil
	}
	return r, err
}

// fresh tells whether the report is there and not too old.
func (r *CredentialReport) fresh(now time.Time) bool {
	return r.Made != nil && now.Sub(*r.Made) < reportAge
}

// generateCredentialReport asks for a report, which MakeReports makes.
func (s *Service) generateCredentialReport(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.GenerateCredentialReportInput) (*iam.GenerateCredentialReportOutput, error) {
	r, err := reportOf(call.Tx, call.Account)
	switch {
	case err != nil:
		return nil, err
	case r.Wanted != "":
		return &iam.GenerateCredentialReportOutput{State: new(iam.ReportStateTypeInprogress)}, nil
	case r.fresh(call.Time):
		return &iam.GenerateCredentialReportOutput{State: new(iam.ReportStateTypeComplete)}, nil
	}
	wanted := *r
	wanted.Wanted = trail.NewID()
	return &iam.GenerateCredentialReportOutput{
		State: new(iam.ReportStateTypeStarted), Description: new("No report exists. Starting a new report generation task"),
	}, reports.Put(call.Tx, call.Account, &wanted)
}

// getCredentialReport's refusals have no message, as AWS's have none.
func (s *Service) getCredentialReport(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.GetCredentialReportInput) (*iam.GetCredentialReportOutput, error) {
	r, err := reportOf(call.Tx, call.Account)
	switch {
	case err != nil:
		return nil, err
	case r.Wanted != "":
		return nil, &iam.CredentialReportNotReadyException{}
	case r.Made == nil:
		return nil, &iam.CredentialReportNotPresentException{}
	case !r.fresh(call.Time):
		return nil, &iam.CredentialReportExpiredException{}
	}
	var text []byte
	for i := range r.Parts {
		part, err := reportParts.Get(call.Tx, call.Account, partNumber(i))
		if err != nil {
			return nil, err
		}
		text = append(text, part.Text...)
	}
	return &iam.GetCredentialReportOutput{Content: text, GeneratedTime: r.Made, ReportFormat: new(iam.ReportFormatTypeTextCsv)}, nil
}

func partNumber(i int) string { return strconv.Itoa(i) }

// MakeReports follows the trail and makes the credential reports that are asked
// for, until ctx ends.
func (s *Service) MakeReports(ctx context.Context, t *trail.Trail) error {
	m := &reportMaker{ctx: ctx, engine: t.Engine, made: map[string][]byte{}}
	return t.Follow(ctx, "iam/credential-report", m.make)
}

// reportMaker makes reports in reads of their own, a page of users each, so that
// no transaction holds others up for as long as a large account takes. A report
// tells of each user as of some moment after it was asked for.
type reportMaker struct {
	ctx    context.Context
	engine store.Engine
	made   map[string][]byte // by id: those of this batch, kept for when its transaction is run again
}

func (m *reportMaker) make(tx store.Tx, records []trail.Record) error {
	if tx.Attempt() == 1 {
		clear(m.made)
	}
	done := map[string]bool{}
	for _, r := range records {
		e := r.Event
		if e == nil || e.EventName != "GenerateCredentialReport" || e.EventSource != "iam.amazonaws.com" || done[r.Scope] {
			continue
		}
		done[r.Scope] = true
		if err := m.report(tx, r.Scope, second(e.EventTime)); err != nil {
			return err
		}
	}
	return nil
}

// report puts the account's report in the place of the one before, if one is wanted.
func (m *reportMaker) report(tx store.Tx, account string, at time.Time) error {
	r, err := reportOf(tx, account)
	if err != nil || r.Wanted == "" {
		return err
	}
	text, ok := m.made[r.Wanted]
	if !ok {
		if text, err = writeReport(m.ctx, m.engine, account); err != nil {
			return err
		}
		m.made[r.Wanted] = text
	}
	made := CredentialReport{Made: &at}
	for ; len(text) > 0; made.Parts++ {
		n := min(partSize, len(text))
		if err := reportParts.Put(tx, account, &ReportPart{Text: text[:n]}, partNumber(made.Parts)); err != nil {
			return err
		}
		text = text[n:]
	}
	for i := made.Parts; i < r.Parts; i++ {
		if err := reportParts.Delete(tx, account, partNumber(i)); err != nil {
			return err
		}
	}
	return reports.Put(tx, account, &made)
}
