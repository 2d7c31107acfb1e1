package kms

import (
	"iter"
	"strconv"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// page is one page of a listing on its way.
type page struct {
	tokens store.Tokens
	of     store.Listing
	after  []byte // where to go on
	limit  int
	next   string // the marker of the page after; "" = this was the last
}

// defaultLimit is the length of most pages where none is asked for.
const defaultLimit = 100

// page opens a listing where the marker says. Filter is all that chooses what
// is listed; without a limit a page has usual items, and longest at most.
func (s *Service) page(call *gateway.Call, marker *string, limit *int32, usual, longest int, filter string) (*page, error) {
	p := &page{
		tokens: store.Tokens{Sealer: s.Sealer}, limit: usual,
		of: store.Listing{Name: "kms:" + call.Operation.Name + " " + call.Region, Account: call.Account, Filter: filter},
	}
	if limit != nil {
		if p.limit = int(*limit); p.limit > longest {
			return nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", *limit, longest)
		}
	}
	if marker == nil {
		return p, nil
	}
	var err error
	if p.after, err = p.tokens.Open(p.of, *marker); err != nil || p.after == nil {
		return nil, &kms.InvalidMarkerException{Message: "Could not deserialize marker"}
	}
	return p, nil
}

// end says where the next page begins; nil: nowhere.
func (p *page) end(more []byte) (err error) {
	p.next, err = p.tokens.Seal(p.of, more)
	return err
}

// truncated is the answer's Truncated.
func (p *page) truncated() *bool { return new(p.next != "") }

// marker is the answer's NextMarker.
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

// slice takes the page out of a list that only grows at its end, or whose change may show on the next page.
func slice[T any](p *page, all []T) ([]T, error) {
	from := 0
	if p.after != nil {
		n, err := strconv.Atoi(string(p.after))
		if err != nil {
			return nil, err
		}
		from = min(n, len(all))
	}
	rest := all[from:]
	if len(rest) <= p.limit {
		return rest, nil
	}
	return rest[:p.limit], p.end([]byte(strconv.Itoa(from + p.limit)))
}
