package backup

import (
	"bytes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	magic   = "garrison-backup\x01" // the last byte is the format's version
	headMax = 4 << 10
	// frame is how many bytes are sealed together; each frame but the last holds so many.
	frame    = 64 << 10
	overhead = 12 + 16 // nonce and tag
	lastFlag = 1 << 31
)

// ErrDamaged means what is no whole backup: cut, altered, reordered, or none at all.
var ErrDamaged = errors.New("backup: cut, altered, or no backup of Garrison's")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// binding is the additional data of a frame: the beginning of the stream, the
// frame's number, and whether it is the last.
type binding struct {
	digest [sha256.Size]byte
	number uint64
}

func bindingOf(head []byte) binding {
	return binding{digest: sha256.Sum256(append([]byte(magic), head...))}
}

func (b *binding) next(last bool) []byte {
	data := binary.BigEndian.AppendUint64(b.digest[:], b.number)
	b.number++
	if last {
		return append(data, 1)
	}
	return append(data, 0)
}

// sealer seals what is written to it into frames.
type sealer struct {
	w       io.Writer
	aead    cipher.AEAD
	binding binding
	plain   []byte // at most a frame
	sealed  []byte
}

// newSealer begins a stream.
func newSealer(w io.Writer, aead cipher.AEAD, head []byte) (*sealer, error) {
	if len(head) > headMax {
		return nil, fmt.Errorf("backup: a head of %d bytes", len(head))
	}
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(head)))
	_, err := w.Write(append(b, head...))
	return &sealer{w: w, aead: aead, binding: bindingOf(head), plain: make([]byte, 0, frame)}, err
}

// Write implements io.Writer.
func (s *sealer) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		if len(s.plain) == frame {
			if err := s.seal(false); err != nil {
				return n, err
			}
		}
		size := min(len(b), frame-len(s.plain))
		s.plain = append(s.plain, b[:size]...)
		n, b = n+size, b[size:]
	}
	return n, nil
}

// Close seals the last frame. Without it no one takes the stream for whole.
func (s *sealer) Close() error { return s.seal(true) }

func (s *sealer) seal(last bool) error {
	s.sealed = s.aead.Seal(append(s.sealed[:0], 0, 0, 0, 0), nil, s.plain, s.binding.next(last))
	size := uint32(len(s.sealed) - 4)
	if last {
		size |= lastFlag
	}
	binary.BigEndian.PutUint32(s.sealed, size)
	s.plain = s.plain[:0]
	_, err := s.w.Write(s.sealed)
	return err
}

// opener opens the frames of a stream. What it reads was sealed so, in that
// order, up to there; it ends well at the stream's end alone.
type opener struct {
	r       io.Reader
	aead    cipher.AEAD
	binding binding
	plain   []byte // what is left of a frame
	buffer  []byte
	last    bool
}

// newOpener reads the beginning of a stream; key is asked for the key that the head tells of.
func newOpener(r io.Reader, key func(head []byte) (cipher.AEAD, error)) (*opener, error) {
	begin := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(r, begin); err != nil || !bytes.HasPrefix(begin, []byte(magic[:len(magic)-1])) {
		return nil, broken(err, "it does not begin like one")
	}
	if version := begin[len(magic)-1]; version != magic[len(magic)-1] {
		return nil, fmt.Errorf("backup: of format %d, which this release does not know", version)
	}
	size := binary.BigEndian.Uint32(begin[len(magic):])
	if size > headMax {
		return nil, damaged("a head of %d bytes", size)
	}
	head := make([]byte, size)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, broken(err, "it ends in its head")
	}
	aead, err := key(head)
	if err != nil {
		return nil, err
	}
	return &opener{r: r, aead: aead, binding: bindingOf(head), buffer: make([]byte, 0, frame+overhead)}, nil
}

// broken is an error of reading, or that the stream ends too early.
func broken(err error, what string) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("%s", what)
	}
	return fmt.Errorf("read the backup: %w", err)
}

// Read implements io.Reader.
func (o *opener) Read(b []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.last {
			return 0, io.EOF
		}
		if err := o.open(); err != nil {
			return 0, err
		}
	}
	n := copy(b, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// open opens the next frame.
func (o *opener) open() error {
	var prefix [4]byte
	if _, err := io.ReadFull(o.r, prefix[:]); err != nil {
		return broken(err, fmt.Sprintf("it ends after %d frames", o.binding.number))
	}
	size := binary.BigEndian.Uint32(prefix[:])
	o.last = size&lastFlag != 0
	size &^= lastFlag
	if size < overhead || size > frame+overhead || !o.last && size != frame+overhead {
		return damaged("frame %d is of %d bytes", o.binding.number, size)
	}
	sealed := o.buffer[:size]
	if _, err := io.ReadFull(o.r, sealed); err != nil {
		return broken(err, fmt.Sprintf("it ends in frame %d", o.binding.number))
	}
	number := o.binding.number
	plain, err := o.aead.Open(sealed[:0], nil, sealed, o.binding.next(o.last))
	if err != nil {
		return damaged("frame %d does not open", number)
	}
	o.plain = plain
	return nil
}

// end tells whether the stream ends here.
func (o *opener) end() error {
	for len(o.plain) == 0 && !o.last {
		if err := o.open(); err != nil {
			return err
		}
	}
	if len(o.plain) > 0 {
		return damaged("it goes on after its end")
	}
	switch n, err := io.ReadFull(o.r, make([]byte, 1)); {
	case n > 0:
		return damaged("something follows it")
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("read the backup: %w", err)
	}
	return nil
}
