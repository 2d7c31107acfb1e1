package iam

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// SigningCertificate is a user's or the root's X.509 certificate, as stored
// under the holder's id and its own.
type SigningCertificate struct {
	ID       string // 32 base32 digits
	Body     string // PEM, as it was uploaded
	Hash     string // SHA-256 of the certificate, hex
	Inactive bool   `cbor:",omitempty"`
	Uploaded time.Time
}

var (
	// certificatesByHash tells whether the account has a certificate already.
	certificatesByHash = &store.Index[SigningCertificate]{Name: "hash", Unique: true, Of: func(c *SigningCertificate, add func(parts ...string)) {
		add(c.Hash)
	}}
	signingCertificates = store.NewTable("iam/signing-certificate", certificatesByHash)
)

// signingCertificatesPerUser is AWS's bound, which it does not adjust.
const signingCertificatesPerUser = 2

// readCertificate reads one certificate of PEM.
func readCertificate(body string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(body))
	if block != nil && beginsPEM(body) && block.Type == "CERTIFICATE" && strings.TrimSpace(string(rest)) == "" {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			return c, nil
		}
	}
	return nil, malformedCertificate("Unable to parse certificate. Please ensure the certificate is in PEM format.")
}

// beginsPEM tells whether nothing stands before the first block: AWS takes no text there.
func beginsPEM(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ") }

func malformedCertificate(message string) error {
	return &iam.MalformedCertificateException{Message: message}
}

// uploadSigningCertificate keeps a certificate, which no two users of an account can share.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html
func (s *Service) uploadSigningCertificate(_ context.Context, call *gateway.Call, u *User, in *iam.UploadSigningCertificateInput) (*iam.UploadSigningCertificateOutput, error) {
	parsed, err := readCertificate(in.CertificateBody)
	if err != nil {
		return nil, err
	}
	have, err := allOf(call, signingCertificates, u)
	if err != nil {
		return nil, err
	}
	if len(have) >= signingCertificatesPerUser {
		return nil, limitExceeded("CertificatesPerUser", signingCertificatesPerUser)
	}
	var id [20]byte
	rand.Read(id[:])
	hash := sha256.Sum256(parsed.Raw)
	c := &SigningCertificate{
		ID: base32.StdEncoding.EncodeToString(id[:]), Body: in.CertificateBody, Hash: hex.EncodeToString(hash[:]), Uploaded: second(call.Time),
	}
	err = signingCertificates.Insert(call.Tx, call.Account, c, u.ID, c.ID)
	if errors.Is(err, store.ErrExists) {
		return nil, &iam.DuplicateCertificateException{Message: "The same certificate is associated with an IAM user in the account."}
	}
	if err != nil {
		return nil, err
	}
	return &iam.UploadSigningCertificateOutput{Certificate: new(c.detail(u))}, nil
}

func (c *SigningCertificate) detail(u *User) iam.SigningCertificate {
	return iam.SigningCertificate{
		UserName: u.Name, CertificateId: c.ID, CertificateBody: c.Body, Status: statusOf(c.Inactive), UploadDate: &c.Uploaded,
	}
}

func (s *Service) listSigningCertificates(_ context.Context, call *gateway.Call, u *User, in *iam.ListSigningCertificatesInput) (*iam.ListSigningCertificatesOutput, error) {
	p, found, err := rowsOf(s, call, signingCertificates, u, in.Marker, in.MaxItems, nil)
	if err != nil {
		return nil, err
	}
	out := &iam.ListSigningCertificatesOutput{Certificates: make([]iam.SigningCertificate, 0, len(found))}
	for _, c := range found {
		out.Certificates = append(out.Certificates, c.detail(u))
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}

func (s *Service) updateSigningCertificate(_ context.Context, call *gateway.Call, u *User, in *iam.UpdateSigningCertificateInput) (*iam.UpdateSigningCertificateOutput, error) {
	inactive, err := isInactive(in.Status)
	if err != nil {
		return nil, err
	}
	err = signingCertificates.Update(call.Tx, call.Account, func(c *SigningCertificate) error {
		c.Inactive = inactive
		return nil
	}, u.ID, in.CertificateId)
	return nil, missingCertificate(err, in.CertificateId)
}

func (s *Service) deleteSigningCertificate(_ context.Context, call *gateway.Call, u *User, in *iam.DeleteSigningCertificateInput) (*iam.DeleteSigningCertificateOutput, error) {
	return nil, missingCertificate(signingCertificates.Delete(call.Tx, call.Account, u.ID, in.CertificateId), in.CertificateId)
}

// missingCertificate is err as callers see it.
func missingCertificate(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return noSuchEntity("The Certificate with id %s cannot be found.", id)
	}
	return err
}
