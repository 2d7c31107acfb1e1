package kms

import (
	"time"

	"github.com/garrison-security/garrison/store"
)

// keysByDate orders keys by when the calendar next does something to them.
var keysByDate = &store.Index[Key]{Name: "date", Global: true, Of: func(k *Key, add func(...string)) {
	if at := k.next(); !at.IsZero() {
		add(sortable(at))
	}
}}

// sortable is a time as text that orders as times do.
func sortable(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// next is when the calendar next does something to the key: its deletion, or
// the expiry of imported material, or its rotation; zero: never.
func (k *Key) next() time.Time {
	next := k.DeletionDate
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for i := range k.Materials {
		if m := &k.Materials[i]; m.Imported {
			sooner(m.ValidTo)
		}
	}
	if k.State == "Enabled" {
		sooner(k.Rotation.Next)
	}
	return next
}
