package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/garrison-security/garrison/trail"
)

// TrailCmd prints the record.
type TrailCmd struct {
	House
	Follow    bool   `short:"f" help:"Go on with what is added."`
	JSON      bool   `name:"json" help:"Print CloudTrail's records, one JSON object a line, and no table."`
	Name      string `help:"Events of this name alone: CreateUser, iam:CreateUser or iam:*." placeholder:"NAME"`
	Principal string `help:"Of this caller alone: ARN, principal id, user name, access key id or account." placeholder:"WHO"`
	Error     string `help:"Refused with this code alone; * is any, none is what succeeded." placeholder:"CODE"`
	Account   string `help:"Of this account alone." placeholder:"ID"`
	Since     string `help:"From this time on (RFC 3339), or from so long ago (90m, 24h)." placeholder:"TIME"`
	Until     string `help:"Before this time (RFC 3339), or before so long ago." placeholder:"TIME"`
}

// Run implements the subcommand.
func (c *TrailCmd) Run(ctx context.Context, io streams) error {
	t := readTrail{Follow: c.Follow, Name: c.Name, Principal: c.Principal, Error: c.Error, Account: c.Account}
	now := time.Now()
	var err1, err2 error
	t.Since, err1 = pointInTime("since", c.Since, now)
	t.Until, err2 = pointInTime("until", c.Until, now)
	if err := errors.Join(err1, err2); err != nil {
		return usageError{err}
	}
	print := func(text json.RawMessage) error {
		_, err := fmt.Fprintf(io.out, "%s\n", text)
		return err
	}
	if !c.JSON {
		print = newTable(io.out).row
	}
	err := ask(ctx, io, c.House, "/1/trail", &t, print)
	if c.Follow && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func pointInTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	ago, err := time.ParseDuration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--%s: %q is neither a time like 2026-01-31T12:00:00Z nor a span like 90m", flag, text)
	}
	return now.Add(-ago), nil
}

// readTrail tells the record, one event a line.
type readTrail struct {
	Follow    bool      `json:"follow,omitempty"`
	Name      string    `json:"name,omitempty"`
	Principal string    `json:"principal,omitempty"`
	Error     string    `json:"error,omitempty"`
	Account   string    `json:"account,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
}

func (t *readTrail) perform(ctx context.Context, h *house, by operator, tell func(any) error) error {
	if err := h.note(ctx, by, "ReadTrail", t); err != nil {
		return err
	}
	filter := trail.Filter{
		Name: t.Name, Principal: t.Principal, Error: t.Error, Account: t.Account, Since: t.Since, Until: t.Until,
	}
	for record, err := range h.record.Read(ctx, nil, filter, t.Follow) {
		if err != nil {
			return err
		}
		if err := tell(json.RawMessage(record.Event.AppendJSON(nil))); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// table prints events for people, a line each.
type table struct {
	out      io.Writer
	coloured bool
	headed   bool
}

func newTable(out io.Writer) *table {
	f, ok := out.(*os.File)
	return &table{out: out, coloured: ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""}
}

const tableFormat = "%-20s  %-12s  %-28s  %-34s  %s\n"

func (t *table) row(text json.RawMessage) error {
	var e struct {
		EventTime, EventSource, EventName, RecipientAccountID, ErrorCode, SourceIPAddress string
		UserIdentity                                                                      struct {
			Type, ARN, PrincipalID, UserName, InvokedBy string
		}
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if !t.headed {
		t.headed = true
		if _, err := fmt.Fprintf(t.out, tableFormat, "TIME", "ACCOUNT", "WHO", "WHAT", "OUTCOME"); err != nil {
			return err
		}
	}
	who := e.UserIdentity.UserName
	if _, resource, ok := strings.Cut(e.UserIdentity.ARN, "::"); ok {
		_, who, _ = strings.Cut(resource, ":")
	}
	if e.UserIdentity.Type == "Operator" {
		who = "operator " + who
	}
	if who == "" {
		who = strings.Trim(e.UserIdentity.PrincipalID+" "+e.UserIdentity.InvokedBy, " ")
	}
	service, _, _ := strings.Cut(e.EventSource, ".")
	outcome := "ok"
	if e.ErrorCode != "" {
		outcome = e.ErrorCode
		if t.coloured {
			outcome = "\x1b[31m" + outcome + "\x1b[0m"
		}
	}
	account := e.RecipientAccountID
	if account == "" {
		account = "-"
	}
	_, err := fmt.Fprintf(t.out, tableFormat, printable(e.EventTime), printable(account), printable(who), printable(service+":"+e.EventName), outcome)
	return err
}

// printable keeps control characters, which callers can put into names, off the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '·'
		}
		return r
	}, text)
}
