package kms

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// LastUse is a key's last successful cryptographic operation, as stored under
// Region and the key's id. A consumer of the trail alone writes it.
type LastUse struct {
	Operation kms.KeyLastUsageTrackingOperation
	At        time.Time
	EventID   string
	RequestID string
}

var lastUses = store.NewTable[LastUse]("kms/last-used")

// tracked are the operations that count as uses.
var tracked = []kms.KeyLastUsageTrackingOperation{
	kms.KeyLastUsageTrackingOperationDecrypt, kms.KeyLastUsageTrackingOperationDeriveSharedSecret,
	kms.KeyLastUsageTrackingOperationEncrypt, kms.KeyLastUsageTrackingOperationGenerateDataKey,
	kms.KeyLastUsageTrackingOperationGenerateDataKeyPair, kms.KeyLastUsageTrackingOperationGenerateDataKeyPairWithoutPlaintext,
	kms.KeyLastUsageTrackingOperationGenerateDataKeyWithoutPlaintext, kms.KeyLastUsageTrackingOperationGenerateMac,
	kms.KeyLastUsageTrackingOperationReEncrypt, kms.KeyLastUsageTrackingOperationSign,
	kms.KeyLastUsageTrackingOperationVerify, kms.KeyLastUsageTrackingOperationVerifyMac,
}

// Follow follows the trail and writes down when keys were last used, until ctx ends.
func (s *Service) Follow(ctx context.Context, t *trail.Trail) error {
	return t.Follow(ctx, "kms/last-used", s.RecordUse)
}

// RecordUse writes down what records tell of the last use of keys: of a key of
// another account than the caller's, the record that the key's account has.
func (s *Service) RecordUse(tx store.Tx, records []trail.Record) error {
	latest := map[string]LastUse{}
	for _, r := range records {
		e := r.Event
		if e == nil || e.EventSource != "kms.amazonaws.com" || e.ErrorCode != "" {
			continue
		}
		op := kms.KeyLastUsageTrackingOperation(e.EventName)
		if !slices.Contains(tracked, op) {
			continue
		}
		for _, on := range e.Resources {
			if on.AccountID == r.Scope {
				latest[on.ARN] = LastUse{Operation: op, At: second(e.EventTime), EventID: e.EventID, RequestID: e.RequestID}
			}
		}
	}
	for name, use := range latest {
		arn, err := aws.ParseARN(name)
		if err != nil {
			continue
		}
		id := strings.TrimPrefix(arn.Resource, "key/")
		exists, err := keys.Has(tx, arn.Account, arn.Region, id)
		if err == nil && exists {
			err = lastUses.Put(tx, arn.Account, &use, arn.Region, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetUse drops what is known of the use of a key that is deleted.
func forgetUse(tx store.Tx, k *Key) error {
	err := lastUses.Delete(tx, k.Account, k.Region, k.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// unused finds a key that is to be disabled or deleted: policies may ask for
// how many days nobody has used it.
func unused[In any](s *Service, id func(*In) string) gateway.Target[In, *named] {
	return func(call *gateway.Call, in *In) (*named, error) {
		n, missing := s.own(call, id(in))
		if n == nil || missing != nil {
			return n, missing
		}
		return n, n.sinceUse(call)
	}
}

// sinceUse sets kms:TrailingDaysWithoutKeyUsage: whole days since the last use,
// or since the key was made.
func (n *named) sinceUse(call *gateway.Call) error {
	last := n.Created
	use, err := lastUses.Get(call.Tx, n.account, n.Region, n.ID)
	if err == nil {
		last = use.At
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	call.Condition("kms:TrailingDaysWithoutKeyUsage", strconv.Itoa(int(call.Time.Sub(last)/day)))
	return nil
}

func (s *Service) getKeyLastUsage(_ context.Context, call *gateway.Call, n *named, _ *kms.GetKeyLastUsageInput) (*kms.GetKeyLastUsageOutput, error) {
	out := &kms.GetKeyLastUsageOutput{
		KeyId: &n.Arn, KeyCreationDate: &n.Created, TrackingStartDate: &n.Created, KeyLastUsage: new(kms.KeyLastUsageData),
	}
	use, err := lastUses.Get(call.Tx, n.account, n.Region, n.ID)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.KeyLastUsage = &kms.KeyLastUsageData{
		Operation: &use.Operation, Timestamp: &use.At, CloudTrailEventId: &use.EventID, KmsRequestId: &use.RequestID,
	}
	return out, nil
}
