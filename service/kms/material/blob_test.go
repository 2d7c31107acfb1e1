package material

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

var someHeader = Header{Account: "111122223333", Key: "1234abcd-12ab-34cd-56ef-1234567890ab", Material: strings.Repeat("0f", 16)}

func TestBlobOpensWithItsContextAlone(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	context := Context{"tenant": "blue", "a": "", "": "b", "é": "\x00"}
	blob, err := Seal(secret, someHeader, context, []byte("the plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	if header, err := ParseBlob(blob); err != nil || header != someHeader {
		t.Errorf("ParseBlob = %+v, %v", header, err)
	}
	if len(blob) != blobOverhead+len("the plaintext") {
		t.Errorf("a blob of %d bytes", len(blob))
	}
	for range 20 { // maps are walked in another order each time
		if plaintext, err := Open(secret, context, blob); err != nil || string(plaintext) != "the plaintext" {
			t.Fatalf("Open = %q, %v", plaintext, err)
		}
	}
	for name, other := range map[string]Context{
		"none":     nil,
		"less":     {"tenant": "blue", "a": "", "": "b"},
		"more":     {"tenant": "blue", "a": "", "": "b", "é": "\x00", "x": ""},
		"swapped":  {"tenant": "", "a": "blue", "": "b", "é": "\x00"},
		"case":     {"Tenant": "blue", "a": "", "": "b", "é": "\x00"},
		"run over": {"tenantb": "lue", "a": "", "": "b", "é": "\x00"},
	} {
		if _, err := Open(secret, other, blob); !errors.Is(err, ErrCiphertext) {
			t.Errorf("with a context of %s: %v", name, err)
		}
	}
}

// An attacker changes any bit of a blob, or its length.
func TestBlobOpensUnalteredAlone(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	blob, err := Seal(secret, someHeader, nil, []byte("p"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(blob) {
		altered := bytes.Clone(blob)
		altered[i/8] ^= 1 << (i % 8)
		if _, err := Open(secret, nil, altered); !errors.Is(err, ErrCiphertext) {
			t.Fatalf("with bit %d changed: %v", i, err)
		}
	}
	for n := range blob {
		if _, err := Open(secret, nil, blob[:n]); !errors.Is(err, ErrCiphertext) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		_, _ = ParseBlob(blob[:n])
	}
	if _, err := Open(bytes.Repeat([]byte{8}, 32), nil, blob); !errors.Is(err, ErrCiphertext) {
		t.Errorf("under another secret: %v", err)
	}
}

// Contexts that differ never have one form.
func TestContextsDoNotCollide(t *testing.T) {
	seen := map[string]string{}
	letters := []string{"", "a", "b", "ab", "ba", "aab", "\x01", "\x02a"}
	for range 20000 {
		c := Context{}
		for range rand.IntN(4) {
			c[letters[rand.IntN(len(letters))]] = letters[rand.IntN(len(letters))]
		}
		form, name := string(c.append(nil)), describe(c)
		if was, ok := seen[form]; ok && was != name {
			t.Fatalf("%s and %s have one form", was, name)
		}
		seen[form] = name
	}
}

func describe(c Context) string {
	var b strings.Builder
	for _, k := range []string{"", "a", "b", "ab", "ba", "aab", "\x01", "\x02a"} {
		if v, ok := c[k]; ok {
			b.WriteString("<" + k + "|" + v + ">")
		}
	}
	return b.String()
}

func FuzzParseBlob(f *testing.F) {
	secret := bytes.Repeat([]byte{7}, 32)
	blob, err := Seal(secret, Header{Account: "000000000001", Key: "mrk-" + strings.Repeat("ab", 16), Material: someHeader.Material}, Context{"k": "v"}, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	outside, err := Header{Account: "000000000001", Key: someHeader.Key, Material: someHeader.Material, Outside: true}.Wrap([]byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(outside)
	f.Fuzz(func(t *testing.T, b []byte) {
		header, err := ParseBlob(b)
		if err != nil {
			return
		}
		again, err := header.append(nil)
		if err != nil || !bytes.Equal(again, b[:blobSalt]) {
			t.Errorf("%x is read as %+v and written as %x, %v", b[:blobSalt], header, again, err)
		}
	})
}
