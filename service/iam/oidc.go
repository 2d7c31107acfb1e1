package iam

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// OIDCProvider is an OpenID Connect provider, as stored under its name.
type OIDCProvider struct {
	Provider
	ClientIDs   []string `cbor:",omitempty"` // in the order in which they came
	Thumbprints []string `cbor:",omitempty"` // lower case
}

var oidcProviders = store.NewTable[OIDCProvider]("iam/oidc-provider")

const (
	clientIDsPerProvider   = 100
	thumbprintsPerProvider = 5
)

// issuerForm is what may be in an issuer's host and path: it becomes part of an ARN, in which a wildcard
// or a space would be misread.
var issuerForm = regexp.MustCompile(`\A[A-Za-z0-9\-._~%:/@!$&'()+,;=\[\]]+\z`)

// issuer is the provider's name that its URL makes: host and path as they are
// written, without the port that https has anyway. A query or fragment is
// answered as AWS does, without a message.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
func issuer(text string) (string, error) {
	u, err := url.Parse(text)
	rest, secure := strings.CutPrefix(text, "https://")
	if err != nil || !secure || u.Hostname() == "" || u.User != nil {
		return "", validation("Invalid Open ID Connect Provider URL")
	}
	if strings.ContainsAny(rest, "?#") {
		return "", &iam.InvalidInputException{}
	}
	if !issuerForm.MatchString(rest) {
		return "", validation("Invalid Open ID Connect Provider URL")
	}
	return strings.TrimSuffix(rest[:len(u.Host)], ":443") + rest[len(u.Host):], nil
}

// oidcNamed finds the provider whose ARN the input holds.
func oidcNamed[In any](arn func(*In) string) gateway.Target[In, *OIDCProvider] {
	return func(call *gateway.Call, in *In) (*OIDCProvider, error) {
		return findOIDC(call, arn(in), "OpenIDConnect Provider not found for arn %s")
	}
}

func oidcToDelete(call *gateway.Call, in *iam.DeleteOpenIDConnectProviderInput) (*OIDCProvider, error) {
	return findOIDC(call, in.OpenIDConnectProviderArn, "OpenId connect Provider %s cannot be found.")
}

func findOIDC(call *gateway.Call, arn, missing string) (*OIDCProvider, error) {
	name, mine, err := providerName(call, "oidc-provider", arn)
	if err != nil {
		return nil, err
	}
	if mine {
		p, err := oidcProviders.Get(call.Tx, call.Account, name)
		if !errors.Is(err, store.ErrNotFound) {
			return p, err
		}
	}
	return &OIDCProvider{Provider: Provider{Arn: arn}}, noSuchEntity(missing, arn)
}

func oidcToCreate(call *gateway.Call, in *iam.CreateOpenIDConnectProviderInput) (*creation, error) {
	name, err := issuer(in.Url)
	if err != nil {
		return nil, err
	}
	return creating(call, "oidc-provider", "iam:TagOpenIDConnectProvider", name, nil, in.Tags, nil)
}

// createOpenIDConnectProvider keeps thumbprints as they are given. AWS fetches
// one from the issuer where none is given; nothing here asks a stranger's host.
func (s *Service) createOpenIDConnectProvider(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateOpenIDConnectProviderInput) (*iam.CreateOpenIDConnectProviderOutput, error) {
	p := &OIDCProvider{Provider: Provider{Name: on.name, Arn: on.arn, Created: milli(call.Time), Tags: on.tags}}
	if len(in.ThumbprintList) > thumbprintsPerProvider {
		return nil, tooManyThumbprints()
	}
	p.Thumbprints = lower(in.ThumbprintList)
	for _, id := range in.ClientIDList {
		if err := p.addClient(id); err != nil {
			return nil, err
		}
	}
	err := oidcProviders.Insert(call.Tx, call.Account, p, p.Name)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("Provider with url %s already exists.", in.Url)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countOIDC, p.Name, "OpenIdConnectProvidersPerAccount", s.quotas(call.Account).OIDCProviders); err != nil {
		return nil, err
	}
	return &iam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: &p.Arn, Tags: apiTags(p.Tags)}, nil
}

func tooManyThumbprints() error {
	return invalidInput("Thumbprint list must contain fewer than 5 entries.") // AWS's words; five are taken
}

func lower(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = strings.ToLower(s)
	}
	return out
}

