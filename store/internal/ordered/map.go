// Package ordered keeps byte keys in order, persistently: a change makes a new
// map and leaves the old one as it was, so that a copy costs nothing and is
// read without locks. It is a treap whose changed paths are copied.
package ordered

import (
	"bytes"
	"math/rand/v2"
)

// Map maps byte keys to values. The zero Map is empty. Neither keys nor values
// are copied: their owner must not change them.
type Map[V any] struct {
	root *node[V]
	n    int
}

type node[V any] struct {
	left, right *node[V]
	key         []byte
	value       V
	weight      uint32 // no node weighs less than its children
}

// Len is the number of keys.
func (m Map[V]) Len() int { return m.n }

// Get is the value of key.
func (m Map[V]) Get(key []byte) (v V, ok bool) {
	for n := m.root; n != nil; {
		switch c := bytes.Compare(key, n.key); {
		case c == 0:
			return n.value, true
		case c < 0:
			n = n.left
		default:
			n = n.right
		}
	}
	return v, false
}

// With is m with key set to value.
func (m Map[V]) With(key []byte, value V) Map[V] {
	root, added := m.root.with(key, value)
	if added {
		m.n++
	}
	m.root = root
	return m
}

func (n *node[V]) with(key []byte, value V) (_ *node[V], added bool) {
	if n == nil {
		return &node[V]{key: key, value: value, weight: rand.Uint32()}, true
	}
	n = n.copy()
	switch c := bytes.Compare(key, n.key); {
	case c == 0:
		n.value = value
	case c < 0:
		n.left, added = n.left.with(key, value)
		if l := n.left; l.weight > n.weight {
			n.left, l.right = l.right, n
			n = l
		}
	default:
		n.right, added = n.right.with(key, value)
		if r := n.right; r.weight > n.weight {
			n.right, r.left = r.left, n
			n = r
		}
	}
	return n, added
}

// Without is m without key.
func (m Map[V]) Without(key []byte) Map[V] {
	if _, ok := m.Get(key); ok {
		m.root = m.root.without(key)
		m.n--
	}
	return m
}

func (n *node[V]) without(key []byte) *node[V] {
	c := bytes.Compare(key, n.key)
	if c == 0 {
		return join(n.left, n.right)
	}
	n = n.copy()
	if c < 0 {
		n.left = n.left.without(key)
	} else {
		n.right = n.right.without(key)
	}
	return n
}

// join makes one tree of two, the keys of the first all being less.
func join[V any](a, b *node[V]) *node[V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.weight > b.weight:
		a = a.copy()
		a.right = join(a.right, b)
		return a
	default:
		b = b.copy()
		b.left = join(a, b.left)
		return b
	}
}

func (n *node[V]) copy() *node[V] {
	c := *n
	return &c
}
