package cbor

import (
	"net/http"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Codec implements wire.Codec.
type Codec struct{}

// Decode implements wire.Codec. No body is an empty map.
func (Codec) Decode(op *aws.Operation, _ *wire.Request, body []byte, _ map[string]string, in any) error {
	p, v, err := wire.InputPlan(op, in)
	if err != nil {
		return err
	}
	var state wire.Input
	if len(body) == 0 {
		state.Done(p, &wire.Seen{})
	} else if err := decode(&state, body, p, v); err != nil {
		return err
	}
	return state.Validate(op, p, v)
}

var (
	contentType = []string{"application/cbor"}
	protocol    = []string{"rpc-v2-cbor"}
)

// Encode implements wire.Codec.
func (Codec) Encode(a *wire.Answer, out any, to *wire.Response) error {
	begin(to, http.StatusOK)
	if a.Operation.Output == nil {
		return nil
	}
	b := append(make([]byte, 0, 512), beginMap)
	if out != nil {
		p, v, err := wire.OutputPlan(a.Operation, out)
		if err != nil {
			return err
		}
		b = appendMembers(b, p, v)
	}
	to.Body = append(b, breakByte)
	to.Header["Content-Type"] = contentType
	return nil
}

func begin(to *wire.Response, status int) {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	to.Status = status
	to.Header["Smithy-Protocol"] = protocol
}

// EncodeError implements wire.Codec.
func (Codec) EncodeError(a *wire.Answer, err error, to *wire.Response) {
	f := wire.FaultOf(aws.RPCV2CBOR, a.Service, err)
	begin(to, f.Status)
	b := append(make([]byte, 0, 256), beginMap)
	b = appendString(appendString(b, "__type"), f.Code)
	b = appendFault(b, &f)
	to.Body = append(b, breakByte)
	to.Header["Content-Type"] = contentType
	if code := wire.QueryError(a, &f); code != "" {
		to.Header.Set("X-Amzn-Query-Error", code)
	}
}

// appendFault writes an error's message, called as the model calls it, and its
// other members.
func appendFault(b []byte, f *wire.Fault) []byte {
	name := "message"
	var members []byte
	if f.Modelled != nil {
		if p, v := wire.ErrorPlan(f); p != nil {
			for i := range p.Fields {
				field := &p.Fields[i]
				if strings.EqualFold(field.Member.Name, "message") {
					name = field.Member.Name
				} else if fv, ok := field.Get(v); ok {
					members = appendValue(appendString(members, field.Member.Name), field.Plan, fv)
				}
			}
		}
	}
	if f.Message != "" {
		b = appendString(appendString(b, name), f.Message)
	}
	return append(b, members...)
}
