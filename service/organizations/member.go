package organizations

import (
	"context"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Member is an account of an organisation, as stored under its id in the
// management account's scope.
type Member struct {
	Account   string
	Parent    string // root or unit
	Joined    time.Time
	Invited   bool        `cbor:",omitempty"` // else created here
	Closed    bool        `cbor:",omitempty"`
	Tags      []Tag       `cbor:",omitempty"`
	Delegated []Delegated `cbor:",omitempty"` // services it administers, by service principal
}

// Delegated is a service that an account administers for the organisation.
type Delegated struct {
	Service string
	Since   time.Time
}

// Accounts are listed in the order in which they joined.
var (
	membersByTime = &store.Index[Member]{Name: "time", Of: func(m *Member, add func(parts ...string)) { add(order(m.Joined)) }}
	// membersByParent places accounts under the roots and units that they lie in.
	membersByParent = &store.Index[Member]{Name: "parent", Of: func(m *Member, add func(parts ...string)) { add(m.Parent, order(m.Joined)) }}
)

// membersByService places delegated administrators under their services, and under "" whatever the service.
var membersByService = &store.Index[Member]{Name: "service", Of: func(m *Member, add func(parts ...string)) {
	for _, d := range m.Delegated {
		add(d.Service)
	}
	if len(m.Delegated) > 0 {
		add("")
	}
}}

var members = store.NewTable("organizations/member", membersByTime, membersByParent, membersByService)

// memberARN names an account of the organisation.
func (o *Organization) memberARN(account string) string { return o.arn("account", account) }

// findMember finds an account of the organisation.
func (t *subject) findMember(call *gateway.Call, account string) error {
	m, err := members.Get(call.Tx, t.org.Management, account)
	t.name = t.org.memberARN(account)
	if err == nil {
		t.member, t.tags = m, m.Tags
	}
	return absent(err, errAccountNotFound)
}

// memberNamed finds the account that the input names.
func memberNamed[In any](s *Service, who access, account func(*In) string) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t, err := s.subject(call, who)
		if err != nil {
			return t, err
		}
		return t, t.findMember(call, account(in))
	}
}

// admit lets an account into the organisation.
func (o *Organization) admit(call *gateway.Call, m *Member) error {
	if err := o.settle(call.Tx, m); err != nil {
		return err
	}
	if err := members.Insert(call.Tx, o.Management, m, m.Account); err != nil {
		return err
	}
	if err := levels.Insert(call.Tx, o.Management, &Level{ID: m.Account}, m.Account); err != nil {
		return err
	}
	return o.change(call, func(o *Organization) error {
		o.Members++
		return nil
	})
}

// dismiss lets an account go, with all that is attached to it.
func (o *Organization) dismiss(call *gateway.Call, account string) error {
	if err := places.Put(call.Tx, "", new(Place), account); err != nil {
		return err
	}
	if err := levels.Delete(call.Tx, o.Management, account); err != nil {
		return err
	}
	if err := members.Delete(call.Tx, o.Management, account); err != nil {
		return err
	}
	return o.change(call, func(o *Organization) error {
		o.Members--
		return nil
	})
}

// account is a member as answers show it.
func (s *Service) account(tx store.Tx, o *Organization, m *Member) (api.Account, error) {
	name, email, err := s.ownerOf(tx, m.Account)
	if err != nil {
		return api.Account{}, err
	}
	place, err := placeOf(tx, m.Account)
	if err != nil {
		return api.Account{}, err
	}
	status, state := m.status()
	return api.Account{
		Id: new(m.Account), Arn: new(o.memberARN(m.Account)), Email: &email, Name: &name, Status: &status, State: &state,
		Paths: []string{place.path() + m.Account + "/"}, JoinedMethod: new(m.method()), JoinedTimestamp: new(m.Joined),
	}, nil
}

func (m *Member) status() (api.AccountStatus, api.AccountState) {
	if m.Closed {
		return api.AccountStatusSuspended, api.AccountStateSuspended
	}
	return api.AccountStatusActive, api.AccountStateActive
}

func (m *Member) method() api.AccountJoinedMethod {
	if m.Invited {
		return api.AccountJoinedMethodInvited
	}
	return api.AccountJoinedMethodCreated
}

// accounts are members as answers show them.
func (s *Service) accounts(tx store.Tx, o *Organization, found []*Member) ([]api.Account, error) {
	out := make([]api.Account, 0, len(found))
	for _, m := range found {
		a, err := s.account(tx, o, m)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func (s *Service) describeAccount(_ context.Context, call *gateway.Call, on *subject, _ *api.DescribeAccountInput) (*api.DescribeAccountOutput, error) {
	a, err := s.account(call.Tx, on.org, on.member)
	return &api.DescribeAccountOutput{Account: &a}, err
}

func (s *Service) listAccounts(_ context.Context, call *gateway.Call, on *subject, in *api.ListAccountsInput) (*api.ListAccountsOutput, error) {
	p, err := s.page(call, in.NextToken, in.MaxResults, on.org.ID)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, members.ListBy(call.Tx, membersByTime, on.org.Management, p.After), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListAccountsOutput{NextToken: p.Next}
	out.Accounts, err = s.accounts(call.Tx, on.org, found)
	return out, err
}

func (s *Service) listAccountsForParent(_ context.Context, call *gateway.Call, on *subject, in *api.ListAccountsForParentInput) (*api.ListAccountsForParentOutput, error) {
	p, err := s.page(call, in.NextToken, in.MaxResults, on.parent)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, members.ListBy(call.Tx, membersByParent, on.org.Management, p.After, on.parent), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListAccountsForParentOutput{NextToken: p.Next}
	out.Accounts, err = s.accounts(call.Tx, on.org, found)
	return out, err
}

// accountToMove finds an account and both parents: the caller needs the right on all three.
func (s *Service) accountToMove(call *gateway.Call, in *api.MoveAccountInput) (*subject, error) {
	t, err := s.subject(call, management)
	if err != nil {
		return t, err
	}
	missing := t.findMember(call, in.AccountId)
	for _, parent := range []struct {
		id     string
		absent error
	}{
		{in.SourceParentId, &api.SourceParentNotFoundException{Message: "You specified a source parent that doesn't exist."}},
		{in.DestinationParentId, &api.DestinationParentNotFoundException{Message: "You specified a destination parent that doesn't exist."}},
	} {
		arn, tags, err := t.org.parentOf(call.Tx, parent.id)
		if err = absent(err, parent.absent); err != nil && missing == nil {
			missing = err
		}
		t.also("organizations:MoveAccount", arn, tags)
	}
	return t, missing
}

func (s *Service) moveAccount(_ context.Context, call *gateway.Call, on *subject, in *api.MoveAccountInput) (*api.MoveAccountOutput, error) {
	switch {
	case in.SourceParentId != on.member.Parent:
		return nil, &api.SourceParentNotFoundException{Message: "You specified a source parent that doesn't exist."}
	case in.SourceParentId == in.DestinationParentId:
		return nil, &api.DuplicateAccountException{Message: "The account is already present in the specified destination."}
	}
	m := *on.member
	m.Parent = in.DestinationParentId
	if err := members.Put(call.Tx, on.org.Management, &m, m.Account); err != nil {
		return nil, err
	}
	return nil, on.org.settle(call.Tx, &m)
}
