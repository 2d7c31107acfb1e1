package iam

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Bounds of MaxItems are the model's: 1 to 1,000.
const defaultMaxItems = 100

// page opens a listing where the marker says. Filter is all that chooses what is listed.
func (s *Service) page(call *gateway.Call, marker *string, maxItems *int32, filter string) (*store.Pager, error) {
	limit, token := defaultMaxItems, ""
	if maxItems != nil {
		limit = int(*maxItems)
	}
	if limit < 1 || limit > 1000 {
		return nil, validation("MaxItems must be between 1 and 1000")
	}
	if marker != nil {
		token = *marker
	}
	p, err := s.Tokens.Pager(store.Listing{Name: "iam:" + call.Operation.Name, Account: call.Account, Filter: filter}, token, limit)
	if err != nil || marker != nil && token == "" {
		return nil, validation("Invalid Marker.")
	}
	return p, nil
}

// slice takes the page out of a list that a record holds, whose items have
// unique names. A marker may be 320 characters long, and names longer: it holds
// the last item's place and a hash of its name, so that the page after begins
// behind that item wherever it stands by then, or where it stood if it is gone.
func slice[T any](p *store.Pager, all []T, name func(T) string) ([]T, error) {
	from := 0
	if len(p.After) > markHash {
		n, _ := binary.Uvarint(p.After[markHash:])
		from = min(int(n), len(all))
		for i := range all {
			if bytes.Equal(mark(name(all[i])), p.After[:markHash]) {
				from = i + 1
			}
		}
	}
	rest := all[from:]
	if len(rest) <= p.Limit {
		return rest, nil
	}
	rest = rest[:p.Limit]
	return rest, p.End(binary.AppendUvarint(mark(name(rest[p.Limit-1])), uint64(from+p.Limit)))
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
