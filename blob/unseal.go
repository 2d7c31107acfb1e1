package blob

import (
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
)

// Unseal opens a sealed blob for reading. Nothing of it is read but what a
// read touches; what does not open is ErrDamaged, before a byte of its segment
// is answered.
func Unseal(r Reader, key *Key, id ID, bound []byte) (*Unsealed, error) {
	size, err := plainSize(r.Size())
	if err != nil {
		return nil, err
	}
	aead, digest, err := cipherOf(key, id, bound)
	if err != nil {
		return nil, err
	}
	var version [header]byte
	if err := readAt(r, version[:], 0); err != nil {
		return nil, err
	}
	if version[0] != formatVersion {
		return nil, fmt.Errorf("%w: a format of version %d", ErrDamaged, version[0])
	}
	return &Unsealed{r: r, aead: aead, digest: digest, size: size}, nil
}

// Unsealed is an open blob, unsealed. It is safe for concurrent use.
type Unsealed struct {
	r      Reader
	aead   cipher.AEAD
	digest []byte
	size   int64
}

// Size is how many bytes were sealed.
func (u *Unsealed) Size() int64 { return u.size }

// Close closes the blob.
func (u *Unsealed) Close() error { return u.r.Close() }

// ReadAt implements io.ReaderAt: what was sealed can itself be a sealed blob.
func (u *Unsealed) ReadAt(b []byte, offset int64) (int, error) {
	r := u.Range(offset, int64(len(b)))
	defer r.Close()
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// Range reads the n bytes from offset on (both clipped to what there is), a
// segment at a time. It belongs to one goroutine; Close gives its memory back.
func (u *Unsealed) Range(offset, n int64) io.ReadCloser {
	offset = min(max(offset, 0), u.size)
	end := u.size
	if n = max(n, 0); n < math.MaxInt64-offset {
		end = min(end, offset+n)
	}
	return &ranged{u: u, at: offset, end: end}
}

// segment opens segment n into buffer, and answers what it holds.
func (u *Unsealed) segment(n int64, buffer *[sealed]byte) ([]byte, error) {
	from := header + n*sealed
	size := min(sealed, u.r.Size()-from)
	if err := readAt(u.r, buffer[:size], from); err != nil {
		return nil, err
	}
	last := n == max(0, (u.size-1)/Segment)
	var data [sha256.Size + 9]byte
	// Opened into its own place: a nonce before what is sealed is where the plaintext begins.
	plain, err := u.aead.Open(buffer[:0], nil, buffer[:size], segmentData(data[:0], u.digest, n, last))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// readAt fills b; a blob that ends before its size says is ErrDamaged.
func readAt(r Reader, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	return err
}

// ranged is a range being read.
type ranged struct {
	u       *Unsealed
	at, end int64
	buffer  *[sealed]byte
	plain   []byte // what of the current segment is still to be given
	checked bool   // an empty blob's one segment was opened
	err     error
}

// Read implements io.Reader.
func (r *ranged) Read(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(r.plain) == 0 {
		if r.at >= r.end && (r.u.size > 0 || r.checked) {
			return 0, io.EOF
		}
		if r.next(); r.err != nil {
			return 0, r.err
		}
		if len(r.plain) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(b, r.plain)
	r.plain = r.plain[n:]
	r.at += int64(n)
	return n, nil
}

// next opens the segment that at stands in.
func (r *ranged) next() {
	if r.buffer == nil {
		r.buffer = buffers.Get().(*[sealed]byte)
	}
	n := r.at / Segment
	plain, err := r.u.segment(n, r.buffer)
	if err != nil {
		r.err = err
		return
	}
	r.checked = true
	from, to := r.at-n*Segment, min(int64(len(plain)), r.end-n*Segment)
	r.plain = plain[min(from, to):to]
}

// Close implements io.Closer.
func (r *ranged) Close() error {
	if r.buffer != nil {
		clear(r.buffer[:])
		buffers.Put(r.buffer)
		r.buffer, r.plain = nil, nil
	}
	if r.err == nil {
		r.err = errClosed
	}
	return nil
}
