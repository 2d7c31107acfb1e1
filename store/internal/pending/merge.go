package pending

import "bytes"

// Source yields the engine's own pairs of a range, in the direction of the
// scan; ok is false at the end. Its slices need to last only until it is called again.
type Source func() (key, sealed []byte, ok bool)

// Merge yields base with the writes of c in from <= key < to laid over it, until
// yield answers false. Writes made while it runs are not seen.
func (c *Changes) Merge(base Source, from, to []byte, reverse bool, yield func(key, sealed []byte) bool) {
	own := c.Writes.Cursor(from, to, reverse)
	ownKey, write, haveOwn := own.Next()
	baseKey, sealed, haveBase := base()
	for haveOwn || haveBase {
		order := compare(ownKey, haveOwn, baseKey, haveBase)
		if reverse && haveOwn && haveBase {
			order = -order
		}
		if order > 0 {
			if !yield(baseKey, sealed) {
				return
			}
		} else if !write.Delete && !yield(ownKey, write.Sealed) {
			return
		}
		if order >= 0 {
			baseKey, sealed, haveBase = base()
		}
		if order <= 0 {
			ownKey, write, haveOwn = own.Next()
		}
	}
}

// compare orders the next own key and the next of the engine: negative where
// the own one comes first, 0 where it replaces the engine's.
func compare(own []byte, haveOwn bool, base []byte, haveBase bool) int {
	switch {
	case !haveBase:
		return -1
	case !haveOwn:
		return 1
	}
	return bytes.Compare(own, base)
}
