package organizations

import (
	"errors"
	"fmt"
	"iter"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// maxPage is the model's bound of MaxResults, and a page's size where a call leaves it out.
const maxPage = 20

// page is one page of a listing on its way.
type page struct {
	tokens store.Tokens
	of     store.Listing
	after  []byte
	limit  int
	next   *string // nil: this was the last
}

// page opens a listing where the token says. Filter is all that chooses what is listed.
func (s *Service) page(call *gateway.Call, token *string, size *int32, filter string) (*page, error) {
	p := &page{tokens: s.Tokens, limit: maxPage,
		of: store.Listing{Name: "organizations:" + call.Operation.Name, Account: call.Account, Filter: filter}}
	if size != nil {
		p.limit = int(min(max(*size, 1), maxPage))
	}
	if token == nil || *token == "" {
		return p, nil
	}
	var err error
	if p.after, err = s.Tokens.Open(p.of, *token); errors.Is(err, store.ErrToken) {
		return nil, invalid(api.InvalidInputExceptionReasonInvalidNextToken, "You specified an invalid NextToken.")
	}
	return p, err
}

// end says where the next page begins; nil: nowhere.
func (p *page) end(more []byte) error {
	token, err := p.tokens.Seal(p.of, more)
	if token != "" {
		p.next = &token
	}
	return err
}

// order is a time as listings in the order of creation have it in their keys.
func order(t time.Time) string { return fmt.Sprintf("%020d", t.UnixNano()) }

// collect takes the page out of a table's listing.
func collect[V any](p *page, entries iter.Seq2[store.Entry[V], error], keep func(*V) bool) ([]*V, error) {
	found, more, err := store.Page(entries, p.limit, keep)
	if err != nil {
		return nil, err
	}
	return found, p.end(more)
}

// slice takes the page out of a list whose items are in the order of their
// names, which are unique. The token holds the last name.
func slice[T any](p *page, all []T, name func(*T) string) ([]T, error) {
	var found []T
	for i := range all {
		if p.after != nil && name(&all[i]) <= string(p.after) {
			continue
		}
		if len(found) == p.limit {
			return found, p.end([]byte(name(&found[len(found)-1])))
		}
		found = append(found, all[i])
	}
	return found, nil
}
