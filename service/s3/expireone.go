package s3

import (
	"errors"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// expire removes what was found to be due, if it still is: a version that is not
// current for good, a current one as DeleteObject does.
func (all rules) expire(call *gateway.Call, b *Bucket, d *dated) error {
	switch {
	case d.upload != nil:
		return all.expireUpload(call, b, d)
	case d.before != nil:
		return all.expireOld(call, b, d)
	}
	current, err := b.find(call.Tx, d.key, nil)
	switch {
	case err != nil || current == nil:
		return err
	case current.Marker:
		return all.expireMarker(call, b, d.key)
	case !all.due(d.key, current, nil, 0, true, call.Time):
		return nil
	}
	_, _, err = (&onBucket{Bucket: b}).delete(call, d.key, nil, nil)
	return err
}

// expireMarker removes a key's delete marker, if that is all that there is of it.
func (all rules) expireMarker(call *gateway.Call, b *Bucket, key string) error {
	var newest *Version
	for entry, err := range versions.List(call.Tx, b.Account, nil, b.ID, key) {
		if err != nil {
			return err
		}
		if newest != nil {
			return nil // it hides something
		}
		newest = entry.Value
	}
	if newest == nil || !newest.Marker || !all.due(key, newest, nil, 0, true, call.Time) {
		return nil
	}
	if has, err := objects.Has(call.Tx, b.Account, b.ID, key); err != nil || has {
		return err
	}
	return b.unlist(call, key, newest)
}

// expireOld removes a version that is not current, and the delete marker that then hides nothing.
func (all rules) expireOld(call *gateway.Call, b *Bucket, d *dated) error {
	tx := call.Tx
	v, err := versions.Get(tx, b.Account, b.ID, d.key, sequencePart(d.v.Sequence))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	current, err := b.current(tx, d.key)
	if err != nil {
		return err
	}
	// What took its place, and how many like it are newer, up to as many as a rule keeps.
	before, newer, far := current, 0, false
	for entry, err := range versions.List(tx, b.Account, nil, b.ID, d.key) {
		if err != nil {
			return err
		}
		if entry.Value.Sequence == v.Sequence {
			break
		}
		if before != nil {
			newer++
		}
		if before, far = entry.Value, newer > maxNewerNoncurrent; far {
			break
		}
	}
	if far { // too far behind to be looked for: what took its place then has to be there still
		if before, err = versions.Get(tx, b.Account, b.ID, d.key, sequencePart(d.before.Sequence)); errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
	}
	if before == nil || !all.due(d.key, v, before, newer, false, call.Time) {
		return nil
	}
	if err := b.unlist(call, d.key, v); err != nil || current != nil {
		return err
	}
	return all.expireMarker(call, b, d.key)
}

func (all rules) expireUpload(call *gateway.Call, b *Bucket, d *dated) error {
	u, err := uploads.Get(call.Tx, b.Account, b.ID, d.key, d.upload.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if when, by := all.abort(d.key, u); by == nil || when.After(call.Time) {
		return nil
	}
	return errors.Join(uploads.Delete(call.Tx, b.Account, b.ID, d.key, u.ID), discardParts(call.Tx, call.Time, b, u.ID))
}
