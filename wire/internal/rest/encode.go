package rest

import (
	"encoding/base64"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// EncodeParts writes those members of an output that stand in the status and
// the header.
func EncodeParts(p *wire.Plan, v reflect.Value, to *wire.Response) {
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Member.Location == aws.InBody {
			continue
		}
		fv, ok := f.Get(v)
		if !ok {
			continue
		}
		switch f.Member.Location {
		case aws.InStatus:
			if status := int(fv.Int()); status >= 200 && status <= 599 {
				to.Status = status
			}
		case aws.InHeader:
			if text, ok := headerText(f, fv); ok {
				to.Header.Set(f.Member.WireName(), text)
			}
		case aws.InHeaders:
			for _, key := range wire.SortedKeys(fv) {
				name := f.Member.LocationName + key.String()
				if validName(name) { // as it is: botocore takes a key's case from it
					to.Header[name] = []string{clean(fv.MapIndex(key).String())}
				}
			}
		}
	}
}

func headerText(f *wire.Field, v reflect.Value) (string, bool) {
	p := f.Plan
	if p.Shape.Kind != aws.List {
		text := scalarText(f.Member, p, v)
		if f.Member.JSONValue {
			text = base64.StdEncoding.EncodeToString([]byte(text))
		}
		return clean(text), true
	}
	if v.Len() == 0 {
		return "", false
	}
	var b []byte
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ", "...)
		}
		e := reflect.Indirect(v.Index(i))
		if !e.IsValid() {
			continue
		}
		b = appendListItem(b, scalarText(p.Shape.Elem, p.Elem, e), p.Elem.Shape.Kind == aws.String)
	}
	return clean(string(b)), true
}

func scalarText(m *aws.Member, p *wire.Plan, v reflect.Value) string {
	if p.Shape.Kind == aws.Blob {
		if p.Stream {
			return ""
		}
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return string(wire.AppendText(nil, p.Shape, v, wire.Format(m, aws.RFC822)))
}

// clean takes control characters out of a header's value, so that no value
// ends its line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// validName says whether name can be a header's: a token of RFC 9110.
func validName(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}

// EncodePayload writes the member that is an answer's whole body, if it is no
// structure, and says whether it is one.
func EncodePayload(f *wire.Field, v reflect.Value, to *wire.Response) bool {
	fv, ok := f.Get(v)
	fallback := "application/octet-stream"
	switch f.Plan.Shape.Kind {
	case aws.Blob:
		if f.Plan.Stream {
			if ok {
				to.Stream, to.Length = fv.Interface().(io.ReadCloser), -1
				if n, err := strconv.ParseInt(to.Header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
					to.Length = n
				}
			}
		} else if ok {
			to.Body = fv.Bytes()
		}
	case aws.String:
		fallback = "text/plain"
		if ok {
			to.Body = []byte(fv.String())
		}
	default:
		return false
	}
	if f.Member.Shape.MediaType != "" {
		fallback = f.Member.Shape.MediaType
	}
	if ok && to.Header["Content-Type"] == nil {
		to.Header["Content-Type"] = []string{fallback}
	}
	return true
}

// Begin makes the answer's header, and sets the status of success.
func Begin(op *aws.Operation, to *wire.Response) {
	if to.Header == nil {
		to.Header = http.Header{}
	}
	if to.Status = op.Status; to.Status == 0 {
		to.Status = http.StatusOK
	}
}

// TakesBody says whether an input of plan p has members that stand in the body.
func TakesBody(p *wire.Plan) bool {
	for i := range p.Fields {
		if p.Fields[i].Member.Location == aws.InBody {
			return true
		}
	}
	return false
}

// HasBody says whether an output of plan p has members that stand in the body.
func HasBody(p *wire.Plan) bool {
	for i := range p.Fields {
		if p.Fields[i].Answered() {
			return true
		}
	}
	return false
}
