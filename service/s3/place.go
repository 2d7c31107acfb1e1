package s3

import (
	"errors"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// keep makes what was received a version's content.
func (b *Bucket) keep(tx store.Tx, v *Version, r *received) error {
	switch {
	case r.blob != "":
		v.Data = Data{Blob: r.blob, Key: r.sealing.seal(r.key, string(r.blob)), Outer: r.outer}
		return uses.Insert(tx, "", &blobUse{b.Account, b.ID}, string(r.blob))
	case len(r.small) > 0:
		v.Data = Data{ID: newID(), Rows: 1}
		small := r.sealing.seal(r.small, v.Data.ID)
		if r.way.dual() {
			v.Data.Outer = blob.NewKey().Bytes()
			outer, err := newSealing(v.Data.Outer, nil, b)
			if err != nil {
				return err
			}
			small = outer.seal(small, v.Data.ID)
		}
		return contents.Insert(tx, b.Account, &content{small}, b.ID, v.Data.ID)
	}
	return nil
}

// next is the place of a new version of a key: after all that it has.
func (b *Bucket) next(call *gateway.Call, key string, current *Version) (uint64, error) {
	sequence := uint64(call.Time.UnixNano())
	newest := current
	if newest == nil {
		var err error
		if newest, err = b.newest(call.Tx, key); err != nil {
			return 0, err
		}
	}
	if newest != nil && newest.Sequence >= sequence {
		sequence = newest.Sequence + 1
	}
	return sequence, nil
}

// current is the version that a key shows; nil: none, or a delete marker.
func (b *Bucket) current(tx store.Tx, key string) (*Version, error) {
	v, err := objects.Get(tx, b.Account, b.ID, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

// place makes v the newest version of a key: the current one, or a marker. What it
// takes the place of is kept or given up, as the bucket's versioning says. An object
// that asks for no retention of its own has the bucket's default.
func (b *Bucket) place(call *gateway.Call, key string, v *Version) error {
	tx := call.Tx
	current, err := b.current(tx, key)
	if err != nil {
		return err
	}
	if v.Sequence, err = b.next(call, key, current); err != nil {
		return err
	}
	if !v.Marker {
		v.Lock = b.lockFor(v.Lock, call.Time)
	}
	v.ID = nullID
	if b.versioned() {
		v.ID = newVersionID(v.Sequence)
	} else if b.Versioning != "" {
		if err := b.dropNull(call, key); err != nil {
			return err
		}
	}
	switch {
	case current == nil:
	case current.ID == nullID && v.ID == nullID:
		if current.Lock.keeps(call.Time) {
			return locked()
		}
		if err := b.release(call, current); err != nil {
			return err
		}
	default:
		if err := b.retire(tx, key, current); err != nil {
			return err
		}
	}
	if !v.Marker {
		return objects.Put(tx, b.Account, v, b.ID, key)
	}
	if current != nil {
		if err := objects.Delete(tx, b.Account, b.ID, key); err != nil {
			return err
		}
	}
	return b.retire(tx, key, v)
}

// retire puts a version among those that are not current.
func (b *Bucket) retire(tx store.Tx, key string, v *Version) error {
	if v.ID == nullID {
		if err := nulls.Put(tx, b.Account, &nullVersion{v.Sequence}, b.ID, key); err != nil {
			return err
		}
	}
	return versions.Insert(tx, b.Account, v, b.ID, key, sequencePart(v.Sequence))
}

// dropNull gives up the version called "null" that is not current.
func (b *Bucket) dropNull(call *gateway.Call, key string) error {
	at, err := nulls.Get(call.Tx, b.Account, b.ID, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	v, err := versions.Get(call.Tx, b.Account, b.ID, key, sequencePart(at.Sequence))
	if err != nil {
		return err
	}
	if v.Lock.keeps(call.Time) {
		return locked()
	}
	return b.unlist(call, key, v)
}

// unlist gives up a version that is not current. Whoever asks, what nobody may delete stays.
func (b *Bucket) unlist(call *gateway.Call, key string, v *Version) error {
	if v.Lock.binds(call.Time) {
		return locked()
	}
	if v.ID == nullID {
		if err := nulls.Delete(call.Tx, b.Account, b.ID, key); err != nil {
			return err
		}
	}
	if err := versions.Delete(call.Tx, b.Account, b.ID, key, sequencePart(v.Sequence)); err != nil {
		return err
	}
	return b.release(call, v)
}

// release gives up a version's content: a row at once, a blob once nobody can be reading it.
func (b *Bucket) release(call *gateway.Call, v *Version) error {
	if v.Data.Blob != "" {
		return discard(call.Tx, call.Time, v.Data.Blob)
	}
	if v.Data.Parts > 0 {
		return discardParts(call.Tx, call.Time, b, v.Data.ID)
	}
	if v.Data.Rows > 0 {
		return contents.Delete(call.Tx, b.Account, b.ID, v.Data.ID)
	}
	return nil
}

// remove gives up a version, for good, and shows the newest that is left. Whoever
// asks, what nobody may delete stays.
func (b *Bucket) remove(call *gateway.Call, key string, v *Version) error {
	if v.Lock.binds(call.Time) {
		return locked()
	}
	current, err := b.current(call.Tx, key)
	if err != nil {
		return err
	}
	if current != nil && current.Sequence == v.Sequence {
		if err := objects.Delete(call.Tx, b.Account, b.ID, key); err != nil {
			return err
		}
		if err := b.release(call, v); err != nil {
			return err
		}
		current = nil
	} else if err := b.unlist(call, key, v); err != nil {
		return err
	}
	if current != nil {
		return nil
	}
	newest, err := b.newest(call.Tx, key)
	if err != nil || newest == nil || newest.Marker {
		return err
	}
	if newest.ID == nullID {
		if err := nulls.Delete(call.Tx, b.Account, b.ID, key); err != nil {
			return err
		}
	}
	return errors.Join(versions.Delete(call.Tx, b.Account, b.ID, key, sequencePart(newest.Sequence)), objects.Put(call.Tx, b.Account, newest, b.ID, key))
}

func sortTags(tags []s3.Tag) {
	slices.SortFunc(tags, func(a, b s3.Tag) int { return strings.Compare(a.Key, b.Key) })
}

// contentEncoding is a Content-Encoding header without what names the wire's own encoding.
func contentEncoding(header *string) string {
	if !strings.Contains(text(header), "aws-chunked") {
		return text(header)
	}
	var kept []string
	for part := range strings.SplitSeq(text(header), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ", ")
}
