package kms

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Alias is a name for a key, as stored under Region and name ("alias/…"). The
// key's record has the name, too, for conditions on a key's aliases.
type Alias struct {
	Name             string
	KeyID            string
	Created, Updated time.Time
}

var aliases = store.NewTable[Alias]("kms/alias")

// aliasName tells what an alias may be called.
var aliasName = regexp.MustCompile(`\Aalias/[a-zA-Z0-9/_-]+\z`)

const reservedAliases = "alias/aws/"

// checkAlias refuses what can't be the name of a customer's alias.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
func checkAlias(name string) error {
	switch {
	case !strings.HasPrefix(name, "alias/"):
		return validation(`Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`)
	case strings.HasPrefix(name, reservedAliases) || name == strings.TrimSuffix(reservedAliases, "/"):
		return &aws.Error{Kind: aws.Custom, Code: "NotAuthorizedException"} // sent without a text, and not modelled
	case strings.Contains(name, ":"):
		return validation("%s contains invalid characters for an alias", name)
	case !aliasName.MatchString(name):
		return validation("1 validation error detected: Value '%s' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$", name)
	}
	return nil
}

// naming is an alias as a call makes, moves or deletes it, with the keys that
// it leaves and gets: the caller is authorised on each. Aliases have no policy
// of their own.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
type naming struct {
	arn      string
	alias    *Alias // as it is stored; nil: it is not
	from, to *named // nil: none
}

// ARN implements gateway.Resource.
func (n *naming) ARN() string { return n.arn }

// Further implements gateway.Compound.
func (n *naming) further(action string) (all []gateway.Authorization) {
	for _, key := range []*named{n.from, n.to} {
		if key != nil {
			all = append(all, gateway.Authorization{Action: action, On: key})
		}
	}
	return all
}

// creatingAlias, movingAlias and deletingAlias are a naming with the action that its keys are asked for.
type (
	creatingAlias struct{ naming }
	movingAlias   struct{ naming }
	deletingAlias struct{ naming }
)

// Further implements gateway.Compound.
func (n *creatingAlias) Further() []gateway.Authorization { return n.further("kms:CreateAlias") }

// Further implements gateway.Compound.
func (n *movingAlias) Further() []gateway.Authorization { return n.further("kms:UpdateAlias") }

// Further implements gateway.Compound.
func (n *deletingAlias) Further() []gateway.Authorization { return n.further("kms:DeleteAlias") }

