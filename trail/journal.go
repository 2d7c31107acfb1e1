package trail

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/store"
	"github.com/klauspost/compress/s2"
)

// A row of the record:
//
//	version (1)
//	stream, first (8 bytes each)
//	head after the row (32)
//	count of events, count of blocks (uvarint each)
//	each block: its header, length (uvarint), sealed bytes
//	each event: its leaf (32)
//	length (uvarint), seal of the head
//
// A block holds the events of one account, sealed under the account's key. Its
// header is the scope (length, bytes), the number of its events and, if they
// are not all, their indices in the row, each as the distance from the one
// before. Its plaintext is a form byte, a random seed (32) and the events, each
// with its length, compressed if the form says so.
//
// Leaves stay readable when a block does not: an account that is erased leaves
// the chain whole. A block whose events were erased by Erase has no sealed
// bytes. The seal of the head, under the installation's key, keeps whoever has
// the disk and not the root key from making another chain, or emptying a block.
const (
	rowVersion = 1
	hashSize   = sha256.Size
	seedSize   = 32

	formPlain = 0
	formS2    = 1

	// compressFrom is the size from which compressing repays itself; one event never does.
	compressFrom = 1 << 10
	keepBuffers  = 1 << 20 // a row of larger events leaves no buffers behind
	rowFixed     = 1 + 8 + 8 + hashSize
	maxEvents    = 1 << 20 // in a row
	maxBlock     = 2 * store.MaxBytes
)

// ErrRow means bytes that are no row of the record.
var ErrRow = errors.New("trail: not a row of the record")

// Journal packs events into rows; it implements store.Journal.
type Journal struct {
	sealer store.Sealer
	pack   packer
}

// NewJournal makes a journal that seals with s.
func NewJournal(s store.Sealer) *Journal {
	return &Journal{sealer: s}
}

// packer is what Pack uses again and again. Pack is called by one goroutine at a time.
type packer struct {
	blocks   []block
	byScope  map[string]int
	plain    []byte
	squeezed []byte
	sealed   []byte
	header   []byte
	key      []byte
	hash     []byte
	leaves   []byte
	seed     [seedSize]byte
}

// block is the events of one scope in a row.
type block struct {
	scope  string
	events []int // indices in the row
}

// Pack implements store.Journal.
func (j *Journal) Pack(stream, first uint64, head []byte, events []store.Event) (row, newHead []byte, err error) {
	if len(events) == 0 || len(events) > maxEvents {
		return nil, nil, fmt.Errorf("trail: a row of %d events", len(events))
	}
	p := &j.pack
	p.group(events)
	size := 0
	for _, e := range events {
		size += len(e.Data)
	}
	if size > keepBuffers {
		defer func() { *p = packer{} }()
	}
	row = make([]byte, 0, rowFixed+size/2+len(events)*(hashSize+2)+len(p.blocks)*160+256)
	row = append(row, rowVersion)
	row = binary.BigEndian.AppendUint64(row, stream)
	row = binary.BigEndian.AppendUint64(row, first)
	row = append(row, make([]byte, hashSize)...) // the head, when it is known
	row = binary.AppendUvarint(row, uint64(len(events)))
	row = binary.AppendUvarint(row, uint64(len(p.blocks)))
	p.leaves = append(p.leaves[:0], make([]byte, len(events)*hashSize)...)
	for i := range p.blocks {
		if row, err = j.seal(row, &p.blocks[i], stream, first, events); err != nil {
			return nil, nil, err
		}
	}
	row = append(row, p.leaves...)

	h := startHead(stream)
	if head != nil {
		if len(head) != hashSize {
			return nil, nil, fmt.Errorf("trail: a head of %d bytes", len(head))
		}
		h = Head(head)
	}
	for i := range events {
		h = link(h, p.leaves[i*hashSize:])
	}
	copy(row[rowFixed-hashSize:], h[:])
	p.key = headKey(p.key[:0], stream, first, uint64(len(events)), h, nil)
	if p.sealed, err = j.sealer.Seal(p.sealed[:0], "", p.key, nil); err != nil {
		return nil, nil, fmt.Errorf("trail: seal head: %w", err)
	}
	row = binary.AppendUvarint(row, uint64(len(p.sealed)))
	row = append(row, p.sealed...)
	return row, h[:], nil
}

