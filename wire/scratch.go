package wire

import (
	"bytes"
	"sync"
)

// maxScratch bounds the buffers that are kept for later answers.
const maxScratch = 64 << 10

var scratch = sync.Pool{New: func() any { return new(make([]byte, 0, 4096)) }}

// Build is what write appends to an empty slice. It grows in a buffer that
// answers share, so that an answer's own bytes are made once, in their size.
func Build(write func(b []byte) []byte) []byte {
	buf := scratch.Get().(*[]byte)
	b := write((*buf)[:0])
	if cap(b) > maxScratch {
		scratch.Put(buf)
		return b
	}
	*buf = b
	out := bytes.Clone(b)
	scratch.Put(buf)
	return out
}