// findAlias reads an alias of the call's account; n.alias stays nil if there is none.
func (n *naming) findAlias(call *gateway.Call, name string) error {
	n.arn = aliasARN(call, call.Account, name)
	found, err := aliases.Get(call.Tx, call.Account, call.Region, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	n.alias = found
	return err
}

// target finds the key that an alias is to select.
func (s *Service) target(call *gateway.Call, name, key string) (*named, error) {
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	if strings.HasPrefix(key, "alias/") || strings.Contains(key, ":alias/") {
		return nil, validation("Aliases must refer to keys. Not aliases")
	}
	return s.own(call, key)
}

func (s *Service) aliasToCreate(call *gateway.Call, in *kms.CreateAliasInput) (*creatingAlias, error) {
	to, missing := s.target(call, in.AliasName, in.TargetKeyId)
	if to == nil {
		return nil, missing
	}
	n := &creatingAlias{naming{to: to}}
	if err := n.findAlias(call, in.AliasName); err != nil {
		return nil, err
	}
	call.Touched(n.arn, call.Account, keyType)
	return n, missing
}

func (s *Service) createAlias(_ context.Context, call *gateway.Call, n *creatingAlias, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	if n.alias != nil {
		return nil, &kms.AlreadyExistsException{Message: "An alias with the name " + n.arn + " already exists"}
	}
	if err := n.to.notPendingDeletion(); err != nil {
		return nil, err
	}
	now := second(call.Time)
	return nil, s.putAlias(call.Tx, n.to.Key, &Alias{Name: in.AliasName, Created: now, Updated: now})
}

// putAlias makes an alias select a key.
func (s *Service) putAlias(tx store.Tx, k *Key, a *Alias) error {
	a.KeyID = k.ID
	err := change(tx, k, func(k *Key) error {
		if limit := s.quotas(k.Account).AliasesPerKey; len(k.Aliases) >= limit {
			return limitExceeded("The quota of %d aliases for a KMS key has been reached.", limit)
		}
		at, _ := slices.BinarySearch(k.Aliases, a.Name)
		k.Aliases = slices.Insert(k.Aliases, at, a.Name)
		return nil
	})
	if err != nil {
		return err
	}
	return aliases.Put(tx, k.Account, a, k.Region, a.Name)
}

// unname takes an alias's name from the key that it selects.
func unname(tx store.Tx, account, region string, a *Alias) error {
	err := keys.Update(tx, account, func(k *Key) error {
		if at, ok := slices.BinarySearch(k.Aliases, a.Name); ok {
			k.Aliases = slices.Delete(k.Aliases, at, at+1)
		}
		return nil
	}, region, a.KeyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// noAlias is the refusal of an alias that does not exist.
func (n *naming) noAlias() error { return notFound("Alias %s is not found.", n.arn) }

func (s *Service) aliasToMove(call *gateway.Call, in *kms.UpdateAliasInput) (*movingAlias, error) {
	to, missing := s.target(call, in.AliasName, in.TargetKeyId)
	if to == nil {
		return nil, missing
	}
	n := &movingAlias{naming{to: to}}
	if err := n.findAlias(call, in.AliasName); err != nil {
		return nil, err
	}
	if n.alias == nil {
		return n, n.noAlias()
	}
	var err error
	if n.from, err = s.own(call, n.alias.KeyID); err != nil && n.from == nil {
		return nil, err
	}
	call.Touched(n.arn, call.Account, keyType)
	return n, missing
}

func (s *Service) updateAlias(_ context.Context, call *gateway.Call, n *movingAlias, _ *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	from, to := n.from.Key, n.to.Key
	if err := to.notPendingDeletion(); err != nil {
		return nil, err
	}
	if !n.from.missing && (from.Spec.Kind() != to.Spec.Kind() || from.Usage != to.Usage) {
		return nil, validation("Alias %s cannot be changed from a %s %s key to a %s %s key.", n.alias.Name, from.Spec.Kind(), from.Usage, to.Spec.Kind(), to.Usage)
	}
	if err := unname(call.Tx, call.Account, call.Region, n.alias); err != nil {
		return nil, err
	}
	return nil, s.putAlias(call.Tx, to, &Alias{Name: n.alias.Name, Created: n.alias.Created, Updated: second(call.Time)})
}

func (s *Service) aliasToDelete(call *gateway.Call, in *kms.DeleteAliasInput) (*deletingAlias, error) {
	s.conditions(call)
	if err := checkAlias(in.AliasName); err != nil {
		return nil, err
	}
	n := new(deletingAlias)
	if err := n.findAlias(call, in.AliasName); err != nil {
		return nil, err
	}
	if n.alias == nil {
		return n, n.noAlias()
	}
	var err error
	if n.from, err = s.own(call, n.alias.KeyID); err != nil && n.from == nil {
		return nil, err
	}
	call.Touched(n.arn, call.Account, keyType)
	return n, nil
}

func (s *Service) deleteAlias(_ context.Context, call *gateway.Call, n *deletingAlias, _ *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	if err := unname(call.Tx, call.Account, call.Region, n.alias); err != nil {
		return nil, err
	}
	return nil, aliases.Delete(call.Tx, call.Account, call.Region, n.alias.Name)
}

func (s *Service) listAliases(_ context.Context, call *gateway.Call, _ gateway.Anything, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	var only string
	if in.KeyId != nil {
		n, err := find(call, *in.KeyId, false)
		if err != nil {
			return nil, err
		}
		if n.account != call.Account {
			return nil, notFound("Key '%s' does not exist", n.Arn)
		}
		only = n.ID
	}
	p, err := s.page(call, in.Marker, in.Limit, 50, 100, only)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, aliases.List(call.Tx, call.Account, p.After, call.Region), func(a *Alias) bool { return only == "" || a.KeyID == only })
	if err != nil {
		return nil, err
	}
	out := &kms.ListAliasesOutput{Aliases: make([]kms.AliasListEntry, len(found)), NextMarker: p.Next, Truncated: p.More()}
	for i, a := range found {
		out.Aliases[i] = kms.AliasListEntry{
			AliasName: &a.Name, AliasArn: new(aliasARN(call, call.Account, a.Name)), TargetKeyId: &a.KeyID,
			CreationDate: &a.Created, LastUpdatedDate: &a.Updated,
		}
	}
	return out, nil
}
