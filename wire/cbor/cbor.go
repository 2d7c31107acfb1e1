package cbor

import (
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/eventstream"
)

// Codec implements wire.Codec for rpcv2Cbor
// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html).
type Codec struct{}

const mediaType = "application/cbor"

// Decode implements wire.Codec. No body is an empty structure; a body that says
// to be of another type than CBOR is refused, for who reads it by its type
// would read another request.
func (Codec) Decode(op *aws.Operation, req *wire.Request, body []byte, _ map[string]string, in any) error {
	p, v, err := wire.InputPlan(op, in)
	if err != nil {
		return err
	}
	d := decoder{reader: reader{data: body}}
	if len(body) == 0 {
		d.in.Done(p, &wire.Seen{})
		return d.in.Validate(op, p, v)
	}
	if given := req.Header.Get("Content-Type"); given != "" && given != mediaType {
		if parsed, _, err := mime.ParseMediaType(given); err != nil || parsed != mediaType {
			return &aws.Error{Kind: aws.UnsupportedMediaType, Message: "The request's Content-Type must be " + mediaType + "."}
		}
	}
	if err := d.body(p, v); err != nil {
		return err
	}
	return d.in.Validate(op, p, v)
}

var (
	contentType = []string{mediaType}
	protocol    = []string{"rpc-v2-cbor"}
)

// Encode implements wire.Codec. An operation without an output has an answer
// without a body.
func (Codec) Encode(a *wire.Answer, out any, to *wire.Response) error {
	answer(to, http.StatusOK)
	if a.Operation.Output == nil || out == nil {
		return nil
	}
	p, v, err := wire.OutputPlan(a.Operation, out)
	if err != nil {
		return err
	}
	if f := p.Events(); f != nil {
		first := eventstream.Initial(mediaType, appendStructure(nil, p, v))
		return eventstream.Answer(f, v, eventBody, to, first...)
	}
	to.Header["Content-Type"] = contentType
	to.Body = appendStructure(make([]byte, 0, 512), p, v)
	return nil
}

// eventBody is how an event that is a structure is written.
var eventBody = eventstream.Body{
	Protocol:    aws.RPCV2CBOR,
	ContentType: mediaType,
	Append: func(b []byte, _ *aws.Member, p *wire.Plan, v reflect.Value) []byte {
		return appendValue(b, p, v)
	},
}

func answer(to *wire.Response, status int) {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	to.Status = status
	to.Header["Smithy-Protocol"] = protocol
}

// EncodeError implements wire.Codec. __type is the shape's absolute name, of
// which clients read what stands behind the "#"; what no model knows has no
// namespace.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(aws.RPCV2CBOR, a.Service, err)
	answer(to, f.Status)
	to.Header["Content-Type"] = contentType
	if code := wire.QueryError(a, &f); code != "" {
		to.Header.Set("X-Amzn-Query-Error", code)
	}
	to.Body = appendFault(make([]byte, 0, 256), a.Service, &f)
}

// appendFault writes an error as a map: its type, its message under the name
// that the model has for it, and its other members.
func appendFault(b []byte, s *aws.Service, f *wire.Fault) []byte {
	name, message := f.Code, "message"
	var p *wire.Plan
	var v reflect.Value
	if f.Modelled != nil {
		name = "com.amazonaws." + s.Name + "#" + name
		p, v = wire.ErrorPlan(f)
	}
	b = appendText(append(b, openMap), "__type")
	b = appendText(b, name)
	if p != nil {
		for i := range p.Fields {
			switch m := p.Fields[i].Member; {
			case strings.EqualFold(m.Name, message):
				message = m.Name
			default:
				if fv, ok := p.Fields[i].Get(v); ok {
					b = appendText(b, m.Name)
					b = appendValue(b, p.Fields[i].Plan, fv)
				}
			}
		}
	}
	if f.Message != "" {
		b = appendText(b, message)
		b = appendText(b, f.Message)
	}
	return append(b, stop)
}
