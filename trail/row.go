package trail

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/store"
	"github.com/klauspost/compress/s2"
)

// parsed is a row taken apart, nothing of it opened or believed yet. Its slices are the row's.
type parsed struct {
	stream, first uint64
	count         int
	head          Head
	blocks        []sealedBlock
	erased        []int  // indices of the blocks that have no sealed bytes
	leaves        []byte // count × hashSize
	headSeal      []byte
}

// sealedBlock is a block as it stands in a row.
type sealedBlock struct {
	block
	header, sealed []byte
}

// parse takes a row apart. What it makes is bounded by the row's length.
func parse(row []byte) (*parsed, error) {
	if len(row) < rowFixed {
		return nil, ErrRow
	}
	if row[0] != rowVersion {
		return nil, fmt.Errorf("%w: of version %d, which this release does not know", ErrRow, row[0])
	}
	p := &parsed{
		stream: binary.BigEndian.Uint64(row[1:]), first: binary.BigEndian.Uint64(row[9:]),
		head: Head(row[rowFixed-hashSize : rowFixed]),
	}
	r := reader{rest: row[rowFixed:]}
	count, blocks := r.uvarint(), r.uvarint()
	if r.bad || count == 0 || count > uint64(len(row)/hashSize) || blocks > count || p.first == 0 || p.first+count-1 < p.first {
		return nil, ErrRow
	}
	p.count = int(count)
	covered := make([]bool, count)
	for range blocks {
		if !p.block(&r, covered) {
			return nil, ErrRow
		}
	}
	for _, c := range covered {
		if !c {
			return nil, ErrRow
		}
	}
	p.leaves = r.take(count * hashSize)
	p.headSeal = r.take(r.uvarint())
	if r.bad || len(r.rest) > 0 {
		return nil, ErrRow
	}
	return p, nil
}

// block reads one block, and marks the events it covers.
func (p *parsed) block(r *reader, covered []bool) bool {
	from := r.rest
	b := sealedBlock{}
	b.scope = string(r.take(r.uvarint()))
	n := r.uvarint()
	if r.bad || n == 0 || n > uint64(p.count) {
		return false
	}
	b.events = make([]int, n)
	at := -1
	for i := range b.events {
		step := uint64(1)
		if int(n) < p.count {
			step = r.uvarint()
		}
		if r.bad || step == 0 || step > uint64(p.count) || at+int(step) >= p.count || covered[at+int(step)] {
			return false
		}
		at += int(step)
		b.events[i], covered[at] = at, true
	}
	b.header = from[:len(from)-len(r.rest)]
	b.sealed = r.take(r.uvarint())
	if len(b.sealed) == 0 {
		p.erased = append(p.erased, len(p.blocks))
	}
	p.blocks = append(p.blocks, b)
	return !r.bad
}

// last is the number of the row's last event.
func (p *parsed) last() uint64 { return p.first + uint64(p.count) - 1 }

func (p *parsed) leaf(i int) []byte { return p.leaves[i*hashSize : (i+1)*hashSize] }

// chain is the head after the row, by its leaves, if head is the one before.
func (p *parsed) chain(head Head) Head {
	for i := range p.count {
		head = link(head, p.leaf(i))
	}
	return head
}

// vouched tells whether the row's head carries the installation's seal.
func (j *Journal) vouched(p *parsed) error {
	_, err := j.sealer.Open(nil, "", headKey(nil, p.stream, p.first, uint64(p.count), p.head, p.erased), p.headSeal)
	return err
}

// destroyed is implemented by sealers whose scopes' keys can be destroyed.
type destroyed interface{ Destroyed(scope string) bool }

// gone tells whether the block's events are gone by right: they were erased, in
// a row that the installation's seal vouches for, or their account's key was destroyed.
func (j *Journal) gone(b *sealedBlock) bool {
	d, ok := j.sealer.(destroyed)
	return len(b.sealed) == 0 || ok && d.Destroyed(b.scope)
}

// errLeaf means that an event is not the one its leaf was made of.
var errLeaf = errors.New("does not match its leaf")

// open opens a block and hands each event's index and bytes to yield. The
// events are those that the leaves were made of.
func (j *Journal) open(p *parsed, b *sealedBlock, yield func(i int, event []byte) error) error {
	plain, err := j.sealer.Open(nil, b.scope, blockKey(nil, p.stream, p.first, uint64(p.count), b.header), b.sealed)
	if err != nil {
		return err
	}
	if len(plain) < 1+seedSize {
		return ErrRow
	}
	seed := [seedSize]byte(plain[1:])
	body := plain[1+seedSize:]
	switch plain[0] {
	case formPlain:
	case formS2:
		if n, err := s2.DecodedLen(body); err != nil || n > maxBlock {
			return ErrRow
		}
		if body, err = s2.Decode(nil, body); err != nil {
			return ErrRow
		}
	default:
		return ErrRow
	}
	r := reader{rest: body}
	var leaf Head
	var buffer []byte
	for _, i := range b.events {
		event := r.take(r.uvarint())
		if r.bad {
			return ErrRow
		}
		leaf, buffer = leafOf(buffer, &seed, p.stream, p.first+uint64(i), b.scope, event)
		if leaf != Head(p.leaf(i)) {
			return fmt.Errorf("event %d %w", p.first+uint64(i), errLeaf)
		}
		if err := yield(i, event); err != nil {
			return err
		}
	}
	if len(r.rest) > 0 {
		return ErrRow
	}
	return nil
}

// Record is one event of the record, with where it stands.
type Record struct {
	Position Position
	Scope    string // the account, "" for the installation
	Event    *Event // nil: erased
}

// Open is the records of a row of stream, in order. It answers an error for a
// row that is not the one that was written there.
func (j *Journal) Open(stream uint64, row store.Row) ([]Record, error) {
	p, err := parse(row.Data)
	if err != nil {
		return nil, fmt.Errorf("stream %d, events %d to %d: %w", stream, row.First, row.Last, err)
	}
	if p.stream != stream || p.first != row.First || p.last() != row.Last {
		return nil, fmt.Errorf("stream %d, events %d to %d: %w: it belongs to stream %d, events %d to %d", stream, row.First, row.Last, ErrRow, p.stream, p.first, p.last())
	}
	if len(p.erased) > 0 {
		if err := j.vouched(p); err != nil {
			return nil, fmt.Errorf("stream %d, events %d to %d: %w", stream, row.First, row.Last, err)
		}
	}
	records := make([]Record, p.count)
	for i := range p.blocks {
		b := &p.blocks[i]
		for _, at := range b.events {
			records[at] = Record{Position: Position{stream, p.first + uint64(at)}, Scope: b.scope}
		}
		err := j.open(p, b, func(at int, data []byte) (err error) {
			records[at].Event, err = Decode(data)
			return err
		})
		if err != nil && !j.gone(b) {
			return nil, fmt.Errorf("stream %d, events %d to %d, account %q: %w", stream, row.First, row.Last, b.scope, err)
		}
	}
	return records, nil
}

// reader takes a row apart. Once something is amiss it is bad.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
