package kms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// granting is a grant that is to be made of a key.
type granting struct {
	*named
	grant Grant
	via   bool // a service makes it in the caller's name
}

// Describe implements gateway.Described.
func (g *granting) Describe(x *policy.Context) {
	g.named.Describe(x)
	operations := make([]string, len(g.grant.Operations))
	for i, op := range g.grant.Operations {
		operations[i] = string(op)
	}
	x.SetList("kms:GrantOperations", operations...)
	x.Set("kms:GranteePrincipal", g.grant.Grantee.ARN)
	if g.grant.Retiring != nil {
		x.Set("kms:RetiringPrincipal", g.grant.Retiring.ARN)
	}
	x.SetBool("kms:GrantIsForAWSResource", g.via)
	switch {
	case g.grant.Equals != nil:
		x.Set("kms:GrantConstraintType", "EncryptionContextEquals")
	case g.grant.Subset != nil:
		x.Set("kms:GrantConstraintType", "EncryptionContextSubset")
	}
}

// Granted implements gateway.Granting: whom a grant lets make grants may give
// no more than that grant gives.
func (g *granting) Granted(call *gateway.Call, _ string) (bool, error) {
	if g.missing {
		return false, nil
	}
	return g.grantedBy(call, func(parent *Grant) bool {
		return parent.permits(kms.GrantOperationCreateGrant, nil) && parent.covers(&g.grant)
	})
}

// covers tells whether a grant gives nothing that the parent does not give:
// its operations are among the parent's, and its constraints as strict.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html
func (g *Grant) covers(child *Grant) bool {
	for _, op := range child.Operations {
		if !slices.Contains(g.Operations, op) {
			return false
		}
	}
	if g.Equals != nil && (child.Equals == nil || !maps.Equal(g.Equals, child.Equals)) {
		return false
	}
	return g.Subset == nil || child.Equals != nil && holds(child.Equals, g.Subset) || child.Subset != nil && holds(child.Subset, g.Subset)
}

func (s *Service) keyToGrant(call *gateway.Call, in *kms.CreateGrantInput) (*granting, error) {
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	n, missing := s.named(call, in.KeyId, false)
	if n == nil {
		return nil, missing
	}
	g := &granting{named: n, via: call.Via != "", grant: Grant{
		KeyID: n.ID, Region: call.Region, Account: n.account, Issuer: call.Account, Created: second(call.Time),
		Grantee: Grantee{ARN: in.GranteePrincipal}, Operations: slices.Compact(slices.Sorted(slices.Values(in.Operations))),
	}}
	if in.RetiringPrincipal != nil {
		g.grant.Retiring = &Grantee{ARN: *in.RetiringPrincipal}
	}
	if in.Name != nil {
		g.grant.Name = *in.Name
	}
	if c := in.Constraints; c != nil {
		g.grant.Equals, g.grant.Subset = c.EncryptionContextEquals, c.EncryptionContextSubset
		n.context = c.EncryptionContextEquals
		if n.context == nil {
			n.context = c.EncryptionContextSubset
		}
		if err := errors.Join(checkContext(g.grant.Equals), checkContext(g.grant.Subset)); err != nil {
			return nil, validation("The encryption context of a grant constraint can have %d bytes at most.", encryptionContext)
		}
	}
	return g, missing
}

// grantable are the operations that grants permit on keys of a usage, beside those on any key.
var grantable = map[kms.KeyUsageType][]kms.GrantOperation{
	kms.KeyUsageTypeEncryptDecrypt: {
		kms.GrantOperationEncrypt, kms.GrantOperationDecrypt, kms.GrantOperationReEncryptFrom, kms.GrantOperationReEncryptTo,
	},
	kms.KeyUsageTypeSignVerify:        {kms.GrantOperationSign, kms.GrantOperationVerify},
	kms.KeyUsageTypeGenerateVerifyMac: {kms.GrantOperationGenerateMac, kms.GrantOperationVerifyMac},
	kms.KeyUsageTypeKeyAgreement:      {kms.GrantOperationDeriveSharedSecret},
}

// canGrant tells whether grants of the key may permit an operation.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations
func (k *Key) canGrant(op kms.GrantOperation) bool {
	switch op {
	case kms.GrantOperationDescribeKey, kms.GrantOperationCreateGrant, kms.GrantOperationRetireGrant:
		return true
	case kms.GrantOperationGetPublicKey:
		return k.Spec.Paired()
	case kms.GrantOperationGenerateDataKey, kms.GrantOperationGenerateDataKeyWithoutPlaintext,
		kms.GrantOperationGenerateDataKeyPair, kms.GrantOperationGenerateDataKeyPairWithoutPlaintext:
		return k.Spec.Symmetric()
	}
	return slices.Contains(grantable[k.Usage], op)
}

