package s3

import (
	"math/rand/v2"
	"testing"

	"github.com/garrison-security/garrison/blob/blobtest"
)

func TestCyclicChecksumsOfPartsMakeTheWholes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for a := range polynomials {
		for range 50 {
			data := blobtest.Bytes(random.IntN(100_000), random.Uint64())
			sum := func(b []byte) uint64 {
				v, err := verify(nil, &a, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				v.Write(b)
				c, err := v.check(nil)
				n, ok := sumOf(a, c.Value)
				if err != nil || !ok || sumText(a, n) != c.Value {
					t.Fatal(c, n, ok, err)
				}
				return n
			}
			cut := random.IntN(len(data) + 1)
			if got, want := combine(a, sum(data[:cut]), sum(data[cut:]), int64(len(data)-cut)), sum(data); got != want {
				t.Errorf("%s of %d bytes in two parts, cut at %d: %x, want %x", a, len(data), cut, got, want)
			}
		}
	}
}
