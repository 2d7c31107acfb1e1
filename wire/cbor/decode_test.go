package cbor

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

func request(headers ...string) *wire.Request {
	header := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return &wire.Request{Method: "POST", Header: wire.HTTPHeader(header)}
}

func decodeLoan(body []byte) (loan, error) {
	var in loan
	err := Codec{}.Decode(service.Operation("Lend"), request("Content-Type", "application/cbor"), body, nil, &in)
	return in, err
}

// fromHex reads hexadecimal digits, and text between quotes as a text string.
func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	var b []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = appendText(b, part)
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, raw...)
	}
	return b
}

func TestDecodeTakes(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       loan
	}{
		{"no body", "", loan{}},
		{"an empty map", "a0", loan{}},
		{"an empty map without a length", "bf ff", loan{}},
		{"a text", "a1 'Text' 'x'", loan{Text: new("x")}},
		{"a text in pieces", "bf 'Text' 7f 'a' 60 'b' ff ff", loan{Text: new("ab")}},
		{"a name in pieces", "bf 7f 'Te' 'xt' ff 'x' ff", loan{Text: new("x")}},
		{"a text whose length is written long", "a1 'Text' 7b0000000000000001 78", loan{Text: new("x")}},
		{"null as absent", "a1 'Text' f6", loan{}},
		{"undefined as absent", "a1 'Text' f7", loan{}},
		{"what no member is called", "a2 'text' 'x' 'Flag' f5", loan{Flag: new(true)}},
		{"anything where no member is", "a1 'Other' bf 'a' 9f d9d9f7 82 01 fb7ff0000000000000 ff 'b' 5f 41 00 ff 'c' e0 'd' f8ff 01 02 ff", loan{}},
		{"a byte", "a1 'Byte' 387f", loan{Byte: new(int32(-128))}},
		{"an integer written long", "a1 'Number' 1b000000000000000a", loan{Number: new(int32(10))}},
		{"the least long", "a1 'Long' 3b7fffffffffffffff", loan{Long: new(int64(math.MinInt64))}},
		{"a half as double", "a1 'Double' f93e00", loan{Double: new(1.5)}},
		{"the least half", "a1 'Double' f90001", loan{Double: new(math.Ldexp(1, -24))}},
		{"a negative half", "a1 'Double' f9fbff", loan{Double: new(-65504.0)}},
		{"a half's infinity", "a1 'Float' f9fc00", loan{Float: new(float32(math.Inf(-1)))}},
		{"a double as float", "a1 'Float' fb3ff199999999999a", loan{Float: new(float32(1.1))}},
		{"an integer as float", "a1 'Float' 1903e8", loan{Float: new(float32(1000))}},
		{"a negative integer as double", "a1 'Double' 20", loan{Double: new(-1.0)}},
		{"an integer beyond 63 bits as double", "a1 'Double' 1bffffffffffffffff", loan{Double: new(float64(math.MaxUint64))}},
		{"whole seconds", "a1 'Time' c1 1a514b67b0", loan{Time: new(time.Unix(1363896240, 0).UTC())}},
		{"seconds before 1970", "a1 'Time' c1 20", loan{Time: new(time.Unix(-1, 0).UTC())}},
		{"a fraction of a second", "a1 'Time' c1 fb41d452d9ec200000", loan{Time: new(time.Unix(1363896240, 500e6).UTC())}},
		{"bytes in pieces", "a1 'Blob' 5f 4101 40 420203 ff", loan{Blob: []byte{1, 2, 3}}},
		{"no bytes", "a1 'Blob' 40", loan{Blob: []byte{}}},
		{"an empty list", "a1 'Texts' 80", loan{Texts: []string{}}},
		{"a list without a length", "a1 'Texts' 9f 'a' 'b' 'c' 'd' 'e' ff", loan{Texts: []string{"a", "b", "c", "d", "e"}}},
		{"null in a sparse list", "a1 'SparseTexts' 82 f6 'a'", loan{SparseTexts: []*string{nil, new("a")}}},
		{"null in a sparse map", "a1 'SparseNumbers' a2 'a' f6 'b' 01", loan{SparseNumbers: map[string]*int32{"a": nil, "b": new(int32(1))}}},
		{"null in a sparse map of lists", "a1 'SparseLists' bf 'a' f6 'b' 80 ff", loan{SparseLists: map[string][]string{"a": nil, "b": {}}}},
		{"a union", "a1 'Choice' a3 '__type' 'Choice' 'Text' f6 'Number' 01", loan{Choice: &choice{Number: new(int32(1))}}},
		{"a document", "a1 'Any' a2 'a' 9f 01 f6 f93e00 f4 ff 'b' a0",
			loan{Any: map[string]any{"a": []any{int64(1), nil, 1.5, false}, "b": map[string]any{}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeLoan(fromHex(t, c.body))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"what is no map", "80", "a structure"},
		{"bytes behind the map", "a0 00", "not valid"},
		{"a second map", "a0 a0", "not valid"},
		{"a map cut short", "a1 'Text'", "not valid"},
		{"a map that does not end", "bf 'Text' 'x'", "not valid"},
		{"a name without a value", "bf 'Text' ff", "not valid"},
		{"a stop in a map with a length", "a1 ff", "not valid"},
		{"a name that is no text", "a1 01 02", "must be strings"},
		{"a name of bytes", "a1 4454657874 'x'", "must be strings"},
		{"a member twice", "a2 'Text' 'x' 'Text' 'y'", "more than once"},
		{"a member twice, the first null", "a2 'Text' f6 'Text' 'y'", "more than once"},
		{"a key twice", "a1 'Labels' a2 'a' 'x' 'a' 'y'", "more than once"},
		{"a key twice in a document", "a1 'Any' a2 'a' 01 'a' 02", "more than once"},
		{"a text longer than what is left", "a1 'Text' 7b7fffffffffffffff 78", "not valid"},
		{"a text of negative length", "a1 'Text' 7bffffffffffffffff 78", "not valid"},
		{"a list longer than what is left", "a1 'Texts' 9b00000000ffffffff 60", "not valid"},
		{"a map longer than what is left", "a1 'Labels' bb00000000ffffffff 60 60", "not valid"},
		{"an unknown list longer than what is left", "a1 'Other' 9bffffffffffffffff 60", "not valid"},
		{"bytes in a text's pieces", "a1 'Text' 7f 4161 ff", "not valid"},
		{"pieces within pieces", "a1 'Text' 7f 7f ff ff", "not valid"},
		{"a text that is no UTF-8", "a1 'Text' 61ff", "not valid"},
		{"a character spread over pieces", "a1 'Text' 7f 61c3 61a9 ff", "not valid"},
		{"a reserved length", "a1 'Text' 7c", "not valid"},
		{"an integer without a length", "a1 'Number' 1f", "not valid"},
		{"a tag without a number", "a1 'Time' df 01", "not valid"},
		{"a simple value written long", "a1 'Other' f818", "not valid"},
		{"bytes for a text", "a1 'Text' 4161", "a String"},
		{"an integer for a text", "a1 'Text' 01", "a String"},
		{"a text for bytes", "a1 'Blob' 'x'", "a Blob"},
		{"a text for an integer", "a1 'Number' '1'", "an Integer"},
		{"a float for an integer", "a1 'Number' f93c00", "an Integer"},
		{"a byte too large", "a1 'Byte' 1880", "an Integer"},
		{"an integer too large", "a1 'Number' 1a80000000", "an Integer"},
		{"an integer too small", "a1 'Number' 3a80000000", "an Integer"},
		{"a long too large", "a1 'Long' 1b8000000000000000", "a Long"},
		{"a long too small", "a1 'Long' 3b8000000000000000", "a Long"},
		{"a double too large for a float", "a1 'Float' fb7fefffffffffffff", "a Float"},
		{"an integer for a boolean", "a1 'Flag' 01", "a Boolean"},
		{"a number that is not tagged for a time", "a1 'Time' 01", "a Timestamp"},
		{"a time under another tag", "a1 'Time' c0 '2013-03-21T20:04:00Z'", "a Timestamp"},
		{"a time that is no number", "a1 'Time' c1 fb7ff8000000000000", "a Timestamp"},
		{"a time beyond the year 9999", "a1 'Time' c1 1b7fffffffffffffff", "a Timestamp"},
		{"a tagged text", "a1 'Text' c1 'x'", "a String"},
		{"a map for a list", "a1 'Texts' a0", "a list"},
		{"a list for a map", "a1 'Labels' 80", "a map"},
		{"a list for a structure", "a1 'Nested' 80", "a structure"},
		{"null in a list", "a1 'Texts' 81 f6", "a String"},
		{"null in a map", "a1 'Labels' a1 'a' f6", "a String"},
		{"bytes in a document", "a1 'Any' 40", "JSON"},
		{"a tag in a document", "a1 'Any' c1 01", "JSON"},
		{"a union of nothing", "a1 'Choice' a0", "exactly one"},
		{"a union of two", "a1 'Choice' a2 'Text' 'x' 'Number' 01", "exactly one"},
		{"a union of what no member is", "a1 'Choice' a2 'Text' 'x' 'Other' 01", "Unknown member"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeLoan(fromHex(t, c.body))
			e, ok := errors.AsType[*aws.Error](err)
			if !ok || e.Kind != aws.Serialization || !strings.Contains(e.Message, c.want) {
				t.Errorf("got %+v, %v, want an error with %q", got, err, c.want)
			}
		})
	}
}

