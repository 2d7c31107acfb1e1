// Package awsjson is the protocols awsJson1_0 and awsJson1_1: an object of JSON
// in, one out (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html),
// with the header that services with a query past add to their errors.
package awsjson

import (
	"net/http"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/eventstream"
	"github.com/garrison-security/garrison/wire/internal/jsonbody"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

// Codec implements wire.Codec for both versions: an answer is of the version
// that wire.Answer names.
type Codec struct{}

var style jsonbody.Style

// Decode implements wire.Codec. No body is an empty object.
func (Codec) Decode(op *aws.Operation, _ *wire.Request, body []byte, _ map[string]string, in any) error {
	p, v, err := wire.InputPlan(op, in)
	if err != nil {
		return err
	}
	var state wire.Input
	if len(body) == 0 {
		state.Done(p, &wire.Seen{})
	} else if err := style.Decode(&state, body, p, v, nil); err != nil {
		return err
	}
	return state.Validate(op, p, v)
}

var (
	type10 = []string{"application/x-amz-json-1.0"}
	type11 = []string{"application/x-amz-json-1.1"}
)

// Encode implements wire.Codec.
func (Codec) Encode(a *wire.Answer, out any, to *wire.Response) error {
	if a.Operation.Output == nil || out == nil {
		answer(a, to, http.StatusOK, []byte("{}"))
		return nil
	}
	p, v, err := wire.OutputPlan(a.Operation, out)
	if err != nil {
		return err
	}
	body := wire.Build(func(b []byte) []byte { return append(style.AppendMembers(append(b, '{'), p, v), '}') })
	if f := p.Events(); f != nil {
		answer(a, to, http.StatusOK, nil)
		return eventstream.Answer(f, v, eventBody, to, eventstream.Initial("application/json", body)...)
	}
	answer(a, to, http.StatusOK, body)
	return nil
}

// eventBody is how an event that is a structure is written.
var eventBody = eventstream.Body{
	ContentType: "application/json",
	Append: func(b []byte, m *aws.Member, p *wire.Plan, v reflect.Value) []byte {
		return style.Append(b, m, p, v)
	},
}

func answer(a *wire.Answer, to *wire.Response, status int, body []byte) {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	to.Status, to.Body = status, body
	to.Header["Content-Type"] = type11
	if a.Protocol == aws.AWSJSON10 {
		to.Header["Content-Type"] = type10
	}
}

// EncodeError implements wire.Codec. Version 1.0 names the error with its
// namespace, which clients cut off.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(a.Protocol, a.Service, err)
	name := f.Code
	if a.Protocol == aws.AWSJSON10 {
		name = namespace(a, &f) + "#" + name
	}
	b := append(make([]byte, 0, 256), `{"__type":`...)
	b = jsontext.AppendString(b, name)
	b = style.AppendFault(b, &f)
	answer(a, to, f.Status, append(b, '}'))
	if code := wire.QueryError(a, &f); code != "" {
		to.Header.Set("X-Amzn-Query-Error", code)
	}
}

// namespace is where a name of version 1.0 comes from: the service's model, or
// the framework that all of AWS's services share.
func namespace(a *wire.Answer, f *wire.Fault) string {
	if f.Shape != nil && a.Service != nil {
		return "com.amazonaws." + a.Service.Name
	}
	return "com.amazon.coral.service"
}
