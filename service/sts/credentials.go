package sts

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// credentials makes a session's key, secret and token. Percent is the share of
// the space for policies and tags that it takes.
func (s *Service) credentials(call *gateway.Call, p *aws.Principal, lifetime time.Duration) (out *sts.Credentials, percent int, err error) {
	if !s.right() {
		return nil, 0, &aws.Error{Kind: aws.Unavailable, Message: "The service is temporarily unavailable. Try again."}
	}
	packed, percent, err := pack(p.Session)
	if err != nil {
		return nil, 0, err
	}
	p.AccessKeyID = aws.NewAccessKeyID("ASIA", p.Account)
	p.Session.IssuedAt = call.Time.UTC().Truncate(time.Second)
	p.Session.ExpiresAt = p.Session.IssuedAt.Add(lifetime)
	secret := make([]byte, secretBytes)
	rand.Read(secret)
	token, err := s.seal(p, secret, packed)
	if err != nil {
		return nil, 0, err
	}
	return &sts.Credentials{
		AccessKeyId: p.AccessKeyID, SecretAccessKey: base64.StdEncoding.EncodeToString(secret),
		SessionToken: token, Expiration: p.Session.ExpiresAt,
	}, percent, nil
}
