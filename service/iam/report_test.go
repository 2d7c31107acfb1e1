package iam

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// makeReports runs the follower over one call of GenerateCredentialReport at a time.
func makeReports(p *plane, at time.Time) {
	m := &reportMaker{ctx: p.Context(), engine: p.engine, made: map[string][]byte{}}
	p.update(func(tx store.Tx) error {
		return m.make(tx, []trail.Record{{Scope: testAccount, Event: &trail.Event{
			EventTime: at, EventSource: "iam.amazonaws.com", EventName: "GenerateCredentialReport",
		}}})
	})
}

func TestCredentialReport(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p.Gateway.Clock = func() time.Time { return now }
	generate := func() string {
		out := call(p, root, iam.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
		text := string(*out.State)
		if out.Description != nil {
			text += ": " + *out.Description
		}
		return text
	}
	get := func() string { return try(p, root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}) }
	const started = "STARTED: No report exists. Starting a new report generation task"
	step := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	key := call(p, root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("u")}).AccessKey.AccessKeyId
	other := call(p, root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("u")}).AccessKey.AccessKeyId
	if other < key {
		key, other = other, key
	}
	call(p, root, iam.UpdateAccessKey, &iam.UpdateAccessKeyInput{UserName: new("u"), AccessKeyId: other, Status: iam.StatusTypeInactive})
	p.update(func(tx store.Tx) error {
		return lastUses.Put(tx, testAccount, &LastUse{At: now.Add(-time.Hour), Service: "sts", Region: "eu-west-1"}, key)
	})
	id := call(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: "B"}).User.UserId
	p.update(func(tx store.Tx) error {
		err := signingCertificates.Put(tx, testAccount, &SigningCertificate{ID: "A", Hash: "a", Uploaded: now}, id, "A")
		if err != nil {
			return err
		}
		return signingCertificates.Put(tx, testAccount, &SigningCertificate{ID: "B", Hash: "b", Inactive: true, Uploaded: now.Add(time.Minute)}, id, "B")
	})
	call(p, root, iam.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: new("B"), Password: new("correct-Horse-7-battery")})
	call(p, root, iam.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{MaxPasswordAge: new(int32(90))})

	step("get before", get(), "CredentialReportNotPresentException: ")
	step("generate", generate(), started)
	step("get meanwhile", get(), "CredentialReportNotReadyException: ")
	step("generate meanwhile", generate(), "INPROGRESS")
	makeReports(p, now)
	step("generate when it is there", generate(), "COMPLETE")
	out := call(p, root, iam.GetCredentialReport, &iam.GetCredentialReportInput{})
	rows, err := csv.NewReader(strings.NewReader(string(out.Content))).ReadAll()
	if err != nil || strings.HasSuffix(string(out.Content), "\n") || !out.GeneratedTime.Equal(now) || *out.ReportFormat != "text/csv" {
		t.Fatalf("%v, report %s", err, out.Content)
	}
	const at = "2026-11-24T12:00:00Z"
	for i, want := range [][]string{
		reportColumns,
		{"<root_account>", "arn:aws:iam::111122223333:root", "", "not_supported", "no_information", "not_supported", "not_supported", "false",
			"true", "", "N/A", "N/A", "N/A", "false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "false", "N/A"},
		{"B", "arn:aws:iam::111122223333:user/B", at, "true", "no_information", at, "2027-02-22T12:00:00Z", "false",
			"false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "N/A", "N/A", "N/A", "false", "2026-11-24T12:01:00Z", "true", at},
		{"u", "arn:aws:iam::111122223333:user/u", "", "false", "N/A", "N/A", "N/A", "false",
			"true", at, "2026-11-24T11:00:00Z", "eu-west-1", "sts", "false", at, "N/A", "N/A", "N/A", "false", "N/A", "false", "N/A"},
	} {
		for j := range want {
			if i >= len(rows) || want[j] != "" && rows[i][j] != want[j] {
				t.Errorf("row %d: %v, want %v", i, rows[min(i, len(rows)-1)], want)
				break
			}
		}
	}
	// What changes meanwhile shows in the next report alone.
	call(p, root, iam.CreateUser, &iam.CreateUserInput{UserName: "later"})
	now = now.Add(reportAge - time.Second)
	if text := call(p, root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}).Content; strings.Contains(string(text), "later") {
		t.Error("a report changed")
	}
	step("generate just in time", generate(), "COMPLETE")
	now = now.Add(time.Second)
	step("get too late", get(), "CredentialReportExpiredException: ")
	step("generate too late", generate(), started)
	makeReports(p, now)
	if text := call(p, root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}).Content; !strings.Contains(string(text), "later") {
		t.Error("the next report is the last")
	}
	// A record that nobody waits for, as after a restart, makes nothing.
	makeReports(p, now.Add(time.Hour))
	if made := call(p, root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}).GeneratedTime; !made.Equal(now) {
		t.Errorf("made at %v", made)
	}
	for op, got := range map[string]string{
		"iam:GenerateCredentialReport": try(p, delegate(p, "d", `{"Effect":"Allow","Action":"iam:GetCredentialReport","Resource":"*"}`), iam.GenerateCredentialReport, &iam.GenerateCredentialReportInput{}),
		"iam:GetCredentialReport":      try(p, delegate(p, "e", `{"Effect":"Allow","Action":"iam:GenerateCredentialReport","Resource":"*"}`), iam.GetCredentialReport, &iam.GetCredentialReportInput{}),
	} {
		if !strings.Contains(got, "not authorized to perform: "+op) {
			t.Errorf("%s = %s", op, got)
		}
	}
}

// A report of more users than one read takes, and of more than one part, is whole.
func TestLargeCredentialReport(t *testing.T) {
	p := newPlane(t)
	const n = 2*usersAtOnce + 7
	want := map[string]bool{"user": true, "<root_account>": true}
	p.update(func(tx store.Tx) error {
		for i := range n {
			name := fmt.Sprintf("user%06d%s", i, strings.Repeat("n", 54))
			want[name] = true
			u := &User{Entity: Entity{Name: name, Path: "/" + strings.Repeat("p", 500) + "/", ID: fmt.Sprint("AIDA", i), Created: time.Now()}}
			u.Arn = "arn:aws:iam::" + testAccount + ":user" + u.Path + name + strings.Repeat("x", 500)
			if err := users.Insert(tx, testAccount, u, u.ID); err != nil {
				return err
			}
		}
		return nil
	})
	call(p, p.root, iam.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
	makeReports(p, time.Now())
	text := call(p, p.root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}).Content
	got := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, ",")
		got[name] = true
	}
	if !maps.Equal(got, want) || len(text) < partSize {
		t.Errorf("%d of %d rows, %d bytes", len(got), len(want), len(text))
	}
	p.update(func(tx store.Tx) error {
		r, err := reports.Get(tx, testAccount)
		if err == nil && r.Parts < 2 {
			t.Errorf("%d parts", r.Parts)
		}
		return err
	})
}

// The follower makes what was asked for before it started.
func TestMakeReportsFollows(t *testing.T) {
	p := newPlane(t)
	call(p, p.root, iam.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.service.MakeReports(ctx, p.trail) }()
	deadline := time.Now().Add(30 * time.Second)
	for try(p, p.root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}) != "" && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	stop()
	<-done
	text := call(p, p.root, iam.GetCredentialReport, &iam.GetCredentialReportInput{}).Content
	if lines := slices.Collect(strings.Lines(string(text))); len(lines) != 2 {
		t.Errorf("%d lines", len(lines))
	}
}
