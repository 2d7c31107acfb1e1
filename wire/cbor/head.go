package cbor

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/garrison-security/garrison/wire"
)

// The major types of RFC 8949, section 3.1.
const (
	unsigned  = 0
	negative  = 1
	byteText  = 2
	text      = 3
	array     = 4
	object    = 5
	tag       = 6
	simple    = 7
	epochTime = 1 // the tag of seconds since 1970
)

// What follows major type 7, and the item that ends one of indefinite length.
const (
	simpleFalse     = 20
	simpleTrue      = 21
	simpleNull      = 22
	simpleUndefined = 23
	float16         = 25
	float32bits     = 26
	float64bits     = 27
	indefinite      = 31
	stop            = 0xff
)

var errSyntax = wire.Malformed("The request's body is not valid CBOR.")

// reader takes items off the front of data.
type reader struct {
	data []byte
	pos  int
}

// head is the start of a data item.
type head struct {
	major byte
	info  byte
	arg   uint64 // the number, length or bits that info announces; 0 if indefinite
}

func (h head) indefinite() bool { return h.info == indefinite }

func (h head) null() bool {
	return h.major == simple && (h.info == simpleNull || h.info == simpleUndefined)
}

// head reads the start of an item. It refuses what RFC 8949 calls not
// well-formed; longer forms of a number than it needs are well-formed. The
// stop of an indefinite item is no item.
func (r *reader) head() (head, error) {
	if r.pos >= len(r.data) {
		return head{}, errSyntax
	}
	h := head{major: r.data[r.pos] >> 5, info: r.data[r.pos] & 31}
	r.pos++
	rest := r.data[r.pos:]
	size := 0
	switch {
	case h.info < 24:
		h.arg = uint64(h.info)
	case h.info == 24 && len(rest) >= 1:
		h.arg, size = uint64(rest[0]), 1
	case h.info == 25 && len(rest) >= 2:
		h.arg, size = uint64(binary.BigEndian.Uint16(rest)), 2
	case h.info == 26 && len(rest) >= 4:
		h.arg, size = uint64(binary.BigEndian.Uint32(rest)), 4
	case h.info == 27 && len(rest) >= 8:
		h.arg, size = binary.BigEndian.Uint64(rest), 8
	case h.info == indefinite && h.major >= byteText && h.major <= object:
	default:
		return head{}, errSyntax
	}
	if h.major == simple && h.info == 24 && h.arg < 32 {
		return head{}, errSyntax
	}
	r.pos += size
	return h, nil
}

// stopped takes the stop of an indefinite item if it comes next.
func (r *reader) stopped() bool {
	if r.pos < len(r.data) && r.data[r.pos] == stop {
		r.pos++
		return true
	}
	return false
}

// room is how many of the items that h announces can still come at all, each
// being of at least size bytes: what is larger is refused before anything is
// made for it.
func (r *reader) room(h head, size int) (int, error) {
	if h.arg > uint64((len(r.data)-r.pos)/size) {
		return 0, errSyntax
	}
	return int(h.arg), nil
}

// more says whether the item that began with h holds another, i having been
// read, and takes its stop.
func (r *reader) more(h head, i int) bool {
	if h.indefinite() {
		return !r.stopped()
	}
	return uint64(i) < h.arg
}

// bytes reads the content of a text or byte string that began with h. It is
// part of data where h is definite, else a copy.
func (r *reader) bytes(h head) ([]byte, error) {
	if !h.indefinite() {
		return r.chunk(h)
	}
	var whole []byte
	for !r.stopped() {
		part, err := r.head()
		if err != nil {
			return nil, err
		}
		if part.major != h.major || part.indefinite() {
			return nil, errSyntax
		}
		b, err := r.chunk(part)
		if err != nil {
			return nil, err
		}
		whole = append(whole, b...)
	}
	return whole, nil
}

func (r *reader) chunk(h head) ([]byte, error) {
	n, err := r.room(h, 1)
	if err != nil {
		return nil, err
	}
	b := r.data[r.pos : r.pos+n]
	r.pos += n
	if h.major == text && !utf8.Valid(b) {
		return nil, errSyntax
	}
	return b, nil
}

// float is the floating-point number that h holds; false if it is none.
func (h head) float() (float64, bool) {
	if h.major != simple {
		return 0, false
	}
	switch h.info {
	case float16:
		return halfFloat(uint16(h.arg)), true
	case float32bits:
		return float64(math.Float32frombits(uint32(h.arg))), true
	case float64bits:
		return math.Float64frombits(h.arg), true
	}
	return 0, false
}

// halfFloat is the value of an IEEE 754 binary16.
func halfFloat(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 31:
		if f = math.Inf(1); fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits>>15 != 0 {
		f = -f
	}
	return f
}

// integer is the integer that h holds; false if it is none, or one beyond 64 bits.
func (h head) integer() (int64, bool) {
	if h.major > negative || h.arg > math.MaxInt64 {
		return 0, false
	}
	if h.major == negative {
		return -1 - int64(h.arg), true
	}
	return int64(h.arg), true
}
