package organizations

import (
	"context"
	"errors"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// accountToInvite finds the account that a party names. An address that no
// account of the installation has can't be invited: no mail is sent.
func (s *Service) accountToInvite(call *gateway.Call, in *api.InviteAccountToOrganizationInput) (*subject, error) {
	t, err := s.subject(call, management)
	if err != nil {
		return t, err
	}
	tags, err := requestTags(call, in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		t.also("organizations:TagResource", t.org.memberARN("*"), nil)
	}
	switch in.Target.Type {
	case api.HandshakePartyTypeAccount:
		if !aws.IsAccount(in.Target.Id) {
			return nil, invalidPattern()
		}
		t.target, t.name = in.Target.Id, t.org.memberARN(in.Target.Id)
		_, _, err = s.Accounts.AccountNamed(call.Tx, t.target)
		err = absent(err, invalid(api.InvalidInputExceptionReasonInvalidPartyTypeTarget, "You specified an account that doesn't exist."))
	case api.HandshakePartyTypeEmail:
		t.target, err = s.Accounts.AccountOfEmail(call.Tx, in.Target.Id)
		err = absent(err, invalid(api.InvalidInputExceptionReasonInvalidEmailAddressTarget, "You specified an invalid email address for the invited account owner."))
	default:
		return nil, invalid(api.InvalidInputExceptionReasonInvalidPartyTypeTarget, "You specified the wrong type of entity (account, organization, or email) as a party.")
	}
	return t, err
}

func (s *Service) inviteAccountToOrganization(_ context.Context, call *gateway.Call, on *subject, in *api.InviteAccountToOrganizationInput) (*api.InviteAccountToOrganizationOutput, error) {
	o := on.org
	place, err := placeOf(call.Tx, on.target)
	if err != nil {
		return nil, err
	}
	enabling, err := o.enabling(call)
	switch {
	case err != nil:
		return nil, err
	case place.Organization != "":
		return nil, alreadyMember()
	case enabling:
		return nil, handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonInviteDisabledDuringEnableAllFeatures,
			"You can't issue new invitations to join an organization while it's in the process of enabling all features.")
	}
	if err := s.mayInvite(call, o, on.target); err != nil {
		return nil, err
	}
	h := &Handshake{
		ID: newID("h-", handshakeIDLength), Organization: o.ID, Action: string(api.ActionTypeInvite), Account: on.target,
		State: string(api.HandshakeStateOpen), Requested: call.Time, Expires: call.Time.Add(invitationLife), Tags: tagsOf(in.Tags),
	}
	if in.Target.Type == api.HandshakePartyTypeEmail {
		h.Email = in.Target.Id
	}
	if in.Notes != nil {
		h.Notes = *in.Notes
	}
	if err := handshakes.Insert(call.Tx, o.Management, h, h.ID); err != nil {
		return nil, err
	}
	shown, err := s.shownHandshake(call, o, h)
	return &api.InviteAccountToOrganizationOutput{Handshake: shown}, err
}

// mayInvite looks through what was sent: an account is invited once at a time,
// and a day's invitations, and the members to be, are bounded. What is no
// longer shown is removed on the way.
func (s *Service) mayInvite(call *gateway.Call, o *Organization, account string) error {
	q := s.quotas(o.Management)
	today, open := 0, 0
	var gone []string
	for entry, err := range handshakes.List(call.Tx, o.Management, nil) {
		if err != nil {
			return err
		}
		h := entry.Value
		state := h.stateAt(call.Time)
		invitation := h.Action == string(api.ActionTypeInvite)
		switch {
		case h.gone(call.Time):
			gone = append(gone, h.ID)
		case invitation && state == api.HandshakeStateOpen && h.Account == account:
			return &api.DuplicateHandshakeException{Message: "A handshake with the same action and target already exists."}
		case invitation && state == api.HandshakeStateOpen:
			open++
		}
		if invitation && call.Time.Sub(h.Requested) < day && state != api.HandshakeStateAccepted {
			today++
		}
	}
	switch {
	case o.Members+open >= q.Accounts:
		return handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonAccountNumberLimitExceeded, "You have exceeded the allowed number of AWS accounts")
	case today >= max(q.Invitations, q.Accounts):
		return handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonHandshakeRateLimitExceeded,
			"You attempted to exceed the number of handshakes that you can send in one day.")
	}
	for _, id := range gone {
		if err := handshakes.Delete(call.Tx, o.Management, id); err != nil {
			return err
		}
	}
	return nil
}

