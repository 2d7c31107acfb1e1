// Package rest is what restJson1 and restXml share: members that stand in the
// path, the query string and the header fields of requests and answers.
package rest

import (
	"encoding/base64"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/escape"
)

// maxPairs bounds the pairs of a query string and the elements of a header's list.
const maxPairs = 10_000

// DecodeParts fills those members of the structure v that do not stand in the
// body, and marks them in seen.
func DecodeParts(in *wire.Input, req *wire.Request, labels map[string]string, p *wire.Plan, v reflect.Value, seen *wire.Seen) error {
	d := decoder{in: in, req: req}
	for i := range p.Fields {
		f := &p.Fields[i]
		var found bool
		var err error
		switch f.Member.Location {
		case aws.InURI:
			found, err = d.label(f, labels, v)
		case aws.InQuery:
			found, err = d.query(f, v)
		case aws.InHeader:
			found, err = d.header(f, v)
		case aws.InHeaders:
			found, err = d.headers(f, v)
		}
		if err != nil {
			return err
		}
		if found {
			seen.Mark(i)
		}
	}
	return nil
}

type decoder struct {
	in     *wire.Input
	req    *wire.Request
	parsed bool
	pairs  []pair // of the query string
}

type pair struct{ name, value string }

func malformed(where string, m *aws.Member) error {
	return wire.Malformed("The " + where + " " + m.WireName() + " can not be read.")
}

// label reads a part of the path. It is still escaped, so that an ARN's
// slashes do not divide it.
func (d *decoder) label(f *wire.Field, labels map[string]string, v reflect.Value) (bool, error) {
	raw, ok := labels[f.Member.WireName()]
	if !ok {
		if raw, ok = labels[f.Member.Name]; !ok {
			return false, nil
		}
	}
	text, ok := escape.Undo(raw, false)
	if !ok || !setScalar(f.Member, f.Plan, f.New(v), text, aws.ISO8601) {
		return false, malformed("label", f.Member)
	}
	return true, nil
}

func (d *decoder) parseQuery() error {
	if d.parsed {
		return nil
	}
	d.parsed = true
	for raw := d.req.RawQuery; raw != ""; {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, ok := escape.Undo(name, true)
		value, ok2 := escape.Undo(value, true)
		if !ok || !ok2 || len(d.pairs) >= maxPairs {
			return wire.Malformed("The query string can not be read.")
		}
		d.pairs = append(d.pairs, pair{name, value})
	}
	return nil
}

func (d *decoder) query(f *wire.Field, v reflect.Value) (bool, error) {
	if err := d.parseQuery(); err != nil {
		return false, err
	}
	p := f.Plan
	if p.Shape.Kind == aws.Map {
		return d.queryMap(f, v)
	}
	var values []string
	for _, pair := range d.pairs {
		if pair.name == f.Member.WireName() {
			values = append(values, pair.value)
		}
	}
	switch {
	case len(values) == 0:
		return false, nil
	case p.Shape.Kind == aws.List:
		return true, d.list("query parameter", f, f.New(v), values, aws.ISO8601)
	case len(values) > 1:
		return false, wire.Malformed("The query parameter " + f.Member.WireName() + " is given more than once.")
	}
	if !setScalar(f.Member, p, f.New(v), values[0], aws.ISO8601) {
		return false, malformed("query parameter", f.Member)
	}
	return true, nil
}

// queryMap takes the whole query string as a map of texts, or of lists of them.
func (d *decoder) queryMap(f *wire.Field, v reflect.Value) (bool, error) {
	if len(d.pairs) == 0 {
		return false, nil
	}
	p := f.Plan
	m := reflect.MakeMap(p.Type)
	f.New(v).Set(m)
	for _, pair := range d.pairs {
		key := reflect.ValueOf(pair.name).Convert(p.Type.Key())
		switch p.Elem.Shape.Kind {
		case aws.String:
			if !m.MapIndex(key).IsValid() {
				m.SetMapIndex(key, reflect.ValueOf(pair.value).Convert(p.Type.Elem()))
			}
		case aws.List:
			list := m.MapIndex(key)
			if !list.IsValid() {
				list = reflect.Zero(p.Type.Elem())
			}
			m.SetMapIndex(key, reflect.Append(list, reflect.ValueOf(pair.value).Convert(p.Type.Elem().Elem())))
		}
	}
	return true, nil
}

