package organizations

import (
	"errors"
	"fmt"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// maxPage is the model's bound of MaxResults, and a page's size where a call leaves it out.
const maxPage = 20

// page opens a listing where the token says. Filter is all that chooses what is listed.
func (s *Service) page(call *gateway.Call, token *string, size *int32, filter string) (*store.Pager, error) {
	limit, from := maxPage, ""
	if size != nil {
		limit = int(min(max(*size, 1), maxPage))
	}
	if token != nil {
		from = *token
	}
	p, err := s.Tokens.Pager(store.Listing{Name: "organizations:" + call.Operation.Name, Account: call.Account, Filter: filter}, from, limit)
	if errors.Is(err, store.ErrToken) {
		return nil, invalid(api.InvalidInputExceptionReasonInvalidNextToken, "You specified an invalid NextToken.")
	}
	return p, err
}

// order is a time as listings in the order of creation have it in their keys.
func order(t time.Time) string { return fmt.Sprintf("%020d", t.UnixNano()) }

// slice takes the page out of a list whose items are in the order of their
// names, which are unique. The token holds the last name.
func slice[T any](p *store.Pager, all []T, name func(*T) string) ([]T, error) {
	var found []T
	for i := range all {
		if p.After != nil && name(&all[i]) <= string(p.After) {
			continue
		}
		if len(found) == p.Limit {
			return found, p.End([]byte(name(&found[len(found)-1])))
		}
		found = append(found, all[i])
	}
	return found, nil
}
