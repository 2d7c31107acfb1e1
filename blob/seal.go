package blob

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A sealed blob is a version byte and segments, each AES-256-GCM under the
// blob's own key, with a random nonce before and a tag behind:
//
//	1 │ nonce (12) · 64 KiB sealed · tag (16) │ … │ nonce · what is left, or nothing · tag
//
// Bound to each as additional data are the version, the blob's name and
// what else it belongs to, the segment's number, and whether it is the last. So
// a segment that was altered, moved, swapped or dropped does not open, nor does
// one of another blob, and the end can't be cut off.
const (
	formatVersion = 1
	header        = 1
	// Segment is how many bytes are sealed together (64 KiB), and so the least that is opened for a range.
	Segment  = 64 << 10
	overhead = 12 + 16
	sealed   = Segment + overhead
	// MaxSize bounds what is sealed as one blob: 5 TiB.
	MaxSize = 5 << 40
)

// SealedSize is the size of a sealed blob of n bytes.
func SealedSize(n int64) int64 {
	return header + n + overhead*max(1, (n+Segment-1)/Segment)
}

// plainSize is what a sealed blob of n bytes holds.
func plainSize(n int64) (int64, error) {
	segments := (n - header + sealed - 1) / sealed
	plain := n - header - segments*overhead
	if segments < 1 || plain < 0 || plain > MaxSize || SealedSize(plain) != n {
		return 0, fmt.Errorf("%w: no blob has %d bytes", ErrDamaged, n)
	}
	return plain, nil
}

// cipherOf is a key's AEAD, and the additional data of a blob's segments with room for a segment's own.
func cipherOf(key *Key, id ID, bound []byte) (cipher.AEAD, []byte, error) {
	block, err := aes.NewCipher(key.b[:])
	if err != nil {
		return nil, nil, fmt.Errorf("blob: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, nil, fmt.Errorf("blob: %w", err)
	}
	// A digest of it, so that its length costs a segment nothing.
	digest := sha256.New()
	digest.Write([]byte{formatVersion, byte(len(id))})
	io.WriteString(digest, string(id))
	digest.Write(bound)
	return aead, digest.Sum(make([]byte, 0, sha256.Size)), nil
}

// segmentData is the additional data of segment n, appended to dst.
func segmentData(dst, digest []byte, n int64, last bool) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, digest...), uint64(n))
	if last {
		return append(dst, 1)
	}
	return append(dst, 0)
}

var buffers = sync.Pool{New: func() any { return new([sealed]byte) }}

// Seal begins to seal what is written to the answered writer into w, as the
// blob called id, under a key that seals nothing else. bound is what else the
// blob belongs to: it must be given to open it. Close seals the end; without it
// nothing opens to its end. w is not closed.
func Seal(w io.Writer, key *Key, id ID, bound []byte) (*SealWriter, error) {
	aead, digest, err := cipherOf(key, id, bound)
	if err != nil {
		return nil, err
	}
	return &SealWriter{w: w, aead: aead, digest: digest, plain: make([]byte, 0, Segment)}, nil
}

// SealWriter seals what is written to it. It belongs to one goroutine.
type SealWriter struct {
	w      io.Writer
	aead   cipher.AEAD
	digest []byte
	plain  []byte // at most a segment: what is not yet sealed
	n      int64  // segments sealed
	err    error
}

var errClosed = errors.New("blob: the sealed blob is closed")

// Write implements io.Writer.
func (s *SealWriter) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 && s.err == nil {
		if len(s.plain) == Segment { // there is more, so it is not the last
			if s.seal(false); s.err != nil {
				break
			}
		}
		n := min(len(b), Segment-len(s.plain))
		s.plain = append(s.plain, b[:n]...)
		written, b = written+n, b[n:]
	}
	return written, s.err
}

// Close seals the end.
func (s *SealWriter) Close() error {
	if s.err != nil {
		return s.err
	}
	s.seal(true)
	err := s.err
	clear(s.plain[:cap(s.plain)])
	if err == nil {
		s.err = errClosed
	}
	return err
}

func (s *SealWriter) seal(last bool) {
	if s.n == MaxSize/Segment {
		s.err = fmt.Errorf("blob: larger than %d bytes", int64(MaxSize))
		return
	}
	buffer := buffers.Get().(*[sealed]byte)
	defer buffers.Put(buffer)
	out := buffer[:0]
	if s.n == 0 {
		if _, s.err = s.w.Write([]byte{formatVersion}); s.err != nil {
			return
		}
	}
	var data [sha256.Size + 9]byte
	out = s.aead.Seal(out, nil, s.plain, segmentData(data[:0], s.digest, s.n, last))
	s.n++
	s.plain = s.plain[:0]
	_, s.err = s.w.Write(out)
}
