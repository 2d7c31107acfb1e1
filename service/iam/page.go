package iam

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"time"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Bounds of MaxItems are the model's: 1 to 1,000.
const defaultMaxItems = 100

// page is one page of a listing on its way.
type page struct {
	tokens store.Tokens
	of     store.Listing
	after  []byte // where to go on
	limit  int
	next   string // the marker of the page after; "" = this was the last
}

// page opens a listing where the marker says. Filter is all that chooses what is listed.
func (s *Service) page(call *gateway.Call, marker *string, maxItems *int32, filter string) (*page, error) {
	p := &page{
		tokens: s.Tokens,
		of:     store.Listing{Name: "iam:" + call.Operation.Name, Account: call.Account, Filter: filter},
		limit:  defaultMaxItems,
	}
	if maxItems != nil {
		p.limit = int(*maxItems)
	}
	if p.limit < 1 || p.limit > 1000 {
		return nil, validation("MaxItems must be between 1 and 1000")
	}
	if marker == nil {
		return p, nil
	}
	var err error
	if p.after, err = p.tokens.Open(p.of, *marker); err != nil || p.after == nil {
		return nil, validation("Invalid Marker.")
	}
	return p, nil
}

// end says where the next page begins; nil: nowhere.
func (p *page) end(more []byte) (err error) {
	p.next, err = p.tokens.Seal(p.of, more)
	return err
}

// truncated is the answer's IsTruncated.
func (p *page) truncated() *bool { return new(p.next != "") }

// marker is the answer's Marker.
func (p *page) marker() *string {
	if p.next == "" {
		return nil
	}
	return &p.next
}

// collect takes the page out of a table's listing.
func collect[V any](p *page, entries iter.Seq2[store.Entry[V], error], keep func(*V) bool) ([]*V, error) {
	found, more, err := store.Page(entries, p.limit, keep)
	if err != nil {
		return nil, err
	}
	return found, p.end(more)
}

// slice takes the page out of a list that a record holds, whose items have
// unique names. A marker may be 320 characters long, and names longer: it holds
// the last item's place and a hash of its name, so that the page after begins
// behind that item wherever it stands by then, or where it stood if it is gone.
func slice[T any](p *page, all []T, name func(T) string) ([]T, error) {
	from := 0
	if len(p.after) > markHash {
		n, _ := binary.Uvarint(p.after[markHash:])
		from = min(int(n), len(all))
		for i := range all {
			if bytes.Equal(mark(name(all[i])), p.after[:markHash]) {
				from = i + 1
			}
		}
	}
	rest := all[from:]
	if len(rest) <= p.limit {
		return rest, nil
	}
	rest = rest[:p.limit]
	return rest, p.end(binary.AppendUvarint(mark(name(rest[p.limit-1])), uint64(from+p.limit)))
}

const markHash = 16

func mark(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:markHash:markHash]
}

// pathPrefix is a PathPrefix parameter; all paths begin with "/".
func pathPrefix(prefix *string) string {
	if prefix == nil {
		return "/"
	}
	return *prefix
}

// second is t as IAM's dates have it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
