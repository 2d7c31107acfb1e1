package s3

import (
	"bufio"
	"context"
	"errors"
	"io"
)

// receiveUnsized is receive for a body whose end its reader alone finds: a browser's form.
func (s *Service) receiveUnsized(ctx context.Context, on *onObject, body io.Reader, v *verifier, w way) (*received, error) {
	r, ahead := &received{way: w}, bufio.NewReaderSize(body, inline+1)
	small, err := ahead.Peek(inline + 1)
	if errors.Is(err, io.EOF) {
		r.small = append(r.small, small...)
		v.Write(small)
		return s.checked(r, body, v)
	}
	if err != nil {
		return nil, storage(err)
	}
	if err := s.receiveBlob(ctx, on, &most{ahead, maxPut}, v, -1, r); err != nil {
		return nil, err
	}
	return s.checked(r, body, v)
}

// most is a reader of so many bytes at most.
type most struct {
	io.Reader
	left int64
}

// Read implements io.Reader.
func (m *most) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	if m.left -= int64(n); m.left < 0 {
		return 0, putTooLarge(maxPut - m.left)
	}
	return n, err
}
