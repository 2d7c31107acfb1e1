package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// dataDir is the directory of an installation.
type dataDir string

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

func (d dataDir) store() string       { return d.path("store") }
func (d dataDir) blobs() string       { return d.path("blob") }
func (d dataDir) spool() string       { return d.path("spool") }
func (d dataDir) credentials() string { return d.path("credentials") }
func (d dataDir) authority() string   { return d.path("ca.pem") }
func (d dataDir) socket() string      { return d.path("admin.sock") }

// rootKey is the root key's file, unless the settings name another.
func (d dataDir) rootKey(configured string) string {
	if configured != "" {
		return configured
	}
	return d.path("root.key")
}

// prepare makes the directory, for its owner alone.
func (d dataDir) prepare() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

// holdsStore says whether there is a store: one that was at least begun.
func (d dataDir) holdsStore() (bool, error) {
	entries, err := os.ReadDir(d.store())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return len(entries) > 0, err
}

// replaceFile writes a file whole or not at all, and durably.
func replaceFile(path string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
