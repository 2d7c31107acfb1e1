package policy

import "strings"

// maxAction bounds an action's length; AWS's longest has 79 characters.
const maxAction = 192

// actionName is a request's action, folded and hashed once for all policies.
type actionName struct {
	buf     [maxAction]byte
	n       int
	colon   int    // where it stands
	service uint64 // hash of what stands before the colon
	whole   uint64 // hash of all of it
}

// set folds s; it answers false if s is no action.
func (a *actionName) set(s string) bool {
	if len(s) > maxAction {
		return false
	}
	h := uint64(hashStart)
	a.colon = 0
	for i := range len(s) {
		c := lower(s[i])
		if c <= anyChar {
			return false
		}
		if c == ':' && a.colon == 0 {
			a.colon, a.service = i, h
		}
		a.buf[i] = c
		h = hashByte(h, c)
	}
	a.n, a.whole = len(s), h
	return a.colon > 0 && a.colon < len(s)-1
}

// name is the folded action.
func (a *actionName) name() []byte { return a.buf[:a.n] }

// prefix is the service's part of it.
func (a *actionName) prefix() []byte { return a.buf[:a.colon] }

// is compares with a folded name.
func (a *actionName) is(name string) bool { return string(a.name()) == name }

// of compares the service's part with a folded prefix.
func (a *actionName) of(service string) bool { return string(a.prefix()) == service }

// actionIndex finds the statements whose Action element matches an action,
// without looking at the others: by the whole name, by the service for names
// with wildcards, and those that are for every service.
type actionIndex struct {
	slots []indexSlot // open-addressed, a power of two, at most half full
	refs  []actionRef // the runs that slots point at
	every []actionRef // patterns with a wildcard in the service, and NotAction statements
}

// indexSlot is a run of refs under the hash of an action or of a service.
type indexSlot struct {
	hash       uint64
	start, end uint32 // start == end: empty
}

// actionRef says that statements whose action matches the pattern are worth looking at.
type actionRef struct {
	pattern   string // folded; of a prefixPattern without its wildcard
	form      patternForm
	statement uint32
}

type patternForm uint8

const (
	globPattern   patternForm = iota
	exactPattern              // no wildcard
	prefixPattern             // one wildcard, anyText, at the end
	everyPattern              // matches without looking
)

func (r *actionRef) matches(a *actionName, w *work) bool {
	switch name := a.name(); r.form {
	case everyPattern:
		return true
	case exactPattern:
		return string(name) == r.pattern
	case prefixPattern:
		return len(name) >= len(r.pattern) && string(name[:len(r.pattern)]) == r.pattern
	default:
		return glob(r.pattern, name, false, w)
	}
}

// find is the run under a hash.
func (x *actionIndex) find(hash uint64) []actionRef {
	if len(x.slots) == 0 {
		return nil
	}
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.start == s.end {
			return nil
		}
		if s.hash == hash {
			return x.refs[s.start:s.end]
		}
	}
}

// matches tells whether any pattern of the index matches.
func (x *actionIndex) matches(a *actionName, w *work) bool {
	for _, run := range [...][]actionRef{x.every, x.find(a.whole), x.find(a.service)} {
		for i := range run {
			if run[i].matches(a, w) {
				return true
			}
		}
	}
	return false
}

// indexBuilder gathers patterns for an actionIndex.
type indexBuilder struct {
	c     *compiler
	runs  map[uint64][]actionRef
	order []uint64
	every []actionRef
}

// add puts the statement under an action pattern. A pattern that is no action
// (no colon, or more than one) matches nothing and is left out.
func (b *indexBuilder) add(action string, statement uint32) {
	ref := actionRef{statement: statement}
	if action != "" && strings.Trim(action, "*") == "" {
		ref.form = everyPattern
		b.every = append(b.every, ref)
		return
	}
	action = lowerASCII(action)
	service, rest, ok := strings.Cut(action, ":")
	if !ok || strings.Contains(rest, ":") {
		return
	}
	name := marked(action)
	hash := hashFold(hashStart, action)
	switch n := literalTo(name); {
	case name == action:
		ref.form = exactPattern
	case n == len(name)-1 && !strings.Contains(action, "?"):
		ref.form = prefixPattern
		name = name[:n]
	}
	ref.pattern = b.c.intern(name)
	if strings.ContainsAny(service, "*?") {
		b.every = append(b.every, ref)
		return
	}
	if ref.form != exactPattern {
		hash = hashFold(hashStart, service)
	}
	if b.runs == nil {
		b.runs = map[uint64][]actionRef{}
	}
	if b.runs[hash] == nil {
		b.order = append(b.order, hash)
	}
	b.runs[hash] = append(b.runs[hash], ref)
}

// build lays the runs out.
func (b *indexBuilder) build() actionIndex {
	x := actionIndex{every: b.every}
	if len(b.runs) == 0 {
		return x
	}
	size := 2
	for size < 2*len(b.runs) {
		size *= 2
	}
	x.slots = make([]indexSlot, size)
	mask := uint64(size - 1)
	for _, hash := range b.order {
		i := hash & mask
		for x.slots[i].start != x.slots[i].end {
			i = (i + 1) & mask
		}
		start := uint32(len(x.refs))
		x.refs = append(x.refs, b.runs[hash]...)
		x.slots[i] = indexSlot{hash, start, uint32(len(x.refs))}
	}
	return x
}
