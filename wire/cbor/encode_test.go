package cbor

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"reflect"
	"testing"
	"time"

	fxcbor "github.com/fxamacker/cbor/v2"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

func answerTo(operation string) *wire.Answer {
	return &wire.Answer{Protocol: aws.RPCV2CBOR, Service: service, Operation: service.Operation(operation), Request: request()}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name string
		out  loan
		want string
	}{
		{"nothing in it", loan{}, "bf ff"},
		{"a text", loan{Text: new("x")}, "bf 'Text' 'x' ff"},
		{"a text that is no UTF-8", loan{Text: new("a\xff")}, "bf 'Text' 'a\ufffd' ff"},
		{"an empty list", loan{Texts: []string{}}, "bf 'Texts' 80 ff"},
		{"nulls", loan{SparseTexts: []*string{nil}, SparseLists: map[string][]string{"a": nil}}, "bf 'SparseTexts' 81 f6 'SparseLists' a1 'a' f6 ff"},
		{"a time", loan{Time: new(time.UnixMilli(1363896240500))}, "bf 'Time' c1 fb41d452d9ec200000 ff"},
		{"integers", loan{Number: new(int32(-500)), Long: new(int64(math.MinInt64))}, "bf 'Number' 3901f3 'Long' 3b7fffffffffffffff ff"},
		{"floats", loan{Float: new(float32(1.5)), Double: new(math.Inf(-1))}, "bf 'Float' fa3fc00000 'Double' fbfff0000000000000 ff"},
		{"keys in order", loan{Labels: map[string]string{"b": "2", "a": "1"}}, "bf 'Labels' a2 'a' '1' 'b' '2' ff"},
		{"a structure", loan{Card: &card{Number: 24}}, "bf 'Card' bf 'Number' 1818 'Text' 60 ff ff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to wire.Response
			if err := (Codec{}).Encode(answerTo("Lend"), &c.out, &to); err != nil {
				t.Fatal(err)
			}
			if want := fromHex(t, c.want); !bytes.Equal(to.Body, want) {
				t.Errorf("got  %x\nwant %x", to.Body, want)
			}
			want := http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
			if to.Status != 200 || !reflect.DeepEqual(to.Header, want) {
				t.Errorf("status %d, header %v", to.Status, to.Header)
			}
		})
	}
}

func TestEncodeWithoutOutput(t *testing.T) {
	var to wire.Response
	if err := (Codec{}).Encode(answerTo("Nothing"), &nothing{}, &to); err != nil {
		t.Fatal(err)
	}
	if want := (http.Header{"Smithy-Protocol": {"rpc-v2-cbor"}}); to.Body != nil || !reflect.DeepEqual(to.Header, want) {
		t.Errorf("body %x, header %v, want none and %v", to.Body, to.Header, want)
	}
}

func TestEncodeError(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		query  string
		want   string
	}{
		{"modelled, with a code of its own", &overdue{Message: "late", Loan: &card{Number: 1, Text: "x"}}, 409, "AWS.Overdue;Sender",
			"bf '__type' 'com.amazonaws.library#Overdue' 'Loan' bf 'Number' 01 'Text' 'x' ff 'message' 'late' ff"},
		{"modelled, without a message member", &lost{Message: "gone"}, 500, "Lost;Receiver",
			"bf '__type' 'com.amazonaws.library#Lost' 'message' 'gone' ff"},
		{"a refusal", &aws.Error{Kind: aws.AccessDenied, Message: "no"}, 400, "AccessDenied;Sender",
			"bf '__type' 'AccessDeniedException' 'message' 'no' ff"},
		{"anything else, of which nothing is told", errors.New("disk on fire"), 500, "InternalFailure;Receiver",
			"bf '__type' 'InternalFailure' 'message' 'An internal error occurred.' ff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to wire.Response
			Codec{}.EncodeError(answerTo("Lend"), c.err, &to)
			if want := fromHex(t, c.want); !bytes.Equal(to.Body, want) {
				t.Errorf("got  %q\nwant %q", to.Body, want)
			}
			want := http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}, "X-Amzn-Query-Error": {c.query}}
			if to.Status != c.status || !reflect.DeepEqual(to.Header, want) {
				t.Errorf("status %d, header %v", to.Status, to.Header)
			}
		})
	}
}

func TestEncodeErrorWhereNothingWasRouted(t *testing.T) {
	var to wire.Response
	Codec{}.EncodeError(&wire.Answer{Protocol: aws.RPCV2CBOR}, &aws.Error{Kind: aws.UnknownOperation}, &to)
	if to.Status != 400 || to.Header.Get("X-Amzn-Query-Error") != "" || !bytes.Contains(to.Body, []byte("UnknownOperationException")) {
		t.Errorf("status %d, header %v, body %q", to.Status, to.Header, to.Body)
	}
}

// TestRoundTrip writes random values, reads them back, and has another decoder
// find them well-formed.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p, err := wire.PlanOf(service.Shape("Loan"), reflect.TypeFor[loan]())
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		want := reflect.New(p.Type).Elem()
		randomValue(r, p, want, 0)
		data := appendStructure(nil, p, want)
		if err := fxcbor.Wellformed(data); err != nil {
			t.Fatalf("%v\n%x", err, data)
		}
		got := reflect.New(p.Type).Elem()
		d := decoder{reader: reader{data: data}}
		if err := d.body(p, got); err != nil {
			t.Fatalf("%v\n%x", err, data)
		}
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}
}

// TestEncodeEvents shows that an operation's own output comes first, in a frame.
func TestEncodeEvents(t *testing.T) {
	out := watching{Card: &card{Number: 1}, Events: func(yield func(*events, error) bool) {
		_ = yield(&events{Loan: &card{Number: 2}}, nil) && yield(nil, &overdue{Message: "late"})
	}}
	var to wire.Response
	if err := (Codec{}).Encode(answerTo("Watch"), &out, &to); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(to.Stream)
	if err != nil || to.Stream.Close() != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{
		[]byte("initial-response"), fromHex(t, "bf 'Card' bf 'Number' 01 'Text' 60 ff ff"),
		[]byte("Loan"), fromHex(t, "bf 'Number' 02 'Text' 60 ff"),
		[]byte("exception"), fromHex(t, "bf 'message' 'late' ff"),
	} {
		_, rest, found := bytes.Cut(body, want)
		if !found {
			t.Fatalf("%q does not come next in %q", want, body)
		}
		body = rest
	}
	want := http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
	if to.Status != 200 || !reflect.DeepEqual(to.Header, want) {
		t.Errorf("status %d, header %v", to.Status, to.Header)
	}
}
