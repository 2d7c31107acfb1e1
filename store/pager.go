package store

import "iter"

// Pager is one page of a listing on its way: where it begins, and where the
// next one does.
type Pager struct {
	After []byte  // where the page begins; nil: at the listing's beginning
	Limit int     // how many entries it holds at most
	Next  *string // the token of the page after; nil: this is the last

	tokens Tokens
	of     Listing
}

// Pager opens a listing where token says ("": at its beginning), for a page of
// at most limit entries. It answers ErrToken for a token of another listing.
func (t Tokens) Pager(of Listing, token string, limit int) (*Pager, error) {
	after, err := t.Open(of, token)
	if err != nil {
		return nil, err
	}
	return &Pager{After: after, Limit: limit, tokens: t, of: of}, nil
}

// End says where the next page begins (an Entry's At, or what After is to be then); nil: nowhere.
func (p *Pager) End(more []byte) error {
	token, err := p.tokens.Seal(p.of, more)
	if token != "" {
		p.Next = &token
	}
	return err
}

// More tells whether there is a next page, as answers have it.
func (p *Pager) More() *bool { return new(p.Next != nil) }

// Collect takes the page out of a table's listing, and ends it.
func Collect[V any](p *Pager, entries iter.Seq2[Entry[V], error], keep func(*V) bool) ([]*V, error) {
	found, more, err := Page(entries, p.Limit, keep)
	if err != nil {
		return nil, err
	}
	return found, p.End(more)
}
