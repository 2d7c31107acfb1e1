package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// LastUse is when an access key, or a role's session, last called, as stored
// under the key's or role's id. It is written by a consumer of the trail alone,
// so that no call writes what calls are decided by.
type LastUse struct {
	At      time.Time
	Service string
	Region  string
}

var lastUses = store.NewTable[LastUse]("iam/last-used")

// useResolution is how much later a use must be to be written down again.
const useResolution = time.Minute

// Run follows the trail and writes down when keys and roles were last used and
// who tried which service, and makes the reports that are asked for, until ctx
// ends.
func (s *Service) Run(ctx context.Context, t *trail.Trail) error {
	u := &useRecorder{Service: s, ctx: ctx, engine: t.Engine, made: map[string]*madeReport{}}
	return t.Follow(ctx, "iam/last-used", u.record)
}

// RecordUse writes down what records tell of the last use of keys and roles.
func (s *Service) RecordUse(tx store.Tx, records []trail.Record) error {
	type holder struct{ account, id string }
	latest := map[holder]LastUse{}
	for _, r := range records {
		e := r.Event
		if e == nil {
			continue
		}
		use := LastUse{At: second(e.EventTime), Region: e.AWSRegion}
		use.Service, _, _ = strings.Cut(e.EventSource, ".")
		id := e.UserIdentity.AccessKeyID
		if c := e.UserIdentity.SessionContext; c != nil {
			if id = ""; c.SessionIssuer != nil {
				id = c.SessionIssuer.PrincipalID
			}
		}
		if at := (holder{r.Scope, id}); id != "" && !use.At.Before(latest[at].At) {
			latest[at] = use
		}
	}
	for at, use := range latest {
		if err := recordUse(tx, at.account, at.id, use); err != nil {
			return err
		}
	}
	return nil
}

func recordUse(tx store.Tx, account, id string, use LastUse) error {
	have, err := lastUses.Get(tx, account, id)
	if err == nil && use.At.Sub(have.At) < useResolution && have.Service == use.Service && have.Region == use.Region {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	exists, err := keys.Has(tx, account, id)
	if err == nil && !exists {
		exists, err = roles.Has(tx, account, id)
	}
	if err != nil || !exists {
		return err
	}
	return lastUses.Put(tx, account, &use, id)
}

// forgetUse drops what is known of the use of a key or role that is deleted.
func forgetUse(tx store.Tx, account, id string) error {
	err := lastUses.Delete(tx, account, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// holderOfKey finds whose key the input names.
func holderOfKey(call *gateway.Call, in *iam.GetAccessKeyLastUsedInput) (*User, error) {
	key, err := keys.Get(call.Tx, call.Account, in.AccessKeyId)
	if errors.Is(err, store.ErrNotFound) {
		return &User{Entity: Entity{Name: "*", Arn: entityARN(call, "user", "/", "*")}}, noSuchKey(in.AccessKeyId)
	}
	if err != nil {
		return nil, err
	}
	return key.holder(call.Tx, call.Account)
}

func (s *Service) getAccessKeyLastUsed(_ context.Context, call *gateway.Call, u *User, in *iam.GetAccessKeyLastUsedInput) (*iam.GetAccessKeyLastUsedOutput, error) {
	if !slices.Contains(u.Keys, in.AccessKeyId) {
		return nil, noSuchKey(in.AccessKeyId)
	}
	out := &iam.GetAccessKeyLastUsedOutput{AccessKeyLastUsed: &iam.AccessKeyLastUsed{ServiceName: "N/A", Region: "N/A"}}
	if !u.root() {
		out.UserName = new(u.Name)
	}
	use, err := lastUses.Get(call.Tx, call.Account, in.AccessKeyId)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	*out.AccessKeyLastUsed = iam.AccessKeyLastUsed{LastUsedDate: new(use.At), ServiceName: use.Service, Region: use.Region}
	return out, nil
}

// roleLastUsed is a role's last use as GetRole shows it; empty if there was none.
func roleLastUsed(tx store.Tx, r *Role) (*iam.RoleLastUsed, error) {
	a, err := aws.ParseARN(r.Arn)
	if err != nil {
		return nil, err
	}
	use, err := lastUses.Get(tx, a.Account, r.ID)
	if errors.Is(err, store.ErrNotFound) {
		return new(iam.RoleLastUsed), nil
	}
	if err != nil {
		return nil, err
	}
	return &iam.RoleLastUsed{LastUsedDate: new(use.At), Region: new(use.Region)}, nil
}
