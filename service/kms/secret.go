package kms

import (
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// Secret is a material's secret, as stored under Region, the key's id and the
// material's ID. It is sealed under the account before the engine seals the
// record once more, so that the records that engines keep decoded hold
// ciphertext.
type Secret struct{ Sealed []byte }

var secrets = store.NewTable[Secret]("kms/material")

// secretKey is what a secret is sealed under. No table has that name.
func (k *Key) secretKey(id string) []byte {
	return store.Key("kms/secret", k.Account, k.Region, k.ID, id)
}

// putSecret seals and stores a material of a key.
func (s *Service) putSecret(tx store.Tx, k *Key, id string, secret []byte) error {
	sealed, err := s.Sealer.Seal(nil, k.Account, k.secretKey(id), secret)
	if err != nil {
		return fmt.Errorf("seal key material: %w", err)
	}
	return secrets.Put(tx, k.Account, &Secret{sealed}, k.Region, k.ID, id)
}

// dropSecret removes a material of a key; that there is none is no error.
func dropSecret(tx store.Tx, k *Key, id string) error {
	err := secrets.Delete(tx, k.Account, k.Region, k.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// sealedSecret is a material of a key as it is stored.
func sealedSecret(tx store.Tx, k *Key, id string) (*Secret, error) {
	found, err := secrets.Get(tx, k.Account, k.Region, k.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("kms: key %s has no material %s", k.Arn, id)
	}
	return found, err
}

// openSecret opens a material of a key. Whoever opens it clears it.
func (s *Service) openSecret(k *Key, id string, sealed *Secret) ([]byte, error) {
	secret, err := s.Sealer.Open(make([]byte, 0, len(sealed.Sealed)), k.Account, k.secretKey(id), sealed.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open key material: %w", err)
	}
	return secret, nil
}

// currentSecret opens the material that encrypts.
func (s *Service) currentSecret(tx store.Tx, k *Key) ([]byte, error) {
	sealed, err := sealedSecret(tx, k, k.Current)
	if err != nil {
		return nil, err
	}
	return s.openSecret(k, k.Current, sealed)
}

// newMaterial gives a key a first material, or the next.
func (s *Service) newMaterial(tx store.Tx, k *Key, secret []byte, m Material) error {
	m.ID = material.ID(k.ID, secret)
	if err := s.putSecret(tx, k, m.ID, secret); err != nil {
		return err
	}
	k.addMaterial(m)
	return nil
}

// addMaterial makes a material the one that encrypts.
func (k *Key) addMaterial(m Material) {
	for i := range k.Materials {
		if k.Materials[i].State == kms.KeyMaterialStateCurrent {
			k.Materials[i].State = kms.KeyMaterialStateNonCurrent
		}
	}
	m.State = kms.KeyMaterialStateCurrent
	k.Materials = append(k.Materials, m)
	k.Current = m.ID
}
