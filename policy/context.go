package policy

import (
	"iter"
	"net/netip"
	"time"
)

// Context holds a request's condition keys. It is made to be used again:
// Reset empties it and keeps its memory. Key names ignore case, tag keys
// inside them too. It must not be changed while Decide reads it.
type Context struct {
	present [(len(wellKnown) + 64) / 64]uint64 // bit id: known[id] has a value
	known   [len(wellKnown) + 1]value
	others  []namedValue
}

// namedValue is the value of a key that is not well known: its name is prefix and name joined.
type namedValue struct {
	prefix, name string
	hash         uint64
	value        value
}

type valueKind uint8

const (
	textValue valueKind = iota
	listValue
	boolValue
	timeValue
	numberValue
	addressValue
)

// value is what a key holds.
type value struct {
	kind    valueKind
	flag    bool
	text    string
	list    []string
	number  float64
	time    time.Time
	address netip.Addr
}

// Reset empties c.
func (c *Context) Reset() {
	c.present = [len(c.present)]uint64{}
	clear(c.others)
	c.others = c.others[:0]
}

// Set gives a single-valued key its value.
func (c *Context) Set(key, v string) { *c.put("", key) = value{kind: textValue, text: v} }

// SetTag gives the tag key under prefix ("aws:PrincipalTag/", "aws:ResourceTag/",
// "aws:RequestTag/", a service's own) its value, without joining the two.
func (c *Context) SetTag(prefix, key, v string) {
	*c.put(prefix, key) = value{kind: textValue, text: v}
}

// SetList gives a multivalued key its values; with none the key is present and
// empty. The slice is kept.
func (c *Context) SetList(key string, values ...string) {
	*c.put("", key) = value{kind: listValue, list: values}
}

// SetBool gives a single-valued key "true" or "false".
func (c *Context) SetBool(key string, v bool) { *c.put("", key) = value{kind: boolValue, flag: v} }

// SetTime gives a single-valued key a point in time; as text it is ISO 8601 in
// UTC, to the second.
func (c *Context) SetTime(key string, v time.Time) {
	*c.put("", key) = value{kind: timeValue, time: v}
}

// SetNumber gives a single-valued key a number.
func (c *Context) SetNumber(key string, v float64) {
	*c.put("", key) = value{kind: numberValue, number: v}
}

// SetAddr gives a single-valued key an IP address. An IPv4 address that is
// mapped into IPv6 counts as IPv4.
func (c *Context) SetAddr(key string, v netip.Addr) {
	*c.put("", key) = value{kind: addressValue, address: v.Unmap().WithZone("")}
}

// Has tells whether the key has a value, if only an empty list.
func (c *Context) Has(key string) bool {
	hash := hashFold(hashStart, key)
	return c.lookup(&keyRef{id: wellKnownID(hash, key), hash: hash, name: key}) != nil
}

// Values are the key's values as text: nil if it has none, one if it is single-valued.
func (c *Context) Values(key string) []string {
	hash := hashFold(hashStart, key)
	v := c.lookup(&keyRef{id: wellKnownID(hash, key), hash: hash, name: key})
	switch {
	case v == nil:
		return nil
	case v.kind == listValue:
		return append([]string{}, v.list...)
	}
	return []string{string(v.appendText(nil))}
}

// All yields every key that has a value, with its values as Values has them.
func (c *Context) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for _, name := range wellKnown {
			if values := c.Values(name); values != nil && !yield(name, values) {
				return
			}
		}
		for i := range c.others {
			name := c.others[i].prefix + c.others[i].name
			if !yield(name, c.Values(name)) {
				return
			}
		}
	}
}

// put finds the place of a key's value and marks the key present.
func (c *Context) put(prefix, name string) *value {
	hash := hashFold(hashFold(hashStart, prefix), name)
	if prefix == "" {
		if id := wellKnownID(hash, name); id != 0 {
			c.present[id/64] |= 1 << (id % 64)
			return &c.known[id]
		}
	}
	for i := range c.others {
		if o := &c.others[i]; o.hash == hash && o.named(prefix, name) {
			return &o.value
		}
	}
	c.others = append(c.others, namedValue{prefix: prefix, name: name, hash: hash})
	return &c.others[len(c.others)-1].value
}

// named tells whether v's name is prefix and name joined, wherever either is cut.
func (v *namedValue) named(prefix, name string) bool {
	if len(v.prefix) == len(prefix) {
		return equalFold(v.prefix, prefix) && equalFold(v.name, name)
	}
	if len(v.prefix)+len(v.name) != len(prefix)+len(name) {
		return false
	}
	for i := range len(prefix) + len(name) {
		if lower(joinedByte(v.prefix, v.name, i)) != lower(joinedByte(prefix, name, i)) {
			return false
		}
	}
	return true
}

func joinedByte(a, b string, i int) byte {
	if i < len(a) {
		return a[i]
	}
	return b[i-len(a)]
}

// lookup is the key's value, nil if it has none.
func (c *Context) lookup(k *keyRef) *value {
	if c == nil {
		return nil
	}
	if k.id != 0 {
		if c.present[k.id/64]&(1<<(k.id%64)) == 0 {
			return nil
		}
		return &c.known[k.id]
	}
	for i := range c.others {
		if o := &c.others[i]; o.hash == k.hash && o.named("", k.name) {
			return &o.value
		}
	}
	return nil
}
