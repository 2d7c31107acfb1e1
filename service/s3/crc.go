package s3

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/garrison-security/garrison/api/s3"
)

// Cyclic checksums of parts make the whole's: the checksum of A and B is that of
// A, moved on by B's length, and that of B. The polynomials are given reflected.
var polynomials = map[s3.ChecksumAlgorithm]struct {
	bits       int
	polynomial uint64
}{
	s3.ChecksumAlgorithmCrc32:     {32, 0xedb88320},
	s3.ChecksumAlgorithmCrc32c:    {32, 0x82f63b78},
	s3.ChecksumAlgorithmCrc64nvme: {64, 0x9a6c9329ac4bc9b5},
}

// matrix is a linear map of checksums: what each bit becomes.
type matrix [64]uint64

func (m *matrix) times(v uint64) (sum uint64) {
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 != 0 {
			sum ^= m[i]
		}
	}
	return sum
}

func (m *matrix) squared() *matrix {
	var s matrix
	for i, row := range m {
		s[i] = m.times(row)
	}
	return &s
}

// combine is the checksum of two pieces of content, the second of n bytes.
func combine(a s3.ChecksumAlgorithm, first, second uint64, n int64) uint64 {
	p := polynomials[a]
	var step matrix // one zero bit
	step[0] = p.polynomial
	for i := 1; i < p.bits; i++ {
		step[i] = 1 << (i - 1)
	}
	by := &step
	for range 3 { // one zero byte
		by = by.squared()
	}
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			first = by.times(first)
		}
		by = by.squared()
	}
	return first ^ second
}

// sumOf is a checksum's value as a number, or false for what is none.
func sumOf(a s3.ChecksumAlgorithm, value string) (uint64, bool) {
	b, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(b) != polynomials[a].bits/8 {
		return 0, false
	}
	var wide [8]byte
	copy(wide[8-len(b):], b)
	return binary.BigEndian.Uint64(wide[:]), true
}

// sumText is a checksum's value as requests and answers have it.
func sumText(a s3.ChecksumAlgorithm, sum uint64) string {
	b := binary.BigEndian.AppendUint64(nil, sum)
	return base64.StdEncoding.EncodeToString(b[8-polynomials[a].bits/8:])
}
