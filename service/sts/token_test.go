package sts_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	stsapi "github.com/garrison-security/garrison/api/sts"
)

func randomText(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/=+-@"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(b)
}

// A token opens as it was made, with its own key id, and in no other way.
func TestTokenAlteredAnywhereIsRefused(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	arn := p.role(home, "r", trusts(alice.ARN, ""), "")
	for i := range 20 {
		in := stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s" + randomText(1+rand.IntN(5))}
		in.RoleSessionName = strings.NewReplacer(":", "x", "/", "x").Replace(in.RoleSessionName)
		for j := range i {
			in.Tags = append(in.Tags, stsapi.Tag{Key: randomText(5) + string(rune('a'+j)), Value: randomText(10)})
		}
		c := call(p, alice, stsapi.AssumeRole, &in).Credentials
		who := p.open(c)
		if who.Session.Name != in.RoleSessionName || len(who.Session.Tags) != len(in.Tags) || who.AccessKeyID != c.AccessKeyId {
			t.Fatalf("opened as %+v", who.Session)
		}
		for _, tag := range in.Tags {
			if who.Session.Tags[tag.Key] != tag.Value {
				t.Fatalf("tag %s = %q, want %q", tag.Key, who.Session.Tags[tag.Key], tag.Value)
			}
		}
		refuse := func(what, token, key string) {
			t.Helper()
			if got, err := p.sts.Open(token, key); err == nil {
				t.Errorf("%s was opened: %s", what, got.Principal.ARN)
			}
		}
		for at := range c.SessionToken {
			for _, to := range []byte{'A', 'B', '/', '=', c.SessionToken[at] ^ 1} {
				if altered := c.SessionToken[:at] + string(to) + c.SessionToken[at+1:]; altered != c.SessionToken {
					refuse("an altered token", altered, c.AccessKeyId)
				}
			}
			refuse("a token cut short", c.SessionToken[:at], c.AccessKeyId)
			refuse("a token with a line end", c.SessionToken[:at]+"\n"+c.SessionToken[at:], c.AccessKeyId)
		}
		refuse("a token made longer", c.SessionToken+"AAAA", c.AccessKeyId)
		refuse("a token with another key", c.SessionToken, "AKIA"+c.AccessKeyId[4:])
		refuse("a token without a key", c.SessionToken, "")
	}
	if _, err := p.sts.Open(strings.Repeat("A", 1<<20), "ASIAAAAAAAAAAAAAAAAA"); err == nil {
		t.Error("a token of 1 MiB was opened")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("AAAA", "ASIAAAAAAAAAAAAAAAAA")
	p := newPlane(f)
	f.Fuzz(func(t *testing.T, token, key string) {
		if c, err := p.sts.Open(token, key); err == nil {
			t.Errorf("%q was opened: %+v", token, c.Principal)
		}
	})
}
