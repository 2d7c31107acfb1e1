package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/store"
)

// What stands in the frames, one after another:
//
//	'H' manifest (length, JSON)
//	'P' key, value                  a pair, in the order of keys
//	'N' key, value, blob's name, size, bytes
//	                                a pair that names a blob, and the blob
//	'S' id                          a stream, in the order of ids
//	'R' first, last, row            of the last stream, in order
//	'E' last stream, counts         the end
//
// Numbers are uvarints; keys, values and rows have their length before them.
const (
	kindManifest = 'H'
	kindPair     = 'P'
	kindNaming   = 'N'
	kindStream   = 'S'
	kindRow      = 'R'
	kindEnd      = 'E'
)

const (
	manifestMax = 4 << 10
	valueMax    = store.MaxValue + 1<<10 // sealed
	rowMax      = 2*store.MaxBytes + 1<<20
	blobMax     = blob.MaxSize + blob.MaxSize/1024
)

// Counts are what a backup holds.
type Counts struct {
	Pairs     uint64 `json:"pairs"`
	Blobs     uint64 `json:"blobs"`
	BlobBytes uint64 `json:"blobBytes"`
	Streams   uint64 `json:"streams"`
	Events    uint64 `json:"events"`
}

func (c *Counts) numbers() []*uint64 {
	return []*uint64{&c.Pairs, &c.Blobs, &c.BlobBytes, &c.Streams, &c.Events}
}

// recordWriter writes records. Once something failed it does nothing more.
type recordWriter struct {
	w   *sealer
	b   []byte
	err error
}

func (r *recordWriter) write(b []byte) {
	if r.err == nil {
		_, r.err = r.w.Write(b)
	}
}

func (r *recordWriter) number(n uint64) { r.write(binary.AppendUvarint(r.b[:0], n)) }

func (r *recordWriter) bytes(b []byte) {
	r.number(uint64(len(b)))
	r.write(b)
}

func (r *recordWriter) kind(k byte) { r.write(append(r.b[:0], k)) }

// recordReader reads records. What it takes in at once is bounded.
type recordReader struct {
	frames *opener
	r      *bufio.Reader
}

func newRecordReader(o *opener) *recordReader {
	return &recordReader{o, bufio.NewReaderSize(o, frame)}
}

// short is an error of reading inside a record.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it breaks off in a record")
	}
	return err
}

func (r *recordReader) kind() (byte, error) {
	k, err := r.r.ReadByte()
	return k, short(err)
}

func (r *recordReader) number(most uint64) (uint64, error) {
	n, err := binary.ReadUvarint(r.r)
	switch {
	case err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return 0, damaged("a number that is none: %v", err)
	case err != nil:
		return 0, short(err)
	case n > most:
		return 0, damaged("%d, where at most %d may stand", n, most)
	}
	return n, nil
}

// bytes reads a length of at most so many, and as many bytes, into dst: no more is made room for than comes.
func (r *recordReader) bytes(dst []byte, most uint64) ([]byte, error) {
	n, err := r.number(most)
	if err != nil {
		return nil, err
	}
	dst = dst[:0]
	for n > 0 {
		step := int(min(n, frame))
		from := len(dst)
		if cap(dst) < from+step {
			dst = append(dst, make([]byte, step)...)
		} else {
			dst = dst[:from+step]
		}
		if _, err := io.ReadFull(r.r, dst[from:]); err != nil {
			return nil, short(err)
		}
		n -= uint64(step)
	}
	return dst, nil
}
