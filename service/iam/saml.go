package iam

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// SAMLProvider is a SAML 2.0 identity provider, as stored under its name.
type SAMLProvider struct {
	Provider
	UUID       string // SAMLSP…
	Metadata   string
	ValidUntil time.Time // a hundred years from when the metadata came, as AWS has it
	Mode       iam.AssertionEncryptionModeType
	Keys       []SAMLKey `cbor:",omitempty"`
}

// SAMLKey is a private key that assertions may be encrypted to. No answer holds it.
type SAMLKey struct {
	ID      string // SAMLPK…
	Created time.Time
	PEM     string
}

// Format implements fmt.Formatter, so that no verb prints the key.
func (k SAMLKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "private key %s", k.ID) }

var samlProviders = store.NewTable[SAMLProvider]("iam/saml-provider")

const samlKeysPerProvider = 2

// samlNamed finds the provider whose ARN the input holds.
func samlNamed[In any](arn func(*In) string) gateway.Target[In, *SAMLProvider] {
	return func(call *gateway.Call, in *In) (*SAMLProvider, error) {
		name, mine, err := providerName(call, "saml-provider", arn(in))
		if err != nil {
			return nil, err
		}
		if mine {
			p, err := samlProviders.Get(call.Tx, call.Account, name)
			if !errors.Is(err, store.ErrNotFound) {
				return p, err
			}
		}
		return &SAMLProvider{Provider: Provider{Arn: arn(in)}}, noSuchEntity("Manifest not found for arn %s", arn(in))
	}
}

func samlToCreate(call *gateway.Call, in *iam.CreateSAMLProviderInput) (*creation, error) {
	return creating(call, "saml-provider", "iam:TagSAMLProvider", in.Name, nil, in.Tags, nil)
}

// readSAMLProvider is done outside transactions: metadata are large.
func (s *Service) readSAMLProvider(_ context.Context, _ *gateway.Call, _ *creation, in *iam.CreateSAMLProviderInput) (struct{}, error) {
	return struct{}{}, readSAML(&in.SAMLMetadataDocument, in.AddPrivateKey)
}

// readSAMLUpdate is done outside transactions.
func (s *Service) readSAMLUpdate(_ context.Context, _ *gateway.Call, _ *SAMLProvider, in *iam.UpdateSAMLProviderInput) (struct{}, error) {
	switch {
	case in.SAMLMetadataDocument == nil && in.AssertionEncryptionMode == nil && in.AddPrivateKey == nil && in.RemovePrivateKey == nil:
		return struct{}{}, validation("Unable to update identity provider. No updates are defined for metadata or encryption assertion.")
	case in.AddPrivateKey != nil && in.RemovePrivateKey != nil:
		return struct{}{}, validation("Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.")
	}
	return struct{}{}, readSAML(in.SAMLMetadataDocument, in.AddPrivateKey)
}

func readSAML(metadata, key *string) error {
	if metadata != nil {
		if err := checkMetadata(*metadata); err != nil {
			return err
		}
	}
	if key != nil && !isPrivateKey(*key) {
		return invalidInput("Failed to add private key.")
	}
	return nil
}

func (s *Service) createSAMLProvider(_ context.Context, call *gateway.Call, on *creation, in *iam.CreateSAMLProviderInput, _ struct{}) (*iam.CreateSAMLProviderOutput, error) {
	p := &SAMLProvider{
		Provider: Provider{Name: on.name, Arn: on.arn, Created: milli(call.Time), Tags: on.tags},
		UUID:     samlID("SAMLSP"), Mode: iam.AssertionEncryptionModeTypeAllowed,
	}
	p.setMetadata(call, in.SAMLMetadataDocument)
	if in.AddPrivateKey != nil {
		if err := p.addKey(call, *in.AddPrivateKey); err != nil {
			return nil, err
		}
	}
	if in.AssertionEncryptionMode != nil {
		if err := p.setMode(*in.AssertionEncryptionMode); err != nil {
			return nil, err
		}
	}
	err := samlProviders.Insert(call.Tx, call.Account, p, p.Name)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("Provider with name %s already exists.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countSAML, p.Name, "SAMLProvidersPerAccount", s.quotas(call.Account).SAMLProviders); err != nil {
		return nil, err
	}
	return &iam.CreateSAMLProviderOutput{SAMLProviderArn: &p.Arn, Tags: apiTags(p.Tags)}, nil
}

func (p *SAMLProvider) setMetadata(call *gateway.Call, text string) {
	p.Metadata, p.ValidUntil = text, milli(call.Time).AddDate(100, 0, 0)
}

func (p *SAMLProvider) addKey(call *gateway.Call, text string) error {
	if len(p.Keys) >= samlKeysPerProvider {
		return &iam.LimitExceededException{Message: "Private key limit of 2 is reached."}
	}
	p.Keys = append(p.Keys, SAMLKey{ID: samlID("SAMLPK"), Created: milli(call.Time), PEM: text})
	return nil
}

