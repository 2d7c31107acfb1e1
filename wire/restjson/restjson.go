// Package restjson is the protocol restJson1: paths, query strings, header
// fields and JSON (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html).
package restjson

import (
	"net/http"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/eventstream"
	"github.com/garrison-security/garrison/wire/internal/jsonbody"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
	"github.com/garrison-security/garrison/wire/internal/rest"
)

// Codec implements wire.Codec.
type Codec struct{}

var style = jsonbody.Style{REST: true}

// Decode implements wire.Codec.
func (Codec) Decode(op *aws.Operation, req *wire.Request, body []byte, labels map[string]string, in any) error {
	p, v, err := wire.InputPlan(op, in)
	if err != nil {
		return err
	}
	if err := negotiate(op, p, req, body); err != nil {
		return err
	}
	var state wire.Input
	var seen wire.Seen
	if err := rest.DecodeParts(&state, req, labels, p, v, &seen); err != nil {
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
			return style.Decode(state, body, p, v, seen)
		}
		state.Done(p, seen)
		return nil
	}
	raw, found, err := rest.Payload(payload, req, body, v)
	if err == nil && !raw && len(body) > 0 {
		found, err = true, decodePayload(state, payload, body, v)
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

// decodePayload reads a body that is a structure, union or document.
func decodePayload(state *wire.Input, f *wire.Field, body []byte, v reflect.Value) error {
	if f.Plan.Shape.Kind == aws.Document {
		doc, err := jsonbody.DecodeDocument(state, body)
		if err == nil && doc != nil {
			f.New(v).Set(reflect.ValueOf(doc))
		}
		return err
	}
	if err := state.Enter(f); err != nil {
		return err
	}
	defer state.Leave()
	return style.Decode(state, body, f.Plan, f.New(v), nil)
}

var jsonType = []string{"application/json"}

// Encode implements wire.Codec.
func (Codec) Encode(a *wire.Answer, out any, to *wire.Response) error {
	op := a.Operation
	rest.Begin(op, to)
	if op.Output == nil || out == nil {
		if bodyAllowed(to.Status) {
			to.Body, to.Header["Content-Type"] = []byte("{}"), jsonType
		}
		return nil
	}
	p, v, err := wire.OutputPlan(op, out)
	if err != nil {
		return err
	}
	rest.EncodeParts(p, v, to)
	payload := p.Payload()
	if payload == nil {
		if bodyAllowed(to.Status) {
			to.Body = wire.Build(func(b []byte) []byte { return append(style.AppendMembers(append(b, '{'), p, v), '}') })
			to.Header["Content-Type"] = jsonType
		}
		return nil
	}
	if payload.Member.Shape.EventStream {
		return eventstream.Answer(payload, v, eventBody, to)
	}
	if rest.EncodePayload(payload, v, to) {
		return nil
	}
	to.Header["Content-Type"] = jsonType
	if fv, ok := payload.Get(v); ok {
		to.Body = wire.Build(func(b []byte) []byte { return style.Append(b, payload.Member, payload.Plan, fv) })
	} else if payload.Plan.Shape.Kind != aws.Document {
		to.Body = []byte("{}")
	}
	return nil
}

// eventBody is how an event that is a structure is written.
var eventBody = eventstream.Body{
	ContentType: "application/json",
	Append: func(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
		return style.Append(b, m, p, v)
	},
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// EncodeError implements wire.Codec.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(aws.RESTJSON, a.Service, err)
	if to.Header == nil {
		to.Header = http.Header{}
	}
	if f.Modelled != nil {
		if p, v := wire.ErrorPlan(&f); p != nil {
			rest.EncodeParts(p, v, to)
		}
	}
	to.Status = f.Status
	to.Header.Set("X-Amzn-Errortype", f.Code)
	to.Header["Content-Type"] = jsonType
	b := append(make([]byte, 0, 256), '{')
	b = appendOwn(b, a.Service, &f)
	to.Body = append(style.AppendFault(b, &f), '}')
}

// appendOwn writes what single services add to every error: sso-oidc's are
// OAuth's, Lambda's say whose fault they are.
func appendOwn(b []byte, s *aws.Service, f *wire.Fault) []byte {
	switch {
	case s == nil:
	case s.Name == "sso-oidc" && f.Shape == nil:
		code := "invalid_request"
		if !f.Sender {
			code = "server_error"
		}
		b = append(b, `"error":"`+code+`","error_description":`...)
		b = jsontext.AppendString(b, f.Message)
	case s.Name == "lambda" && f.Shape == nil:
		side := "User"
		if !f.Sender {
			side = "Service"
		}
		b = append(b, `"Type":"`+side+`"`...)
	}
	return b
}