func TestDecodeRefusesOtherMediaTypes(t *testing.T) {
	for given, ok := range map[string]bool{
		"application/cbor": true, "application/cbor; charset=utf-8": true, "Application/CBOR": true, "": true,
		"application/json": false, "application/x-www-form-urlencoded": false, "nonsense;": false,
	} {
		req := request()
		if given != "" {
			req = request("Content-Type", given)
		}
		err := Codec{}.Decode(service.Operation("Lend"), req, []byte{0xa0}, nil, &loan{})
		e, refused := errors.AsType[*aws.Error](err)
		if ok != (err == nil) || refused && e.Kind != aws.UnsupportedMediaType {
			t.Errorf("Content-Type %q: %v", given, err)
		}
	}
}

// TestDecodeIsBounded sends what would become large or deep, and is refused
// before it does.
func TestDecodeIsBounded(t *testing.T) {
	nest := func(open string, n int) string { return "a1 'Other' " + strings.Repeat(open, n) + "01" }
	wide := make([]byte, 8<<20)
	for i := range wide {
		wide[i] = 0xa0 // an empty structure, of more than 100 bytes once read
	}
	for _, c := range []struct {
		name string
		body []byte
	}{
		{"lists that nobody asked for", fromHex(t, nest("81", 65))},
		{"tags that nobody asked for", fromHex(t, nest("c2", 65))},
		{"lists without end that nobody asked for", fromHex(t, nest("9f", 1e6))},
		{"structures", fromHex(t, strings.Repeat("a1 'Nested' ", 65)+"a0")},
		{"documents", fromHex(t, "a1 'Any' "+strings.Repeat("81", 65)+"01")},
		{"many structures", append(fromHex(t, "a1 'Loans' 9a007ffff0"), wide[:0x7ffff0]...)},
		{"many structures without a length", append(append(fromHex(t, "a1 'Loans' 9f"), wide...), stop)},
		{"many documents", append(append(fromHex(t, "a1 'Any' 9f"), wide...), stop)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decodeLoan(c.body)
			e, ok := errors.AsType[*aws.Error](err)
			if !ok || e.Kind != aws.Serialization {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(e.Message, "deep") && !strings.Contains(e.Message, "too many") {
				t.Errorf("refused for another reason: %v", err)
			}
		})
	}
}

// TestDecodeValidates shows that what was not sent is told from what is zero.
func TestDecodeValidates(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"a1 'Card' a2 'Number' 00 'Text' 60", ""},
		{"a1 'Card' a2 'Number' f6 'Text' 60", "Value null at 'card.number'"},
		{"a1 'Loans' 82 a0 a1 'Card' a1 'Number' 00", "Value null at 'loans.2.member.card.text'"},
		{"a1 'Secret' 60", "Value at 'secret' failed"},
	} {
		_, err := decodeLoan(fromHex(t, c.body))
		if c.want == "" && err == nil {
			continue
		}
		e, ok := errors.AsType[*aws.Error](err)
		if !ok || e.Kind != aws.Validation || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: got %v, want %q", c.body, err, c.want)
		}
	}
}

// TestDecodeDoesNotKeepTheBody writes over the body behind the decoder.
func TestDecodeDoesNotKeepTheBody(t *testing.T) {
	body := fromHex(t, "a2 'Text' 'abc' 'Blob' 43010203")
	got, err := decodeLoan(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if *got.Text != "abc" || fmt.Sprint(got.Blob) != "[1 2 3]" {
		t.Errorf("got %q, %v", *got.Text, got.Blob)
	}
}
