package cbor

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// The major types of RFC 8949, section 3.1.
const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

const (
	simpleFalse     = 20
	simpleTrue      = 21
	simpleNull      = 22
	simpleUndefined = 23
	float16         = 25
	float32Bits     = 26
	float64Bits     = 27
	indefinite      = 31
	breakByte       = 0xff
	tagEpoch        = 1
)

var (
	errSyntax    = errors.New("not valid CBOR")
	errDuplicate = errors.New("a member is given twice")
	errDepth     = errors.New("nested too deeply")
)

// head is the beginning of an item.
type head struct {
	major, info byte
	arg         uint64 // the value, length, count or tag that it states
}

// endless says whether the item goes on to a break.
func (h head) endless() bool { return h.info == indefinite }

// null says whether the item stands for absence.
func (h head) null() bool {
	return h.major == majorSimple && (h.info == simpleNull || h.info == simpleUndefined)
}

// reader takes CBOR apart item by item.
type reader struct {
	data []byte
	pos  int
	buf  []byte // of the last string that came in chunks
}

// head reads the beginning of the next item. A length never exceeds what is
// left of the data, so that nothing is made larger than what came.
func (r *reader) head() (head, error) {
	if r.pos >= len(r.data) {
		return head{}, errSyntax
	}
	c := r.data[r.pos]
	r.pos++
	h := head{major: c >> 5, info: c & 31}
	switch {
	case h.info < 24:
		h.arg = uint64(h.info)
	case h.info <= 27:
		n := 1 << (h.info - 24)
		if len(r.data)-r.pos < n {
			return head{}, errSyntax
		}
		for _, c := range r.data[r.pos : r.pos+n] {
			h.arg = h.arg<<8 | uint64(c)
		}
		r.pos += n
	case h.info == indefinite && h.major >= majorBytes && h.major <= majorMap:
		return h, nil
	default:
		return head{}, errSyntax
	}
	left := uint64(len(r.data) - r.pos)
	switch h.major {
	case majorBytes, majorText, majorArray:
		if h.arg > left {
			return head{}, errSyntax
		}
	case majorMap:
		if h.arg > left/2 {
			return head{}, errSyntax
		}
	}
	return h, nil
}

// more says whether a collection that began with h, of which n items were
// read, goes on; it reads the break that ends an endless one.
func (r *reader) more(h head, n uint64) (bool, error) {
	if !h.endless() {
		return n < h.arg, nil
	}
	if r.pos >= len(r.data) {
		return false, errSyntax
	}
	if r.data[r.pos] == breakByte {
		r.pos++
		return false, nil
	}
	return true, nil
}

// bytes reads what a string that began with h holds. It lasts until the next
// call; a text is checked to be UTF-8.
func (r *reader) bytes(h head) ([]byte, error) {
	if !h.endless() {
		b := r.data[r.pos : r.pos+int(h.arg)]
		r.pos += int(h.arg)
		if h.major == majorText && !utf8.Valid(b) {
			return nil, errSyntax
		}
		return b, nil
	}
	r.buf = r.buf[:0]
	for {
		more, err := r.more(h, 0)
		if err != nil || !more {
			return r.buf, err
		}
		chunk, err := r.head()
		if err != nil || chunk.major != h.major || chunk.endless() {
			return nil, errSyntax
		}
		b := r.data[r.pos : r.pos+int(chunk.arg)]
		if h.major == majorText && !utf8.Valid(b) {
			return nil, errSyntax
		}
		r.pos += int(chunk.arg)
		r.buf = append(r.buf, b...)
	}
}

// float is the value of a float that h holds.
func (h head) float() (float64, bool) {
	if h.major != majorSimple {
		return 0, false
	}
	switch h.info {
	case float16:
		return halfFloat(uint16(h.arg)), true
	case float32Bits:
		return float64(math.Float32frombits(uint32(h.arg))), true
	case float64Bits:
		return math.Float64frombits(h.arg), true
	}
	return 0, false
}

// halfFloat is the value of an IEEE 754 binary16.
func halfFloat(bits uint16) float64 {
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
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
	if bits&0x8000 != 0 {
		f = -f
	}
	return f
}

// skip reads an item and forgets it; depth is how many more levels it may have.
func (r *reader) skip(depth int) error {
	if depth < 0 {
		return errDepth
	}
	h, err := r.head()
	if err != nil {
		return err
	}
	return r.skipRest(h, depth)
}

func (r *reader) skipRest(h head, depth int) error {
	switch h.major {
	case majorBytes, majorText:
		_, err := r.bytes(h)
		return err
	case majorTag:
		return r.skip(depth - 1)
	case majorArray, majorMap:
		for n := uint64(0); ; n++ {
			more, err := r.more(h, n)
			if err != nil || !more {
				return err
			}
			if h.major == majorMap {
				if err := r.skip(depth - 1); err != nil {
					return err
				}
			}
			if err := r.skip(depth - 1); err != nil {
				return err
			}
		}
	case majorSimple:
		if h.info < simpleFalse || h.info == 24 {
			return errSyntax
		}
	}
	return nil
}

// appendHead writes the beginning of an item.
func appendHead(b []byte, major byte, arg uint64) []byte {
	major <<= 5
	switch {
	case arg < 24:
		return append(b, major|byte(arg))
	case arg <= math.MaxUint8:
		return append(b, major|24, byte(arg))
	case arg <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(arg))
	case arg <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), arg)
}
