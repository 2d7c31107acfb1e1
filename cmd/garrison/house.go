package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/garrison-security/garrison/backup"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/trail"
)

// house is an installation that is open: its store, and the keys to it.
type house struct {
	dir      dataDir
	settings House
	engine   store.Engine
	blobs    blob.Store // nil: the store is shared, and no place is named that nodes share
	keys     *keyring.Keyring
	record   *trail.Trail
	log      *slog.Logger
	fleeting bool // the engine keeps nothing
	shared   bool // the engine is a database, which other nodes may use
	// words: the root key is a passphrase, and no file; nil otherwise.
	words keyring.RootKey
	installation
	restored *backup.Counts // what this process has restored it of; nil: nothing

	writing sync.Mutex // held while accounts and the credentials file change together
}

// openHouse opens the installation that there is.
func openHouse(ctx context.Context, settings House, log *slog.Logger) (*house, error) {
	h := newHouse(settings, log)
	if !h.shared {
		holds, err := h.dir.holdsStore()
		if err != nil {
			return nil, err
		}
		if !holds {
			return nil, fmt.Errorf("%s holds no store; garrison init makes one", settings.Data)
		}
	}
	return h, h.open(ctx, false)
}

func newHouse(settings House, log *slog.Logger) *house {
	return &house{
		dir: dataDir(settings.Data), settings: settings, log: log,
		fleeting: settings.Engine == "mem", shared: postgres.IsURL(settings.Engine),
	}
}

// makeHouse opens the installation, and makes what it lacks of it. The first
// account is not among that; see found.
func makeHouse(ctx context.Context, settings House, log *slog.Logger) (*house, error) {
	h := newHouse(settings, log)
	if err := h.dir.prepare(); err != nil {
		return nil, err
	}
	return h, h.open(ctx, true)
}

// open opens the store and its keys; make says whether one may be made. Of a
// directory it is known beforehand whether it holds a store, of a database once it is open.
func (h *house) open(ctx context.Context, make bool) (err error) {
	var root keyring.RootKey
	if !h.shared {
		holds, err := h.dir.holdsStore()
		if err != nil {
			return err
		}
		if root, err = h.root(holds); err != nil {
			return err
		}
	}
	h.keys = keyring.New()
	journal := trail.NewJournal(h.keys)
	options := store.Options{Sealer: h.keys, Journal: journal, Release: release, Log: h.log}
	if h.engine, err = openEngine(ctx, h.settings.Engine, h.dir, options); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if h.shared {
		holds, err := keyring.Holds(ctx, h.engine)
		if err == nil && !holds && !make {
			err = errors.New("the database holds no store; garrison init makes one")
		}
		if err == nil {
			root, err = h.root(holds)
		}
		if err != nil {
			return errors.Join(err, h.engine.Close())
		}
	}
	if h.blobs, err = openBlobs(ctx, h.settings); err != nil {
		return errors.Join(err, h.engine.Close())
	}
	if err := h.keys.Load(ctx, h.engine, root); err != nil {
		if wrong, ok := errors.AsType[*keyring.WrongRootError](err); ok {
			err = fmt.Errorf("%w (%s)", wrong, h.rootName())
		}
		return errors.Join(err, h.shut())
	}
	h.record = &trail.Trail{Engine: h.engine, Journal: journal}
	err = errors.Join(h.record.Begin(ctx, time.Now()), h.load(ctx))
	if err == nil {
		err = h.noteRestore(ctx, thisOperator())
	}
	if err != nil {
		return errors.Join(err, h.shut())
	}
	return nil
}

// root is the root key. One is made only where there is no store that another
// would open; holds says whether there is.
func (h *house) root(holds bool) (keyring.RootKey, error) {
	if h.fleeting {
		return fleetingRoot()
	}
	if words, err := h.passphrase(); words != nil || err != nil {
		return words, err
	}
	path := h.dir.rootKey(h.settings.RootKey)
	key, err := keyring.RootFile(path, !holds)
	if holds && h.shared && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the root key of the store in the database is not at %s: copy the first node's there, or name it with --root-key", path)
	}
	if holds && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the root key of the store in %s is not at %s: without it nothing there can be read", h.dir, path)
	}
	return key, err
}

// passphrase is the one that the environment held, which it is taken out of; nil if it held none.
func (h *house) passphrase() (_ keyring.RootKey, err error) {
	if h.words == nil {
		h.words, err = keyring.FromEnvironment()
	}
	return h.words, err
}

// fleetingRoot is a root key for a store in memory. What it seals never leaves
// the process, so that its having stood in a file for a moment tells nobody anything.
func fleetingRoot() (keyring.RootKey, error) {
	dir, err := os.MkdirTemp("", "garrison-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return keyring.CreateRootFile(filepath.Join(dir, "root.key"))
}

func (h *house) rootName() string {
	return "the root key given is " + h.dir.rootKey(h.settings.RootKey)
}

// shut closes what is stored.
func (h *house) shut() error {
	if h.blobs == nil {
		return h.engine.Close()
	}
	return errors.Join(h.engine.Close(), h.blobs.Close())
}

// close ends the house. What was acknowledged stays.
func (h *house) close() error {
	err := h.shut()
	h.keys.Close()
	return err
}

// clockRight tells whether this machine's clock is, where there is another to compare it with.
func (h *house) clockRight() bool {
	c, ok := h.engine.(store.Clocked)
	return !ok || c.ClockRight()
}

// note appends what an operator did and changed nothing by.
func (h *house) note(ctx context.Context, by operator, name string, parameters any) error {
	event, err := operatorEvent(by, name, parameters)
	if err != nil {
		return err
	}
	return h.engine.Update(ctx, func(tx store.Tx) error { return trail.Append(tx, event) })
}

// noteRestore appends that the store was restored, if nobody has done that yet: not even
// who restored it, if that broke off when the store was finished.
func (h *house) noteRestore(ctx context.Context, by operator) error {
	return h.engine.Update(ctx, func(tx store.Tx) error {
		of, err := backup.Restored(tx)
		if of == nil || err != nil {
			return err
		}
		parameters := map[string]any{"backupRelease": of.Release, "backupTime": of.Time}
		if h.restored != nil {
			parameters["counts"] = h.restored
		}
		event, err := operatorEvent(by, "Restore", parameters)
		if err != nil {
			return err
		}
		return errors.Join(backup.Recorded(tx), trail.Append(tx, event))
	})
}

func operatorEvent(by operator, name string, parameters any) (*trail.Event, error) {
	var text []byte
	if parameters != nil {
		var err error
		if text, err = json.Marshal(parameters); err != nil {
			return nil, err
		}
	}
	return by.event(name, time.Now(), text), nil
}
