package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
)

// ErrToken means a pagination token that was not given out for this listing.
var ErrToken = errors.New("store: not a token of this listing")

// Page takes the next limit (at least 1) entries that keep admits (nil: all) from a List or
// ListBy. more is where the next page begins: pass it as after, or seal it into
// a token; nil means that nothing follows. A page may hold fewer than limit and
// still have more: at most ten entries are looked at for one of limit, and a
// thousand at least.
func Page[V any](entries iter.Seq2[Entry[V], error], limit int, keep func(*V) bool) (page []*V, more []byte, err error) {
	var seen []byte
	looked := 0
	for entry, err := range entries {
		if err != nil {
			return nil, nil, err
		}
		if looked == max(10*limit, 1000) {
			return page, seen, nil
		}
		if keep == nil || keep(entry.Value) {
			if len(page) >= limit {
				return page, seen, nil
			}
			page = append(page, entry.Value)
		}
		seen = entry.At
		looked++
	}
	return page, nil, nil
}

// Listing is what a token is bound to: it opens for no other.
type Listing struct {
	Name    string // of the operation, such as "iam:ListUsers"
	Account string
	Filter  string // all parameters that choose what is listed, in one unambiguous form
}

// Tokens seals places in listings into tokens that callers carry from page to
// page and can neither read nor make.
type Tokens struct{ Sealer Sealer }

// tokenFormat is the first byte of a token.
const tokenFormat = 1

// Seal makes the token for the place at (an Entry's At), of URL-safe base64:
// 4/3 of what at and the Sealer add up to. It answers "" for nil, the end.
func (t Tokens) Seal(of Listing, at []byte) (string, error) {
	if at == nil {
		return "", nil
	}
	token, err := t.Sealer.Seal([]byte{tokenFormat}, of.Account, of.key(), at)
	if err != nil {
		return "", fmt.Errorf("seal token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(token), nil
}

// Open is the place that Seal was given for the same listing; nil for "", the
// beginning. It answers ErrToken for anything else.
func (t Tokens) Open(of Listing, token string) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	if len(token) > base64.RawURLEncoding.EncodedLen(MaxKey+256) {
		return nil, ErrToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) == 0 || b[0] != tokenFormat {
		return nil, ErrToken
	}
	at, err := t.Sealer.Open([]byte{}, of.Account, of.key(), b[1:])
	if errors.Is(err, ErrSealed) {
		return nil, ErrToken
	}
	return at, err
}

// key takes a record's key's place in what the token is sealed under. No table
// is called "page", so no stored value is a token.
func (l Listing) key() []byte { return Key("page", l.Account, l.Name, l.Filter) }
