package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/garrison-security/garrison/policy/scenario"
)

// PolicyDecideCmd decides requests for other programs.
type PolicyDecideCmd struct {
	Explain bool   `help:"Say of each statement whether it matches, and why not."`
	File    string `arg:"" optional:"" default:"-" help:"The lines; standard input unless named."`
}

// Help says what the lines hold.
func (PolicyDecideCmd) Help() string {
	return `A line in is {request: {principal, action, resource, resourceAccount, context: {key: string | [string]}},
identityPolicies: [document], resourcePolicy: document, permissionsBoundaries: [document], sessionPolicies: [document],
scps: [[document]], rcps: [[document]], endpointPolicies: [document]}; all but request may be absent. A line out, in the
same order, is {decision, decidedBy, policy, statement}, or {error} for a line that can't be decided. The exit status is 0
once all lines are answered.`
}

// Run implements the subcommand.
func (c *PolicyDecideCmd) Run(out streams) error {
	if c.File == "-" {
		return c.run(os.Stdin, out.out)
	}
	in, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	return c.run(in, out.out)
}

// Bounds on what is in work at once: a batch ends with whichever comes first, and when no more input waits.
const (
	batchLines = 256
	batchBytes = 1 << 20
)

// batch is a run of lines, and their answers once ready is closed.
type batch struct {
	lines   [][]byte // nil: the line was too long
	answers bytes.Buffer
	last    bool // nothing more waits to be read: its answers are to be seen at once
	ready   chan struct{}
}

// run answers all lines, on all processors, in order.
func (c *PolicyDecideCmd) run(in io.Reader, out io.Writer) error {
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan *batch), make(chan *batch, 2*workers)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			var judge scenario.Judge
			for b := range work {
				c.answer(&judge, b)
				close(b.ready)
			}
		})
	}
	var readErr error
	group.Go(func() {
		defer close(order)
		defer close(work)
		readErr = readBatches(in, func(b *batch) {
			order <- b
			work <- b
		})
	})
	w := bufio.NewWriterSize(out, 64<<10)
	var writeErr error
	for b := range order {
		<-b.ready
		if _, err := b.answers.WriteTo(w); err != nil && writeErr == nil {
			writeErr = err
		}
		if b.last {
			writeErr = errors.Join(writeErr, w.Flush())
		}
		if writeErr != nil {
			return writeErr // whoever reads the answers has gone; the program ends
		}
	}
	group.Wait()
	return errors.Join(readErr, w.Flush())
}

// readBatches hands on the lines as they come.
func readBatches(in io.Reader, hand func(*batch)) error {
	r := bufio.NewReaderSize(in, 256<<10)
	for {
		b := &batch{ready: make(chan struct{})}
		var err error
		for size := 0; len(b.lines) < batchLines && size < batchBytes; {
			var line []byte
			if line, err = readLine(r); err != nil {
				break
			}
			b.lines = append(b.lines, line)
			size += len(line)
			if b.last = r.Buffered() == 0; b.last {
				break
			}
		}
		if len(b.lines) > 0 {
			hand(b)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine reads a line, without its end. One that is too long is read to its end and answered as nil.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, long := []byte{}, false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > scenario.MaxLine+2; !long {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && (len(line) > 0 || long): // the last line needs no end
		case err != nil:
			return nil, err
		}
		if long {
			return nil, nil
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

// answer decides a batch's lines.
func (c *PolicyDecideCmd) answer(judge *scenario.Judge, b *batch) {
	write := json.NewEncoder(&b.answers)
	write.SetEscapeHTML(false)
	for _, line := range b.lines {
		verdict, err := c.decide(judge, line)
		if err != nil {
			_ = write.Encode(struct { // a buffer takes everything
				Error string `json:"error"`
			}{err.Error()})
			continue
		}
		_ = write.Encode(verdict)
	}
}

var errLongLine = errors.New("the line is too long")

func (c *PolicyDecideCmd) decide(judge *scenario.Judge, line []byte) (*scenario.Verdict, error) {
	if line == nil {
		return nil, errLongLine
	}
	s, err := scenario.Parse(line)
	if err != nil {
		return nil, err
	}
	if c.Explain {
		return judge.Explain(s)
	}
	return judge.Decide(s)
}