// openInvitations counts the invitations that may still be accepted.
func (o *Organization) openInvitations(call *gateway.Call) (n int, err error) {
	for entry, err := range handshakes.List(call.Tx, o.Management, nil) {
		if err != nil {
			return 0, err
		}
		if h := entry.Value; h.Action == string(api.ActionTypeInvite) && h.stateAt(call.Time) == api.HandshakeStateOpen {
			n++
		}
	}
	return n, nil
}

// cancelInvitations removes all handshakes of an organisation that ends.
func (s *Service) cancelInvitations(call *gateway.Call, o *Organization) error {
	return handshakes.DeleteAll(call.Tx, o.Management)
}

// handshakeFilter is what a listing of handshakes asks for.
func handshakeFilter(f *api.HandshakeFilter) (text string, keep func(*Handshake) bool, err error) {
	switch {
	case f == nil || f.ActionType == nil && f.ParentHandshakeId == nil:
		return "", func(*Handshake) bool { return true }, nil
	case f.ActionType != nil && f.ParentHandshakeId != nil:
		return "", nil, invalid(api.InvalidInputExceptionReasonMaxLimitExceededFilter, "You can specify only one filter parameter for the operation.")
	case f.ActionType != nil:
		return string(*f.ActionType), func(h *Handshake) bool { return h.Action == string(*f.ActionType) }, nil
	}
	return *f.ParentHandshakeId, func(h *Handshake) bool { return h.Parent == *f.ParentHandshakeId }, nil
}

// listHandshakesForAccount lists what the caller's account may answer or has
// answered, of whatever organisation.
func (s *Service) listHandshakesForAccount(_ context.Context, call *gateway.Call, _ gateway.Anything, in *api.ListHandshakesForAccountInput) (*api.ListHandshakesForAccountOutput, error) {
	text, keep, err := handshakeFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	p, err := s.page(call, in.NextToken, in.MaxResults, text)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, handshakes.ListBy(call.Tx, handshakesByAccount, "", p.After, call.Account), func(h *Handshake) bool {
		return !h.gone(call.Time) && keep(h)
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListHandshakesForAccountOutput{Handshakes: []api.Handshake{}, NextToken: p.Next}
	for _, h := range found {
		entry, err := handshakes.Find(call.Tx, handshakesByID, "", h.ID)
		if err != nil {
			return nil, err
		}
		o, err := organizations.Get(call.Tx, entry.Scope)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		shown, err := s.shownHandshake(call, o, h)
		if err != nil {
			return nil, err
		}
		out.Handshakes = append(out.Handshakes, *shown)
	}
	return out, nil
}

func (s *Service) listHandshakesForOrganization(_ context.Context, call *gateway.Call, on *subject, in *api.ListHandshakesForOrganizationInput) (*api.ListHandshakesForOrganizationOutput, error) {
	text, keep, err := handshakeFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	p, err := s.page(call, in.NextToken, in.MaxResults, text)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, handshakes.List(call.Tx, on.org.Management, p.After), func(h *Handshake) bool {
		return !h.gone(call.Time) && keep(h)
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListHandshakesForOrganizationOutput{Handshakes: []api.Handshake{}, NextToken: p.Next}
	for _, h := range found {
		shown, err := s.shownHandshake(call, on.org, h)
		if err != nil {
			return nil, err
		}
		out.Handshakes = append(out.Handshakes, *shown)
	}
	return out, nil
}