func (d *decoder) header(f *wire.Field, v reflect.Value) (bool, error) {
	values := d.values(f.Member)
	if len(values) == 0 {
		return false, nil
	}
	p := f.Plan
	if p.Shape.Kind == aws.List {
		var all []string
		for _, value := range values {
			var ok bool
			if all, ok = splitList(all, value, p.Elem.Shape, wire.Format(p.Shape.Elem, aws.RFC822)); !ok {
				return false, malformed("header", f.Member)
			}
		}
		return true, d.list("header", f, f.New(v), all, aws.RFC822)
	}
	if len(values) > 1 {
		return false, wire.Malformed("The header " + f.Member.WireName() + " is given more than once.")
	}
	text := strings.Trim(values[0], " \t")
	if f.Member.JSONValue {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !utf8.Valid(raw) {
			return false, malformed("header", f.Member)
		}
		text = string(raw)
	}
	if !setScalar(f.Member, p, f.New(v), text, aws.RFC822) {
		return false, malformed("header", f.Member)
	}
	return true, nil
}

// values are a header's. net/http takes Host, and the length of the body, out
// of the header.
func (d *decoder) values(m *aws.Member) []string {
	if d.req.Header == nil {
		return nil
	}
	return d.req.Header.Values(m.WireName())
}

func (d *decoder) headers(f *wire.Field, v reflect.Value) (bool, error) {
	if d.req.Header == nil {
		return false, nil
	}
	p := f.Plan
	prefix := f.Member.LocationName
	m := reflect.MakeMap(p.Type)
	for name, values := range d.req.Header.All() {
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) || len(values) == 0 {
			continue
		}
		text := strings.Join(values, ",")
		if !utf8.ValidString(text) {
			return false, malformed("header", f.Member)
		}
		key := reflect.ValueOf(strings.ToLower(name[len(prefix):])).Convert(p.Type.Key())
		if m.MapIndex(key).IsValid() {
			return false, wire.Malformed("The header " + name + " is given more than once.")
		}
		m.SetMapIndex(key, reflect.ValueOf(text).Convert(p.Type.Elem()))
	}
	if m.Len() == 0 {
		return false, nil
	}
	f.New(v).Set(m)
	return true, nil
}

func (d *decoder) list(where string, f *wire.Field, v reflect.Value, values []string, format aws.TimestampFormat) error {
	if len(values) > maxPairs {
		return malformed(where, f.Member)
	}
	p := f.Plan
	v.Set(reflect.MakeSlice(p.Type, len(values), len(values)))
	for i, text := range values {
		e := v.Index(i)
		if p.ElemPointer {
			e.Set(reflect.New(p.Elem.Type))
			e = e.Elem()
		}
		if !setScalar(p.Shape.Elem, p.Elem, e, text, format) {
			return malformed(where, f.Member)
		}
	}
	return nil
}

// setScalar sets v of member m from its text outside a body, and says whether
// it can be read.
func setScalar(m *aws.Member, p *wire.Plan, v reflect.Value, text string, format aws.TimestampFormat) bool {
	switch p.Shape.Kind {
	case aws.Blob:
		if p.Stream {
			return false
		}
		blob, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return false
		}
		v.SetBytes(blob)
		return true
	case aws.String:
		if !utf8.ValidString(text) {
			return false
		}
	case aws.Timestamp:
		t, ok := wire.ParseTime(text, wire.Format(m, format), false)
		if ok {
			wire.SetTime(v, t)
		}
		return ok
	}
	return wire.SetText(p.Shape, v, text, format)
}

// Payload fills the member that is a request's whole body, if it is no
// structure, and says whether it is one and was there.
func Payload(f *wire.Field, req *wire.Request, body []byte, v reflect.Value) (raw, found bool, err error) {
	switch f.Plan.Shape.Kind {
	case aws.Blob:
		if f.Plan.Stream {
			if req.Body == nil {
				return true, false, nil
			}
			f.New(v).Set(reflect.ValueOf(io.NopCloser(req.Body)))
			return true, true, nil
		}
		if len(body) == 0 {
			return true, false, nil
		}
		f.New(v).SetBytes(append([]byte{}, body...))
	case aws.String:
		if len(body) == 0 {
			return true, false, nil
		}
		if !utf8.Valid(body) {
			return true, false, wire.Malformed("The request's body is not UTF-8.")
		}
		f.New(v).SetString(string(body))
	default:
		return false, false, nil
	}
	return true, true, nil
}
