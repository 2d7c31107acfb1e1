package codecs_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// sentBy is the request by which a client of protocol p would call op with
// input v. What stands in bodies and header fields is written alike in both
// directions, so the codec writes those; forms, paths and query strings are
// written here.
func sentBy(p aws.Protocol, op *aws.Operation, v reflect.Value) (*wire.Request, []byte, map[string]string, error) {
	req := &wire.Request{Method: op.Method, Header: wire.HTTPHeader(http.Header{}), RawPath: "/"}
	if p == aws.AWSQuery || p == aws.EC2Query {
		f := form{values: url.Values{}, ec2: p == aws.EC2Query}
		f.structure("", op.Input, v.Elem())
		return req, []byte(f.values.Encode()), nil, nil
	}
	var to wire.Response
	mirror := *op
	mirror.Output, mirror.Status = within(op.Input), 200
	if err := codecs.For(p).Encode(&wire.Answer{Protocol: p, Service: op.Service, Operation: &mirror}, v.Interface(), &to); err != nil {
		return nil, nil, nil, err
	}
	if to.Stream != nil {
		var err error
		if to.Body, err = io.ReadAll(to.Stream); err != nil {
			return nil, nil, nil, err
		}
		v.Elem().FieldByName(payload(op.Input).GoName()).Set(reflect.ValueOf(io.NopCloser(bytes.NewReader(to.Body))))
	}
	req.Header, req.Body = wire.HTTPHeader(to.Header), bytes.NewReader(to.Body)
	if string(to.Body) == "{}" && (p == aws.RESTJSON) {
		to.Body = nil
	}
	labels := map[string]string{}
	query := url.Values{}
	for _, m := range op.Input.Members {
		fv := reflect.Indirect(v.Elem().FieldByName(m.GoName()))
		if !fv.IsValid() || fv.Kind() == reflect.Slice && fv.IsNil() || fv.Kind() == reflect.Map && fv.IsNil() {
			continue
		}
		switch m.Location {
		case aws.InURI:
			labels[m.WireName()] = url.PathEscape(string(wire.AppendText(nil, m.Shape, fv, wire.Format(m, aws.ISO8601))))
		case aws.InQuery:
			addQuery(query, m, fv)
		}
	}
	req.RawQuery = query.Encode()
	return req, to.Body, labels, nil
}

// within is s without what stands in the path and the query string.
func within(s *aws.Shape) *aws.Shape {
	c := *s
	c.Members = slices.DeleteFunc(slices.Clone(s.Members), func(m *aws.Member) bool {
		return m.Location == aws.InURI || m.Location == aws.InQuery
	})
	return &c
}

func payload(s *aws.Shape) *aws.Member {
	for _, m := range s.Members {
		if m.Name == s.Payload {
			return m
		}
	}
	return nil
}

func addQuery(query url.Values, m *aws.Member, v reflect.Value) {
	switch m.Shape.Kind {
	case aws.List:
		e := m.Shape.Elem
		for i := range v.Len() {
			query.Add(m.WireName(), string(wire.AppendText(nil, e.Shape, v.Index(i), wire.Format(e, aws.ISO8601))))
		}
	case aws.Map:
		for _, key := range v.MapKeys() {
			if e := v.MapIndex(key); e.Kind() == reflect.String {
				query.Add(key.String(), e.String())
			} else {
				for i := range e.Len() {
					query.Add(key.String(), e.Index(i).String())
				}
			}
		}
	default:
		query.Add(m.WireName(), string(wire.AppendText(nil, m.Shape, v, wire.Format(m, aws.ISO8601))))
	}
}

// form writes parameters as awsQuery's and EC2's clients do.
type form struct {
	values url.Values
	ec2    bool
}

func (f *form) structure(prefix string, s *aws.Shape, v reflect.Value) {
	for _, m := range s.Members {
		fv := reflect.Indirect(v.FieldByName(m.GoName()))
		if !fv.IsValid() || fv.Kind() == reflect.Slice && fv.IsNil() || fv.Kind() == reflect.Map && fv.IsNil() {
			continue
		}
		name := m.WireName()
		flat := m.Shape.Flattened || m.Flattened
		switch {
		case f.ec2:
			if name = m.QueryName; name == "" {
				name = strings.ToUpper(m.WireName()[:1]) + m.WireName()[1:]
			}
		case m.Shape.Kind == aws.List && m.Shape.Flattened && !m.Flattened && m.Shape.Elem.LocationName != "":
			name = m.Shape.Elem.LocationName
		}
		if prefix != "" {
			name = prefix + "." + name
		}
		f.value(name, m, m.Shape, flat, fv)
	}
}

func (f *form) value(name string, m *aws.Member, s *aws.Shape, flat bool, v reflect.Value) {
	v = reflect.Indirect(v)
	or := func(name, fallback string) string {
		if name == "" {
			return fallback
		}
		return name
	}
	switch s.Kind {
	case aws.Structure, aws.Union:
		f.structure(name, s, v)
	case aws.List:
		if v.Len() == 0 && !f.ec2 {
			f.values.Set(name, "")
		}
		if !flat && !f.ec2 {
			name += "." + or(s.Elem.LocationName, "member")
		}
		for i := range v.Len() {
			f.value(fmt.Sprintf("%s.%d", name, i+1), s.Elem, s.Elem.Shape, s.Elem.Shape.Flattened, v.Index(i))
		}
	case aws.Map:
		if !flat {
			name += ".entry"
		}
		for i, key := range v.MapKeys() {
			entry := fmt.Sprintf("%s.%d.", name, i+1)
			f.values.Set(entry+or(s.Key.LocationName, "key"), key.String())
			f.value(entry+or(s.Elem.LocationName, "value"), s.Elem, s.Elem.Shape, s.Elem.Shape.Flattened, v.MapIndex(key))
		}
	case aws.Blob:
		f.values.Set(name, base64.StdEncoding.EncodeToString(v.Bytes()))
	default:
		f.values.Set(name, string(wire.AppendText(nil, s, v, wire.Format(m, aws.ISO8601))))
	}
}
