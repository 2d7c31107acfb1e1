package organizations

import (
	"context"
	"errors"
	"strings"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Handshake is an offer between two accounts, as stored under its id in the
// scope of the organisation's management account.
type Handshake struct {
	ID           string // "h-…"
	Organization string
	Action       string // INVITE …
	Account      string // that is to answer; "" = nobody's answer is waited for
	Email        string `cbor:",omitempty"` // by which that account was invited
	Parent       string `cbor:",omitempty"` // the handshake of which this is a part
	Notes        string `cbor:",omitempty"`
	Tags         []Tag  `cbor:",omitempty"` // the account's, once it has joined
	State        string
	Requested    time.Time
	Expires      time.Time
	Ended        time.Time `cbor:",omitzero"`
}

// Lives of handshakes.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html#min-max-handshakes
const (
	invitationLife = 15 * day
	featuresLife   = 90 * day
	shownAfter     = 30 * day // it ended
)

var (
	handshakesByID = &store.Index[Handshake]{Name: "id", Unique: true, Global: true,
		Of: func(h *Handshake, add func(parts ...string)) { add(h.ID) }}
	handshakesByAccount = &store.Index[Handshake]{Name: "account", Global: true,
		Of: func(h *Handshake, add func(parts ...string)) {
			if h.Account != "" {
				add(h.Account)
			}
		}}
	handshakes = store.NewTable("organizations/handshake", handshakesByID, handshakesByAccount)
)

func (o *Organization) handshakeARN(h *Handshake) string {
	return o.arn("handshake", strings.ToLower(h.Action)+"/"+h.ID)
}

// stateAt is a handshake's state at a time: one that nobody answered expires.
func (h *Handshake) stateAt(now time.Time) api.HandshakeState {
	state := api.HandshakeState(h.State)
	if h.open() && now.After(h.Expires) {
		return api.HandshakeStateExpired
	}
	return state
}

func (h *Handshake) open() bool {
	return h.State == string(api.HandshakeStateOpen) || h.State == string(api.HandshakeStateRequested)
}

// gone tells whether a handshake ended so long ago that it is no longer shown.
func (h *Handshake) gone(now time.Time) bool {
	ended := h.Ended
	if h.open() {
		ended = h.Expires
	}
	return now.Sub(ended) > shownAfter
}

// handshakeNamed finds a handshake of which the caller's account is a party.
func handshakeNamed[In any](s *Service, id func(*In) string) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t := &subject{name: "arn:" + call.Partition + ":organizations::" + call.Account + ":handshake/*/" + id(in)}
		unknown := &api.HandshakeNotFoundException{Message: "You specified a handshake that doesn't exist."}
		found, err := handshakes.Find(call.Tx, handshakesByID, "", id(in))
		if err != nil {
			return t, absent(err, unknown)
		}
		h := found.Value
		if h.gone(call.Time) || h.Account != call.Account && found.Scope != call.Account {
			return t, unknown
		}
		if t.org, err = organizations.Get(call.Tx, found.Scope); err != nil {
			return nil, err
		}
		t.handshake, t.name = h, t.org.handshakeARN(h)
		t.owner = call.Account // each party decides for itself who may answer for it
		return t, nil
	}
}

// shownHandshake is a handshake as answers show it.
func (s *Service) shownHandshake(call *gateway.Call, o *Organization, h *Handshake) (*api.Handshake, error) {
	name, email, err := s.ownerOf(call.Tx, o.Management)
	if err != nil {
		return nil, err
	}
	features := api.OrganizationFeatureSetConsolidatedBilling
	if o.AllFeatures {
		features = api.OrganizationFeatureSetAll
	}
	resource := func(kind api.HandshakeResourceType, value string, inner ...api.HandshakeResource) api.HandshakeResource {
		return api.HandshakeResource{Type: &kind, Value: &value, Resources: inner}
	}
	out := &api.Handshake{
		Id: new(h.ID), Arn: new(o.handshakeARN(h)), Action: new(api.ActionType(h.Action)), State: new(h.stateAt(call.Time)),
		RequestedTimestamp: new(h.Requested), ExpirationTimestamp: new(h.Expires),
		Parties: []api.HandshakeParty{{Id: o.ID, Type: api.HandshakePartyTypeOrganization}},
		Resources: []api.HandshakeResource{resource(api.HandshakeResourceTypeOrganization, o.ID,
			resource(api.HandshakeResourceTypeMasterEmail, email), resource(api.HandshakeResourceTypeMasterName, name),
			resource(api.HandshakeResourceTypeOrganizationFeatureSet, string(features)))},
	}
	switch {
	case h.Email != "":
		out.Parties = append(out.Parties, api.HandshakeParty{Id: h.Email, Type: api.HandshakePartyTypeEmail})
		out.Resources = append(out.Resources, resource(api.HandshakeResourceTypeEmail, h.Email))
	case h.Account != "":
		out.Parties = append(out.Parties, api.HandshakeParty{Id: h.Account, Type: api.HandshakePartyTypeAccount})
		out.Resources = append(out.Resources, resource(api.HandshakeResourceTypeAccount, h.Account))
	}
	if h.Notes != "" {
		out.Resources = append(out.Resources, resource(api.HandshakeResourceTypeNotes, h.Notes))
	}
	if h.Parent != "" {
		out.Resources = append(out.Resources, resource(api.HandshakeResourceTypeParentHandshake, h.Parent))
	}
	return out, nil
}

