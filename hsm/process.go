package hsm

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/garrison-security/garrison/hsm/frame"
)

var (
	errLost = errors.New("the helper ended")
	errHung = errors.New("the module did not answer in time")
	errLie  = errors.New("the helper answered what was not asked")
)

// process is one life of the helper, with one token open.
type process struct {
	command  *exec.Cmd
	requests io.WriteCloser
	kill     func()
	wait     func() error
	started  time.Time
	slots    chan struct{} // a place for each call that the token does at once
	done     chan struct{} // closed when the process has ended

	writing sync.Mutex // held while a request is written

	mu      sync.Mutex
	pending map[uint32]*waiter
	last    uint32
	ended   error // why nothing can be asked any more, if so
}

// waiter is who waits for an answer. The call is under way until there is one,
// whether somebody still waits or not.
type waiter struct {
	answer chan *frame.Answer // nil in it: there will be none
	timer  *time.Timer
	hung   bool // guarded by process.mu
}

// start starts the helper. It gets no more of the environment than the
// variables given, and no file but the two pipes.
func start(helper string, environment []string) (*process, error) {
	theirs, requests, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, theirsToo, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), requests.Close())
	}
	command := exec.Command(helper)
	command.Env, command.Dir = environment, "/"
	command.ExtraFiles = []*os.File{theirs, theirsToo}
	apart(command)
	err = command.Start()
	_, _ = theirs.Close(), theirsToo.Close()
	if err != nil {
		return nil, errors.Join(err, requests.Close(), answers.Close())
	}
	p := newProcess(requests)
	p.command, p.kill, p.wait = command, func() { kill(command) }, command.Wait
	go p.read(answers)
	return p, nil
}

func newProcess(requests io.WriteCloser) *process {
	return &process{
		requests: requests, started: time.Now(), done: make(chan struct{}),
		pending: map[uint32]*waiter{}, slots: make(chan struct{}, 1),
	}
}

// read gives answers to those who wait, until the process ends or lies.
func (p *process) read(answers io.ReadCloser) {
	var why error
	for {
		a, err := frame.ReadAnswer(answers)
		if err != nil {
			why = err
			break
		}
		p.mu.Lock()
		w := p.pending[a.ID]
		delete(p.pending, a.ID)
		p.mu.Unlock()
		if w == nil {
			why = errLie
			break
		}
		w.timer.Stop()
		<-p.slots
		w.answer <- a
	}
	p.end(why)
	_ = answers.Close()
	_ = p.wait() // it was killed, or ended: nothing follows from how
	p.mu.Lock()
	for id, w := range p.pending {
		w.timer.Stop()
		close(w.answer)
		delete(p.pending, id)
	}
	p.mu.Unlock()
	close(p.done)
}

// end kills the process, once, and keeps why.
func (p *process) end(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		p.ended = why
		_ = p.requests.Close()
		p.kill()
	}
}

// call asks, and waits for the answer: no longer than ctx, and if the module
// takes longer than limit, the process is killed (errHung; to others errLost).
func (p *process) call(ctx context.Context, limit time.Duration, op frame.Op, fields ...[]byte) (*frame.Answer, error) {
	select {
	case p.slots <- struct{}{}:
	case <-p.done:
		return nil, errLost
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w := &waiter{answer: make(chan *frame.Answer, 1)}
	p.mu.Lock()
	if p.ended != nil {
		p.mu.Unlock()
		return nil, errLost // the slot goes with the process
	}
	p.last++
	id := p.last
	p.pending[id] = w
	w.timer = time.AfterFunc(limit, func() { p.hang(w) })
	p.mu.Unlock()

	p.writing.Lock()
	err := frame.WriteRequest(p.requests, &frame.Request{ID: id, Op: op, Fields: fields})
	p.writing.Unlock()
	if err != nil {
		p.end(err)
	}
	select {
	case a := <-w.answer:
		if a != nil {
			return a, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.hung {
		return nil, errHung
	}
	return nil, errLost
}

func (p *process) hang(w *waiter) {
	p.mu.Lock()
	w.hung = p.ended == nil
	p.mu.Unlock()
	p.end(errHung)
}

// quit lets the helper end by itself, within limit.
func (p *process) quit(limit time.Duration) {
	p.writing.Lock()
	_ = p.requests.Close()
	p.writing.Unlock()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.end(ErrClosed)
		<-p.done
	}
}
