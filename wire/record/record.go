// Package record renders the input or output of an operation as CloudTrail
// records it: requestParameters and responseElements
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
// What the model calls sensitive never stands in it, and neither do blobs and
// streams, which CloudTrail leaves out.
package record

import (
	"reflect"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

// hidden is what CloudTrail writes in place of what it must not show.
const hidden = `"HIDDEN_DUE_TO_SECURITY_REASONS"`

// sessionToken is the one secret that STS's records have: hidden, where AWS shows it.
const sessionToken = "sessionToken"

// Go layouts of the two ways in which records write times, and of REST services' third.
const (
	commaTime = "Jan 2, 2006, 3:04:05 PM"
	plainTime = "Jan 2, 2006 3:04:05 PM" // IAM and RDS
	isoTime   = "2006-01-02T15:04:05Z"
)

// renderer is how one service's records are written.
type renderer struct {
	layout string
	omit   bool // sensitive members are left out, not hidden: IAM, STS and KMS
}

// Request appends the requestParameters of a call: a JSON object, or nothing
// where no parameter is present, for which the record has null. in is a
// pointer to op's input struct.
func Request(b []byte, op *aws.Operation, in any) []byte {
	r := rendererOf(op.Service)
	return r.top(b, op.Input, in)
}

// Response appends the responseElements of a call, as Request does its
// parameters. out is a pointer to op's output struct, or nil.
func Response(b []byte, op *aws.Operation, out any) []byte {
	r := rendererOf(op.Service)
	return r.top(b, op.Output, out)
}

func rendererOf(s *aws.Service) renderer {
	switch {
	case s == nil:
	case s.Name == "iam":
		return renderer{layout: plainTime, omit: true}
	case s.Name == "sts" || s.Name == "kms":
		return renderer{layout: commaTime, omit: true}
	case s.Name == "rds":
		return renderer{layout: plainTime}
	case len(s.Protocols) > 0 && s.Protocols[0] == aws.RESTJSON:
		return renderer{layout: isoTime}
	}
	return renderer{layout: commaTime}
}

func (r *renderer) top(b []byte, shape *aws.Shape, ptr any) []byte {
	v := reflect.ValueOf(ptr)
	if shape == nil || v.Kind() != reflect.Pointer || v.IsNil() {
		return b
	}
	p, err := wire.PlanOf(shape, v.Type())
	if err != nil {
		return b
	}
	if out, some := r.structure(b, p, v.Elem()); some {
		return out
	}
	return b
}

// structure writes v as an object, and says whether it has a member.
func (r *renderer) structure(b []byte, p *wire.Plan, v reflect.Value) (_ []byte, some bool) {
	b = append(b, '{')
	for i := range p.Fields {
		f := &p.Fields[i]
		fv, ok := f.Get(v)
		if !ok || unrecorded(f.Plan) || f.Secret && r.omit && f.Label != sessionToken {
			continue
		}
		if some {
			b = append(b, ',')
		}
		some = true
		b = append(jsontext.AppendString(b, f.Label), ':')
		if f.Secret {
			b = append(b, hidden...)
			continue
		}
		b = r.value(b, f.Plan, fv)
	}
	return append(b, '}'), some
}

// unrecorded says whether values of p stand in no record.
func unrecorded(p *wire.Plan) bool {
	switch p.Shape.Kind {
	case aws.Blob:
		return true
	case aws.List, aws.Map:
		return unrecorded(p.Elem)
	}
	return p.Shape.EventStream
}

func (r *renderer) value(b []byte, p *wire.Plan, v reflect.Value) []byte {
	if p.Secret {
		return append(b, hidden...)
	}
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		b, _ = r.structure(b, p, v)
		return b
	case aws.List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = r.element(b, p, p.Shape.Elem, v.Index(i))
		}
		return append(b, ']')
	case aws.Map:
		return r.entries(b, p, v)
	case aws.String:
		return jsontext.AppendString(b, v.String())
	case aws.Boolean:
		return strconv.AppendBool(b, v.Bool())
	case aws.Integer, aws.Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case aws.Float, aws.Double:
		return jsontext.AppendNumber(b, v.Float(), wire.FloatBits(p.Shape))
	case aws.Timestamp:
		return r.time(b, wire.Time(v))
	case aws.Document:
		return jsontext.AppendAny(b, v.Interface())
	}
	return append(b, "null"...)
}

func (r *renderer) entries(b []byte, p *wire.Plan, v reflect.Value) []byte {
	if p.Key.Secret || p.Shape.Key.Sensitive {
		return append(b, hidden...)
	}
	b = append(b, '{')
	for i, key := range wire.SortedKeys(v) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, key.String()), ':')
		b = r.element(b, p, p.Shape.Elem, v.MapIndex(key))
	}
	return append(b, '}')
}

// element writes what a list or map of plan p holds.
func (r *renderer) element(b []byte, p *wire.Plan, m *aws.Member, v reflect.Value) []byte {
	if m.Sensitive {
		return append(b, hidden...)
	}
	if p.ElemPointer {
		if v.IsNil() {
			return append(b, "null"...)
		}
		v = v.Elem()
	}
	return r.value(b, p.Elem, v)
}

func (r *renderer) time(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, r.layout)
	return append(b, '"')
}
