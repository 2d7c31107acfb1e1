package backup

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/blob"
	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/storetest"
)

// framesOf takes a stream apart: what stands before the frames, and each frame with its length.
func framesOf(t *testing.T, stream []byte) (begin []byte, frames [][]byte) {
	t.Helper()
	at := len(magic) + 4 + len(head)
	for rest := stream[at:]; len(rest) > 0; {
		n := 4 + int(binary.BigEndian.Uint32(rest)&^lastFlag)
		frames, rest = append(frames, rest[:n]), rest[n:]
	}
	return stream[:at], frames
}

func joined(begin []byte, frames ...[]byte) []byte {
	return append(bytes.Clone(begin), bytes.Join(frames, nil)...)
}

// TestASpoiltStreamIsRefused restores streams that were cut, altered, reordered, joined of two, or are
// another key's; and afterwards the true one in the same place, where nothing of them is left.
func TestASpoiltStreamIsRefused(t *testing.T) {
	options, aead := storetest.Options(), newAEAD(t)
	from := open(t, onPebble(t), options, blobmem.New())
	for i := range 12 {
		if err := from.put(t.Context(), fmt.Sprint("d", i), bytes.Repeat([]byte{byte(i)}, 1+i*9000)); err != nil {
			t.Fatal(err)
		}
	}
	take := func(aead cipher.AEAD) []byte {
		var b bytes.Buffer
		if _, err := from.backUp(&b, aead); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	stream, second := take(aead), take(newAEAD(t)) // a key seals one stream
	begin, frames := framesOf(t, stream)
	_, others := framesOf(t, second)
	if len(frames) < 5 {
		t.Fatalf("%d frames are too few", len(frames))
	}
	last := len(frames) - 1
	flagged := bytes.Clone(frames[1])
	binary.BigEndian.PutUint32(flagged, binary.BigEndian.Uint32(flagged)|lastFlag)
	spoilt := map[string][]byte{
		"nothing":                      nil,
		"another file":                 []byte(strings.Repeat("not a backup ", 100)),
		"a later format":               append([]byte(magic[:len(magic)-1]+"\x02"), stream[len(magic):]...),
		"without its last frame":       joined(begin, frames[:last]...),
		"without its first frame":      joined(begin, frames[1:]...),
		"without one in the middle":    joined(begin, append(append([][]byte{}, frames[:2]...), frames[3:]...)...),
		"two frames swapped":           joined(begin, append([][]byte{frames[1], frames[0]}, frames[2:]...)...),
		"a frame twice":                joined(begin, append([][]byte{frames[0], frames[0]}, frames[1:]...)...),
		"a frame called the last":      joined(begin, frames[0], flagged),
		"its last frame at once":       joined(begin, frames[last]),
		"something after it":           append(bytes.Clone(stream), 0),
		"itself twice":                 append(bytes.Clone(stream), stream...),
		"a frame of another backup":    joined(begin, append([][]byte{frames[0], others[1]}, frames[2:]...)...),
		"the end of another backup":    joined(begin, append(append([][]byte{}, frames[:last]...), others[last])...),
		"its beginning alone":          begin,
		"another installation's":       take(newAEAD(t)),
		"a frame of a length too long": joined(begin, append([]byte{0x7f, 0xff, 0xff, 0xff}, frames[0]...)),
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		s, at, bit := bytes.Clone(stream), random.IntN(len(stream)), byte(1)<<random.IntN(8)
		s[at] ^= bit
		spoilt[fmt.Sprintf("bit %08b of byte %d turned", bit, at)] = s
		at = random.IntN(len(stream))
		spoilt[fmt.Sprintf("cut after %d bytes", at)] = stream[:at]
	}
	to := onPebble(t)
	for name, s := range spoilt {
		if _, _, err := restore(t, to, options, aead, bytes.NewReader(s)); err == nil {
			t.Fatalf("%s: restored", name)
		} else if !errors.Is(err, ErrDamaged) && !strings.Contains(err.Error(), "another head") && !strings.Contains(err.Error(), "of format") {
			t.Errorf("%s: %v", name, err)
		}
	}
	blobs, _, err := restore(t, to, options, aead, bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	if n := open(t, to, options, blobs).whole(); n.Documents != 12 {
		t.Errorf("%d documents", n.Documents)
	}
	if _, _, err := restore(t, to, options, aead, bytes.NewReader(stream)); err == nil {
		t.Error("restored over a store")
	}
}

// TestABlobThatIsMissing is found when the backup is made, and when it is restored.
func TestABlobThatIsMissing(t *testing.T) {
	options, aead := storetest.Options(), newAEAD(t)
	p := open(t, onPebble(t), options, blobmem.New())
	if err := p.put(t.Context(), "d", []byte("content")); err != nil {
		t.Fatal(err)
	}
	at, err := p.engine.(store.Archived).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	blind := Source{Manifest: Manifest{Release: "v0.1.0"}, Store: at, Blobs: p.blobs, Sealer: options.Sealer, Head: head, AEAD: aead,
		Names: func([]byte) (blob.ID, bool) { return "", false }}
	var stream bytes.Buffer
	if _, err := Write(t.Context(), &stream, blind); err != nil {
		t.Fatal(err)
	}
	if _, _, err := restore(t, onPebble(t), options, aead, &stream); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("restored without it: %v", err)
	}
	for info := range p.blobs.All(t.Context(), "") {
		if err := p.blobs.Remove(t.Context(), info.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.backUp(io.Discard, aead); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("backed up without it: %v", err)
	}
}

// sealedRecords is a stream of the records in plain, whatever they are.
func sealedRecords(t testing.TB, aead cipher.AEAD, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	s, err := newSealer(&b, aead, head)
	if err == nil {
		_, err = s.Write(plain)
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// nowhere is a store.Restoration that keeps nothing.
type nowhere struct{ finished bool }

func (*nowhere) Again() bool                                     { return false }
func (*nowhere) Put(context.Context, []byte, []byte) error       { return nil }
func (*nowhere) AddRow(context.Context, uint64, store.Row) error { return nil }
func (n *nowhere) Finish(context.Context, uint64) (err error)    { n.finished = true; return nil }
func (*nowhere) Abort()                                          {}

func readNowhere(t testing.TB, aead cipher.AEAD, stream []byte) (*nowhere, error) {
	to := &nowhere{}
	_, _, err := Reader{
		Release: "v0.1.0", Names: names, Key: func([]byte) (cipher.AEAD, error) { return aead, nil },
		Begin: func(Manifest) (Target, error) { return Target{to, blobmem.New()}, nil },
	}.Read(t.Context(), bytes.NewReader(stream))
	if (err == nil) != to.finished {
		t.Errorf("Read = %v, finished %t", err, to.finished)
	}
	return to, err
}

// records puts records together for tests.
func records(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case rune:
			b = append(b, byte(p))
		case int:
			b = binary.AppendUvarint(b, uint64(p))
		case []byte:
			b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
		case string:
			b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
		}
	}
	return b
}

var manifest = records('H', `{"release":"v0.1.0"}`)

func TestRecordsOutOfOrderAreRefused(t *testing.T) {
	aead := newAEAD(t)
	end := func(counts ...any) []byte { return records(append([]any{'E', 9}, counts...)...) }
	naming := store.Key("test/blob", "", strings.Repeat("a", 32))
	for _, c := range []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"nothing but an end", bytes.Join([][]byte{manifest, end(0, 0, 0, 0, 0)}, nil), true},
		{"pairs, a blob, streams and rows", bytes.Join([][]byte{manifest,
			records('P', "a", "1"), records('N', naming, "2", strings.Repeat("a", 32), "bytes"), records('S', 3, 'R', 1, 2, "row", 'R', 3, 3, "row", 'S', 4),
			end(2, 1, 5, 2, 3)}, nil), true},
		{"no manifest", end(0, 0, 0, 0, 0), false},
		{"a manifest of a newer release", bytes.Join([][]byte{records('H', `{"release":"v9.0.0"}`), end(0, 0, 0, 0, 0)}, nil), false},
		{"no end", manifest, false},
		{"other counts", bytes.Join([][]byte{manifest, records('P', "a", "1"), end(2, 0, 0, 0, 0)}, nil), false},
		{"keys out of order", bytes.Join([][]byte{manifest, records('P', "b", "1", 'P', "a", "1"), end(2, 0, 0, 0, 0)}, nil), false},
		{"a key twice", bytes.Join([][]byte{manifest, records('P', "a", "1", 'P', "a", "1"), end(2, 0, 0, 0, 0)}, nil), false},
		{"a pair after a stream", bytes.Join([][]byte{manifest, records('S', 1, 'P', "a", "1"), end(1, 0, 0, 1, 0)}, nil), false},
		{"a row of no stream", bytes.Join([][]byte{manifest, records('R', 1, 1, "row"), end(0, 0, 0, 0, 1)}, nil), false},
		{"rows out of order", bytes.Join([][]byte{manifest, records('S', 1, 'R', 2, 2, "row", 'R', 1, 1, "row"), end(0, 0, 0, 1, 2)}, nil), false},
		{"streams out of order", bytes.Join([][]byte{manifest, records('S', 2, 'S', 1), end(0, 0, 0, 2, 0)}, nil), false},
		{"a named blob that is missing", bytes.Join([][]byte{manifest, records('P', naming, "2"), end(1, 0, 0, 0, 0)}, nil), false},
		{"another blob than is named", bytes.Join([][]byte{manifest, records('N', naming, "2", strings.Repeat("b", 32), "x"), end(1, 1, 1, 0, 0)}, nil), false},
		{"a blob with a path for a name", bytes.Join([][]byte{manifest, records('N', "a", "2", "../../../../etc/passwd", "x"), end(1, 1, 1, 0, 0)}, nil), false},
		{"a key that is too long", bytes.Join([][]byte{manifest, records('P', strings.Repeat("k", store.MaxKey+1), ""), end(1, 0, 0, 0, 0)}, nil), false},
		{"a value of no end", append(bytes.Clone(manifest), 'P', 1, 'a', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), false},
		{"a number that is none", append(bytes.Clone(manifest), 'P', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), false},
		{"something after the end", bytes.Join([][]byte{manifest, end(0, 0, 0, 0, 0), {0}}, nil), false},
		{"frames after the end", bytes.Join([][]byte{manifest, end(0, 0, 0, 0, 0), make([]byte, 3*frame)}, nil), false},
	} {
		if _, err := readNowhere(t, aead, sealedRecords(t, aead, c.in)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// FuzzRead reads streams, and what stands in one that is sealed rightly.
func FuzzRead(f *testing.F) {
	aead := newAEAD(f)
	whole := bytes.Join([][]byte{manifest, records('P', "a", "1", 'S', 3, 'R', 1, 2, "row", 'E', 9, 1, 0, 0, 1, 2)}, nil)
	f.Add(whole, true)
	f.Add(bytes.Join([][]byte{manifest, records('N', "a", "1", strings.Repeat("a", 32), "x", 'E', 9, 1, 1, 1, 0, 0)}, nil), true)
	f.Add(sealedRecords(f, aead, whole), false)
	f.Fuzz(func(t *testing.T, in []byte, sealed bool) {
		if sealed {
			in = sealedRecords(t, aead, in)
		}
		_, _ = readNowhere(t, aead, in)
	})
}
