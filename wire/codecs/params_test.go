package codecs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// filledToken is the idempotency token that a vector's client fills in.
const filledToken = "00000000-0000-4000-8000-000000000000"

// match compares v, a value of shape, with the parameters of a vector.
func match(s *aws.Shape, v reflect.Value, want any) error {
	if v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = reflect.Indirect(v)
	}
	if token := v; want == nil && s.Kind == aws.String && token.IsValid() && token.String() == filledToken {
		return nil
	}
	if v.IsValid() && s.Kind == aws.Blob && s.Streaming && !v.IsNil() {
		data, err := io.ReadAll(v.Interface().(io.Reader))
		if text, _ := want.(string); err != nil || text != string(data) {
			return fmt.Errorf("is %q, want %v (%v)", data, want, err)
		}
		return nil
	}
	if want == nil {
		if v.IsValid() && !v.IsZero() {
			return fmt.Errorf("is %v, want nothing", v)
		}
		return nil
	}
	if !v.IsValid() {
		return fmt.Errorf("is absent, want %v", want)
	}
	switch s.Kind {
	case aws.Structure, aws.Union:
		return matchMembers(s, v, want)
	case aws.List:
		list, ok := want.([]any)
		if ok && len(list) == 0 && v.Len() == 0 {
			return nil // a form or a header can't tell an empty list from none
		}
		if !ok || v.Len() != len(list) {
			return fmt.Errorf("is %v, want %v", v, want)
		}
		for i, e := range list {
			if err := match(s.Elem.Shape, v.Index(i), e); err != nil {
				return fmt.Errorf("[%d] %w", i, err)
			}
		}
		return nil
	case aws.Map:
		m, ok := want.(map[string]any)
		if ok && len(m) == 0 && v.Len() == 0 {
			return nil
		}
		if !ok || v.Len() != len(m) {
			return fmt.Errorf("is %v, want %v", v, want)
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			e := v.MapIndex(reflect.ValueOf(key))
			if !e.IsValid() {
				return fmt.Errorf("has no %q", key)
			}
			if err := match(s.Elem.Shape, e, m[key]); err != nil {
				return fmt.Errorf("[%q] %w", key, err)
			}
		}
		return nil
	}
	return matchScalar(s, v, want)
}

func matchMembers(s *aws.Shape, v reflect.Value, want any) error {
	members, ok := want.(map[string]any)
	if !ok {
		return fmt.Errorf("is a structure, want %v", want)
	}
	known := 0
	for _, m := range s.Members {
		value, there := members[m.Name]
		if there {
			known++
		}
		fv := v.FieldByName(m.GoName())
		if err := match(m.Shape, fv, value); err != nil {
			return fmt.Errorf("%s %w", m.Name, err)
		}
	}
	if known != len(members) {
		return fmt.Errorf("%v has members that %s has not", members, s.Name)
	}
	return nil
}

func matchScalar(s *aws.Shape, v reflect.Value, want any) error {
	var have any
	switch s.Kind {
	case aws.String:
		have = v.String()
		if document, ok := want.(map[string]any); ok { // a jsonvalue header
			var parsed any
			if json.Unmarshal([]byte(v.String()), &parsed) == nil && reflect.DeepEqual(parsed, any(document)) {
				return nil
			}
		}
	case aws.Boolean:
		have = v.Bool()
	case aws.Integer, aws.Long:
		have, want = v.Int(), number(want)
		have = float64(have.(int64))
	case aws.Float, aws.Double:
		f, w := v.Float(), number(want)
		if math.IsNaN(f) && math.IsNaN(w) || f == w || s.Kind == aws.Float && float32(f) == float32(w) {
			return nil
		}
		have = f
	case aws.Timestamp:
		w := number(want)
		have, want = v.Interface().(time.Time).UnixMilli(), int64(math.Round(w*1000))
	case aws.Blob:
		have = string(v.Bytes())
	case aws.Document:
		b, err := json.Marshal(v.Interface())
		if err != nil {
			return err
		}
		var parsed any
		if err := json.Unmarshal(b, &parsed); err != nil {
			return err
		}
		have = parsed
	}
	if !reflect.DeepEqual(have, want) {
		return fmt.Errorf("is %v (%T), want %v (%T)", have, have, want, want)
	}
	return nil
}

// number is the number that a vector gives, possibly as a text.
func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
		for _, layout := range []string{time.RFC3339Nano, time.RFC1123} {
			if t, err := time.Parse(layout, v); err == nil {
				return float64(t.UnixMilli()) / 1000
			}
		}
	}
	return math.Inf(-1)
}
