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

// inside is a token's content, of a session with policies and tags.
func inside(t testing.TB, s *Service) []byte {
	t.Helper()
	p := &aws.Principal{
		Kind: aws.AssumedRole, Partition: "aws", Account: "111122223333", AccessKeyID: "ASIAAAAAAAAAAAAAAAAA",
		Session: &aws.Session{
			RoleARN: "arn:aws:iam::111122223333:role/a/r", RoleID: "AROA1", Name: "s", SourceIdentity: "alice",
			IssuedAt: time.Unix(1_790_000_000, 0), ExpiresAt: time.Unix(1_790_003_600, 0),
			Policies: []string{"{}"}, PolicyARNs: []string{"arn"}, Tags: map[string]string{"a": "b", "c": ""}, Transitive: []string{"a"},
		},
	}
	packed, _, err := pack(p.Session)
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
	return b
}

// What a node of another release may have sealed is read whole or not at all.
func TestUnsealTakesNoPart(t *testing.T) {
	s := New(clear{}, nil)
	whole := inside(t, s)
	open := func(b []byte) error {
		_, err := s.unseal(base64.StdEncoding.EncodeToString(b), "ASIAAAAAAAAAAAAAAAAA")
		return err
	}
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
	whole[0]++
	if open(whole) == nil {
		t.Error("another format was opened")
	}
}

func FuzzUnseal(f *testing.F) {
	s := New(clear{}, nil)
	f.Add(inside(f, s))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := s.unseal(base64.StdEncoding.EncodeToString(b), "ASIAAAAAAAAAAAAAAAAA"); err == nil && c.Principal.ARN == "" && c.Principal.Kind == aws.AssumedRole {
			t.Error("opened as nobody")
		}
	})
}
