package material

import (
	"encoding/binary"
	"slices"
)

// Context is an encryption context: pairs that are authenticated and not
// secret. Their order means nothing.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
type Context map[string]string

// append is the context's one form: the number of pairs, then each pair in the
// order of keys, all texts with their lengths before them, so that no two
// contexts share a form.
func (c Context) append(b []byte) []byte {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, key := range keys {
		b = binary.AppendUvarint(b, uint64(len(key)))
		b = append(b, key...)
		b = binary.AppendUvarint(b, uint64(len(c[key])))
		b = append(b, c[key]...)
	}
	return b
}

// Size is the length of all texts together, in bytes.
func (c Context) Size() (n int) {
	for key, value := range c {
		n += len(key) + len(value)
	}
	return n
}
