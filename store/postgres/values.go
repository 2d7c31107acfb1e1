package postgres

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
)

// Types of array elements, as PostgreSQL numbers them (pg_type.dat).
const (
	oidBytes  = 17
	oidBigint = 20
)

// errAnswer means that the database answered in another form than was asked for.
var errAnswer = errors.New("an answer of an unexpected form")

func bigint(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// array is the binary form of a one-dimensional array without nulls.
func array(oid uint32, elements [][]byte) []byte {
	size := 20
	for _, e := range elements {
		size += 4 + len(e)
	}
	b := make([]byte, 0, size)
	dimensions := uint32(1)
	if len(elements) == 0 {
		dimensions = 0
	}
	b = binary.BigEndian.AppendUint32(b, dimensions)
	b = binary.BigEndian.AppendUint32(b, 0) // no nulls
	b = binary.BigEndian.AppendUint32(b, oid)
	if dimensions == 0 {
		return b
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(elements)))
	b = binary.BigEndian.AppendUint32(b, 1) // the first index
	for _, e := range elements {
		b = binary.BigEndian.AppendUint32(b, uint32(len(e)))
		b = append(b, e...)
	}
	return b
}

func byteArray(elements [][]byte) []byte { return array(oidBytes, elements) }

func bigintArray(numbers []uint64) []byte {
	elements := make([][]byte, len(numbers))
	for i, n := range numbers {
		elements[i] = bigint(n)
	}
	return array(oidBigint, elements)
}

// row is one of an answer: its columns, nil where they are null.
type row [][]byte

// number is a column of type bigint.
func (r row) number(i int) (uint64, error) {
	if i >= len(r) || len(r[i]) != 8 {
		return 0, errAnswer
	}
	return binary.BigEndian.Uint64(r[i]), nil
}

// truth is a column of type boolean.
func (r row) truth(i int) (bool, error) {
	if i >= len(r) || len(r[i]) != 1 {
		return false, errAnswer
	}
	return r[i][0] != 0, nil
}

// sum adds up versions, as sum(ver) does: versions are of 63 bits, and a sum
// of them has up to 128.
type sum struct{ high, low uint64 }

func (s *sum) add(version uint64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, version, 0)
	s.high += carry
}

func (s *sum) remove(version uint64) {
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, version, 0)
	s.high -= borrow
}

// parseSum reads a sum as the database writes it, in decimal digits.
func parseSum(text []byte) (s sum, err error) {
	if len(text) == 0 || len(text) > 38 {
		return s, errAnswer
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return s, errAnswer
		}
		carry, low := bits.Mul64(s.low, 10)
		s.high = s.high*10 + carry
		s.low = low
		s.add(uint64(c - '0'))
	}
	return s, nil
}

// String is the sum in hexadecimal, for tests and messages.
func (s sum) String() string {
	return strconv.FormatUint(s.high, 16) + "·" + strconv.FormatUint(s.low, 16)
}