// removeKey keeps the last key as long as assertions must be encrypted.
func (p *SAMLProvider) removeKey(id string) error {
	i := slices.IndexFunc(p.Keys, func(k SAMLKey) bool { return k.ID == id })
	if i < 0 || len(p.Keys) == 1 && p.Mode == iam.AssertionEncryptionModeTypeRequired {
		return invalidInput("Failed to remove private key.")
	}
	p.Keys = slices.Delete(p.Keys, i, i+1)
	return nil
}

func (p *SAMLProvider) setMode(mode iam.AssertionEncryptionModeType) error {
	if mode == iam.AssertionEncryptionModeTypeRequired && len(p.Keys) == 0 {
		return invalidInput("Failed to set assertion encryption mode to Required because no private key is present.")
	}
	p.Mode = mode
	return nil
}

func (s *Service) updateSAMLProvider(_ context.Context, call *gateway.Call, on *SAMLProvider, in *iam.UpdateSAMLProviderInput, _ struct{}) (*iam.UpdateSAMLProviderOutput, error) {
	err := samlProviders.Update(call.Tx, call.Account, func(p *SAMLProvider) (err error) {
		if in.SAMLMetadataDocument != nil {
			p.setMetadata(call, *in.SAMLMetadataDocument)
		}
		if in.AddPrivateKey != nil {
			err = p.addKey(call, *in.AddPrivateKey)
		}
		if err == nil && in.AssertionEncryptionMode != nil {
			err = p.setMode(*in.AssertionEncryptionMode)
		}
		if err == nil && in.RemovePrivateKey != nil {
			err = p.removeKey(*in.RemovePrivateKey)
		}
		return err
	}, on.Name)
	return &iam.UpdateSAMLProviderOutput{SAMLProviderArn: &on.Arn}, err
}

func (s *Service) getSAMLProvider(_ context.Context, _ *gateway.Call, p *SAMLProvider, _ *iam.GetSAMLProviderInput) (*iam.GetSAMLProviderOutput, error) {
	out := &iam.GetSAMLProviderOutput{
		SAMLProviderUUID: &p.UUID, SAMLMetadataDocument: &p.Metadata, CreateDate: &p.Created, ValidUntil: &p.ValidUntil,
		AssertionEncryptionMode: &p.Mode, PrivateKeyList: []iam.SAMLPrivateKey{}, Tags: listedTags(byKey(p.Tags)),
	}
	for _, k := range p.Keys {
		out.PrivateKeyList = append(out.PrivateKeyList, iam.SAMLPrivateKey{KeyId: &k.ID, Timestamp: &k.Created})
	}
	return out, nil
}

func (s *Service) listSAMLProviders(_ context.Context, call *gateway.Call, _ gateway.Anything, _ *iam.ListSAMLProvidersInput) (*iam.ListSAMLProvidersOutput, error) {
	out := &iam.ListSAMLProvidersOutput{SAMLProviderList: []iam.SAMLProviderListEntry{}}
	for entry, err := range samlProviders.List(call.Tx, call.Account, nil) {
		if err != nil {
			return nil, err
		}
		p := entry.Value
		out.SAMLProviderList = append(out.SAMLProviderList, iam.SAMLProviderListEntry{Arn: &p.Arn, ValidUntil: &p.ValidUntil, CreateDate: &p.Created})
	}
	return out, nil
}

func (s *Service) deleteSAMLProvider(_ context.Context, call *gateway.Call, p *SAMLProvider, _ *iam.DeleteSAMLProviderInput) (*iam.DeleteSAMLProviderOutput, error) {
	if err := samlProviders.Delete(call.Tx, call.Account, p.Name); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countSAML, p.Name)
}

func (s *Service) tagSAMLProvider(_ context.Context, call *gateway.Call, p *SAMLProvider, in *iam.TagSAMLProviderInput) (*iam.TagSAMLProviderOutput, error) {
	return nil, p.retag(call, in.Tags, nil)
}

func (s *Service) untagSAMLProvider(_ context.Context, call *gateway.Call, p *SAMLProvider, in *iam.UntagSAMLProviderInput) (*iam.UntagSAMLProviderOutput, error) {
	return nil, p.retag(call, nil, in.TagKeys)
}

func (p *SAMLProvider) retag(call *gateway.Call, set []iam.Tag, drop []string) error {
	return samlProviders.Update(call.Tx, call.Account, func(p *SAMLProvider) (err error) {
		p.Tags, err = asWritten.retagged(p.Tags, set, drop)
		return err
	}, p.Name)
}

func (s *Service) listSAMLProviderTags(_ context.Context, call *gateway.Call, on *SAMLProvider, in *iam.ListSAMLProviderTagsInput) (*iam.ListSAMLProviderTagsOutput, error) {
	p, tags, err := s.tagPage(call, on.Arn, on.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListSAMLProviderTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}

// samlID makes an id of AWS's form: a prefix and 16 letters and digits.
func samlID(prefix string) string { return prefix + rand.Text()[:16] }
