package policy

import (
	"net/netip"
	"time"
)

// Context holds a request's condition keys. It is made to be used again:
// Reset empties it and keeps its memory. Key names ignore case, tag keys
// inside them too. It must not be changed while Decide reads it.
type Context struct{}

// Reset empties c.
func (c *Context) Reset() {}

// Set gives a single-valued key its value.
func (c *Context) Set(key, value string) {}

// SetList gives a multivalued key its values; with none the key is present and empty.
func (c *Context) SetList(key string, values ...string) {}

// SetBool gives a single-valued key "true" or "false".
func (c *Context) SetBool(key string, value bool) {}

// SetTime gives a single-valued key a point in time.
func (c *Context) SetTime(key string, value time.Time) {}

// SetNumber gives a single-valued key a number.
func (c *Context) SetNumber(key string, value float64) {}

// SetAddr gives a single-valued key an IP address.
func (c *Context) SetAddr(key string, value netip.Addr) {}
