package kms

import (
	"context"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// customers refuses a change to a key that is AWS's own.
func (n *named) customers(call *gateway.Call) error {
	if n.awsManaged() {
		return &kms.UnsupportedOperationException{Message: n.Arn + " is an AWS managed key, which does not support " + call.Operation.Name + "."}
	}
	return nil
}

func (s *Service) enableKey(_ context.Context, call *gateway.Call, n *named, _ *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	return nil, n.become(call, kms.KeyStateEnabled)
}

func (s *Service) disableKey(_ context.Context, call *gateway.Call, n *named, _ *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	return nil, n.become(call, kms.KeyStateDisabled)
}

// become enables or disables a key that is the one or the other.
func (n *named) become(call *gateway.Call, state kms.KeyState) error {
	if err := n.customers(call); err != nil {
		return err
	}
	switch now := n.Key.stateAt(call.Time); now { // whether or not its key store is connected
	case state:
		return nil
	case kms.KeyStateEnabled, kms.KeyStateDisabled:
		return change(call.Tx, n.Key, func(k *Key) error {
			k.State = state
			return nil
		})
	default:
		return invalidState("%s is %s.", n.Arn, keyStates[now])
	}
}

func (s *Service) updateKeyDescription(_ context.Context, call *gateway.Call, n *named, in *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error) {
	if err := n.customers(call); err != nil {
		return nil, err
	}
	if err := n.notPendingDeletion(); err != nil {
		return nil, err
	}
	return nil, change(call.Tx, n.Key, func(k *Key) error {
		k.Description = in.Description
		return nil
	})
}
