package hsm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/garrison-security/garrison/hsm/frame"
)

type nobody struct{ io.Writer }

func (nobody) Close() error { return nil }

// FuzzAnswers holds that whatever a helper says, each call gets its own answer
// or is told that there will be none, and nothing panics or hangs.
func FuzzAnswers(f *testing.F) {
	var said bytes.Buffer
	for _, a := range []frame.Answer{{ID: 2, Body: []byte{2}}, {ID: 1, Status: frame.NoKey}, {ID: 1}} {
		_ = frame.WriteAnswer(&said, &a)
	}
	f.Add(said.Bytes())
	f.Fuzz(func(t *testing.T, input []byte) {
		p := newProcess(nobody{io.Discard})
		p.slots = make(chan struct{}, 2)
		p.kill, p.wait = func() {}, func() error { return nil }
		said, says := io.Pipe()
		results := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := p.call(context.Background(), time.Minute, frame.Ping)
				results <- err
			}()
		}
		for len(p.slots) < 2 || waiting(p) < 2 {
			time.Sleep(time.Microsecond)
		}
		go p.read(said)
		_, _ = says.Write(input)
		_ = says.Close()
		for range 2 {
			if err := <-results; err != nil && !errors.Is(err, errLost) {
				t.Error(err)
			}
		}
		<-p.done
	})
}

func waiting(p *process) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pending)
}
