package trail

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// KnownHead is a stream's head as it was at some time, kept where whoever can
// alter the store can't reach.
type KnownHead struct {
	Position
	Head   Head
	Time   time.Time // when it was written down
	Source string    // where, for messages: "line 3"
}

// headsTitle begins a file of heads. What is appended to such a file may begin with it again.
const headsTitle = "garrison-heads 1"

// WriteHeads writes the heads of all streams of a report, as lines
//
//	garrison-heads 1
//	2026-11-24T09:00:00Z 3:1207 9f86d081884c7d65…
//
// with time, position and head after the event there. Files may be appended to
// and joined.
func (r *Report) WriteHeads(w io.Writer, now time.Time) error {
	b := []byte(headsTitle + "\n")
	for _, s := range r.Streams {
		if s.Last == 0 {
			continue
		}
		b = appendTime(b, now)
		b = fmt.Appendf(b, " %v %x\n", Position{s.Stream, s.Last}, s.Head)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write heads: %w", err)
	}
	return nil
}

// maxHeads bounds what ReadHeads takes in.
const maxHeads = 1 << 20

// ReadHeads reads what WriteHeads wrote. Empty lines and lines that begin with
// # are passed over.
func ReadHeads(r io.Reader) ([]KnownHead, error) {
	var heads []KnownHead
	titled := false
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<10)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#':
			continue
		case line == headsTitle:
			titled = true
			continue
		case !titled:
			return nil, fmt.Errorf("read heads: the first line is not %q", headsTitle)
		case len(heads) == maxHeads:
			return nil, fmt.Errorf("read heads: more than %d", maxHeads)
		}
		h, err := parseHead(line)
		if err != nil {
			return nil, fmt.Errorf("read heads: line %d: %w", n, err)
		}
		h.Source = fmt.Sprintf("line %d", n)
		heads = append(heads, h)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	if !titled {
		return nil, fmt.Errorf("read heads: the first line is not %q", headsTitle)
	}
	return heads, nil
}

func parseHead(line string) (KnownHead, error) {
	var h KnownHead
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return h, errors.New("not TIME STREAM:NUMBER HEAD")
	}
	var err error
	if h.Time, err = time.Parse(time.RFC3339, fields[0]); err != nil {
		return h, err
	}
	if h.Position, err = ParsePosition(fields[1]); err != nil {
		return h, err
	}
	if h.Number == 0 {
		return h, errPosition
	}
	head, err := hex.DecodeString(fields[2])
	if err != nil || len(head) != hashSize {
		return h, errors.New("not a head of 64 hex digits")
	}
	h.Head = Head(head)
	return h, nil
}
