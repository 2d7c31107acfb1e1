package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/garrison-security/garrison/backup"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/service/s3"
	"github.com/garrison-security/garrison/store"
)

// BackupCmd writes a backup of the installation.
type BackupCmd struct {
	House
	To string `help:"File to write, which must be new; by default standard output." placeholder:"FILE"`
}

// Run implements the subcommand.
func (c *BackupCmd) Run(ctx context.Context, io streams) (err error) {
	out, keep := io.out, func() error { return nil }
	if c.To != "" {
		f, err := newBackupFile(c.To)
		if err != nil {
			return err
		}
		defer f.drop()
		out, keep = f, f.keep
	} else if f, ok := io.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return usageError{errors.New("a backup is no text for a terminal: give --to FILE, or send it somewhere")}
	}
	err = ask(ctx, io, c.House, "/1/backup", &takeBackup{}, func(text json.RawMessage) error {
		var l backupLine
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if l.Counts != nil {
			_, err := fmt.Fprintln(io.err, "backed up:", tellCounts(*l.Counts))
			return err
		}
		_, err := out.Write(l.Bytes)
		return err
	})
	if err != nil {
		return err
	}
	return keep()
}

func tellCounts(c backup.Counts) string {
	return fmt.Sprintf("%d values, %d blobs of %d bytes, %d events in %d streams", c.Pairs, c.Blobs, c.BlobBytes, c.Events, c.Streams)
}

// backupFile is a file that gets its name once it is whole.
type backupFile struct {
	*os.File
	path string
}

func newBackupFile(path string) (*backupFile, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, usageError{fmt.Errorf("--to: %s is there already", path)}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // for its owner alone
	if err != nil {
		return nil, err
	}
	return &backupFile{f, path}, nil
}

// keep makes the file durable under its name, which is nobody else's.
func (f *backupFile) keep() error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

func (f *backupFile) drop() {
	f.Close()
	os.Remove(f.Name())
}

// backupLine is a piece of the stream, or, last, what it holds.
type backupLine struct {
	Bytes  []byte         `json:"bytes,omitempty"`
	Counts *backup.Counts `json:"counts,omitempty"`
}

const (
	// backupPiece is how many bytes of the stream travel together.
	backupPiece = 256 << 10
	// backupAtMost bounds how long a snapshot is kept, and readerAtMost how long its reader may take nothing.
	backupAtMost = 72 * time.Hour
	readerAtMost = 10 * time.Minute
)

// takeBackup tells a backup of the store and the blobs that it names.
type takeBackup struct{}

// patience implements patient.
func (*takeBackup) patience() time.Duration { return readerAtMost }

func (*takeBackup) perform(ctx context.Context, h *house, by operator, tell func(any) error) error {
	engine, ok := h.engine.(store.Archived)
	if !ok {
		return fmt.Errorf("the engine %s keeps nothing, nor its root key: there is nothing to restore a backup with", h.settings.Engine)
	}
	ctx, cancel := context.WithTimeout(ctx, backupAtMost)
	defer cancel()
	began := time.Now()
	if err := h.note(ctx, by, "Backup", map[string]string{"state": "begun"}); err != nil {
		return err
	}
	var counts backup.Counts
	err := backup.Hold(ctx, h.engine, func(ctx context.Context) (err error) {
		counts, err = h.backUp(ctx, engine, began, tell)
		return err
	})
	if err != nil {
		return errors.Join(err, h.note(context.WithoutCancel(ctx), by, "Backup", map[string]string{"state": "failed"}))
	}
	return errors.Join(tell(backupLine{Counts: &counts}), h.note(ctx, by, "Backup", map[string]any{"state": "done", "counts": counts}))
}

func (h *house) backUp(ctx context.Context, engine store.Archived, now time.Time, tell func(any) error) (backup.Counts, error) {
	at, err := engine.Snapshot(ctx)
	if err != nil {
		return backup.Counts{}, err
	}
	defer at.Close()
	of := backup.Source{
		Manifest: backup.Manifest{Release: release, Time: now.UTC().Truncate(time.Second), Installation: h.id()},
		Store:    at, Blobs: h.blobs, Names: s3.BlobOf, Sealer: h.keys,
	}
	from, to := keyring.MasterKeys()
	if of.Head, of.AEAD, err = h.keys.NewStreamKey(at.Sealed(ctx, from, to)); err != nil {
		return backup.Counts{}, err
	}
	out := bufio.NewWriterSize(telling(tell), backupPiece)
	counts, err := backup.Write(ctx, out, of)
	if err == nil {
		err = out.Flush()
	}
	return counts, err
}

// telling writes by telling.
type telling func(any) error

func (t telling) Write(b []byte) (int, error) {
	if err := t(backupLine{Bytes: b}); err != nil {
		return 0, err
	}
	return len(b), nil
}
