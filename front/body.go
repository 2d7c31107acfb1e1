package front

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// receiving is what a connection knows of the bodies on their way to it. One
// that is on its way for longer than evictable may be given up for another
// connection, and each has to keep pace.
type receiving struct {
	since atomic.Int64 // HTTP/1: start of the body, Unix nanoseconds; 0: none is on its way

	streams  atomic.Int32 // HTTP/2: bodies on their way
	handling atomic.Int32 // HTTP/2: requests under way
	streamed atomic.Int64 // HTTP/2: since when there are streams, Unix nanoseconds
}

// evictable is how long a body may be on its way undisturbed.
const evictable = time.Second

// began is since when the connection does nothing but receive bodies; 0: it does more.
func (r *receiving) began() int64 {
	if since := r.since.Load(); since != 0 {
		return since
	}
	if n := r.streams.Load(); n > 0 && n == r.handling.Load() {
		return r.streamed.Load()
	}
	return 0
}

// due is when the next part of a body has to come.
func (l *Limits) due(start time.Time, got int64, anyLength bool) time.Time {
	due := start.Add(l.BodyGrace + time.Duration(got)*time.Second/time.Duration(l.BodyRate))
	if end := start.Add(l.Request); !anyLength && end.Before(due) {
		return end
	}
	return due
}

// handle hands a request on with its body under watch.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		s.config.Handler.ServeHTTP(w, r)
		return
	}
	if r.ProtoMajor == 2 {
		c.receiving.handling.Add(1)
		defer c.receiving.handling.Add(-1)
	}
	if r.Body == nil || r.Body == http.NoBody {
		s.config.Handler.ServeHTTP(w, r)
		return
	}
	now := time.Now()
	b := &c.body // HTTP/1 has one request at a time
	if r.ProtoMajor == 2 {
		b = &body{}
		if c.receiving.streams.Add(1) == 1 {
			c.receiving.streamed.Store(now.UnixNano())
		}
		defer b.end()
	} else {
		c.receiving.since.Store(now.UnixNano())
	}
	*b = body{ReadCloser: r.Body, conn: c, answer: w, start: now, many: r.ProtoMajor == 2}
	r.Body = b
	s.config.Handler.ServeHTTP(w, r)
}

// body is a request's body on its way.
type body struct {
	io.ReadCloser
	conn   *conn
	answer http.ResponseWriter
	start  time.Time
	many   bool // others may be on their way over the same connection
	ended  bool

	anyLength bool
	begun     bool
	got       int64
	extended  time.Time // when the time to answer was last extended
}

// AnyLength says that the body may take as long as it keeps pace: whoever
// receives it stores it as it comes.
func (b *body) AnyLength() { b.anyLength = true }

// Read implements io.Reader. The time for the first part is net/http's, set
// with the header's; most bodies have no second.
func (b *body) Read(p []byte) (int, error) {
	limits := &b.conn.owner.limits
	if b.begun {
		due := limits.due(b.start, b.got, b.anyLength)
		if b.many {
			http.NewResponseController(b.answer).SetReadDeadline(due)
		} else {
			b.conn.SetReadDeadline(due)
		}
	}
	if now := time.Now(); b.anyLength && now.Sub(b.extended) > limits.Answer/4 {
		b.extended = now
		http.NewResponseController(b.answer).SetWriteDeadline(now.Add(2 * limits.Answer))
	}
	n, err := b.ReadCloser.Read(p)
	b.begun = true
	b.got += int64(n)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			b.conn.owner.slow.Add(1)
		}
		b.end()
	}
	return n, err
}

// end says that nothing more is on its way. Of a body that nobody read to its
// end net/http still reads some, until the time for the first part is over.
func (b *body) end() {
	if b.ended {
		return
	}
	b.ended = true
	if b.many {
		b.conn.receiving.streams.Add(-1)
		return
	}
	b.conn.receiving.since.Store(0)
}
