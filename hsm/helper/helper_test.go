package helper

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/hsm/frame"
)

// echo is a token that answers what it was given, once it is let to.
type echo struct {
	n      int
	wait   chan struct{}
	closed bool
}

func (e *echo) sessions() int { return e.n }

func (e *echo) perform(r *frame.Request) frame.Answer {
	if e.wait != nil {
		<-e.wait
	}
	if r.Op == frame.Encrypt {
		return frame.Answer{Body: bytes.Clone(r.Fields[1])}
	}
	return frame.Answer{Status: frame.NoKey}
}

func (e *echo) close() { e.closed = true }

func open(t testing.TB, w io.Writer) {
	if err := frame.WriteRequest(w, &frame.Request{ID: 1, Op: frame.Open, Fields: [][]byte{[]byte("/m"), []byte("token"), {}, []byte("1234"), {}}}); err != nil {
		t.Fatal(err)
	}
}

func TestServeAnswers(t *testing.T) {
	var in, out bytes.Buffer
	open(t, &in)
	_ = frame.WriteRequest(&in, &frame.Request{ID: 7, Op: frame.Encrypt, Fields: [][]byte{[]byte("k"), []byte("text"), {}}})
	echoing := &echo{n: 3}
	if err := serve(&in, &out, func(*frame.Request) (token, error) { return echoing, nil }); err != nil || !echoing.closed {
		t.Fatal(err)
	}
	first, err := frame.ReadAnswer(&out)
	if err != nil || first.ID != 1 || !bytes.Equal(first.Body, []byte{3}) {
		t.Errorf("%+v, %v", first, err)
	}
	second, err := frame.ReadAnswer(&out)
	if err != nil || second.ID != 7 || string(second.Body) != "text" {
		t.Errorf("%+v, %v", second, err)
	}
}

func TestServeTellsFaults(t *testing.T) {
	var in, out bytes.Buffer
	open(t, &in)
	if err := serve(&in, &out, func(*frame.Request) (token, error) { return nil, fault{frame.WrongPIN, 0xA0} }); err != nil {
		t.Fatal(err)
	}
	if a, err := frame.ReadAnswer(&out); err != nil || a.Status != frame.WrongPIN || a.Code != 0xA0 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestServeEndsWhenTheParentErrs(t *testing.T) {
	ping := func(w io.Writer) {
		_ = frame.WriteRequest(w, &frame.Request{ID: 2, Op: frame.Ping, Fields: [][]byte{}})
	}
	for name, c := range map[string]struct {
		say  func(w io.Writer)
		want error
	}{
		"nothing was opened":     {ping, errProtocol},
		"opened twice":           {func(w io.Writer) { open(t, w); open(t, w) }, errProtocol},
		"more than one at once":  {func(w io.Writer) { open(t, w); ping(w); ping(w) }, errProtocol},
		"what is no frame":       {func(w io.Writer) { open(t, w); _, _ = w.Write([]byte("GET / HTTP/1.1\r\n")) }, frame.ErrMalformed},
		"another release's word": {func(w io.Writer) { _, _ = w.Write([]byte{0, 0, 0, 6, 2, 0, 0, 0, 1, 2}) }, frame.ErrVersion},
	} {
		synctest.Test(t, func(t *testing.T) { // a token that hangs is not waited for
			var in bytes.Buffer
			c.say(&in)
			echoing := &echo{n: 1, wait: make(chan struct{})}
			began := time.Now()
			if err := serve(&in, io.Discard, func(*frame.Request) (token, error) { return echoing, nil }); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if took := time.Since(began); took > closeTime {
				t.Errorf("%s: it took %v", name, took)
			}
			close(echoing.wait)
			synctest.Wait()
		})
	}
}

// FuzzServe holds that no parent makes the helper panic or hang, or answer what was not asked.
func FuzzServe(f *testing.F) {
	var in bytes.Buffer
	open(f, &in)
	_ = frame.WriteRequest(&in, &frame.Request{ID: 7, Op: frame.Encrypt, Fields: [][]byte{[]byte("k"), []byte("text"), {}}})
	f.Add(in.Bytes())
	f.Fuzz(func(t *testing.T, input []byte) {
		var out bytes.Buffer
		_ = serve(bytes.NewReader(input), &out, func(*frame.Request) (token, error) { return &echo{n: 2}, nil })
		asked := map[uint32]int{}
		for requests := bytes.NewReader(input); ; {
			r, err := frame.ReadRequest(requests)
			if err != nil {
				break
			}
			asked[r.ID]++
		}
		for {
			a, err := frame.ReadAnswer(&out)
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if asked[a.ID]--; asked[a.ID] < 0 {
				t.Errorf("an answer to %d, which was not asked", a.ID)
			}
		}
	})
}
