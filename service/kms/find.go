package kms

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// named is a key as a call names it, with what is decided by. Of a key that
// does not exist it has the names alone.
type named struct {
	*Key
	alias     string           // that the call names it by, "alias/…"
	context   material.Context // encryption context
	algorithm string           // of an encryption
	reEncrypt sameKey

	account string // that the ARN names
	shown   string // the ARN that denials show, if another
	missing bool
	fresh   bool      // made by this very call
	grants  *Service  // asked for grants
	store   *KeyStore // that holds the key; nil: none does
	sealed  *Secret   // the material that a use needs, where it is prepared outside transactions
	used    string    // that material's ID
	more    []gateway.Authorization
}

// sameKey is kms:ReEncryptOnSameKey, where it has a value.
type sameKey uint8

const (
	noReEncrypt sameKey = iota
	onSameKey
	onOtherKey
)

// ResourceAccount implements gateway.Owned.
func (n *named) ResourceAccount() string { return n.account }

// ARN implements gateway.Resource.
func (n *named) ARN() string { return n.Arn }

// ShownARN implements gateway.Shown.
func (n *named) ShownARN() string {
	if n.shown != "" {
		return n.shown
	}
	return n.Arn
}

// ResourceTags implements gateway.Tagged.
func (n *named) ResourceTags() map[string]string { return n.tags.of(n.Tags) }

// ResourcePolicy implements gateway.Governed. A key that does not exist is
// governed as a new one would be: so who may use all of the account's keys is
// told that it does not exist, and nobody else is.
func (n *named) ResourcePolicy() *policy.Policy {
	if n.missing {
		return accountPolicy(n.account)
	}
	return n.Policy.policy()
}

// Further implements gateway.Compound.
func (n *named) Further() []gateway.Authorization { return n.more }

// Describe implements gateway.Described.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (n *named) Describe(x *policy.Context) {
	if len(n.context) > 0 {
		names := slices.Sorted(maps.Keys(n.context))
		for _, name := range names {
			x.SetTag("kms:EncryptionContext:", name, n.context[name])
		}
		x.SetList("kms:EncryptionContextKeys", names...)
	}
	if n.algorithm != "" {
		x.Set("kms:EncryptionAlgorithm", n.algorithm)
	}
	if n.alias != "" {
		x.Set("kms:RequestAlias", n.alias)
	}
	if n.reEncrypt != noReEncrypt {
		x.SetBool("kms:ReEncryptOnSameKey", n.reEncrypt == onSameKey)
	}
	if n.missing {
		return
	}
	x.SetList("kms:ResourceAliases", n.Aliases...)
	n.describeKey(x)
}

// describeKey sets the keys that say what kind of key it is.
func (k *Key) describeKey(x *policy.Context) {
	x.Set("kms:KeySpec", string(k.Spec))
	x.Set("kms:KeyUsage", string(k.Usage))
	x.Set("kms:KeyOrigin", string(k.Origin))
	x.SetBool("kms:MultiRegion", k.MultiRegion)
	if k.MultiRegion {
		x.Set("kms:MultiRegionKeyType", k.multiRegionType())
	}
}

func (k *Key) multiRegionType() string {
	if k.primary() {
		return "PRIMARY"
	}
	return "REPLICA"
}

// keyID tells a key's id: a UUID, or a multi-Region key's.
var keyID = regexp.MustCompile(`\A(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})\z`)

// find finds the key that a text names: its id, its ARN, or, where aliases are
// taken, an alias's name or ARN. Text that names no key of this Region is
// refused with no named: it says nothing of any key.
func find(call *gateway.Call, text string, aliases bool) (*named, error) {
	n := &named{account: call.Account}
	id := text
	if strings.HasPrefix(text, "arn:") {
		arn, err := aws.ParseARN(text)
		if err != nil || arn.Service != "kms" || arn.Partition != call.Partition || !aws.IsAccount(arn.Account) {
			return nil, notFound("Invalid arn %s", text)
		}
		if arn.Region != call.Region {
			return nil, notFound("Invalid arn %s", arn.Region)
		}
		n.account, id = arn.Account, arn.Resource
		if rest, ok := strings.CutPrefix(id, "key/"); ok {
			id = rest
		} else if !strings.HasPrefix(id, "alias/") {
			return nil, notFound("Invalid arn %s", text)
		}
	}
	if strings.HasPrefix(id, "alias/") {
		if !aliases {
			return nil, notFound("Invalid keyId '%s'", text)
		}
		return n, n.byAlias(call, id)
	}
	if !keyID.MatchString(id) {
		return nil, notFound("Invalid keyId '%s'", id)
	}
	return n, n.byID(call, id)
}

// byID sets the key.
func (n *named) byID(call *gateway.Call, id string) error {
	arn := keyARN(call, n.account, id)
	found, err := keys.Get(call.Tx, n.account, call.Region, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && found.gone(call.Time) {
		n.absent(id, arn)
		return notFound("Key '%s' does not exist", arn)
	}
	n.Key = found
	if err != nil || found.Store == "" {
		return err
	}
	n.store, err = keyStores.Get(call.Tx, n.account, call.Region, found.Store)
	return err
}

// absent makes n a key that does not exist, as far as its caller may know.
func (n *named) absent(id, arn string) { n.Key, n.missing = &Key{ID: id, Arn: arn}, true }

// byAlias sets the key that an alias selects.
func (n *named) byAlias(call *gateway.Call, name string) error {
	n.alias = name
	found, err := aliases.Get(call.Tx, n.account, call.Region, name)
	if errors.Is(err, store.ErrNotFound) {
		// Which key the alias would select nobody knows: who may use any of the account's is told.
		n.absent("", keyARN(call, n.account, "*"))
		n.shown = aliasARN(call, n.account, name)
		return notFound("Alias %s is not found.", n.shown)
	}
	if err != nil {
		return err
	}
	return n.byID(call, found.KeyID)
}

func keyARN(call *gateway.Call, account, id string) string {
	return arnIn(call.Partition, call.Region, account, id)
}

func arnIn(partition, region, account, id string) string {
	return "arn:" + partition + ":kms:" + region + ":" + account + ":key/" + id
}

func aliasARN(call *gateway.Call, account, name string) string {
	return "arn:" + call.Partition + ":kms:" + call.Region + ":" + account + ":" + name
}

// accountPolicy is the policy of keys that do not exist: the account's own policies decide.
func accountPolicy(account string) *policy.Policy {
	return (&Document{Text: `{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"kms:*","Resource":"*"}}`}).policy()
}