// addClient adds a client id once.
func (p *OIDCProvider) addClient(id string) error {
	if slices.Contains(p.ClientIDs, id) {
		return nil
	}
	if len(p.ClientIDs) >= clientIDsPerProvider {
		return limitExceeded("ClientIdsPerOpenIdConnectProvider", clientIDsPerProvider)
	}
	p.ClientIDs = append(p.ClientIDs, id)
	return nil
}

func (s *Service) getOpenIDConnectProvider(_ context.Context, _ *gateway.Call, p *OIDCProvider, _ *iam.GetOpenIDConnectProviderInput) (*iam.GetOpenIDConnectProviderOutput, error) {
	return &iam.GetOpenIDConnectProviderOutput{
		Url: &p.Name, ClientIDList: append([]string{}, p.ClientIDs...), ThumbprintList: append([]string{}, p.Thumbprints...),
		CreateDate: &p.Created, Tags: listedTags(byKey(p.Tags)),
	}, nil
}

func (s *Service) listOpenIDConnectProviders(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.ListOpenIDConnectProvidersInput) (*iam.ListOpenIDConnectProvidersOutput, error) {
	out := &iam.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []iam.OpenIDConnectProviderListEntry{}}
	for entry, err := range oidcProviders.List(call.Tx, call.Account, nil) {
		if err != nil {
			return nil, err
		}
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, iam.OpenIDConnectProviderListEntry{Arn: &entry.Value.Arn})
	}
	return out, nil
}

// update changes the provider by change, which is given a copy of it.
func (p *OIDCProvider) update(call *gateway.Call, change func(*OIDCProvider) error) error {
	return oidcProviders.Update(call.Tx, call.Account, change, p.Name)
}

func (s *Service) addClientIDToOpenIDConnectProvider(_ context.Context, call *gateway.Call, p *OIDCProvider, in *iam.AddClientIDToOpenIDConnectProviderInput) (*iam.AddClientIDToOpenIDConnectProviderOutput, error) {
	return nil, p.update(call, func(p *OIDCProvider) error { return p.addClient(in.ClientID) })
}

// removeClientIDFromOpenIDConnectProvider is no error where the id is not there.
func (s *Service) removeClientIDFromOpenIDConnectProvider(_ context.Context, call *gateway.Call, p *OIDCProvider, in *iam.RemoveClientIDFromOpenIDConnectProviderInput) (*iam.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
	return nil, p.update(call, func(p *OIDCProvider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == in.ClientID })
		return nil
	})
}

func (s *Service) updateOpenIDConnectProviderThumbprint(_ context.Context, call *gateway.Call, p *OIDCProvider, in *iam.UpdateOpenIDConnectProviderThumbprintInput) (*iam.UpdateOpenIDConnectProviderThumbprintOutput, error) {
	switch n := len(in.ThumbprintList); {
	case n == 0:
		return nil, invalidInput("Thumbprint list must contain at least one entry.")
	case n > thumbprintsPerProvider:
		return nil, tooManyThumbprints()
	}
	return nil, p.update(call, func(p *OIDCProvider) error {
		p.Thumbprints = lower(in.ThumbprintList)
		return nil
	})
}

func (s *Service) deleteOpenIDConnectProvider(_ context.Context, call *gateway.Call, p *OIDCProvider, _ *iam.DeleteOpenIDConnectProviderInput) (*iam.DeleteOpenIDConnectProviderOutput, error) {
	if err := oidcProviders.Delete(call.Tx, call.Account, p.Name); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countOIDC, p.Name)
}

func (s *Service) tagOpenIDConnectProvider(_ context.Context, call *gateway.Call, p *OIDCProvider, in *iam.TagOpenIDConnectProviderInput) (*iam.TagOpenIDConnectProviderOutput, error) {
	return nil, p.update(call, func(p *OIDCProvider) (err error) {
		p.Tags, err = asWritten.retagged(p.Tags, in.Tags, nil)
		return err
	})
}

func (s *Service) untagOpenIDConnectProvider(_ context.Context, call *gateway.Call, p *OIDCProvider, in *iam.UntagOpenIDConnectProviderInput) (*iam.UntagOpenIDConnectProviderOutput, error) {
	return nil, p.update(call, func(p *OIDCProvider) (err error) {
		p.Tags, err = asWritten.retagged(p.Tags, nil, in.TagKeys)
		return err
	})
}

func (s *Service) listOpenIDConnectProviderTags(_ context.Context, call *gateway.Call, on *OIDCProvider, in *iam.ListOpenIDConnectProviderTagsInput) (*iam.ListOpenIDConnectProviderTagsOutput, error) {
	p, tags, err := s.tagPage(call, on.Arn, on.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListOpenIDConnectProviderTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}
