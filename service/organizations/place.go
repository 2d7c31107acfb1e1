package organizations

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Place is where an account stands, as stored under the account's id: in an
// organisation, or in none, which is stored too so that asking costs no more
// than to look at what is cached.
type Place struct {
	Organization string   `cbor:",omitempty"` // "" = none
	Management   string   `cbor:",omitempty"`
	Levels       []string `cbor:",omitempty"` // from the root to the account itself
	Closed       bool     `cbor:",omitempty"`

	once       sync.Once
	membership gateway.Membership
}

// places holds the installation's accounts.
var places = store.NewTable[Place]("organizations/place")

// nowhere is the place of an account that none is stored of.
var nowhere = new(Place)

// Admit notes that there is an account, which is in no organisation. Whoever
// makes accounts calls it.
func Admit(tx store.Tx, account string) error { return places.Put(tx, "", new(Place), account) }

// placeOf is an account's place.
func placeOf(tx store.Tx, account string) (*Place, error) {
	p, err := places.Get(tx, "", account)
	if errors.Is(err, store.ErrNotFound) {
		return nowhere, nil
	}
	return p, err
}

// path is the levels without the account, as AWS's keys and answers have it:
// "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/".
func (p *Place) path() string {
	return p.Organization + "/" + strings.Join(p.Levels[:len(p.Levels)-1], "/") + "/"
}

// member is the place as the gateway knows it.
func (p *Place) member(account string) *gateway.Membership {
	p.once.Do(func() {
		p.membership = gateway.Membership{
			Account: account, Organization: p.Organization, Management: p.Management, Levels: p.Levels,
			Paths: []string{p.path()}, Closed: p.Closed,
		}
	})
	return &p.membership
}

// settle writes a member's place.
func (o *Organization) settle(tx store.Tx, m *Member) error {
	above, err := o.ancestry(tx, m.Parent)
	if err != nil {
		return err
	}
	place := &Place{Organization: o.ID, Management: o.Management, Levels: append(above, m.Account), Closed: m.Closed}
	return places.Put(tx, "", place, m.Account)
}

// ancestry is the way from the root to a parent, that included.
func (o *Organization) ancestry(tx store.Tx, parent string) ([]string, error) {
	way := []string{parent}
	for way[len(way)-1] != o.Root {
		if len(way) > maxLevels {
			return nil, errors.New("organizations: a unit lies deeper than can be")
		}
		u, err := units.Get(tx, o.Management, way[len(way)-1])
		if err != nil {
			return nil, err
		}
		way = append(way, u.Parent)
	}
	slices.Reverse(way)
	return way, nil
}
