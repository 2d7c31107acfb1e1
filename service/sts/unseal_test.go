package sts

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// clear is a sealer that seals nothing, to look at what is inside.
type clear struct{}

func (clear) SealToken(_ string, _, plaintext []byte) ([]byte, error) { return plaintext, nil }
func (clear) OpenToken(_ string, _, token []byte) ([]byte, error)     { return token, nil }

// inside are tokens' contents: of a role's session with policies and tags, of
// a user's own with MFA, and of a federated user's.
func inside(t testing.TB, s *Service) (all [][]byte) {
	t.Helper()
	times := aws.Session{IssuedAt: time.Unix(1_790_000_000, 0), ExpiresAt: time.Unix(1_790_003_600, 0)}
	role, own, federated := times, times, times
	role.RoleARN, role.RoleID, role.Name, role.SourceIdentity = "arn:aws:iam::111122223333:role/a/r", "AROA1", "s", "alice"
	role.Policies, role.PolicyARNs, role.Tags, role.Transitive = []string{"{}"}, []string{"arn"}, map[string]string{"a": "b", "c": ""}, []string{"a"}
	own.MFAAt = time.Unix(1_790_000_000, 0)
	federated.IssuerARN, federated.IssuerID, federated.Name = "arn:aws:iam::111122223333:user/a/alice", "AIDA1", "bob"
	federated.Tags = map[string]string{"a": "b"}
	for kind, session := range map[aws.PrincipalKind]*aws.Session{aws.AssumedRole: &role, aws.User: &own, aws.FederatedUser: &federated} {
		p := &aws.Principal{Kind: kind, Partition: "aws", Account: "111122223333", AccessKeyID: "ASIAAAAAAAAAAAAAAAAA", Session: session}
		if kind == aws.User {
			p.ARN, p.ID, p.Name, p.Path = federated.IssuerARN, federated.IssuerID, "alice", "/a/"
		}
		packed, _, err := pack(session)
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.seal(p, make([]byte, secretBytes), packed)
		if err != nil {
			t.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// What a node of another release may have sealed is read whole or not at all.
func TestUnsealTakesNoPart(t *testing.T) {
	s := New(clear{}, nil, nil)
	open := func(b []byte) error {
		_, err := s.unseal(base64.StdEncoding.EncodeToString(b), "ASIAAAAAAAAAAAAAAAAA")
		return err
	}
	for _, whole := range inside(t, s) {
		if err := open(whole); err != nil {
			t.Fatal(err)
		}
		for n := range whole {
			if open(whole[:n]) == nil {
				t.Errorf("%d of %d bytes were opened", n, len(whole))
			}
		}
		if open(append(whole, 0)) == nil {
			t.Error("a byte too many was opened")
		}
		whole[1] += 100
		if open(whole) == nil {
			t.Error("another kind was opened")
		}
		whole[1] -= 100
		whole[0]++
		if open(whole) == nil {
			t.Error("another format was opened")
		}
	}
}

func FuzzUnseal(f *testing.F) {
	s := New(clear{}, nil, nil)
	for _, b := range inside(f, s) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := s.unseal(base64.StdEncoding.EncodeToString(b), "ASIAAAAAAAAAAAAAAAAA"); err == nil && c.Principal.ARN == "" && c.Principal.Kind == aws.AssumedRole {
			t.Error("opened as nobody")
		}
	})
}
