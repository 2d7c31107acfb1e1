package iam

import (
	"context"
	"errors"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// SSHKey is a user's SSH public key, as stored under the user's id and its own.
type SSHKey struct {
	ID       string // APKA…
	Body     string // as it was uploaded
	PEM      bool   // how it was uploaded: as PEM, else as OpenSSH writes it
	Inactive bool   `cbor:",omitempty"`
	Uploaded time.Time
}

var sshKeys = store.NewTable[SSHKey]("iam/ssh-key")

// sshKeysPerUser is AWS's bound.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const sshKeysPerUser = 5

// sshKeyOf is a user's key.
func sshKeyOf(call *gateway.Call, u *User, id string) (*SSHKey, error) {
	key, err := sshKeys.Get(call.Tx, call.Account, u.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchEntity("The Public Key with id %s cannot be found.", id)
	}
	return key, err
}

// uploadSSHPublicKey takes an RSA key of 2,048 bits or more, in OpenSSH's form or as PEM.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html
func (s *Service) uploadSSHPublicKey(_ context.Context, call *gateway.Call, u *User, in *iam.UploadSSHPublicKeyInput) (*iam.UploadSSHPublicKeyOutput, error) {
	public, asPEM, err := readPublicKey(in.SSHPublicKeyBody)
	if err != nil {
		return nil, err
	}
	have, err := allOf(call, sshKeys, u)
	if err != nil {
		return nil, err
	}
	for _, other := range have {
		if same, _, err := readPublicKey(other.Body); err == nil && same.Equal(public) {
			return nil, &iam.DuplicateSSHPublicKeyException{Message: "The SSH public key is already associated with the specified IAM user."}
		}
	}
	if len(have) >= sshKeysPerUser {
		return nil, limitExceeded("SSHPublicKeysPerUser", sshKeysPerUser)
	}
	key := &SSHKey{ID: aws.NewAccessKeyID("APKA", call.Account), Body: in.SSHPublicKeyBody, PEM: asPEM, Uploaded: second(call.Time)}
	if err := sshKeys.Insert(call.Tx, call.Account, key, u.ID, key.ID); err != nil {
		return nil, err
	}
	return &iam.UploadSSHPublicKeyOutput{SSHPublicKey: &iam.SSHPublicKey{
		UserName: u.Name, SSHPublicKeyId: key.ID, Fingerprint: fingerprint(public), SSHPublicKeyBody: key.Body,
		Status: statusOf(key.Inactive), UploadDate: &key.Uploaded,
	}}, nil
}

// getSSHPublicKey answers a key in the encoding asked for; in the one it was uploaded in, as it was.
func (s *Service) getSSHPublicKey(_ context.Context, call *gateway.Call, u *User, in *iam.GetSSHPublicKeyInput) (*iam.GetSSHPublicKeyOutput, error) {
	key, err := sshKeyOf(call, u, in.SSHPublicKeyId)
	if err != nil {
		return nil, err
	}
	public, _, err := readPublicKey(key.Body)
	if err != nil {
		return nil, err
	}
	body := key.Body
	switch asPEM := in.Encoding == iam.EncodingTypePem; {
	case asPEM == key.PEM:
	case asPEM:
		body = pemPublicKey(public)
	default:
		body = sshPublicKey(public)
	}
	return &iam.GetSSHPublicKeyOutput{SSHPublicKey: &iam.SSHPublicKey{
		UserName: u.Name, SSHPublicKeyId: key.ID, Fingerprint: fingerprint(public), SSHPublicKeyBody: body,
		Status: statusOf(key.Inactive), UploadDate: &key.Uploaded,
	}}, nil
}

func (s *Service) listSSHPublicKeys(_ context.Context, call *gateway.Call, u *User, in *iam.ListSSHPublicKeysInput) (*iam.ListSSHPublicKeysOutput, error) {
	p, found, err := rowsOf(s, call, sshKeys, u, in.Marker, in.MaxItems, nil)
	if err != nil {
		return nil, err
	}
	out := &iam.ListSSHPublicKeysOutput{SSHPublicKeys: make([]iam.SSHPublicKeyMetadata, 0, len(found))}
	for _, key := range found {
		out.SSHPublicKeys = append(out.SSHPublicKeys, iam.SSHPublicKeyMetadata{
			UserName: u.Name, SSHPublicKeyId: key.ID, Status: statusOf(key.Inactive), UploadDate: key.Uploaded,
		})
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func (s *Service) updateSSHPublicKey(_ context.Context, call *gateway.Call, u *User, in *iam.UpdateSSHPublicKeyInput) (*iam.UpdateSSHPublicKeyOutput, error) {
	if _, err := sshKeyOf(call, u, in.SSHPublicKeyId); err != nil {
		return nil, err
	}
	inactive, err := isInactive(in.Status)
	if err != nil {
		return nil, err
	}
	return nil, sshKeys.Update(call.Tx, call.Account, func(k *SSHKey) error {
		k.Inactive = inactive
		return nil
	}, u.ID, in.SSHPublicKeyId)
}

func (s *Service) deleteSSHPublicKey(_ context.Context, call *gateway.Call, u *User, in *iam.DeleteSSHPublicKeyInput) (*iam.DeleteSSHPublicKeyOutput, error) {
	if _, err := sshKeyOf(call, u, in.SSHPublicKeyId); err != nil {
		return nil, err
	}
	return nil, sshKeys.Delete(call.Tx, call.Account, u.ID, in.SSHPublicKeyId)
}
