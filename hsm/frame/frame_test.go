package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"testing"
)

func TestRequestsComeBack(t *testing.T) {
	for _, r := range []Request{
		{1, Open, [][]byte{[]byte("/module.so"), []byte("token"), {}, []byte("1234"), {}}},
		{2, Ping, [][]byte{}},
		{3, Encrypt, [][]byte{[]byte("label"), make([]byte, MaxPlaintext), make([]byte, MaxAAD)}},
		{0xffffffff, Decrypt, [][]byte{make([]byte, MaxLabel), make([]byte, maxSealed), make([]byte, MaxAAD)}},
	} {
		var pipe bytes.Buffer
		if err := WriteRequest(&pipe, &r); err != nil {
			t.Fatal(err)
		}
		back, err := ReadRequest(&pipe)
		if err != nil || !reflect.DeepEqual(back, &r) {
			t.Errorf("Op %d: %v, %v", r.Op, back, err)
		}
		if _, err := ReadRequest(&pipe); err != io.EOF {
			t.Errorf("after it: %v", err)
		}
	}
}

func TestAnswersComeBack(t *testing.T) {
	for _, a := range []Answer{{7, OK, 0, make([]byte, maxSealed)}, {8, Failed, 0x30, []byte{}}} {
		var pipe bytes.Buffer
		if err := WriteAnswer(&pipe, &a); err != nil {
			t.Fatal(err)
		}
		back, err := ReadAnswer(&pipe)
		if err != nil || !reflect.DeepEqual(back, &a) {
			t.Errorf("%v, %v", back, err)
		}
	}
}

func TestWritersRefuse(t *testing.T) {
	for name, r := range map[string]Request{
		"an unknown Op":    {1, 99, nil},
		"a missing field":  {1, Generate, nil},
		"a field too many": {1, Ping, [][]byte{{}}},
		"a long label":     {1, Destroy, [][]byte{make([]byte, MaxLabel+1)}},
		"a long plaintext": {1, Encrypt, [][]byte{{}, make([]byte, MaxPlaintext+1), {}}},
		"a long context":   {1, Encrypt, [][]byte{{}, {}, make([]byte, MaxAAD+1)}},
	} {
		if err := WriteRequest(io.Discard, &r); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, a := range map[string]Answer{"an unknown Status": {Status: numStatuses}, "a long body": {Body: make([]byte, maxSealed+1)}} {
		if err := WriteAnswer(io.Discard, &a); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadersRefuse(t *testing.T) {
	head := func(n uint32, rest ...byte) []byte { return append(binary.BigEndian.AppendUint32(nil, n), rest...) }
	ping := []byte{Version, 0, 0, 0, 1, byte(Ping)}
	for name, c := range map[string]struct {
		frame []byte
		want  error
	}{
		"nothing":                     {nil, io.EOF},
		"half a length":               {[]byte{0, 0}, io.ErrUnexpectedEOF},
		"no frame after the length":   {head(6), io.ErrUnexpectedEOF},
		"half a frame":                {head(6, ping[:3]...), io.ErrUnexpectedEOF},
		"a frame without a head":      {head(5, ping[:5]...), ErrMalformed},
		"a length of 4 GiB":           {head(0xffffffff), ErrMalformed},
		"a length beyond the bound":   {head(maxFrame + 1), ErrMalformed},
		"another version":             {head(6, 2, 0, 0, 0, 1, byte(Ping)), ErrVersion},
		"an unknown kind":             {head(6, Version, 0, 0, 0, 1, 99), ErrMalformed},
		"bytes after the last field":  {head(7, append(ping, 0)...), ErrMalformed},
		"a missing field":             {head(6, Version, 0, 0, 0, 1, byte(Generate)), ErrMalformed},
		"a field that isn't all here": {head(11, Version, 0, 0, 0, 1, byte(Generate), 0, 0, 0, 2, 'x'), ErrMalformed},
		"a field of 4 GiB":            {head(10, Version, 0, 0, 0, 1, byte(Generate), 0xff, 0xff, 0xff, 0xff), ErrMalformed},
	} {
		if _, err := ReadRequest(bytes.NewReader(c.frame)); err != c.want {
			t.Errorf("a request of %s: %v, want %v", name, err, c.want)
		}
		if _, err := ReadAnswer(bytes.NewReader(c.frame)); err == nil {
			t.Errorf("an answer of %s is read", name)
		}
	}
}
