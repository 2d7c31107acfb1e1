package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// RotateRootKeyCmd moves the installation to a new root key.
type RotateRootKeyCmd struct {
	House
	To string `help:"File of the new key, made if there is none: serve is to be given it as --root-key from then on. By default the new key takes the old one's place." placeholder:"FILE"`
}

// Run implements the subcommand.
func (c *RotateRootKeyCmd) Run(ctx context.Context, io streams) error {
	t := rotateRootKey{}
	if c.To != "" {
		to, err := filepath.Abs(c.To)
		if err != nil {
			return err
		}
		t.To = to
	}
	return ask(ctx, io, c.House, "/1/rotate-root-key", &t, func(text json.RawMessage) error {
		var path string
		if err := json.Unmarshal(text, &path); err != nil {
			return err
		}
		_, err := fmt.Fprintln(io.out, "the root key is", path)
		return err
	})
}

// rotateRootKey makes a root key and moves the keyring to it. It goes in steps,
// each durable by itself: the first and the last tell the record.
type rotateRootKey struct {
	To string `json:"to,omitempty"`
}

func (t *rotateRootKey) perform(ctx context.Context, h *house, by operator, tell func(any) error) error {
	if h.fleeting {
		return errors.New("the engine mem keeps nothing, and so no root key")
	}
	if h.words != nil && t.To == "" {
		return errors.New("this installation opens with a passphrase: say with --to to what file its root key is to move")
	}
	path := h.dir.rootKey(h.settings.RootKey)
	if t.To != "" {
		path = t.To
	}
	rotation := func(state string) map[string]any {
		return map[string]any{"state": state, "rootKeyFile": path, "rootKeyIds": h.keys.RootIDs()}
	}
	note := func(tx store.Tx, done bool) error {
		state := "begun"
		if done {
			state = "done"
		}
		event, err := operatorEvent(by, "RotateRootKey", rotation(state))
		if err != nil {
			return err
		}
		return trail.Append(tx, event)
	}
	h.writing.Lock()
	defer h.writing.Unlock()
	var err error
	if t.To == "" {
		err = h.keys.RotateFile(ctx, path, note)
	} else {
		var next keyring.RootKey
		if next, err = keyring.RootFile(path, true); err == nil {
			err = h.keys.Rotate(ctx, next, nil, note)
		}
	}
	if err != nil {
		return errors.Join(err, h.note(ctx, by, "RotateRootKey", rotation("failed")))
	}
	return tell(path)
}
