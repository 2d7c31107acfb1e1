package ordered

import "bytes"

// Cursor goes through the keys of a range, in order or in reverse.
type Cursor[V any] struct {
	stack   []*node[V]
	bound   []byte
	reverse bool
}

// Cursor begins to go through the keys with from <= key < to; a nil to is no bound.
func (m Map[V]) Cursor(from, to []byte, reverse bool) Cursor[V] {
	c := Cursor[V]{bound: to, reverse: reverse}
	if reverse {
		c.bound = from
	}
	for n := m.root; n != nil; {
		inside := bytes.Compare(n.key, from) >= 0
		if reverse {
			inside = to == nil || bytes.Compare(n.key, to) < 0
		}
		if inside {
			c.stack = append(c.stack, n)
		}
		if inside != reverse {
			n = n.left
		} else {
			n = n.right
		}
	}
	return c
}

// Next is the next key and its value; ok is false at the end.
func (c *Cursor[V]) Next() (key []byte, value V, ok bool) {
	if len(c.stack) == 0 {
		return nil, value, false
	}
	n := c.stack[len(c.stack)-1]
	if c.beyond(n.key) {
		c.stack = nil
		return nil, value, false
	}
	c.stack = c.stack[:len(c.stack)-1]
	if c.reverse {
		for m := n.left; m != nil; m = m.right {
			c.stack = append(c.stack, m)
		}
	} else {
		for m := n.right; m != nil; m = m.left {
			c.stack = append(c.stack, m)
		}
	}
	return n.key, n.value, true
}

func (c *Cursor[V]) beyond(key []byte) bool {
	if c.reverse {
		return bytes.Compare(key, c.bound) < 0
	}
	return c.bound != nil && bytes.Compare(key, c.bound) >= 0
}