// Head implements store.Journal.
func (j *Journal) Head(row []byte) ([]byte, error) {
	if len(row) < rowFixed || row[0] != rowVersion {
		return nil, ErrRow
	}
	head := make([]byte, hashSize)
	copy(head, row[rowFixed-hashSize:])
	return head, nil
}

// group sorts the events' indices into blocks, one a scope, in the order in
// which scopes first appear.
func (p *packer) group(events []store.Event) {
	p.blocks = p.blocks[:0]
	if len(events) > 16 && p.byScope == nil {
		p.byScope = map[string]int{}
	}
	clear(p.byScope)
	for i := range events {
		at := p.find(events[i].Scope)
		if at < 0 {
			at = len(p.blocks)
			if at < cap(p.blocks) {
				p.blocks = p.blocks[:at+1]
			} else {
				p.blocks = append(p.blocks, block{})
			}
			p.blocks[at].scope, p.blocks[at].events = events[i].Scope, p.blocks[at].events[:0]
			if p.byScope != nil {
				p.byScope[events[i].Scope] = at
			}
		}
		p.blocks[at].events = append(p.blocks[at].events, i)
	}
}

func (p *packer) find(scope string) int {
	if p.byScope != nil {
		if at, ok := p.byScope[scope]; ok {
			return at
		}
		return -1
	}
	for i := range p.blocks {
		if p.blocks[i].scope == scope {
			return i
		}
	}
	return -1
}

// seal appends a block to row and sets its events' leaves.
func (j *Journal) seal(row []byte, b *block, stream, first uint64, events []store.Event) ([]byte, error) {
	p := &j.pack
	rand.Read(p.seed[:])
	p.plain = p.plain[:0]
	for _, i := range b.events {
		data := events[i].Data
		p.plain = binary.AppendUvarint(p.plain, uint64(len(data)))
		p.plain = append(p.plain, data...)
		var leaf [hashSize]byte
		leaf, p.hash = leafOf(p.hash, &p.seed, stream, first+uint64(i), b.scope, data)
		copy(p.leaves[i*hashSize:], leaf[:])
	}
	form := byte(formPlain)
	if body := p.plain; len(b.events) > 1 && len(body) >= compressFrom {
		form = formS2
		if n := s2.MaxEncodedLen(len(body)); cap(p.squeezed) < 1+seedSize+n {
			p.squeezed = make([]byte, 1+seedSize+n)
		}
		p.squeezed = p.squeezed[:cap(p.squeezed)]
		p.squeezed = p.squeezed[:1+seedSize+len(s2.Encode(p.squeezed[1+seedSize:], body))]
	} else {
		p.squeezed = append(append(p.squeezed[:0], make([]byte, 1+seedSize)...), body...)
	}
	p.squeezed[0] = form
	copy(p.squeezed[1:], p.seed[:])

	p.header = b.appendHeader(p.header[:0], len(events))
	p.key = blockKey(p.key[:0], stream, first, uint64(len(events)), p.header)
	var err error
	if p.sealed, err = j.sealer.Seal(p.sealed[:0], b.scope, p.key, p.squeezed); err != nil {
		return nil, fmt.Errorf("trail: seal events of %q: %w", b.scope, err)
	}
	row = append(row, p.header...)
	row = binary.AppendUvarint(row, uint64(len(p.sealed)))
	return append(row, p.sealed...), nil
}

// appendHeader appends the block's header, in a row of count events.
func (b *block) appendHeader(to []byte, count int) []byte {
	to = binary.AppendUvarint(to, uint64(len(b.scope)))
	to = append(to, b.scope...)
	to = binary.AppendUvarint(to, uint64(len(b.events)))
	if len(b.events) == count {
		return to
	}
	before := -1
	for _, i := range b.events {
		to = binary.AppendUvarint(to, uint64(i-before))
		before = i
	}
	return to
}
