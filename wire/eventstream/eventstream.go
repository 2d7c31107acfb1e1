package eventstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Body is how a protocol writes a structure as the body of an event.
type Body struct {
	ContentType string
	Append      func(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte
}

var contentType = []string{"application/vnd.amazon.eventstream"}

// Answer makes to an answer that streams the events of f, a member of the
// output struct v: an iter.Seq2 of pointers to the union of events and an
// error, which is the last. Frames that initial holds come first.
func Answer(f *wire.Field, v reflect.Value, body Body, to *wire.Response, initial ...byte) error {
	events := v.Field(f.Index)
	if events.Kind() != reflect.Func || events.IsNil() {
		return fmt.Errorf("eventstream: no events in %s", f.Member.Name)
	}
	next, stop := iter.Pull2(events.Seq2())
	to.Header["Content-Type"] = contentType
	to.Stream, to.Length = &stream{plan: f.Plan.Elem, body: body, next: next, stop: stop, buf: initial}, -1
	return nil
}

// stream reads as the frames of the events that come.
type stream struct {
	plan *wire.Plan
	body Body
	next func() (reflect.Value, reflect.Value, bool)
	stop func()
	buf  []byte // not yet read
	done bool
}

// Read implements io.Reader. It waits for an event where none is at hand.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.buf) == 0 {
		if s.done {
			return 0, io.EOF
		}
		event, failed, ok := s.next()
		switch {
		case !ok:
			s.done = true
		case !failed.IsNil():
			s.done = true
			s.buf = appendError(s.buf[:0], failed.Interface().(error))
		case !event.IsNil():
			s.buf = s.appendEvent(s.buf[:0], event.Elem())
		}
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

// Close implements io.Closer: no further event is asked for.
func (s *stream) Close() error {
	s.done, s.buf = true, nil
	s.stop()
	return nil
}

// appendEvent writes the frame of the one member that the union v has.
func (s *stream) appendEvent(b []byte, v reflect.Value) []byte {
	for i := range s.plan.Fields {
		f := &s.plan.Fields[i]
		fv, ok := f.Get(v)
		if !ok {
			continue
		}
		kind, name := "event", ":event-type"
		if f.Member.Shape.Error != nil {
			kind, name = "exception", ":exception-type"
		}
		h := appendHeader(nil, ":message-type", kind)
		h = appendHeader(h, name, f.Member.Name)
		h, payload := s.event(h, f, fv)
		return AppendFrame(b, h, payload)
	}
	return b
}

// event writes an event's own headers and its payload: the member that is the
// payload, or all members that stand in no header.
func (s *stream) event(h []byte, f *wire.Field, v reflect.Value) (headers, payload []byte) {
	p, typ := f.Plan, ""
	whole := true
	for i := range p.Fields {
		m := &p.Fields[i]
		mv, ok := m.Get(v)
		switch {
		case m.Member.EventHeader:
			whole = whole && len(p.Fields) > 1
			if ok {
				h = appendValue(h, m, mv)
			}
		case m.Member.EventPayload:
			whole = false
			if !ok {
				continue
			}
			switch m.Plan.Shape.Kind {
			case aws.Blob:
				typ, payload = "application/octet-stream", mv.Bytes()
			case aws.String:
				typ, payload = "text/plain", []byte(mv.String())
			default:
				typ, payload = s.body.ContentType, s.body.Append(nil, m.Member, m.Plan, mv)
			}
		}
	}
	if whole && len(p.Fields) > 0 {
		typ, payload = s.body.ContentType, s.body.Append(nil, f.Member, p, v)
	}
	if typ != "" {
		h = appendHeader(h, ":content-type", typ)
	}
	return h, payload
}

// appendError writes the frame of an error that no model knows; its text is
// shown only where it is made for callers.
func appendError(b []byte, err error) []byte {
	code, message := "InternalFailure", "An internal error occurred."
	if e, ok := errors.AsType[*aws.Error](err); ok {
		f := wire.FaultOf(aws.AWSJSON11, nil, e)
		code, message = f.Code, f.Message
	} else if e, ok := errors.AsType[aws.Modelled](err); ok {
		h := appendHeader(nil, ":message-type", "exception")
		h = appendHeader(h, ":exception-type", e.ErrorShape())
		return AppendFrame(b, h, nil)
	}
	h := appendHeader(nil, ":message-type", "error")
	h = appendHeader(h, ":error-code", code)
	h = appendHeader(h, ":error-message", message)
	return AppendFrame(b, h, nil)
}

// Types of header values.
const (
	typeTrue = iota
	typeFalse
	typeByte
	typeShort
	typeInteger
	typeLong
	typeBytes
	typeString
	typeTimestamp
)

func appendName(b []byte, name string, typ byte) []byte {
	b = append(b, byte(len(name)))
	return append(append(b, name...), typ)
}

// appendHeader writes a header whose value is a text of at most 65,535 bytes.
func appendHeader(b []byte, name, value string) []byte {
	value = value[:min(len(value), 1<<16-1)]
	b = appendName(b, name, typeString)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
}

func appendValue(b []byte, f *wire.Field, v reflect.Value) []byte {
	name := f.Member.WireName()
	switch f.Plan.Shape.Kind {
	case aws.Boolean:
		if v.Bool() {
			return appendName(b, name, typeTrue)
		}
		return appendName(b, name, typeFalse)
	case aws.Integer:
		switch wire.IntBits(f.Plan.Shape) {
		case 8:
			return append(appendName(b, name, typeByte), byte(v.Int()))
		case 16:
			return binary.BigEndian.AppendUint16(appendName(b, name, typeShort), uint16(v.Int()))
		}
		return binary.BigEndian.AppendUint32(appendName(b, name, typeInteger), uint32(v.Int()))
	case aws.Long:
		return binary.BigEndian.AppendUint64(appendName(b, name, typeLong), uint64(v.Int()))
	case aws.Timestamp:
		return binary.BigEndian.AppendUint64(appendName(b, name, typeTimestamp), uint64(wire.Time(v).UnixMilli()))
	case aws.Blob:
		data := v.Bytes()[:min(v.Len(), 1<<16-1)]
		return append(binary.BigEndian.AppendUint16(appendName(b, name, typeBytes), uint16(len(data))), data...)
	}
	return appendHeader(b, name, string(wire.AppendText(nil, f.Plan.Shape, v, aws.ISO8601)))
}

// AppendFrame writes a frame: lengths, their checksum, headers, payload, and
// the checksum of all.
func AppendFrame(b, headers, payload []byte) []byte {
	const around = 16 // prelude of 12, checksum of 4
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(around+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

// Initial is the frame that carries an RPC operation's own output before its events.
func Initial(typ string, payload []byte) []byte {
	h := appendHeader(nil, ":message-type", "event")
	h = appendHeader(h, ":event-type", "initial-response")
	h = appendHeader(h, ":content-type", typ)
	return AppendFrame(nil, h, payload)
}
