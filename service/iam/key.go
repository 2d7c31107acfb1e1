package iam

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// AccessKey is a long-term key, as stored under its id in its account. The
// store seals it like every record; signatures can't be checked without the
// secret itself.
type AccessKey struct {
	ID       string
	Secret   string
	Holder   string `cbor:",omitempty"` // unique id of the user; "" = the account's root
	Inactive bool   `cbor:",omitempty"`
	Created  time.Time

	credential atomic.Pointer[heldCredential]
}

// heldCredential is what was last made of a key and its holder.
type heldCredential struct {
	of         *User
	credential *gateway.Credential
}

var (
	keys = store.NewTable[AccessKey]("iam/key")
	// keyAccounts finds the account of a key whose id does not carry it, as roots' may be: part id.
	keyAccounts = store.NewTable[KeyAccount]("iam/key-account")
)

// KeyAccount is whose account a key belongs to.
type KeyAccount struct{ Account string }

// newSecret is a secret access key of AWS's shape: 40 characters, 240 random bits.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

func (s *Service) createAccessKey(_ context.Context, call *gateway.Call, u *User, _ *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	if limit := s.quotas(call.Account).AccessKeysPerUser; len(u.Keys) >= limit {
		return nil, limitExceeded("AccessKeysPerUser", limit)
	}
	key := &AccessKey{
		ID: aws.NewAccessKeyID("AKIA", call.Account), Secret: newSecret(), Created: second(call.Time),
	}
	if !u.root() {
		key.Holder = u.ID
	}
	if err := keys.Insert(call.Tx, call.Account, key, key.ID); err != nil {
		return nil, err
	}
	err := editHolder(call, u, func(u *User) { u.Keys = append(u.Keys, key.ID) })
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &iam.AccessKey{
		UserName: u.Name, AccessKeyId: key.ID, Status: iam.StatusTypeActive, SecretAccessKey: key.Secret, CreateDate: new(key.Created),
	}}, nil
}

// editHolder changes a user's record, or the root's.
func editHolder(call *gateway.Call, u *User, change func(*User)) error {
	edit := func(u *User) error { change(u); return nil }
	if u.root() {
		return roots.Update(call.Tx, call.Account, edit)
	}
	return users.Update(call.Tx, call.Account, edit, u.ID)
}

func (s *Service) listAccessKeys(_ context.Context, call *gateway.Call, u *User, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	p, err := s.page(call, in.Marker, in.MaxItems, u.Arn)
	if err != nil {
		return nil, err
	}
	ids, err := slice(p, slices.Sorted(slices.Values(u.Keys)), func(id string) string { return id })
	if err != nil {
		return nil, err
	}
	out := &iam.ListAccessKeysOutput{AccessKeyMetadata: make([]iam.AccessKeyMetadata, 0, len(ids))}
	for _, id := range ids {
		key, err := keys.Get(call.Tx, call.Account, id)
		if err != nil {
			return nil, err
		}
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, iam.AccessKeyMetadata{
			UserName: new(u.Name), AccessKeyId: new(key.ID), Status: new(statusOf(key.Inactive)), CreateDate: new(key.Created),
		})
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func (s *Service) updateAccessKey(_ context.Context, call *gateway.Call, u *User, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	if !slices.Contains(u.Keys, in.AccessKeyId) {
		return nil, noSuchKey(in.AccessKeyId)
	}
	inactive, err := isInactive(in.Status)
	if err != nil {
		return nil, err
	}
	return nil, keys.Update(call.Tx, call.Account, func(k *AccessKey) error {
		k.Inactive = inactive
		return nil
	}, in.AccessKeyId)
}

func (s *Service) deleteAccessKey(_ context.Context, call *gateway.Call, u *User, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	if !slices.Contains(u.Keys, in.AccessKeyId) {
		return nil, noSuchKey(in.AccessKeyId)
	}
	err := editHolder(call, u, func(u *User) {
		u.Keys = slices.DeleteFunc(u.Keys, func(id string) bool { return id == in.AccessKeyId })
	})
	if err != nil {
		return nil, err
	}
	if err := keyAccounts.Delete(call.Tx, "", in.AccessKeyId); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err := forgetUse(call.Tx, call.Account, in.AccessKeyId); err != nil {
		return nil, err
	}
	return nil, keys.Delete(call.Tx, call.Account, in.AccessKeyId)
}

func noSuchKey(id string) error {
	return noSuchEntity("The Access Key with id %s cannot be found.", id)
}
