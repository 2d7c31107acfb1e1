package eventstream

import (
	"errors"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// appendEvent writes the frame of the one member that the union v has; nothing
// where it has none.
func (s *stream) appendEvent(b []byte, v reflect.Value) ([]byte, error) {
	for i := range s.union.Fields {
		f := &s.union.Fields[i]
		fv, ok := f.Get(v)
		if !ok {
			continue
		}
		if f.Member.Shape.Error != nil {
			return s.appendException(b, f, f.Plan, fv)
		}
		h := appendText(nil, ":message-type", "event")
		h = appendText(h, ":event-type", f.Member.Name)
		return s.appendParts(b, h, f.Member, f.Plan, fv)
	}
	return b, nil
}

func (s *stream) appendException(b []byte, f *wire.Field, p *wire.Plan, v reflect.Value) ([]byte, error) {
	h := appendText(nil, ":message-type", "exception")
	h = appendText(h, ":exception-type", f.Member.Name)
	return s.appendParts(b, h, f.Member, p, v)
}

// appendParts writes a frame that begins with the headers h: behind them those
// members of v that are headers, and as the payload either the member that is
// the payload or all others as a structure.
func (s *stream) appendParts(b, h []byte, m *aws.Member, p *wire.Plan, v reflect.Value) ([]byte, error) {
	var payload []byte
	typ := s.body.ContentType
	rest := *p
	rest.Fields = make([]wire.Field, 0, len(p.Fields))
	whole := len(p.Fields) > 0
	for i := range p.Fields {
		f := &p.Fields[i]
		fv, ok := f.Get(v)
		switch {
		case f.Member.EventHeader:
			if ok {
				var err error
				if h, err = appendMember(h, f, fv); err != nil {
					return b, err
				}
			}
		case f.Member.EventPayload:
			whole = false
			if typ, payload = "", nil; ok {
				typ, payload = s.payload(f, fv)
			}
		default:
			rest.Fields = append(rest.Fields, *f)
		}
	}
	switch {
	case whole && len(rest.Fields) > 0:
		payload = s.body.Append(nil, m, &rest, v)
	case whole || len(p.Fields) == 0:
		typ = ""
	}
	if typ != "" {
		h = appendText(h, ":content-type", typ)
	}
	return appendFrame(b, h, payload)
}

// payload is the member that is an event's payload, and its type.
func (s *stream) payload(f *wire.Field, v reflect.Value) (typ string, payload []byte) {
	switch f.Plan.Shape.Kind {
	case aws.Blob:
		return "application/octet-stream", v.Bytes()
	case aws.String:
		return "text/plain", []byte(v.String())
	}
	return s.body.ContentType, s.body.Append(nil, f.Member, f.Plan, v)
}

// appendError writes the frame of the error that ends a stream: an exception
// where the union of events has a member for it, else a code and a message, of
// which the caller sees what it would see of a call that failed.
func (s *stream) appendError(b []byte, failed error) []byte {
	if m, ok := errors.AsType[aws.Modelled](failed); ok {
		if framed, err := s.appendModelled(b, m); err == nil {
			return framed
		}
	}
	f := wire.FaultOf(s.body.Protocol, nil, failed)
	h := appendText(nil, ":message-type", "error")
	h = appendText(h, ":error-code", f.Code)
	b, _ = appendFrame(b, appendText(h, ":error-message", f.Message), nil) // three short headers always fit
	return b
}

var errNoMember = errors.New("eventstream: no member for the error")

func (s *stream) appendModelled(b []byte, m aws.Modelled) ([]byte, error) {
	for i := range s.union.Fields {
		f := &s.union.Fields[i]
		if f.Member.Shape.Error == nil || f.Member.Shape.Name != m.ErrorShape() {
			continue
		}
		p, v := wire.ErrorPlan(&wire.Fault{Shape: f.Member.Shape, Modelled: m})
		if p == nil {
			break
		}
		return s.appendException(b, f, p, v)
	}
	return b, errNoMember
}
