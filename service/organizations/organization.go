package organizations

import (
	"context"
	"errors"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Organization is an organisation, as stored in its management account's scope.
type Organization struct {
	ID, Root    string // "o-…", "r-…"
	Management  string // the account
	Partition   string
	AllFeatures bool // else billing alone: no policies, no delegation
	Created     time.Time

	Members  int            // the management account and closed accounts among them
	Units    int            // organizational units
	Policies map[string]int `cbor:",omitempty"` // customers', by type
	RootTags []Tag          `cbor:",omitempty"`
	Services []Trusted      `cbor:",omitempty"` // trusted access, by service principal
	Resource *Delegation    `cbor:",omitempty"` // the delegation policy
	Closures []time.Time    `cbor:",omitempty"` // of accounts, in the last 30 days, oldest first
	Enabling string         `cbor:",omitempty"` // the handshake under which all features are being enabled
}

// Trusted is a service that acts in the organisation's accounts.
type Trusted struct {
	Service string // "config.amazonaws.com"
	Since   time.Time
}

// organizations holds each organisation as the one record of its scope.
var organizations = store.NewTable[Organization]("organizations/organization")

// arn names something of the organisation's: "account", "o-…/123456789012" apart from the organisation's id.
func (o *Organization) arn(kind, rest string) string {
	arn := "arn:" + o.Partition + ":organizations::" + o.Management + ":" + kind + "/" + o.ID
	if rest != "" {
		arn += "/" + rest
	}
	return arn
}

// change edits the organisation.
func (o *Organization) change(call *gateway.Call, edit func(*Organization) error) error {
	return organizations.Update(call.Tx, o.Management, edit)
}

// delegation is the compiled delegation policy; nil if there is none.
func (o *Organization) delegation() *policy.Policy {
	if o.Resource == nil {
		return nil
	}
	return o.Resource.compiled(policy.Resource, o.arn("resourcepolicy", o.Resource.ID))
}

// readable is the delegation policy as it stands for a delegated
// administrator's account, which it lets read whatever it does not deny.
func (o *Organization) readable(account string) (*policy.Policy, error) {
	doc := &policy.Document{Kind: policy.Resource, Version: "2012-10-17"}
	arn := o.rootARN()
	if o.Resource != nil {
		var err error
		if doc, err = policy.Read([]byte(o.Resource.Text), policy.Resource); err != nil {
			return nil, err
		}
		arn = o.arn("resourcepolicy", o.Resource.ID)
	}
	doc.Statements = append(doc.Statements, policy.Statement{
		Principal: &policy.Principals{AWS: []string{account}}, Actions: []string{"organizations:*"}, Resources: []string{"*"},
	})
	return policy.Compile(doc, arn), nil
}

func (s *Service) organizationToCreate(call *gateway.Call, _ *api.CreateOrganizationInput) (*subject, error) {
	t := &subject{name: "*", owner: call.Account}
	place, err := placeOf(call.Tx, call.Account)
	if err == nil && place.Organization != "" {
		err = &api.AlreadyInOrganizationException{Message: "The provided account is already a member of an organization."}
	}
	return t, err
}

// createOrganization makes the caller's account the management account of a new organisation.
func (s *Service) createOrganization(_ context.Context, call *gateway.Call, _ *subject, in *api.CreateOrganizationInput) (*api.CreateOrganizationOutput, error) {
	o := &Organization{
		ID: newID("o-", organizationIDLength), Root: newID("r-", rootIDLength), Management: call.Account, Partition: call.Partition,
		AllFeatures: in.FeatureSet == nil || *in.FeatureSet == api.OrganizationFeatureSetAll, Created: call.Time,
	}
	root := &Level{ID: o.Root}
	if o.AllFeatures {
		root.enable(string(api.PolicyTypeServiceControlPolicy))
	}
	if err := levels.Insert(call.Tx, o.Management, root, root.ID); err != nil {
		return nil, err
	}
	if err := organizations.Insert(call.Tx, o.Management, o); err != nil {
		return nil, err
	}
	if err := o.admit(call, &Member{Account: call.Account, Parent: o.Root, Joined: call.Time, Invited: true}); err != nil {
		return nil, err
	}
	shown, err := s.shown(call, o)
	return &api.CreateOrganizationOutput{Organization: shown}, err
}

func (s *Service) describeOrganization(_ context.Context, call *gateway.Call, on *subject, _ *api.DescribeOrganizationInput) (*api.DescribeOrganizationOutput, error) {
	shown, err := s.shown(call, on.org)
	return &api.DescribeOrganizationOutput{Organization: shown}, err
}

// shown is the organisation as answers show it. AvailablePolicyTypes is what
// AWS answers today whatever is enabled: it sends clients to ListRoots.
func (s *Service) shown(call *gateway.Call, o *Organization) (*api.Organization, error) {
	_, email, err := s.ownerOf(call.Tx, o.Management)
	if err != nil {
		return nil, err
	}
	features := api.OrganizationFeatureSetConsolidatedBilling
	available := []api.PolicyTypeSummary{}
	if o.AllFeatures {
		features = api.OrganizationFeatureSetAll
		available = append(available, api.PolicyTypeSummary{
			Type: new(api.PolicyTypeServiceControlPolicy), Status: new(api.PolicyTypeStatusEnabled),
		})
	}
	return &api.Organization{
		Id: new(o.ID), Arn: new(o.arn("organization", "")), FeatureSet: &features,
		MasterAccountArn: new(o.arn("account", o.Management)), MasterAccountId: new(o.Management), MasterAccountEmail: &email,
		AvailablePolicyTypes: available,
	}, nil
}

// ownerOf is an account's name and address. The installation's own accounts
// may have neither; then they are called after their ids, at a domain that
// nobody can have (RFC 2606).
func (s *Service) ownerOf(tx store.Tx, account string) (name, email string, err error) {
	name, email, err = s.Accounts.AccountNamed(tx, account)
	if name == "" {
		name = account
	}
	if email == "" {
		email = account + "@accounts.invalid"
	}
	return name, email, err
}

// deleteOrganization dissolves an organisation that has no members left, with
// its units and policies.
func (s *Service) deleteOrganization(_ context.Context, call *gateway.Call, on *subject, _ *api.DeleteOrganizationInput) (*api.DeleteOrganizationOutput, error) {
	o := on.org
	if o.Members > 1 {
		return nil, &api.OrganizationNotEmptyException{
			Message: "To delete an organization you must first remove all member accounts (except the master)."}
	}
	if err := s.cancelInvitations(call, o); err != nil {
		return nil, err
	}
	if err := o.dismiss(call, o.Management); err != nil {
		return nil, err
	}
	if err := errors.Join(
		units.DeleteAll(call.Tx, o.Management), levels.DeleteAll(call.Tx, o.Management), policies.DeleteAll(call.Tx, o.Management),
		contents.DeleteAll(call.Tx, o.Management), requests.DeleteAll(call.Tx, o.Management),
	); err != nil {
		return nil, err
	}
	return nil, organizations.Delete(call.Tx, o.Management)
}
