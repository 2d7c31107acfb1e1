package organizations

import (
	"context"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
)

// enableAllFeatures asks each account that was invited; when all have agreed,
// or at once where there are none, the management account is asked to conclude.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html
func (s *Service) enableAllFeatures(_ context.Context, call *gateway.Call, on *subject, _ *api.EnableAllFeaturesInput) (*api.EnableAllFeaturesOutput, error) {
	o := on.org
	switch under, err := o.enabling(call); {
	case err != nil:
		return nil, err
	case o.AllFeatures:
		return nil, handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonOrganizationAlreadyHasAllFeatures,
			"The handshake request is invalid because the organization has already enabled all features.")
	case under:
		return nil, handshakeConstraint(api.HandshakeConstraintViolationExceptionReasonOrganizationIsAlreadyPendingAllFeaturesMigration,
			"The handshake request is invalid because the organization has already started the process to enable all features.")
	}
	h, err := o.ask(call, api.ActionTypeEnableAllFeatures, "", "")
	if err != nil {
		return nil, err
	}
	for entry, err := range members.List(call.Tx, o.Management, nil) {
		if err != nil {
			return nil, err
		}
		if m := entry.Value; m.Invited && m.Account != o.Management && !m.Closed {
			if _, err := o.ask(call, api.ActionTypeEnableAllFeatures, m.Account, h.ID); err != nil {
				return nil, err
			}
		}
	}
	if err := o.setEnabling(call, h.ID); err != nil {
		return nil, err
	}
	if err := o.askManagement(call, h.ID); err != nil {
		return nil, err
	}
	shown, err := s.shownHandshake(call, o, h)
	return &api.EnableAllFeaturesOutput{Handshake: shown}, err
}

// enabling tells whether all features are being enabled.
func (o *Organization) enabling(call *gateway.Call) (bool, error) {
	if o.Enabling == "" {
		return false, nil
	}
	h, err := handshakes.Get(call.Tx, o.Management, o.Enabling)
	if err != nil {
		return false, absent(err, nil)
	}
	return h.stateAt(call.Time) == api.HandshakeStateRequested, nil
}

// ask makes a handshake of the enabling; account is to answer, "" for the one that stands for them all.
func (o *Organization) ask(call *gateway.Call, action api.ActionType, account, parent string) (*Handshake, error) {
	h := &Handshake{
		ID: newID("h-", handshakeIDLength), Organization: o.ID, Action: string(action), Account: account, Parent: parent,
		State: string(api.HandshakeStateOpen), Requested: call.Time, Expires: call.Time.Add(featuresLife),
	}
	if account == "" {
		h.State = string(api.HandshakeStateRequested)
	}
	return h, handshakes.Insert(call.Tx, o.Management, h, h.ID)
}

func (o *Organization) setEnabling(call *gateway.Call, handshake string) error {
	return o.change(call, func(o *Organization) error {
		o.Enabling = handshake
		return nil
	})
}

// parts are the handshakes of an enabling.
func (o *Organization) parts(call *gateway.Call, parent string) ([]*Handshake, error) {
	var all []*Handshake
	for entry, err := range handshakes.List(call.Tx, o.Management, nil) {
		if err != nil {
			return nil, err
		}
		if entry.Value.Parent == parent {
			all = append(all, entry.Value)
		}
	}
	return all, nil
}

// askManagement has the management account conclude, once all others have agreed.
func (o *Organization) askManagement(call *gateway.Call, parent string) error {
	parts, err := o.parts(call, parent)
	if err != nil {
		return err
	}
	for _, h := range parts {
		if h.stateAt(call.Time) != api.HandshakeStateAccepted {
			return nil
		}
	}
	_, err = o.ask(call, api.ActionTypeApproveAllFeatures, o.Management, parent)
	return err
}

// finishEnabling enables all features, and with them service control policies.
func (o *Organization) finishEnabling(call *gateway.Call) error {
	whole, err := handshakes.Get(call.Tx, o.Management, o.Enabling)
	if err != nil {
		return err
	}
	if _, err := o.end(call, whole, api.HandshakeStateAccepted); err != nil {
		return err
	}
	root, err := levels.Edit(call.Tx, o.Management, o.Root)
	if err != nil {
		return err
	}
	root.enable(string(api.PolicyTypeServiceControlPolicy))
	if err := levels.Put(call.Tx, o.Management, root, root.ID); err != nil {
		return err
	}
	return o.change(call, func(o *Organization) error {
		o.AllFeatures, o.Enabling = true, ""
		return nil
	})
}

// cancelEnabling cancels what is still open of it.
func (o *Organization) cancelEnabling(call *gateway.Call) error {
	parts, err := o.parts(call, o.Enabling)
	if err != nil {
		return err
	}
	for _, h := range parts {
		if state := h.stateAt(call.Time); state == api.HandshakeStateOpen {
			if _, err := o.end(call, h, api.HandshakeStateCanceled); err != nil {
				return err
			}
		}
	}
	return o.setEnabling(call, "")
}
