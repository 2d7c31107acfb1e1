package store

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// recordFormat is the first byte of an encoded record; CBOR (RFC 8949) follows.
//
// CBOR and not JSON: it keeps strings byte for byte where JSON replaces what is
// not UTF-8, needs no base64 for bytes, and is a third shorter and twice as
// fast to read. Fields go by name, as in JSON: one that a struct does not know
// is passed over, one that is missing stays zero, so releases read each other's
// records. A field's name is therefore its format: rename it in Go with a
// `cbor:"OldName"` tag.
const recordFormat = 1

var (
	recordEncoding = must(cbor.EncOptions{
		Sort:          cbor.SortCoreDeterministic,
		ShortestFloat: cbor.ShortestFloatNone,
		Time:          cbor.TimeRFC3339NanoUTC,
		IndefLength:   cbor.IndefLengthForbidden,
	}.EncMode())
	recordDecoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		UTF8:              cbor.UTF8DecodeInvalid,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		DefaultMapType:    reflect.TypeFor[map[string]any](),
		MaxArrayElements:  1 << 20,
		MaxMapPairs:       1 << 20,
	}.DecMode())
)

func must[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}

// encodeRecord is the stored form of v.
func encodeRecord(v any) ([]byte, error) {
	b, err := recordEncoding.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return append([]byte{recordFormat}, b...), nil
}

// decodeRecord fills v, a pointer, from what encodeRecord made.
func decodeRecord(b []byte, v any) error {
	if len(b) == 0 || b[0] != recordFormat {
		return errors.New("store: a record of an unknown format")
	}
	if err := recordDecoding.Unmarshal(b[1:], v); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	return nil
}
