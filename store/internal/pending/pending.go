// Package pending holds what a transaction has changed before it commits, for
// every engine: writes by key, in order, and events.
package pending

import (
	"bytes"
	"fmt"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/internal/ordered"
)

// Changes are the writes and events of one transaction. The zero Changes holds none.
type Changes struct {
	Writes ordered.Map[Write]
	Events []store.Event
	Bytes  int // keys, sealed values and event data
}

// Write is what becomes of a key.
type Write struct {
	Sealed []byte // what the engine keeps
	Delete bool
}

// Set adds a write of key. It copies key and keeps w.
func (c *Changes) Set(key []byte, w Write) error {
	old, changed := c.Writes.Get(key)
	bytesNow := c.Bytes + len(w.Sealed)
	if changed {
		bytesNow -= len(old.Sealed)
	} else {
		bytesNow += len(key)
		if c.Writes.Len() == store.MaxChanges {
			return fmt.Errorf("%w: more than %d keys changed", store.ErrTooLarge, store.MaxChanges)
		}
	}
	if bytesNow > store.MaxBytes {
		return fmt.Errorf("%w: more than %d bytes", store.ErrTooLarge, store.MaxBytes)
	}
	c.Bytes = bytesNow
	c.Writes = c.Writes.With(bytes.Clone(key), w)
	return nil
}

// Append adds an event. It copies the event's data.
func (c *Changes) Append(e store.Event) error {
	if len(c.Events) == store.MaxChanges {
		return fmt.Errorf("%w: more than %d events", store.ErrTooLarge, store.MaxChanges)
	}
	if c.Bytes+len(e.Data) > store.MaxBytes {
		return fmt.Errorf("%w: more than %d bytes", store.ErrTooLarge, store.MaxBytes)
	}
	c.Bytes += len(e.Data)
	e.Data = bytes.Clone(e.Data)
	c.Events = append(c.Events, e)
	return nil
}

// Empty tells that there is nothing to commit.
func (c *Changes) Empty() bool { return c.Writes.Len() == 0 && len(c.Events) == 0 }
