package managed

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:generate go run ./pack ../../../../shared/data/aws-managed-policies.json.gz policies.bin

// packed is the policies, as Pack writes them:
//
//	header of 8 bytes
//	uint32 length of the list, deflated; the list
//	for each block: uint32 length, deflated; the block
//
// The list has a line for each policy, by name: name, path, version, created
// and updated (seconds since 1970), block, and offset and length in the block,
// with tabs between them. A block is documents end to end.
//
//go:embed policies.bin
var packed []byte

const header = "garmgd1\n"

// blockSize is about how much text a block holds: what a first use inflates.
const blockSize = 16 << 10

// Source is what Pack packs: the shape of shared/data/aws-managed-policies.json.gz.
type Source struct {
	Policies map[string]struct {
		ARN, Path, DefaultVersionID string
		CreateDate, UpdateDate      time.Time
		Document                    json.RawMessage
	}
}

// Pack makes the embedded file.
func Pack(from *Source) ([]byte, error) {
	var list bytes.Buffer
	var blocks [][]byte
	var block bytes.Buffer
	names := make([]string, 0, len(from.Policies))
	for name := range from.Policies {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p := from.Policies[name]
		if want := "arn:aws" + owner + p.Path + name; p.ARN != want {
			return nil, fmt.Errorf("%s has the ARN %s", name, p.ARN)
		}
		if block.Len() > 0 && block.Len()+len(p.Document) > blockSize {
			blocks = append(blocks, bytes.Clone(block.Bytes()))
			block.Reset()
		}
		at := block.Len()
		if err := json.Compact(&block, p.Document); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&list, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", name, p.Path, p.DefaultVersionID,
			p.CreateDate.Unix(), p.UpdateDate.Unix(), len(blocks), at, block.Len()-at)
	}
	blocks = append(blocks, block.Bytes())
	out := []byte(header)
	for _, part := range append([][]byte{list.Bytes()}, blocks...) {
		deflated, err := deflate(part)
		if err != nil {
			return nil, err
		}
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(deflated))), deflated...)
	}
	return out, nil
}

func deflate(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// part is the n-th deflated part: 0 is the list, then come the blocks. The file
// is our own, so what is wrong with it is a bug.
func part(n int) []byte {
	rest := packed[len(header):]
	for ; ; n-- {
		size := binary.BigEndian.Uint32(rest)
		if n == 0 {
			b, err := io.ReadAll(flate.NewReader(bytes.NewReader(rest[4 : 4+size])))
			if err != nil {
				panic(fmt.Errorf("managed: policies.bin: %w", err))
			}
			return b
		}
		rest = rest[4+size:]
	}
}

// list is all policies by name.
var list = sync.OnceValue(func() []*Policy {
	lines := strings.Split(strings.TrimSuffix(string(part(0)), "\n"), "\n")
	all := make([]*Policy, len(lines))
	for i, line := range lines {
		p, err := parseLine(line)
		if err != nil {
			panic(fmt.Errorf("managed: policies.bin: %w", err))
		}
		all[i] = p
	}
	return all
})

func parseLine(line string) (*Policy, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 8 {
		return nil, errors.New("a line of other than eight fields")
	}
	var numbers [5]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(fields[3+i], 10, 64); err != nil {
			return nil, err
		}
	}
	return &Policy{
		Name: fields[0], Path: fields[1], Version: fields[2],
		Created: time.Unix(numbers[0], 0).UTC(), Updated: time.Unix(numbers[1], 0).UTC(),
		block: int(numbers[2]), at: int(numbers[3]), size: int(numbers[4]),
	}, nil
}

// lastBlock keeps the block that was inflated last: neighbours are asked for together.
var lastBlock struct {
	mu    sync.Mutex
	n     int
	block []byte // nil: none
}

func inflated(n int) []byte {
	lastBlock.mu.Lock()
	defer lastBlock.mu.Unlock()
	if lastBlock.block == nil || lastBlock.n != n {
		lastBlock.block, lastBlock.n = part(1+n), n
	}
	return lastBlock.block
}
