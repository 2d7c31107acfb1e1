// Package helper is the process that loads a PKCS #11 module: it does what
// Garrison asks of it over a pipe, one token's keys, and nothing else. It runs
// apart because a module is foreign code in C: what it breaks or holds up is
// this process, which Garrison ends and starts again. It is not for deciding
// anything: who may use which key is decided before it is asked.
package helper

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/garrison-security/garrison/hsm/frame"
)

// closeTime bounds how long calls under way and the module may take to end.
const closeTime = 2 * time.Second

// errProtocol is a parent that doesn't keep to what was agreed.
var errProtocol = errors.New("more requests at once than there are sessions, or the token opened twice")

// token is one token of a module, with its user logged in.
type token interface {
	// sessions is how many requests may be under way at once, 1 to 255.
	sessions() int
	// perform does what a request asks; its id is the caller's to fill in.
	perform(r *frame.Request) frame.Answer
	close()
}

// fault is why something was not done.
type fault struct {
	status frame.Status
	code   uint32 // CKR_…
}

func (f fault) Error() string { return "the module failed" }

// Serve answers requests until in ends. Nothing it reads is kept longer than a
// call takes, but for what the module keeps.
func Serve(in io.Reader, out io.Writer) error { return serve(in, out, load) }

func serve(in io.Reader, out io.Writer, load func(open *frame.Request) (token, error)) error {
	first, err := frame.ReadRequest(in)
	if err != nil {
		return err
	}
	if first.Op != frame.Open {
		return errProtocol
	}
	t, err := load(first)
	for _, field := range first.Fields {
		clear(field)
	}
	if err != nil {
		return frame.WriteAnswer(out, answerOf(first.ID, err))
	}
	s := &server{token: t, out: out, slots: make(chan struct{}, t.sessions())}
	defer s.close()
	if err := s.answer(&frame.Answer{ID: first.ID, Body: []byte{byte(t.sessions())}}); err != nil {
		return err
	}
	for {
		r, err := frame.ReadRequest(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.begin(r); err != nil {
			return err
		}
	}
}

func answerOf(id uint32, err error) *frame.Answer {
	a := &frame.Answer{ID: id, Status: frame.Failed}
	if f, ok := errors.AsType[fault](err); ok {
		a.Status, a.Code = f.status, f.code
	}
	return a
}

type server struct {
	token   token
	slots   chan struct{} // a place for each request under way
	running sync.WaitGroup

	writing sync.Mutex // held while an answer is written
	out     io.Writer
}

// begin lets a request be done beside the others.
func (s *server) begin(r *frame.Request) error {
	select {
	case s.slots <- struct{}{}:
	default:
		return errProtocol
	}
	if r.Op == frame.Open {
		return errProtocol
	}
	s.running.Go(func() {
		a := s.token.perform(r)
		for _, field := range r.Fields {
			clear(field)
		}
		a.ID = r.ID
		<-s.slots // before the answer, which lets the parent ask again
		_ = s.answer(&a)
		clear(a.Body)
	})
	return nil
}

func (s *server) answer(a *frame.Answer) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return frame.WriteAnswer(s.out, a)
}

// close ends the token once calls under way have ended, and waits for that no
// longer than closeTime: a module that hangs is left to the process's end.
func (s *server) close() {
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		s.token.close()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closeTime):
	}
}
