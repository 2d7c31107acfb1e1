package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/gateway"
)

// open is what of a version is read. Blobs are opened with the first byte that is
// asked for; they stay at least an hour after their version is gone.
func (s *Service) open(call *gateway.Call, b *onBucket, v *Version, p part, k *sealing) (io.ReadCloser, error) {
	switch {
	case v.Data.Parts > 0:
		return s.openParts(call, b, v, p, k)
	case v.Data.Blob != "":
		return &pieces{blobs: s.Blobs, bucket: b.Bucket, sealing: k, left: []piece{{v.Data.Blob, v.Data.Key, v.Data.Outer, p.offset, p.length}}}, nil
	case v.Data.Rows > 0:
		c, err := contents.Get(call.Tx, b.Account, b.ID, v.Data.ID)
		if err != nil {
			return nil, err
		}
		small, err := openSmall(b.Bucket, v, c.Bytes, k)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(small[p.offset : p.offset+p.length])), nil
	}
	return io.NopCloser(bytes.NewReader(nil)), nil
}

func (s *Service) openParts(call *gateway.Call, b *onBucket, v *Version, p part, k *sealing) (io.ReadCloser, error) {
	out := &pieces{blobs: s.Blobs, bucket: b.Bucket, sealing: k}
	at, end := int64(0), p.offset+p.length
	for entry, err := range parts.List(call.Tx, b.Account, nil, b.ID, v.Data.ID) {
		if err != nil {
			return nil, err
		}
		n := entry.Value
		if from, to := max(at, p.offset), min(at+n.Size, end); from < to {
			out.left = append(out.left, piece{n.Blob, n.Key, n.Outer, from - at, to - from})
		}
		if at += n.Size; at >= end {
			break
		}
	}
	return out, nil
}

// openSmall is the content of a small object, of how it lies in its row.
func openSmall(b *Bucket, v *Version, small []byte, k *sealing) ([]byte, error) {
	if v.Data.Outer != nil {
		outer, err := newSealing(v.Data.Outer, nil, b)
		if err != nil {
			return nil, err
		}
		if small, err = outer.open(small, v.Data.ID); err != nil {
			return nil, err
		}
	}
	small, err := k.open(small, v.Data.ID)
	if err == nil && int64(len(small)) != v.Size {
		err = fmt.Errorf("%w: %d bytes of %d", blob.ErrDamaged, len(small), v.Size)
	}
	return small, err
}

// piece is a range of a blob.
type piece struct {
	id             blob.ID
	key, outer     []byte
	offset, length int64
}

// pieces reads ranges of blobs, one after the other.
type pieces struct {
	blobs   blob.Store
	bucket  *Bucket
	sealing *sealing
	left    []piece
	open    *blob.Unsealed // of the piece being read
	from    io.ReadCloser
	err     error
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	for p.err == nil {
		if p.from == nil {
			if len(p.left) == 0 {
				return 0, io.EOF
			}
			if p.err = p.begin(p.left[0]); p.err != nil {
				break
			}
			p.left = p.left[1:]
		}
		n, err := p.from.Read(b)
		if errors.Is(err, io.EOF) {
			p.err = p.end()
			err = nil
		} else if err != nil {
			p.err = err
		}
		if n > 0 || len(b) == 0 {
			return n, nil
		}
	}
	return 0, p.err
}

func (p *pieces) begin(next piece) error {
	opened, err := p.sealing.open(next.key, string(next.id))
	if err != nil {
		return err
	}
	r, err := p.blobs.Open(context.Background(), next.id)
	if err != nil {
		return err
	}
	if next.outer != nil {
		if r, err = unseal(r, next.outer, next.id, p.bucket.outerBound()); err != nil {
			return err
		}
	}
	if p.open, err = unseal(r, opened, next.id, p.bucket.bound()); err != nil {
		return err
	}
	p.from = p.open.Range(next.offset, next.length)
	return nil
}

// unseal opens a layer of a blob, which it closes if it can't.
func unseal(r blob.Reader, secret []byte, id blob.ID, bound []byte) (*blob.Unsealed, error) {
	key, err := blob.KeyOf(secret)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	defer key.Clear()
	layer, err := blob.Unseal(r, key, id, bound)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return layer, nil
}

func (p *pieces) end() error {
	if p.from == nil {
		return nil
	}
	err := errors.Join(p.from.Close(), p.open.Close())
	p.from, p.open = nil, nil
	return err
}

// Close implements io.Closer.
func (p *pieces) Close() error {
	err := p.end()
	p.left, p.err = nil, errors.Join(p.err, io.ErrClosedPipe)
	return err
}
