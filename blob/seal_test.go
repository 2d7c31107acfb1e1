package blob_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/blobtest"
)

// stored is a blob in memory.
type stored []byte

func (s stored) ReadAt(b []byte, offset int64) (int, error) {
	return bytes.NewReader(s).ReadAt(b, offset)
}
func (s stored) Size() int64 { return int64(len(s)) }
func (stored) Close() error  { return nil }

// piecewise writes in pieces of random sizes, none of which says where segments end.
func seal(t testing.TB, key *blob.Key, id blob.ID, bound string, data []byte, pieces *rand.Rand) stored {
	t.Helper()
	var out bytes.Buffer
	w, err := blob.Seal(&out, key, id, []byte(bound))
	if err != nil {
		t.Fatal(err)
	}
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 1+pieces.IntN(100_000))
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unseal(s stored, key *blob.Key, id blob.ID, bound string) ([]byte, error) {
	u, err := blob.Unseal(s, key, id, []byte(bound))
	if err != nil {
		return nil, err
	}
	r := u.Range(0, u.Size())
	defer r.Close()
	return io.ReadAll(r)
}

var sizes = []int{0, 1, blob.Segment - 1, blob.Segment, blob.Segment + 1, 3 * blob.Segment, 3*blob.Segment + 17}

func TestWhatIsSealedOpensWholeAndInRanges(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range sizes {
		key, id, data := blob.NewKey(), blob.NewID(), blobtest.Bytes(n, uint64(n))
		s := seal(t, key, id, "bucket/key", data, random)
		if int64(len(s)) != blob.SealedSize(int64(n)) {
			t.Errorf("%d bytes sealed in %d, SealedSize says %d", n, len(s), blob.SealedSize(int64(n)))
		}
		if n >= 64 && bytes.Contains(s, data[n/2:n/2+32]) {
			t.Error("in the clear")
		}
		again, err := blob.KeyOf(key.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unseal(s, again, id, "bucket/key"); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
		u, err := blob.Unseal(s, key, id, []byte("bucket/key"))
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			from, size := random.IntN(n+10), random.IntN(n+10)
			if random.IntN(10) == 0 {
				size = 1 << 62
			}
			r := u.Range(int64(from), int64(size))
			got, err := io.ReadAll(r)
			r.Close()
			if want := data[min(from, n):min(from+min(size, n), n)]; err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes from %d of %d: %d, %v", size, from, n, len(got), err)
			}
			if _, err := r.Read(make([]byte, 1)); err == nil {
				t.Error("read after Close")
			}
		}
	}
}

// No byte of an altered segment is answered: what was read before the error is
// what was sealed.
func TestWhatWasAlteredDoesNotOpen(t *testing.T) {
	const overhead, sealed = 28, blob.Segment + 28
	random := rand.New(rand.NewPCG(3, 4))
	data := blobtest.Bytes(3*blob.Segment+17, 9)
	key, id := blob.NewKey(), blob.NewID()
	whole := seal(t, key, id, "b", data, random)
	other := seal(t, key, blob.NewID(), "b", data, random)
	twin := seal(t, blob.NewKey(), id, "b", data, random)
	at := func(n int) int { return 1 + n*sealed }
	cut := func(s stored, from, to int) stored { return append(bytes.Clone(s[:from]), s[to:]...) }
	with := func(from int, piece []byte) stored {
		s := bytes.Clone(whole)
		copy(s[from:], piece)
		return s
	}
	altered := map[string]stored{
		"nothing":                            {},
		"the version alone":                  whole[:1],
		"another version":                    with(0, []byte{2}),
		"its end cut off":                    whole[:len(whole)-1],
		"its last segment cut off":           whole[:at(3)],
		"all but a segment cut off":          whole[:at(1)],
		"cut off in a nonce":                 whole[:at(2)+5],
		"cut off after an overhead":          whole[:at(2)+overhead],
		"a byte too many":                    append(bytes.Clone(whole), 0),
		"a segment too many":                 append(bytes.Clone(whole), whole[at(2):]...),
		"without its first segment":          cut(whole, at(0), at(1)),
		"without a segment in the middle":    cut(whole, at(1), at(2)),
		"two segments swapped":               append(append(append(bytes.Clone(whole[:at(0)]), whole[at(1):at(2)]...), whole[at(0):at(1)]...), whole[at(2):]...),
		"a segment twice":                    with(at(1), whole[at(0):at(1)]),
		"another blob's segment, same place": with(at(1), other[at(1):at(2)]),
		"another key's segment, same place":  with(at(1), twin[at(1):at(2)]),
		"another blob":                       other,
		"another key's blob":                 twin,
	}
	for range 200 {
		s := bytes.Clone(whole)
		i, bit := random.IntN(len(s)), byte(1)<<random.IntN(8)
		s[i] ^= bit
		altered[fmt.Sprintf("bit %08b of byte %d turned", bit, i)] = s
	}
	for name, s := range altered {
		got, err := unseal(s, key, id, "b")
		if !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if len(got) == len(data) || !bytes.HasPrefix(data, got) {
			t.Errorf("%s: %d bytes were answered that were not sealed", name, len(got))
		}
	}
	for name, open := range map[string]func() ([]byte, error){
		"as another blob": func() ([]byte, error) { return unseal(whole, key, blob.NewID(), "b") },
		"elsewhere":       func() ([]byte, error) { return unseal(whole, key, id, "bucket") },
	} {
		if _, err := open(); !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEmptyBlobIsCheckedToo(t *testing.T) {
	key, id := blob.NewKey(), blob.NewID()
	s := seal(t, key, id, "", nil, rand.New(rand.NewPCG(5, 6)))
	s[len(s)-1] ^= 1
	if _, err := unseal(s, key, id, ""); !errors.Is(err, blob.ErrDamaged) {
		t.Error(err)
	}
}

func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	w, err := blob.Seal(io.Discard, blob.NewKey(), blob.NewID(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write([]byte("x")); n != 0 || err == nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if w.Close() == nil {
		t.Error("closed twice")
	}
}

func TestAWritersErrorStays(t *testing.T) {
	full := errors.New("full")
	w, err := blob.Seal(failing{full}, blob.NewKey(), blob.NewID(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3*blob.Segment)); !errors.Is(err, full) {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestAKeySaysNothing(t *testing.T) {
	key := blob.NewKey()
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	said := string(text) + fmt.Sprintf("%v %+v %#v %s %x %d", key, key, key, key, key, key)
	if !strings.Contains(said, "redacted") || strings.Contains(said, fmt.Sprintf("%x", key.Bytes()[:4])) {
		t.Error(said)
	}
	if _, err := blob.KeyOf(make([]byte, 16)); err == nil {
		t.Error("a key of 16 bytes")
	}
	key.Clear()
	if !bytes.Equal(key.Bytes(), make([]byte, 32)) {
		t.Error("not forgotten")
	}
}

func BenchmarkSeal(b *testing.B) {
	data := blobtest.Bytes(1<<20, 1)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		w, err := blob.Seal(io.Discard, blob.NewKey(), blob.NewID(), nil)
		if err == nil {
			_, err = w.Write(data)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnseal(b *testing.B) {
	data := blobtest.Bytes(1<<20, 1)
	key, id := blob.NewKey(), blob.NewID()
	s := seal(b, key, id, "", data, rand.New(rand.NewPCG(1, 1)))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		u, err := blob.Unseal(s, key, id, nil)
		if err != nil {
			b.Fatal(err)
		}
		r := u.Range(0, u.Size())
		if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(data)) {
			b.Fatal(n, err)
		}
		r.Close()
	}
}
