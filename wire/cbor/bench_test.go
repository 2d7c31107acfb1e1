package cbor

import (
	"reflect"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"

	"github.com/garrison-security/garrison/wire"
)

// typical is a loan of the size of a usual request.
func typical() *loan {
	return &loan{Text: new("arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
		Flag: new(true), Number: new(int32(100)), Blob: []byte("a plaintext of some bytes"),
		Labels: map[string]string{"tenant": "blue", "purpose": "test"}, Texts: []string{"alpha", "beta", "gamma"},
		Card: &card{Number: 7, Text: "member"}}
}

func BenchmarkDecode(b *testing.B) {
	body := encoded(b, typical())
	op, req := service.Operation("Lend"), request("Content-Type", "application/cbor")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := (Codec{}).Decode(op, req, body, nil, new(loan)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	out, answer := typical(), answerTo("Lend")
	b.ReportAllocs()
	for b.Loop() {
		if err := (Codec{}).Encode(answer, out, &wire.Response{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeMany reads a thousand structures.
func BenchmarkDecodeMany(b *testing.B) {
	out := &loan{}
	for range 1000 {
		out.Loans = append(out.Loans, loan{Text: new("name"), Number: new(int32(1)), Card: &card{Number: 1, Text: "x"}})
	}
	body := encoded(b, out)
	op, req := service.Operation("Lend"), request()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := (Codec{}).Decode(op, req, body, nil, new(loan)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGeneralDecoder reads the same request with a general decoder, into
// the same struct, for comparison: without bounds on memory, without the union,
// validation, or what was absent.
func BenchmarkGeneralDecoder(b *testing.B) {
	body := encoded(b, typical())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := fxcbor.Unmarshal(body, new(loan)); err != nil {
			b.Fatal(err)
		}
	}
}

func encoded(b *testing.B, l *loan) []byte {
	p, err := wire.PlanOf(service.Shape("Loan"), reflect.TypeFor[loan]())
	if err != nil {
		b.Fatal(err)
	}
	return appendStructure(nil, p, reflect.ValueOf(l).Elem())
}
