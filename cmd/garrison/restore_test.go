package main

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/trail"
)

// TestARestoreThatDiesWhenItIsDoneIsRecorded by whoever opens the store first, and once.
func TestARestoreThatDiesWhenItIsDoneIsRecorded(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	from, err := makeHouse(t.Context(), House{Data: t.TempDir(), Engine: "pebble"}, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.found(t.Context(), thisOperator(), founding{}); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := new(takeBackup).perform(t.Context(), from, thisOperator(), func(line any) error {
		_, err := stream.Write(line.(backupLine).Bytes)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := from.close(); err != nil {
		t.Fatal(err)
	}
	settings := House{Data: t.TempDir(), Engine: "pebble"}
	root, err := os.ReadFile(from.dir.rootKey(""))
	if err == nil {
		err = os.WriteFile(dataDir(settings.Data).rootKey(""), root, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	dying := restoring{house: newHouse(settings, log)}
	of, _, err := dying.read(t.Context(), &stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := dying.close(); err != nil {
		t.Fatal(err)
	}
	for _, start := range []string{"first", "second"} {
		h, err := openHouse(t.Context(), settings, log)
		if err != nil {
			t.Fatal(err)
		}
		restores := 0
		for record, err := range h.record.Read(t.Context(), nil, trail.Filter{Name: "Restore"}, false) {
			if err != nil {
				t.Fatal(err)
			}
			restores++
			if text := string(record.Event.AppendJSON(nil)); !strings.Contains(text, of.Time.Format(time.RFC3339)) {
				t.Errorf("the event is %s", text)
			}
		}
		if restores != 1 {
			t.Errorf("after the %s start %d events tell of the restore", start, restores)
		}
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}
}