func (s *Service) describeHandshake(_ context.Context, call *gateway.Call, on *subject, _ *api.DescribeHandshakeInput) (*api.DescribeHandshakeOutput, error) {
	shown, err := s.shownHandshake(call, on.org, on.handshake)
	return &api.DescribeHandshakeOutput{Handshake: shown}, err
}

// end gives a handshake that is open its last state.
func (o *Organization) end(call *gateway.Call, h *Handshake, state api.HandshakeState) (*Handshake, error) {
	switch was := h.stateAt(call.Time); {
	case was == state:
		return nil, &api.HandshakeAlreadyInStateException{Message: "The specified handshake is already in the requested state."}
	case was != api.HandshakeStateOpen && was != api.HandshakeStateRequested:
		return nil, &api.InvalidHandshakeTransitionException{Message: "You can't perform the operation on the handshake in its current state."}
	}
	ended := *h
	ended.State, ended.Ended = string(state), call.Time
	return &ended, handshakes.Put(call.Tx, o.Management, &ended, ended.ID)
}

// answering refuses whoever is not the one to answer.
func (t *subject) answering(call *gateway.Call) error {
	if t.handshake.Account != call.Account {
		return errNotYours
	}
	return nil
}

func (s *Service) declineHandshake(_ context.Context, call *gateway.Call, on *subject, _ *api.DeclineHandshakeInput) (*api.DeclineHandshakeOutput, error) {
	if err := on.answering(call); err != nil {
		return nil, err
	}
	h, err := on.org.end(call, on.handshake, api.HandshakeStateDeclined)
	if err != nil {
		return nil, err
	}
	call.Shared(on.org.Management)
	shown, err := s.shownHandshake(call, on.org, h)
	return &api.DeclineHandshakeOutput{Handshake: shown}, err
}

// cancelHandshake is for the sender. Canceled, the enabling of all features
// takes its parts with it.
func (s *Service) cancelHandshake(_ context.Context, call *gateway.Call, on *subject, _ *api.CancelHandshakeInput) (*api.CancelHandshakeOutput, error) {
	o := on.org
	if call.Account != o.Management {
		return nil, errNotYours
	}
	h, err := o.end(call, on.handshake, api.HandshakeStateCanceled)
	if err != nil {
		return nil, err
	}
	if o.Enabling == h.ID {
		if err := o.cancelEnabling(call); err != nil {
			return nil, err
		}
	}
	shown, err := s.shownHandshake(call, o, h)
	return &api.CancelHandshakeOutput{Handshake: shown}, err
}

// acceptHandshake does what the handshake is about.
func (s *Service) acceptHandshake(_ context.Context, call *gateway.Call, on *subject, _ *api.AcceptHandshakeInput) (*api.AcceptHandshakeOutput, error) {
	if err := on.answering(call); err != nil {
		return nil, err
	}
	o := on.org
	h, err := o.end(call, on.handshake, api.HandshakeStateAccepted)
	if err != nil {
		return nil, err
	}
	switch api.ActionType(h.Action) {
	case api.ActionTypeInvite:
		err = s.join(call, o, h)
	case api.ActionTypeEnableAllFeatures:
		err = o.askManagement(call, h.Parent)
	case api.ActionTypeApproveAllFeatures:
		err = o.finishEnabling(call)
	default:
		err = errors.New("organizations: a handshake about " + h.Action)
	}
	if err != nil {
		return nil, err
	}
	call.Shared(o.Management)
	if o, err = organizations.Get(call.Tx, o.Management); err != nil {
		return nil, err
	}
	shown, err := s.shownHandshake(call, o, h)
	return &api.AcceptHandshakeOutput{Handshake: shown}, err
}

// join makes the invited account a member.
func (s *Service) join(call *gateway.Call, o *Organization, h *Handshake) error {
	place, err := placeOf(call.Tx, h.Account)
	if err != nil {
		return err
	}
	if place.Organization != "" {
		return alreadyMember()
	}
	if o.Members >= s.quotas(o.Management).Accounts {
		return handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonAccountNumberLimitExceeded, "You have exceeded the allowed number of AWS accounts")
	}
	return o.admit(call, &Member{Account: h.Account, Parent: o.Root, Joined: call.Time, Invited: true, Tags: h.Tags})
}

func alreadyMember() error {
	return handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonAlreadyInAnOrganization,
		"The handshake request is invalid because the invited account is already a member of an organization.")
}
