package kms

import (
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/service/kms/material"
)

// keyStates words the states that keep a key from being used.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var keyStates = map[kms.KeyState]string{
	kms.KeyStatePendingImport:          "pending import",
	kms.KeyStatePendingDeletion:        "pending deletion",
	kms.KeyStatePendingReplicaDeletion: "pending replica deletion",
}

// stateAt is the key's state at a time: as it is stored, but that a key whose
// material has expired waits for import, though the loop that removes the
// material has not come by.
func (k *Key) stateAt(now time.Time) kms.KeyState {
	if k.external() && (k.State == kms.KeyStateEnabled || k.State == kms.KeyStateDisabled) && k.lacks(now) {
		return kms.KeyStatePendingImport
	}
	return k.State
}

// lacks tells whether any of the materials that a key needs is not there: each
// that ever was current.
func (k *Key) lacks(now time.Time) bool {
	if k.Current == "" {
		return true
	}
	for i := range k.Materials {
		if m := &k.Materials[i]; !m.pending() && !m.thereAt(now) {
			return true
		}
	}
	return false
}

// thereAt tells whether imported material is there, and has not expired.
func (m *Material) thereAt(now time.Time) bool {
	return m.Imported && (m.ValidTo.IsZero() || now.Before(m.ValidTo))
}

// pending tells material that no rotation has made current yet.
func (m *Material) pending() bool {
	return m.State == kms.KeyMaterialStatePendingRotation || m.State == kms.KeyMaterialStatePendingMultiRegionImportAndRotation
}

// gone tells whether the key's time is over, though the loop that deletes it has not come by.
func (k *Key) gone(now time.Time) bool {
	return !k.DeletionDate.IsZero() && !now.Before(k.DeletionDate)
}

// usable refuses a key that can't be used for cryptography now.
func (k *Key) usable(now time.Time) error {
	switch state := k.stateAt(now); state {
	case kms.KeyStateEnabled:
		return nil
	case kms.KeyStateDisabled:
		return &kms.DisabledException{Message: k.Arn + " is disabled."}
	default:
		return invalidState("%s is %s.", k.Arn, keyStates[state])
	}
}

// stateAt is the key's state at a time: in a key store that is not connected
// an enabled or disabled key is unavailable.
func (n *named) stateAt(now time.Time) kms.KeyState {
	state := n.Key.stateAt(now)
	if n.store != nil && !n.store.connected() && (state == kms.KeyStateEnabled || state == kms.KeyStateDisabled) {
		return kms.KeyStateUnavailable
	}
	return state
}

// available refuses a spec that a process restricted to FIPS 140-3 does not have.
func available(s material.Spec) error {
	if !s.Available() {
		return unsupported("Key spec %s is not supported where GODEBUG=fips140=only restricts this installation to FIPS 140-3.", s)
	}
	return nil
}

// usable refuses a key that can't be used for cryptography now.
func (n *named) usable(now time.Time) error {
	if err := available(n.Spec); err != nil {
		return err
	}
	if n.stateAt(now) != kms.KeyStateUnavailable {
		return n.Key.usable(now)
	}
	if n.store.external() {
		return invalidState(unconnectedProxy)
	}
	return invalidState("%s is unavailable.", n.Arn)
}

// notPendingDeletion refuses a key that is to be deleted.
func (k *Key) notPendingDeletion() error {
	if k.State == kms.KeyStatePendingDeletion || k.State == kms.KeyStatePendingReplicaDeletion {
		return invalidState("%s is %s.", k.Arn, keyStates[k.State])
	}
	return nil
}

// serves refuses a key of another usage than an operation needs.
func (k *Key) serves(usage kms.KeyUsageType, operation string) error {
	if k.Usage != usage {
		return &kms.InvalidKeyUsageException{Message: k.Arn + " key usage is " + string(k.Usage) + " which is not valid for " + operation + "."}
	}
	return nil
}
