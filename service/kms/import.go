package kms

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/kms/material"
)

// longestImport is how far ahead imported material may expire.
const longestImport = 365 * day

// importing is a key that material is to be imported into.
type importing struct {
	*named
	model   kms.ExpirationModelType
	validTo *time.Time
}

// Describe implements gateway.Described.
func (i *importing) Describe(x *policy.Context) {
	i.named.Describe(x)
	x.Set("kms:ExpirationModel", string(i.model))
	if i.validTo != nil {
		x.SetTime("kms:ValidTo", *i.validTo)
	}
}

func (s *Service) keyToFill(call *gateway.Call, in *kms.ImportKeyMaterialInput) (*importing, error) {
	n, err := s.own(call, in.KeyId)
	if n == nil {
		return nil, err
	}
	i := &importing{n, kms.ExpirationModelTypeKeyMaterialExpires, in.ValidTo}
	if in.ExpirationModel != nil {
		i.model = *in.ExpirationModel
	}
	return i, err
}

// imported is material that was unwrapped.
type imported struct {
	id             string
	secret, public []byte
}

// Wipe implements gateway.Wiped.
func (m *imported) Wipe() {
	if m != nil {
		clear(m.secret)
	}
}

// unwrap opens what is imported and checks that it is of the key's spec, outside any transaction.
func (s *Service) unwrap(ctx context.Context, call *gateway.Call, i *importing, in *kms.ImportKeyMaterialInput) (*imported, error) {
	if err := i.imports(); err != nil {
		return nil, err
	}
	if err := i.checkExpiry(call.Time); err != nil {
		return nil, err
	}
	leave, err := s.using.Enter(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	defer leave()
	w, err := s.openToken(i.named, in.ImportToken, call.Time)
	if err != nil {
		return nil, err
	}
	defer clear(w.Private)
	secret, err := material.Unwrap(w.Private, w.Algorithm, in.EncryptedKeyMaterial)
	if errors.Is(err, material.ErrCiphertext) {
		return nil, errCiphertext
	}
	if err != nil {
		return nil, err
	}
	public, err := material.Check(i.Spec, secret)
	if errors.Is(err, material.ErrMaterial) {
		clear(secret)
		return nil, &kms.IncorrectKeyMaterialException{Message: "The key material is not valid for key spec " + string(i.Spec) + "."}
	}
	return &imported{material.ID(i.ID, secret), secret, public}, err
}

// checkExpiry refuses an expiry that contradicts itself or the calendar.
func (i *importing) checkExpiry(now time.Time) error {
	expires := i.model == kms.ExpirationModelTypeKeyMaterialExpires
	switch {
	case expires && i.validTo == nil:
		return validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
	case !expires && i.validTo != nil:
		return validation("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
	case expires && (!i.validTo.After(now) || i.validTo.After(now.Add(longestImport))):
		return validation("The validTo date must be in the future, and at most 365 days from now.")
	}
	return nil
}

func (s *Service) importKeyMaterial(_ context.Context, call *gateway.Call, i *importing, in *kms.ImportKeyMaterialInput, m *imported) (*kms.ImportKeyMaterialOutput, error) {
	if err := i.imports(); err != nil {
		return nil, err
	}
	k, err := edit(call.Tx, i.Key)
	if err != nil {
		return nil, err
	}
	if k.Spec.Symmetric() {
		err = s.takeSymmetric(call, k, in, m)
	} else {
		err = k.takeOther(in, m)
	}
	if err != nil {
		return nil, err
	}
	taken, _ := k.material(m.id)
	taken.Imported, taken.ValidTo = true, time.Time{}
	if i.validTo != nil {
		taken.ValidTo = i.validTo.UTC()
	}
	if in.KeyMaterialDescription != nil {
		taken.Description = *in.KeyMaterialDescription
	}
	if err := s.putSecret(call.Tx, k, m.id, m.secret); err != nil {
		return nil, err
	}
	k.revive(call.Time)
	if err := k.save(call.Tx); err != nil {
		return nil, err
	}
	if err := s.settle(call, k, m.id); err != nil {
		return nil, err
	}
	out := &kms.ImportKeyMaterialOutput{KeyId: &i.Arn}
	if k.Spec.Symmetric() {
		out.KeyMaterialId = &m.id
	}
	return out, nil
}

// revive makes a key that waited for material usable, if it lacks none now.
func (k *Key) revive(now time.Time) {
	if k.State == kms.KeyStatePendingImport && !k.lacks(now) {
		k.State = kms.KeyStateEnabled
	}
}

// takeOther gives a pair or an HMAC key its one material, at first or anew.
func (k *Key) takeOther(in *kms.ImportKeyMaterialInput, m *imported) error {
	if in.ImportType != nil || in.KeyMaterialId != nil || in.KeyMaterialDescription != nil {
		return unsupported("ImportType, KeyMaterialId and KeyMaterialDescription are not supported for key spec %s.", k.Spec)
	}
	if k.Current == "" {
		k.Materials = []Material{{ID: m.id, State: kms.KeyMaterialStateCurrent}}
		k.Current, k.Public = m.id, m.public
	}
	if k.Current != m.id {
		return &kms.IncorrectKeyMaterialException{Message: "The key material does not match the key material that was imported into " + k.Arn + " before."}
	}
	return nil
}

// takeSymmetric gives a symmetric key a material, new or once more.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html
func (s *Service) takeSymmetric(call *gateway.Call, k *Key, in *kms.ImportKeyMaterialInput, m *imported) error {
	_, known := k.material(m.id)
	isNew := len(k.Materials) == 0 && !k.replica()
	if in.ImportType != nil {
		isNew = *in.ImportType == kms.ImportTypeNewKeyMaterial
	}
	incorrect := func(message string) error { return &kms.IncorrectKeyMaterialException{Message: message} }
	switch {
	case isNew && in.KeyMaterialId != nil:
		return validation("You cannot specify a KeyMaterialId when the ImportType is NEW_KEY_MATERIAL.")
	case in.KeyMaterialId != nil && *in.KeyMaterialId != m.id:
		return incorrect("The key material does not match the specified key material id.")
	case !isNew && !known:
		return incorrect("The key material was never imported into " + k.Arn + ".")
	case !isNew:
		return nil
	case k.replica():
		return unsupported("%s is not a multi-region primary key.", k.Arn)
	case known:
		return incorrect("The key material was imported into " + k.Arn + " before.")
	case len(k.Materials) >= materialsPerImport:
		return limitExceeded("The quota of %d key materials of %s has been reached.", materialsPerImport, k.Arn)
	}
	for _, have := range k.Materials {
		if have.pending() {
			return invalidState("New key material (id: %s) cannot be imported into KMS key %s, because another key material (id: %s) is pending rotation.", m.id, k.ID, have.ID)
		}
	}
	added := Material{ID: m.id, State: kms.KeyMaterialStateCurrent}
	if k.Current == "" {
		k.Current = m.id
	} else if added.State = kms.KeyMaterialStatePendingRotation; len(k.Replicas) > 0 {
		added.State = kms.KeyMaterialStatePendingMultiRegionImportAndRotation
	}
	k.Materials = append(k.Materials, added)
	return eachReplica(call.Tx, k, func(r *Key) error {
		r.Materials, r.Current = append(r.Materials, added), k.Current
		return nil
	})
}

// settle marks material that all related keys have as ready for rotation.
func (s *Service) settle(call *gateway.Call, k *Key, id string) error {
	related, err := k.related(call.Tx)
	if err != nil {
		return err
	}
	for _, r := range related {
		m, ok := r.material(id)
		if !ok || m.State != kms.KeyMaterialStatePendingMultiRegionImportAndRotation || !m.Imported {
			return nil
		}
	}
	for _, r := range related {
		err := change(call.Tx, r, func(r *Key) error {
			m, _ := r.material(id)
			m.State = kms.KeyMaterialStatePendingRotation
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) deleteImportedKeyMaterial(_ context.Context, call *gateway.Call, n *named, in *kms.DeleteImportedKeyMaterialInput) (*kms.DeleteImportedKeyMaterialOutput, error) {
	if !n.external() {
		return nil, n.wrongOrigin()
	}
	k, err := edit(call.Tx, n.Key)
	if err != nil {
		return nil, err
	}
	id := k.Current
	if in.KeyMaterialId != nil {
		id = *in.KeyMaterialId
	}
	out := &kms.DeleteImportedKeyMaterialOutput{KeyId: &n.Arn}
	m, ok := k.material(id)
	if !ok {
		if in.KeyMaterialId != nil {
			return nil, notFound("Key material %s of %s does not exist", id, n.Arn)
		}
		return out, nil // pending import: there is nothing to delete
	}
	if k.Spec.Symmetric() {
		out.KeyMaterialId = &id
	}
	if err := dropSecret(call.Tx, k, id); err != nil {
		return nil, err
	}
	if !m.pending() || k.replica() {
		k.forget(id)
		return out, k.save(call.Tx)
	}
	without := func(k *Key) error {
		k.Materials = slices.DeleteFunc(k.Materials, func(m Material) bool { return m.ID == id })
		return dropSecret(call.Tx, k, id)
	}
	if err := errors.Join(without(k), k.save(call.Tx)); err != nil {
		return nil, err
	}
	return out, eachReplica(call.Tx, k, without)
}

// forget notes that imported material is no longer there.
func (k *Key) forget(id string) {
	m, ok := k.material(id)
	if !ok {
		return
	}
	m.Imported, m.ValidTo = false, time.Time{}
	if !m.pending() && (k.State == kms.KeyStateEnabled || k.State == kms.KeyStateDisabled) {
		k.State = kms.KeyStatePendingImport
	}
}
