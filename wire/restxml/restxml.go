// Package restxml is the protocol restXml: paths, query strings, header fields
// and XML (https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html), with
// what S3 and S3 Control do in their own ways.
package restxml

import (
	"cmp"
	"errors"
	"net/http"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/eventstream"
	"github.com/garrison-security/garrison/wire/internal/rest"
	"github.com/garrison-security/garrison/wire/internal/xmlenc"
	"github.com/garrison-security/garrison/wire/internal/xmltext"
)

// Codec implements wire.Codec.
type Codec struct{}

// Decode implements wire.Codec.
func (Codec) Decode(op *aws.Operation, req *wire.Request, body []byte, labels map[string]string, in any) error {
	p, v, err := wire.InputPlan(op, in)
	if err != nil {
		return err
	}
	var state wire.Input
	var seen wire.Seen
	if err := rest.DecodeParts(&state, req, labels, p, v, &seen); err != nil {
		if e, ok := errors.AsType[*aws.Error](err); ok && e.Kind == aws.Serialization && op.Service.NoErrorWrapping {
			return &aws.Error{Kind: aws.Custom, Code: "InvalidArgument", Message: e.Message} // S3 calls XML alone malformed
		}
		return err
	}
	if err := decodeBody(&state, req, body, p, v, &seen); err != nil {
		return err
	}
	return state.Validate(op, p, v)
}

func decodeBody(state *wire.Input, req *wire.Request, body []byte, p *wire.Plan, v reflect.Value, seen *wire.Seen) error {
	payload := p.Payload()
	if payload == nil {
		if len(body) > 0 && rest.TakesBody(p) {
			return decodeXML(state, body, p, v, seen)
		}
		state.Done(p, seen)
		return nil
	}
	raw, found, err := rest.Payload(payload, req, body, v)
	if err == nil && !raw && len(body) > 0 {
		found = true
		if err = state.Enter(payload); err == nil {
			err = decodeXML(state, body, payload.Plan, payload.New(v), nil)
			state.Leave()
		}
	}
	if err != nil {
		return err
	}
	if found {
		seen.Mark(p.Index(payload))
	}
	state.Done(p, seen)
	return nil
}

const prolog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

var xmlType = []string{"application/xml"}

// Encode implements wire.Codec.
func (Codec) Encode(a *wire.Answer, out any, to *wire.Response) error {
	op := a.Operation
	rest.Begin(op, to)
	if op.Output == nil || out == nil {
		return nil
	}
	p, v, err := wire.OutputPlan(op, out)
	if err != nil {
		return err
	}
	rest.EncodeParts(p, v, to)
	if to.Header["Content-Range"] != nil && to.Status == http.StatusOK {
		to.Status = http.StatusPartialContent
	}
	payload := p.Payload()
	switch {
	case payload == nil && op.UnwrappedOutput:
		to.Body = unwrapped(a, p, v)
	case payload == nil:
		if !rest.HasBody(p) || to.Status == http.StatusNoContent || to.Status == http.StatusNotModified {
			return nil
		}
		to.Body = document(a, cmp.Or(op.Output.LocationName, op.Output.Name), op.Output, nil, p, v)
	case payload.Member.Shape.EventStream:
		return eventstream.Answer(payload, v, eventBody, to)
	case rest.EncodePayload(payload, v, to):
		return nil
	default:
		fv, ok := payload.Get(v)
		if !ok {
			return nil
		}
		m := payload.Member
		to.Body = document(a, m.WireName(), m.Shape, m, payload.Plan, fv)
	}
	to.Header["Content-Type"] = xmlType
	return nil
}

// document is one whose root holds the structure v: in the
// namespace of the member that holds it, of its shape, or of the service.
func document(a *wire.Answer, name string, s *aws.Shape, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	ns, prefix := s.XMLNamespace, s.XMLPrefix
	if m != nil && m.XMLNamespace != "" {
		ns, prefix = m.XMLNamespace, m.XMLPrefix
	}
	if ns == "" {
		ns, prefix = a.Service.XMLNamespace, ""
	}
	return wire.Build(func(b []byte) []byte {
		b = append(b, prolog...)
		b = append(append(b, '<'), name...)
		b = xmltext.AppendNamespace(b, ns, prefix)
		b = append(xmlenc.AppendAttributes(b, p, v), '>')
		b = xmlenc.AppendMembers(b, p, v)
		return xmlenc.Close(b, name)
	})
}

// unwrapped is an output of one member as that member alone, an
// empty element where it is absent: GetBucketLocation in us-east-1.
func unwrapped(a *wire.Answer, p *wire.Plan, v reflect.Value) []byte {
	b := append(make([]byte, 0, 256), prolog...)
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Member.Location != aws.InBody {
			continue
		}
		b = append(append(b, '<'), f.XMLName...)
		b = xmltext.AppendNamespace(b, a.Service.XMLNamespace, "")
		fv, ok := f.Get(v)
		if !ok {
			return append(b, "/>"...)
		}
		b = append(b, '>')
		b = xmltext.Append(b, string(wire.AppendText(nil, f.Plan.Shape, fv, wire.Format(f.Member, aws.ISO8601))))
		return xmlenc.Close(b, f.XMLName)
	}
	return b
}

// eventBody is how an event that is a structure is written.
var eventBody = eventstream.Body{
	ContentType: "text/xml",
	Append: func(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
		return xmlenc.AppendElement(b, m.Shape.Name, m, p, v)
	},
}

// EncodeError implements wire.Codec. S3 answers with the bare error, others
// with one in an ErrorResponse; what only has a header has a status alone.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(aws.RESTXML, a.Service, err)
	if to.Header == nil {
		to.Header = http.Header{}
	}
	if f.Modelled != nil {
		if p, v := wire.ErrorPlan(&f); p != nil {
			rest.EncodeParts(p, v, to)
		}
	}
	if e, ok := errors.AsType[*aws.Error](err); ok {
		for _, h := range e.Header {
			to.Header.Set(h.Name, h.Value)
		}
	}
	to.Status = f.Status
	if a.Request != nil && a.Request.Method == http.MethodHead || f.Status == http.StatusNotModified {
		return
	}
	to.Header["Content-Type"] = xmlType
	b := append(make([]byte, 0, 512), prolog...)
	bare := a.Service == nil || a.Service.NoErrorWrapping
	if !bare {
		b = append(b, "<ErrorResponse"...)
		b = xmltext.AppendNamespace(b, a.Service.XMLNamespace, "")
		b = append(b, '>')
	}
	b = append(b, "<Error>"...)
	if !bare {
		side := "Sender"
		if !f.Sender {
			side = "Receiver"
		}
		b = xmlenc.Element(b, "Type", side)
	}
	b = xmlenc.Element(b, "Code", f.Code)
	b = xmlenc.Message(b, f.Message)
	b = xmlenc.AppendFault(b, &f)
	if bare {
		b = xmlenc.Element(b, "RequestId", a.RequestID)
		b = xmlenc.Element(b, "HostId", a.HostID)
		to.Body = append(b, "</Error>"...)
		return
	}
	b = append(b, "</Error>"...)
	b = xmlenc.Element(b, "RequestId", a.RequestID)
	b = xmlenc.Element(b, "HostId", a.HostID)
	to.Body = append(b, "</ErrorResponse>"...)
}
