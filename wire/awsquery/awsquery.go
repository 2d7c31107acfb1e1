// Package awsquery is the protocol awsQuery: parameters of a form in, XML out
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).
package awsquery

import (
	"net/http"
	"reflect"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/form"
	"github.com/garrison-security/garrison/wire/internal/xmlenc"
	"github.com/garrison-security/garrison/wire/internal/xmltext"
)

// Codec implements wire.Codec.
type Codec struct{}

var style = form.Style{Name: func(f *wire.Field) string { return f.XMLName }}

// Decode implements wire.Codec. Parameters may stand in the body and in the
// query string.
func (Codec) Decode(op *aws.Operation, req *wire.Request, body []byte, _ map[string]string, in any) error {
	p, v, err := wire.InputPlan(op, in)
	if err != nil {
		return err
	}
	values, err := form.Parse(req.RawQuery, body)
	if err != nil {
		return err
	}
	var state wire.Input
	if err := form.Decode(&state, &style, values, p, v); err != nil {
		return err
	}
	return state.Validate(op, p, v)
}

// contentType holds no charset: AWS's answers have none, and its clients expect UTF-8.
var contentType = []string{"text/xml"}

// Encode implements wire.Codec.
func (Codec) Encode(a *wire.Answer, out any, to *wire.Response) error {
	op := a.Operation
	var p *wire.Plan
	var v reflect.Value
	if op.Output != nil && out != nil {
		var err error
		if p, v, err = wire.OutputPlan(op, out); err != nil {
			return err
		}
	}
	answer(to, http.StatusOK, wire.Build(func(b []byte) []byte {
		b = append(append(append(b, '<'), op.Name...), "Response"...)
		b = xmltext.AppendNamespace(b, a.Service.XMLNamespace, "")
		b = append(b, '>')
		if p != nil {
			if op.ResultWrapper != "" {
				b = xmlenc.Open(b, op.ResultWrapper)
			}
			b = xmlenc.AppendMembers(b, p, v)
			if op.ResultWrapper != "" {
				b = xmlenc.Close(b, op.ResultWrapper)
			}
		}
		b = append(b, "<ResponseMetadata>"...)
		b = xmlenc.Element(b, "RequestId", a.RequestID)
		b = append(b, "</ResponseMetadata></"...)
		return append(append(b, op.Name...), "Response>"...)
	}))
	return nil
}

func answer(to *wire.Response, status int, body []byte) {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	to.Status, to.Body = status, body
	to.Header["Content-Type"] = contentType
}

// EncodeError implements wire.Codec.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(aws.AWSQuery, a.Service, err)
	b := append(make([]byte, 0, 512), "<ErrorResponse"...)
	if a.Service != nil {
		b = xmltext.AppendNamespace(b, a.Service.XMLNamespace, "")
	}
	b = append(b, "><Error><Type>"...)
	if f.Sender {
		b = append(b, "Sender"...)
	} else {
		b = append(b, "Receiver"...)
	}
	b = append(b, "</Type>"...)
	b = xmlenc.Element(b, "Code", f.Code)
	if f.Message != "" { // IAM has errors without one, which clients then show as "Unknown"
		b = xmlenc.Message(b, f.Message)
	}
	b = xmlenc.AppendFault(b, &f)
	b = append(b, "</Error>"...)
	b = xmlenc.Element(b, "RequestId", a.RequestID)
	b = append(b, "</ErrorResponse>"...)
	answer(to, f.Status, b)
}
