package iam

import (
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// Provider is what identity providers have in common, as stored.
type Provider struct {
	Name    string // of OpenID Connect: the issuer without "https://"
	Arn     string
	Created time.Time
	Tags    []Tag `cbor:",omitempty"` // keys as written

	tags lazyTags
}

// ARN implements gateway.Resource.
func (p *Provider) ARN() string { return p.Arn }

// ResourceTags implements gateway.Tagged.
func (p *Provider) ResourceTags() map[string]string { return p.tags.of(p.Tags) }

// providerName is the name in a provider's ARN; mine tells whether it is one of the call's account.
func providerName(call *gateway.Call, kind, arn string) (name string, mine bool, err error) {
	a, err := aws.ParseARN(arn)
	name, ok := strings.CutPrefix(a.Resource, kind+"/")
	if err != nil || !ok || name == "" || a.Service != "iam" || a.Region != "" || a.Partition != call.Partition || !aws.IsAccount(a.Account) {
		return "", false, validation("Invalid ARN:  Could not be parsed!")
	}
	return name, a.Account == call.Account, nil
}

// milli is t as providers' dates have it.
func milli(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