// checkGrant refuses a grant that the key can't have.
func (g *granting) checkGrant() error {
	if len(g.grant.Operations) == 0 {
		return validation("1 validation error detected: Value '[]' at 'operations' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	for _, op := range g.grant.Operations {
		if !g.canGrant(op) {
			return validation("Operation %s is not supported in a grant of %s, whose key spec is %s and key usage %s.", op, g.Arn, g.Spec, g.Usage)
		}
	}
	if (g.grant.Equals != nil || g.grant.Subset != nil) && !g.Spec.Symmetric() {
		return validation("Grant constraints are not supported for %s, whose key spec is %s.", g.Arn, g.Spec)
	}
	return nil
}

// identify finds the unique id of a principal that a grant is to name: a user or role must exist, here.
func (s *Service) identify(call *gateway.Call, g *Grantee) error {
	bad := &kms.InvalidArnException{Message: "ARN does not refer to a valid principal: " + g.ARN}
	arn, err := aws.ParseARN(g.ARN)
	if err != nil || arn.Partition != call.Partition || !aws.IsAccount(arn.Account) || arn.Service != "iam" && arn.Service != "sts" {
		return bad
	}
	if arn.Service == "sts" || arn.Resource == "root" {
		return nil
	}
	g.ID, err = s.Identities.PrincipalID(call.Tx, g.ARN)
	if errors.Is(err, store.ErrNotFound) {
		return bad
	}
	return err
}

func (s *Service) createGrant(_ context.Context, call *gateway.Call, on *granting, in *kms.CreateGrantInput) (*kms.CreateGrantOutput, error) {
	if err := on.Key.usable(call.Time); err != nil { // whether or not its key store is connected
		return nil, err
	}
	if err := on.checkGrant(); err != nil {
		return nil, err
	}
	g := &on.grant
	if err := s.identify(call, &g.Grantee); err != nil {
		return nil, err
	}
	if g.Retiring != nil {
		if err := s.identify(call, g.Retiring); err != nil {
			return nil, err
		}
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	same, err := g.alike(call.Tx)
	if err != nil {
		return nil, err
	}
	if same != nil {
		g = same
	} else if err := s.insertGrant(call.Tx, g); err != nil {
		return nil, err
	}
	token, err := s.grantToken(g)
	if err != nil {
		return nil, err
	}
	return &kms.CreateGrantOutput{GrantId: &g.ID, GrantToken: &token}, nil
}

// alike is a grant of the same name that gives the same; nil: there is none, or it has no name.
func (g *Grant) alike(tx store.Tx) (*Grant, error) {
	if g.Name == "" {
		return nil, nil
	}
	for entry, err := range grants.ListBy(tx, grantsByGrantee, g.Account, nil, g.Region, g.KeyID, g.Grantee.name()) {
		if err != nil {
			return nil, err
		}
		have := *entry.Value
		have.ID, have.Created = "", g.Created
		if reflect.DeepEqual(&have, g) {
			return entry.Value, nil
		}
	}
	return nil, nil
}

// countedAs are the nouns under which a grant is counted: the key's grants, and those of one grantee.
func (g *Grant) countedAs() (ofKey, ofGrantee string) {
	ofKey = "grant " + g.Region + " " + g.KeyID
	return ofKey, ofKey + " " + g.Grantee.name()
}

func (s *Service) insertGrant(tx store.Tx, g *Grant) error {
	var id [32]byte
	rand.Read(id[:])
	g.ID = hex.EncodeToString(id[:])
	ofKey, ofGrantee := g.countedAs()
	limit := s.quotas(g.Account).GrantsPerKey
	err := counts.Add(tx, g.Account, ofKey, g.ID, limit)
	if errors.Is(err, store.ErrQuota) {
		return limitExceeded("The quota of %d grants for a KMS key has been reached.", limit)
	}
	if err == nil {
		err = counts.Add(tx, g.Account, ofGrantee, g.ID, grantsPerGrantee)
	}
	if errors.Is(err, store.ErrQuota) {
		return limitExceeded("The quota of %d grants of a KMS key for one grantee principal has been reached.", grantsPerGrantee)
	}
	if err != nil {
		return err
	}
	return grants.Insert(tx, g.Account, g, g.Region, g.KeyID, g.ID)
}

// dropGrant removes a grant.
func dropGrant(tx store.Tx, g *Grant) error {
	if err := grants.Delete(tx, g.Account, g.Region, g.KeyID, g.ID); err != nil {
		return err
	}
	ofKey, ofGrantee := g.countedAs()
	return errors.Join(counts.Remove(tx, g.Account, ofKey, g.ID), counts.Remove(tx, g.Account, ofGrantee, g.ID))
}
