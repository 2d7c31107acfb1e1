package route

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/catalog"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// table is a service's operations as a trie of path segments for each method.
type table struct{ methods map[string]*node }

// node is a place in the trie: what may follow.
type node struct {
	literals map[string]*node
	label    *node
	greedy   []greedy // longest suffix first
	leaves   []leaf   // most literal query members first
}

// greedy is a label that takes one segment or more, and the literals behind it.
type greedy struct {
	suffix []string
	leaves []leaf
}

// leaf is an operation, with the labels on its way.
type leaf struct {
	operation string
	labels    []string
	query     []literal
}

// literal is a query member of the URI's template.
type literal struct{ name, value string }

// newTable builds the trie. Every label is a whole segment: a template that is
// otherwise is AWS's to come, and its operation is unknown until then.
func newTable(operations []catalog.Operation) *table {
	t := &table{methods: map[string]*node{}}
	for _, op := range operations {
		path, query, _ := strings.Cut(op.URI, "?")
		l := leaf{operation: op.Name}
		for member := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(member, "="); name != "" {
				l.query = append(l.query, literal{name, value})
			}
		}
		n := t.methods[op.Method]
		if n == nil {
			n = new(node)
			t.methods[op.Method] = n
		}
		n.insert(strings.Split(strings.TrimPrefix(path, "/"), "/"), l)
	}
	return t
}

func (n *node) insert(segments []string, l leaf) {
	for i, segment := range segments {
		name, isLabel := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		if greedyName, ok := strings.CutSuffix(name, "+"); isLabel && ok {
			l.labels = append(slices.Clip(l.labels), greedyName)
			n.insertGreedy(segments[i+1:], l)
			return
		}
		next := n.label
		if !isLabel {
			next = n.literals[segment]
		}
		if next == nil {
			next = new(node)
			if isLabel {
				n.label = next
			} else {
				if n.literals == nil {
					n.literals = map[string]*node{}
				}
				n.literals[segment] = next
			}
		}
		if isLabel {
			l.labels = append(l.labels, name)
		}
		n = next
	}
	n.leaves = withLeaf(n.leaves, l)
}

func (n *node) insertGreedy(suffix []string, l leaf) {
	for i := range n.greedy {
		if slices.Equal(n.greedy[i].suffix, suffix) {
			n.greedy[i].leaves = withLeaf(n.greedy[i].leaves, l)
			return
		}
	}
	n.greedy = append(n.greedy, greedy{suffix, []leaf{l}})
	slices.SortStableFunc(n.greedy, func(a, b greedy) int { return len(b.suffix) - len(a.suffix) })
}

func withLeaf(leaves []leaf, l leaf) []leaf {
	leaves = append(leaves, l)
	slices.SortStableFunc(leaves, func(a, b leaf) int { return len(b.query) - len(a.query) })
	return leaves
}

// found is a leaf and the raw values of its labels, in order.
type found struct {
	leaf   *leaf
	values []string
}

// maxSegments bounds the path of a REST request.
const maxSegments = 256

// find walks the trie: literals before labels, labels before greedy ones.
func (t *table) find(method, path, query string) (found, bool) {
	n := t.methods[method]
	if n == nil || !strings.HasPrefix(path, "/") || strings.Count(path, "/") > maxSegments {
		return found{}, false
	}
	var buf [8]string
	return n.find(path[1:], query, buf[:0])
}

// find matches rest, the path from here on. What it looks at is bounded by the
// size of the trie, since each of its nodes stands at one depth.
func (n *node) find(rest, query string, values []string) (found, bool) {
	segment, behind, more := strings.Cut(rest, "/")
	if next := n.literals[segment]; next != nil {
		if f, ok := next.step(behind, more, query, values); ok {
			return f, true
		}
	}
	if n.label != nil && segment != "" {
		if f, ok := n.label.step(behind, more, query, append(values, segment)); ok {
			return f, true
		}
	}
	for i := range n.greedy {
		value, ok := cutSuffix(rest, n.greedy[i].suffix)
		if !ok {
			continue
		}
		if l := choose(n.greedy[i].leaves, query); l != nil {
			return found{l, append(values, value)}, true
		}
	}
	return found{}, false
}

func (n *node) step(behind string, more bool, query string, values []string) (found, bool) {
	if more {
		return n.find(behind, query, values)
	}
	l := choose(n.leaves, query)
	return found{l, values}, l != nil
}

// cutSuffix takes the literal segments from the end of path; something must be left.
func cutSuffix(path string, suffix []string) (string, bool) {
	for _, segment := range slices.Backward(suffix) {
		rest, last := cutLast(path)
		if last != segment || len(rest) == len(path) {
			return "", false
		}
		path = rest
	}
	return path, path != ""
}

// choose finds the leaf whose literal query members the request has.
func choose(leaves []leaf, query string) *leaf {
	for i := range leaves {
		if leaves[i].matches(query) {
			return &leaves[i]
		}
	}
	return nil
}

// matches says whether query has each of the leaf's literal members, once.
func (l *leaf) matches(query string) bool {
	for _, want := range l.query {
		n := 0
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if plain(name) != want.name {
				continue
			}
			if want.value != "" && plain(value) != want.value {
				return false
			}
			n++
		}
		if n != 1 {
			return false
		}
	}
	return true
}

// rest routes by method and path in the tables of the services that a
// signature can mean. A final "/" may be there or not, unless the path as it
// is belongs to one of them: AWS's own models of an operation differ in it.
func (r *Router) rest(m *Match, req *wire.Request, candidates []*entry) error {
	m.to(candidates[0], "", restProtocol(candidates[0]))
	other, cut := strings.CutSuffix(req.RawPath, "/")
	if !cut {
		other += "/"
	}
	for _, path := range [...]string{req.RawPath, other} {
		f, e, err := r.search(candidates, req, path)
		if err != nil {
			return err
		}
		if e != nil {
			return m.found(f, e)
		}
	}
	return unknown("Unable to determine service/operation name to be authorized")
}

// search finds path in the candidates' tables: in that of the service that the
// host names, else in the only one that has it.
func (r *Router) search(candidates []*entry, req *wire.Request, path string) (the found, of *entry, _ error) {
	host, tie := r.byHost(req.Host), false
	for _, e := range candidates {
		f, ok := e.table().find(req.Method, path, req.RawQuery)
		switch {
		case !ok:
		case only(host, e):
			return f, e, nil
		case of == nil:
			the, of = f, e
		default:
			tie = true
		}
	}
	if tie {
		return the, nil, unknown("The request names an operation of more than one service; its Host would tell which.")
	}
	return the, of, nil
}

// found fills in what a table's leaf says.
func (m *Match) found(f found, e *entry) error {
	m.to(e, f.leaf.operation, restProtocol(e))
	if len(f.values) > 0 {
		m.Labels = make(map[string]string, len(f.values))
		for i, value := range f.values {
			m.Labels[f.leaf.labels[i]] = value
		}
	}
	return nil
}

func restProtocol(e *entry) aws.Protocol {
	if e.speaks(aws.RESTXML) {
		return aws.RESTXML
	}
	return aws.RESTJSON
}
