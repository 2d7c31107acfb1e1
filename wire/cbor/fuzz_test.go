package cbor

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"

	"github.com/garrison-security/garrison/wire"
)

// FuzzDecode: no body makes the decoder panic, what it takes is well-formed in
// another decoder's eyes, and is the same once written and read again.
func FuzzDecode(f *testing.F) {
	p, err := wire.PlanOf(service.Shape("Loan"), reflect.TypeFor[loan]())
	if err != nil {
		f.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		v := reflect.New(p.Type).Elem()
		randomValue(r, p, v, 3)
		f.Add(appendStructure(nil, p, v))
	}
	f.Add(fromHex(f, "bf 7f 'Te' 'xt' ff 7f 'a' ff 'Other' 9f c1 f90001 5f 4101 ff ff 'Time' c1 fb41d452d9ec200000 ff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		decodeLoan(body)
		v := reflect.New(p.Type).Elem()
		d := decoder{reader: reader{data: body}}
		if d.body(p, v) != nil {
			return
		}
		options := fxcbor.DecOptions{MaxNestedLevels: 256, MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 24}
		if mode, err := options.DecMode(); err != nil {
			t.Fatal(err)
		} else if err := mode.Wellformed(body); err != nil {
			t.Fatalf("%v\n%x", err, body)
		}
		once := appendStructure(nil, p, v)
		d = decoder{reader: reader{data: once}}
		again := reflect.New(p.Type).Elem()
		if err := d.body(p, again); err != nil {
			t.Fatalf("%v\n%x", err, once)
		}
		if twice := appendStructure(nil, p, again); !bytes.Equal(once, twice) {
			t.Fatalf("%x\n%x", once, twice)
		}
	})
}
