package eventstream

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Body is how a protocol writes a structure as the body of an event, and names
// the errors that no member of the stream stands for.
type Body struct {
	Protocol    aws.Protocol
	ContentType string
	Append      func(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte
}

var contentType = []string{"application/vnd.amazon.eventstream"}

// Answer makes of to an answer that streams the events of f, a member of the
// output struct v: an iter.Seq2 of pointers to the union of events and an
// error, which is the last. Frames that initial holds come first. No event is
// asked for before the stream is read, and none after it was closed; what
// makes events must itself end when its caller's context does.
func Answer(f *wire.Field, v reflect.Value, body Body, to *wire.Response, initial ...byte) error {
	events := v.Field(f.Index)
	if events.Kind() != reflect.Func || events.IsNil() {
		return fmt.Errorf("eventstream: no events in %s", f.Member.Name)
	}
	if to.Header == nil {
		to.Header = http.Header{}
	}
	next, stop := iter.Pull2(events.Seq2())
	to.Header["Content-Type"] = contentType
	to.Stream, to.Length = &stream{union: f.Plan.Elem, body: body, next: next, stop: stop, buf: initial}, -1
	return nil
}

// Initial is the frame that carries an RPC operation's own output before its
// events. Where payload is too large for one the frame is an error's, at which
// clients stop.
func Initial(typ string, payload []byte) []byte {
	h := appendText(nil, ":message-type", "event")
	h = appendText(h, ":event-type", "initial-response")
	b, err := appendFrame(nil, appendText(h, ":content-type", typ), payload)
	if err != nil {
		return (&stream{union: &wire.Plan{}}).appendError(nil, err)
	}
	return b
}

// stream reads as the frames of the events that come. It belongs to one
// goroutine, which reads and closes it.
type stream struct {
	union *wire.Plan
	body  Body
	next  func() (reflect.Value, reflect.Value, bool)
	stop  func()
	buf   []byte // not yet read
	done  bool
}

// Read implements io.Reader. It waits for an event where none is at hand, and
// answers one frame at most, so that a frame is not kept for the next.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.buf) == 0 {
		if s.done {
			return 0, io.EOF
		}
		event, failed, ok := s.next()
		var err error
		switch {
		case !ok:
			s.done = true
			continue
		case !failed.IsNil():
			err = failed.Interface().(error)
		case !event.IsNil():
			s.buf, err = s.appendEvent(nil, event.Elem())
		}
		if err != nil {
			s.done = true
			s.buf = s.appendError(nil, err)
		}
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.done, s.buf = true, nil
	s.stop()
	return nil
}
