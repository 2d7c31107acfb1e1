package eventstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Bounds of AWS's clients: what is larger they refuse to read.
const (
	maxPayload = 16 << 20
	maxHeaders = 128 << 10
	maxValue   = math.MaxInt16 // bytes of a text or blob in a header
	around     = 16            // a frame's prelude of 12 bytes and its last checksum
)

var errTooLarge = errors.New("eventstream: an event is larger than a frame can be")

// The types of header values.
const (
	typeTrue = iota
	typeFalse
	typeByte
	typeShort
	typeInteger
	typeLong
	typeBytes
	typeString
	typeTimestamp
)

// appendFrame writes a frame (https://smithy.io/2.0/aws/amazon-eventstream.html):
// its length and its headers', their checksum, headers, payload, and the
// checksum of all.
func appendFrame(b, headers, payload []byte) ([]byte, error) {
	if len(headers) > maxHeaders || len(payload) > maxPayload {
		return b, errTooLarge
	}
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(around+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:])), nil
}

func appendName(b []byte, name string, typ byte) []byte {
	b = append(b, byte(len(name)))
	return append(append(b, name...), typ)
}

// appendText writes a header of ours, whose value is a short text; one that is
// not is cut.
func appendText(b []byte, name, value string) []byte {
	value = value[:min(len(value), maxValue)]
	b = appendName(b, name, typeString)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
}

// appendMember writes the header that member f of an event is.
func appendMember(b []byte, f *wire.Field, v reflect.Value) ([]byte, error) {
	name := f.Member.Name
	if len(name) > math.MaxUint8 {
		return b, fmt.Errorf("eventstream: the header %s has too long a name", name)
	}
	switch f.Plan.Shape.Kind {
	case aws.Boolean:
		if v.Bool() {
			return appendName(b, name, typeTrue), nil
		}
		return appendName(b, name, typeFalse), nil
	case aws.Integer:
		switch wire.IntBits(f.Plan.Shape) {
		case 8:
			return append(appendName(b, name, typeByte), byte(v.Int())), nil
		case 16:
			return binary.BigEndian.AppendUint16(appendName(b, name, typeShort), uint16(v.Int())), nil
		}
		return binary.BigEndian.AppendUint32(appendName(b, name, typeInteger), uint32(v.Int())), nil
	case aws.Long:
		return binary.BigEndian.AppendUint64(appendName(b, name, typeLong), uint64(v.Int())), nil
	case aws.Timestamp:
		return binary.BigEndian.AppendUint64(appendName(b, name, typeTimestamp), uint64(wire.Time(v).UnixMilli())), nil
	case aws.Blob:
		return appendBytes(appendName(b, name, typeBytes), v.Bytes())
	case aws.String:
		return appendBytes(appendName(b, name, typeString), []byte(v.String()))
	}
	return b, fmt.Errorf("eventstream: the header %s can't be of kind %d", name, f.Plan.Shape.Kind)
}

func appendBytes(b, value []byte) ([]byte, error) {
	if len(value) > maxValue {
		return b, errTooLarge
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...), nil
}
