package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// VerifyCmd checks what is stored against itself, and against heads kept elsewhere.
type VerifyCmd struct {
	House
	Heads string `help:"File of heads that were printed before and kept elsewhere: they show a cut tail, or a store that was rolled back." placeholder:"FILE"`
}

// maxHeadsFile bounds the file of heads.
const maxHeadsFile = 8 << 20

// Run implements the subcommand.
func (c *VerifyCmd) Run(ctx context.Context, streams streams) error {
	t := verify{}
	if c.Heads != "" {
		f, err := os.Open(c.Heads)
		if err != nil {
			return usageError{err}
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxHeadsFile+1))
		if err != nil {
			return err
		}
		if len(text) > maxHeadsFile {
			return usageError{fmt.Errorf("--heads: %s is larger than 8 MiB", c.Heads)}
		}
		t.Heads = string(text)
	}
	faults := 0
	err := ask(ctx, streams, c.House, "/1/verify", &t, func(text json.RawMessage) error {
		var l verifyLine
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		var err error
		switch {
		case l.Fault != "":
			faults++
			_, err = fmt.Fprintln(streams.err, "fault:", l.Fault)
		case l.Heads != "":
			_, err = io.WriteString(streams.out, l.Heads)
		default:
			_, err = fmt.Fprintln(streams.err, l.Text)
		}
		return err
	})
	if err == nil && faults > 0 {
		err = errors.New("what is stored does not verify")
	}
	return err
}

type verifyLine struct {
	Text  string `json:"text,omitempty"`
	Fault string `json:"fault,omitempty"`
	Heads string `json:"heads,omitempty"`
}

// verify checks the keyring's keys, that every value opens under its row's
// key, and the record.
type verify struct {
	Heads string `json:"heads,omitempty"`
}

func (t *verify) perform(ctx context.Context, h *house, by operator, tell func(any) error) error {
	var heads []trail.KnownHead
	if t.Heads != "" {
		var err error
		if heads, err = trail.ReadHeads(strings.NewReader(t.Heads)); err != nil {
			return err
		}
	}
	if err := h.note(ctx, by, "Verify", map[string]int{"heads": len(heads)}); err != nil {
		return err
	}
	if err := h.keys.Verify(ctx); err != nil {
		if err := tell(verifyLine{Fault: "keyring: " + oneLine(err)}); err != nil {
			return err
		}
	}
	if err := h.verifyValues(ctx, tell); err != nil {
		return err
	}
	report, err := h.record.Verify(ctx, heads)
	if err != nil {
		return fmt.Errorf("read the record: %w", err)
	}
	return tellReport(report, len(heads), tell)
}

func tellReport(report *trail.Report, given int, tell func(any) error) error {
	for _, f := range report.Faults {
		if err := tell(verifyLine{Fault: f.String()}); err != nil {
			return err
		}
	}
	if report.More {
		if err := tell(verifyLine{Fault: "and more of the record"}); err != nil {
			return err
		}
	}
	var events, erased uint64
	for _, s := range report.Streams {
		events += s.Last - s.Cut
		erased += s.Erased
	}
	text := fmt.Sprintf("record: %d streams, %d events, %d of them erased", len(report.Streams), events, erased)
	if given > 0 {
		text += fmt.Sprintf("; heads: %d given, %d found as they were, %d under a checkpoint", given, report.Compared, report.Below)
	}
	var lines bytes.Buffer
	if err := report.WriteHeads(&lines, time.Now()); err != nil {
		return err
	}
	return errors.Join(tell(verifyLine{Text: text}), tell(verifyLine{Heads: lines.String()}))
}

// valuesAtOnce is how many values one transaction reads.
const valuesAtOnce = 1000

// verifyValues opens every value of the store. Those of an account that was
// erased open no more, rightly.
func (h *house) verifyValues(ctx context.Context, tell func(any) error) error {
	var from []byte
	values, erased := 0, 0
	for more := true; more; {
		var bad []error
		var at [][]byte
		last, read := from, 0
		err := h.engine.View(ctx, func(tx store.Tx) error {
			bad, at, last, read = nil, nil, from, 0
			for pair, err := range tx.Scan(from, nil, false) {
				if err != nil && (pair.Key == nil || !errors.Is(err, store.ErrSealed)) {
					return err
				}
				if err != nil {
					bad, at = append(bad, err), append(at, bytes.Clone(pair.Key))
				}
				last = append(bytes.Clone(pair.Key), 0)
				if read++; err != nil || read == valuesAtOnce {
					break
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		more = read > 0
		for i, err := range bad {
			if h.keys.Destroyed(store.Scope(at[i])) {
				erased++
				continue
			}
			if err := tell(verifyLine{Fault: "store: " + place(at[i]) + ": " + oneLine(err)}); err != nil {
				return err
			}
		}
		values += read - len(bad)
		from = last
	}
	return tell(verifyLine{Text: fmt.Sprintf("store: %d values open, %d are of erased accounts", values, erased)})
}

// place names a row; names order rows, and are no secrets.
func place(key []byte) string {
	table, scope, parts, ok := store.Parts(key)
	if !ok {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("%s of %q, %q", table, scope, parts)
}
