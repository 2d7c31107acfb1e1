package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/garrison-security/garrison/blob"
)

// A reader asks for a window of the blob and reads it as it arrives. Who reads on
// gets windows that grow, so that a large blob costs few requests and a short range few bytes.
const (
	firstWindow = 256 << 10
	maxWindow   = 16 << 20
	near        = 64 << 10 // ahead of where a window stands: read over, not asked for anew
	readTries   = 3        // of a read whose connection breaks
)

// reader is an open blob.
type reader struct {
	store *Store
	id    blob.ID
	size  int64           // set by Open, and never again
	life  context.Context // ends with Close
	close context.CancelFunc

	mu      sync.Mutex
	body    io.ReadCloser // of the window being read; nil: none
	stop    context.CancelFunc
	at, end int64 // where body stands, and where it ends
	window  int64 // size of the next one
}

// Open implements blob.Store: its one request brings the blob's size and its beginning.
func (s *Store) Open(ctx context.Context, id blob.ID) (blob.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !id.Valid() {
		return nil, blob.ErrNotFound
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	r := &reader{store: s, id: id, size: -1, window: firstWindow}
	r.life, r.close = context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, r.close)
	err := r.ask(0)
	if !unhook() {
		err = errors.Join(ctx.Err(), r.Close())
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// Size implements blob.Reader.
func (r *reader) Size() int64 { return r.size }

// Close implements blob.Reader.
func (r *reader) Close() error {
	r.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
	return nil
}

// drop ends the window being read.
func (r *reader) drop() {
	if r.body != nil {
		r.body.Close() // one that is read to its end leaves its connection to others
		r.stop()
		r.body = nil
	}
}

// ask begins a window at from.
func (r *reader) ask(from int64) error {
	ctx, stop := context.WithCancel(r.life)
	watch := time.AfterFunc(attempts*r.store.options.Patience, stop)
	spec := fmt.Sprintf("bytes=%d-%d", from, from+r.window-1)
	out, err := r.store.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.store.options.Bucket, Key: r.store.key(r.id), Range: &spec})
	watch.Stop()
	if answered, ok := errors.AsType[*awshttp.ResponseError](err); ok && answered.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable && r.size < 0 {
		stop() // an empty object has no byte 0
		r.size = 0
		return nil
	}
	if err != nil {
		stop()
		return failure(r.life, err)
	}
	begin, end, size, ok := rangeOf(out)
	if !ok || begin != from || end <= from || r.size >= 0 && size != r.size {
		stop()
		out.Body.Close()
		return fmt.Errorf("%w: the object store answers another range than was asked for", blob.ErrUnavailable)
	}
	if r.size < 0 {
		r.size = size
	}
	r.body, r.stop, r.at, r.end = out.Body, stop, from, end
	r.window = min(2*r.window, maxWindow)
	return nil
}

// rangeOf is what an answer holds, from begin to before end, of an object of that size.
func rangeOf(out *s3.GetObjectOutput) (begin, end, size int64, ok bool) {
	if out.ContentRange == nil { // all of it
		size = aws.ToInt64(out.ContentLength)
		return 0, size, size, out.ContentLength != nil
	}
	text, found := strings.CutPrefix(*out.ContentRange, "bytes ")
	span, total, found2 := strings.Cut(text, "/")
	first, last, found3 := strings.Cut(span, "-")
	begin, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	size, err3 := strconv.ParseInt(total, 10, 64)
	return begin, end + 1, size, found && found2 && found3 && errors.Join(err1, err2, err3) == nil && begin >= 0 && end < size
}

// ReadAt implements io.ReaderAt.
func (r *reader) ReadAt(b []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errors.New("blob/bucket: a negative offset")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.Err() != nil {
		return 0, errClosed
	}
	wanted := b[:max(0, min(int64(len(b)), r.size-offset))]
	n, err := r.fill(wanted, offset)
	if err == nil && n < len(b) {
		err = io.EOF
	}
	return n, err
}

var errClosed = errors.New("blob/bucket: the blob is closed")

// fill reads all of b, and asks anew where a connection breaks.
func (r *reader) fill(b []byte, offset int64) (n int, err error) {
	for tries := 0; n < len(b); {
		at := offset + int64(n)
		if err = r.seek(at); err != nil {
			return n, err
		}
		k, err := r.read(b[n:min(int64(len(b)), r.end-offset)])
		n += k
		if r.at == r.end {
			r.drop()
			continue
		}
		if err != nil {
			r.drop()
			if tries++; tries == readTries || r.life.Err() != nil {
				return n, failure(r.life, err)
			}
		}
	}
	return n, nil
}

// seek brings the window to stand at a place.
func (r *reader) seek(at int64) error {
	if r.body != nil && at > r.at && at-r.at <= near && at < r.end {
		if n, err := r.read(make([]byte, at-r.at)); err == nil && r.at == at && n > 0 {
			return nil
		}
	}
	if r.body != nil && at == r.at {
		return nil
	}
	r.drop()
	if at != r.at { // it does not read on
		r.window = firstWindow
	}
	return r.ask(at)
}

// read reads from the window, and gives up where nothing arrives.
func (r *reader) read(b []byte) (int, error) {
	watch := time.AfterFunc(r.store.options.Patience, r.stop)
	defer watch.Stop()
	n, err := io.ReadFull(r.body, b)
	r.at += int64(n)
	return n, err
}
