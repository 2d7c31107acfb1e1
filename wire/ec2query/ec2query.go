package ec2query

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

// style: a parameter is called by the member's queryName, else by its
// locationName or its own, the first letter raised.
var style = form.Style{FlatAll: true, Name: func(f *wire.Field) string { return f.EC2Name }}

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

var contentType = []string{"text/xml;charset=UTF-8"}

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
		b = xmlenc.Element(b, "requestId", a.RequestID)
		if p == nil {
			b = append(b, "<return>true</return>"...)
		} else {
			b = xmlenc.AppendMembers(b, p, v)
		}
		return append(append(append(b, "</"...), op.Name...), "Response>"...)
	}))
	return nil
}

// EncodeError implements wire.Codec.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(aws.EC2Query, a.Service, err)
	b := append(make([]byte, 0, 512), "<Response><Errors><Error>"...)
	b = xmlenc.Element(b, "Code", f.Code)
	b = xmlenc.Message(b, f.Message)
	b = xmlenc.AppendFault(b, &f)
	b = append(b, "</Error></Errors>"...)
	b = xmlenc.Element(b, "RequestID", a.RequestID)
	answer(to, f.Status, append(b, "</Response>"...))
}

func answer(to *wire.Response, status int, body []byte) {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	to.Status, to.Body = status, body
	to.Header["Content-Type"] = contentType
}
