package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// ServerCertificate is a certificate with its chain and private key, as stored
// under its unique id. No answer holds the key.
type ServerCertificate struct {
	Entity         // without policies; ID is ASCA…, Created when it was uploaded
	Body    string // PEM, as it was uploaded, like the others
	Chain   string `cbor:",omitempty"`
	Key     string
	Expires time.Time
}

var (
	serverCertificatesByName = nameIndex(func(c *ServerCertificate) *Entity { return &c.Entity })
	serverCertificates       = store.NewTable("iam/server-certificate", serverCertificatesByName)
)

// ShownARN implements gateway.Shown.
func (c *ServerCertificate) ShownARN() string { return c.Arn }

// findServerCertificate is the certificate of that name, like findUser.
func findServerCertificate(call *gateway.Call, name string) (*ServerCertificate, error) {
	found, err := serverCertificates.Find(call.Tx, serverCertificatesByName, call.Account, fold(name))
	if err == nil {
		return found.Value, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &ServerCertificate{Entity: Entity{Name: name, Path: "/", Arn: entityARN(call, "server-certificate", "/", name)}},
		noSuchEntity("The Server Certificate with name %s cannot be found.", name)
}

// serverCertificateNamed finds the certificate that the input names.
func serverCertificateNamed[In any](name func(*In) string) gateway.Target[In, *ServerCertificate] {
	return func(call *gateway.Call, in *In) (*ServerCertificate, error) {
		return findServerCertificate(call, name(in))
	}
}

func serverCertificateToUpload(call *gateway.Call, in *iam.UploadServerCertificateInput) (*creation, error) {
	return creating(call, "server-certificate", "iam:TagServerCertificate", in.ServerCertificateName, in.Path, in.Tags, nil)
}

// readServerCertificate is done outside transactions: it verifies a signature for each link of the chain.
func (s *Service) readServerCertificate(_ context.Context, _ *gateway.Call, _ *creation, in *iam.UploadServerCertificateInput) (expires time.Time, err error) {
	chain := ""
	if in.CertificateChain != nil {
		chain = *in.CertificateChain
	}
	return checkServerCertificate(in.CertificateBody, in.PrivateKey, chain)
}

// uploadServerCertificate keeps a certificate whose key is its own, and whose chain holds.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadServerCertificate.html
func (s *Service) uploadServerCertificate(_ context.Context, call *gateway.Call, on *creation, in *iam.UploadServerCertificateInput, expires time.Time) (*iam.UploadServerCertificateOutput, error) {
	c := &ServerCertificate{Entity: on.entity(call, "ASCA"), Body: in.CertificateBody, Key: in.PrivateKey, Expires: second(expires)}
	if in.CertificateChain != nil {
		c.Chain = *in.CertificateChain
	}
	err := serverCertificates.Insert(call.Tx, call.Account, c, c.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, serverCertificateExists(c.Name)
	}
	if err != nil {
		return nil, err
	}
	if err := count(call.Tx, call.Account, countServerCertificates, c.ID, "ServerCertificatesPerAccount", s.quotas(call.Account).ServerCertificates); err != nil {
		return nil, err
	}
	return &iam.UploadServerCertificateOutput{ServerCertificateMetadata: new(c.metadata()), Tags: apiTags(c.Tags)}, nil
}

func serverCertificateExists(name string) error {
	return alreadyExists("The Server Certificate with name %s already exists.", name)
}

func (c *ServerCertificate) metadata() iam.ServerCertificateMetadata {
	return iam.ServerCertificateMetadata{
		Path: c.Path, ServerCertificateName: c.Name, ServerCertificateId: c.ID, Arn: c.Arn, UploadDate: &c.Created, Expiration: &c.Expires,
	}
}

func (s *Service) getServerCertificate(_ context.Context, _ *gateway.Call, c *ServerCertificate, _ *iam.GetServerCertificateInput) (*iam.GetServerCertificateOutput, error) {
	out := &iam.ServerCertificate{ServerCertificateMetadata: new(c.metadata()), CertificateBody: c.Body, Tags: apiTags(c.Tags)}
	if c.Chain != "" {
		out.CertificateChain = &c.Chain
	}
	return &iam.GetServerCertificateOutput{ServerCertificate: out}, nil
}

func serverCertificatesBelow(call *gateway.Call, in *iam.ListServerCertificatesInput) (gateway.Anything, error) {
	return gateway.Anything(entityARN(call, "server-certificate", pathPrefix(in.PathPrefix), "")), nil
}

func (s *Service) listServerCertificates(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListServerCertificatesInput) (*iam.ListServerCertificatesOutput, error) {
	prefix := pathPrefix(in.PathPrefix)
	p, err := s.page(call, in.Marker, in.MaxItems, prefix)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, serverCertificates.ListBy(call.Tx, serverCertificatesByName, call.Account, p.After), func(c *ServerCertificate) bool {
		return strings.HasPrefix(c.Path, prefix)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListServerCertificatesOutput{ServerCertificateMetadataList: make([]iam.ServerCertificateMetadata, 0, len(found))}
	for _, c := range found {
		out.ServerCertificateMetadataList = append(out.ServerCertificateMetadataList, c.metadata())
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func serverCertificateToRename(call *gateway.Call, in *iam.UpdateServerCertificateInput) (*renamed[*ServerCertificate], error) {
	c, err := findServerCertificate(call, in.ServerCertificateName)
	if c == nil {
		return nil, err
	}
	to := c.renamedARN(call, "server-certificate", in.NewPath, in.NewServerCertificateName)
	return &renamed[*ServerCertificate]{of: c, action: "iam:UpdateServerCertificate", to: to}, err
}

func (s *Service) updateServerCertificate(_ context.Context, call *gateway.Call, c *renamed[*ServerCertificate], in *iam.UpdateServerCertificateInput) (*iam.UpdateServerCertificateOutput, error) {
	err := serverCertificates.Update(call.Tx, call.Account, func(c *ServerCertificate) error {
		c.rename(call, "server-certificate", in.NewPath, in.NewServerCertificateName)
		return nil
	}, c.of.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, serverCertificateExists(*in.NewServerCertificateName)
	}
	return nil, err
}

func (s *Service) deleteServerCertificate(_ context.Context, call *gateway.Call, c *ServerCertificate, _ *iam.DeleteServerCertificateInput) (*iam.DeleteServerCertificateOutput, error) {
	if err := serverCertificates.Delete(call.Tx, call.Account, c.ID); err != nil {
		return nil, err
	}
	return nil, uncount(call.Tx, call.Account, countServerCertificates, c.ID)
}

func (s *Service) tagServerCertificate(_ context.Context, call *gateway.Call, c *ServerCertificate, in *iam.TagServerCertificateInput) (*iam.TagServerCertificateOutput, error) {
	return nil, c.retagServer(call, in.Tags, nil)
}

func (s *Service) untagServerCertificate(_ context.Context, call *gateway.Call, c *ServerCertificate, in *iam.UntagServerCertificateInput) (*iam.UntagServerCertificateOutput, error) {
	return nil, c.retagServer(call, nil, in.TagKeys)
}

func (c *ServerCertificate) retagServer(call *gateway.Call, set []iam.Tag, drop []string) error {
	return serverCertificates.Update(call.Tx, call.Account, func(c *ServerCertificate) (err error) {
		c.Tags, err = asWritten.retagged(c.Tags, set, drop)
		return err
	}, c.ID)
}

func (s *Service) listServerCertificateTags(_ context.Context, call *gateway.Call, c *ServerCertificate, in *iam.ListServerCertificateTagsInput) (*iam.ListServerCertificateTagsOutput, error) {
	p, tags, err := s.tagPage(call, c.ID, c.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListServerCertificateTagsOutput{Tags: tags, IsTruncated: p.More(), Marker: p.Next}, nil
}
