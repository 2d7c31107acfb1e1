package kms

import (
	"strconv"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// defaultLimit is the length of most pages where none is asked for.
const defaultLimit = 100

// page opens a listing where the marker says. Filter is all that chooses what
// is listed; without a limit a page has usual items, and longest at most.
func (s *Service) page(call *gateway.Call, marker *string, limit *int32, usual, longest int, filter string) (*store.Pager, error) {
	if limit != nil {
		if usual = int(*limit); usual > longest {
			return nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", *limit, longest)
		}
	}
	token := ""
	if marker != nil {
		token = *marker
	}
	of := store.Listing{Name: "kms:" + call.Operation.Name + " " + call.Region, Account: call.Account, Filter: filter}
	p, err := store.Tokens{Sealer: s.Sealer}.Pager(of, token, usual)
	if err != nil || marker != nil && token == "" {
		return nil, &kms.InvalidMarkerException{Message: "Could not deserialize marker"}
	}
	return p, nil
}

// slice takes the page out of a list that only grows at its end, or whose change may show on the next page.
func slice[T any](p *store.Pager, all []T) ([]T, error) {
	from := 0
	if p.After != nil {
		n, err := strconv.Atoi(string(p.After))
		if err != nil {
			return nil, err
		}
		from = min(n, len(all))
	}
	rest := all[from:]
	if len(rest) <= p.Limit {
		return rest, nil
	}
	return rest[:p.Limit], p.End([]byte(strconv.Itoa(from + p.Limit)))
}
