package cbor

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// maxDepth bounds how deep random values go; below it optional members are absent.
const maxDepth = 6

// randomValue fills v, a settable value of plan p, with a value that every protocol
// can carry: times to the millisecond, finite numbers, keys without repetition.
// What lengths, patterns and enums ask for is not heeded.
func randomValue(r *rand.Rand, p *wire.Plan, v reflect.Value, depth int) {
	switch p.Shape.Kind {
	case aws.Structure:
		for i := range p.Fields {
			f := &p.Fields[i]
			if f.Member.Required || depth < maxDepth && r.IntN(3) > 0 {
				randomMember(r, f, v, depth)
			}
		}
	case aws.Union:
		if len(p.Fields) > 0 {
			randomMember(r, &p.Fields[r.IntN(len(p.Fields))], v, depth)
		}
	case aws.List:
		n := r.IntN(4)
		if depth >= maxDepth {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			randomElement(r, p, v.Index(i), depth)
		}
	case aws.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range r.IntN(4) {
			if depth >= maxDepth {
				return
			}
			key := reflect.New(v.Type().Key()).Elem()
			key.SetString(randomText(r) + strconv.Itoa(i))
			value := reflect.New(v.Type().Elem()).Elem()
			randomElement(r, p, value, depth)
			v.SetMapIndex(key, value)
		}
	default:
		randomScalar(r, p, v)
	}
}

func randomMember(r *rand.Rand, f *wire.Field, v reflect.Value, depth int) {
	if f.Member.Shape.EventStream || f.Plan.Stream {
		return
	}
	randomValue(r, f.Plan, f.New(v), depth+1)
}

func randomElement(r *rand.Rand, p *wire.Plan, v reflect.Value, depth int) {
	if p.Shape.Sparse && r.IntN(4) == 0 {
		return
	}
	if p.ElemPointer {
		v.Set(reflect.New(p.Elem.Type))
		v = v.Elem()
	}
	randomValue(r, p.Elem, v, depth+1)
}

func randomScalar(r *rand.Rand, p *wire.Plan, v reflect.Value) {
	switch p.Shape.Kind {
	case aws.String:
		v.SetString(randomText(r))
	case aws.Boolean:
		v.SetBool(r.IntN(2) == 0)
	case aws.Integer, aws.Long:
		n := int64(r.Uint64()) >> r.IntN(64)
		v.SetInt(n >> (64 - wire.IntBits(p.Shape)))
	case aws.Float:
		v.SetFloat(float64(float32(r.NormFloat64() * math.Pow10(r.IntN(20)-10))))
	case aws.Double:
		v.SetFloat(r.NormFloat64() * math.Pow10(r.IntN(40)-20))
	case aws.Timestamp:
		wire.SetTime(v, time.UnixMilli(r.Int64N(1<<43)-1<<42).UTC())
	case aws.Blob:
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		v.SetBytes(b)
	case aws.Document:
		v.Set(reflect.ValueOf(map[string]any{"n": int64(r.IntN(100)) - 50, "f": r.NormFloat64(), "l": []any{nil, true, randomText(r)}}))
	}
}

// alphabet holds what protocols escape, and characters of one to four bytes.
var alphabet = []rune("abcXYZ019 -_.~%+&=;:/?#<>\"'\\\n\t\u00e9\u20ac\U0001f512")

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(30) {
		b.WriteRune(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}
