package iam

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

// Two first starts at once make one account.
func TestCreateFirstAccountIsDoneOnce(t *testing.T) {
	engine, err := mem.Open(storetest.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	var made sync.Map
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			id, err := NewAccountID()
			if err != nil {
				t.Error(err)
			}
			err = engine.Update(t.Context(), func(tx store.Tx) error {
				root, err := CreateFirstAccount(tx, time.Now(), NewAccount{ID: id, Partition: "aws"})
				if root != nil {
					made.Store(root.Account, root.AccessKeyID)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	err = engine.View(t.Context(), func(tx store.Tx) error {
		found, err := ListAccounts(tx, "", 10)
		if err != nil || len(found) != 1 {
			t.Fatalf("accounts %v, %v", found, err)
		}
		key, ok := made.Load(found[0].ID)
		if !ok {
			t.Fatal("the account is nobody's")
		}
		c, err := New(Options{}).Credential(tx, key.(string))
		if err != nil || c.Principal.Kind != aws.Root || c.Principal.ARN != "arn:aws:iam::"+found[0].ID+":root" || c.Principal.ID != found[0].ID {
			t.Errorf("the root's key: %+v, %v", c, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateAccountRefuses(t *testing.T) {
	p := newPlane(t)
	key := strings.Repeat("k", 128)
	for _, c := range []struct {
		n    NewAccount
		want string
	}{
		{NewAccount{ID: "123"}, "an account id is 12 digits"},
		{NewAccount{ID: "12345678901x"}, "an account id is 12 digits"},
		{NewAccount{ID: testAccount}, "iam: the account exists already"},
		{NewAccount{ID: "000000000001", Name: "a\x1b[2Jname that rewrites a terminal"}, "an account's name is at most 50 printable ASCII characters"},
		{NewAccount{ID: "000000000001", Name: "two\nlines"}, "an account's name is at most 50 printable ASCII characters"},
		{NewAccount{ID: "000000000001", AccessKeyID: "abc", SecretAccessKey: "12345678"}, "an access key id is 4 to 128 letters, digits and underscores"},
		{NewAccount{ID: "000000000001", AccessKeyID: key + "k", SecretAccessKey: "12345678"}, "an access key id is 4 to 128 letters, digits and underscores"},
		{NewAccount{ID: "000000000001", AccessKeyID: "a b c", SecretAccessKey: "12345678"}, "an access key id is 4 to 128 letters, digits and underscores"},
		{NewAccount{ID: "000000000001", AccessKeyID: "ASIAAAAA", SecretAccessKey: "12345678"}, "an access key id that begins with ASIA is a session's"},
		{NewAccount{ID: "000000000001", AccessKeyID: "good", SecretAccessKey: "1234567"}, "a secret access key is 8 to 128 printable characters without spaces"},
		{NewAccount{ID: "000000000001", AccessKeyID: "good"}, "the root's access key needs both an id and a secret"},
		{NewAccount{ID: "000000000001", AccessKeyID: "root" + testAccount, SecretAccessKey: "12345678"}, "iam: the access key id is in use"},
		{NewAccount{ID: "000000000001", AccessKeyID: key, SecretAccessKey: strings.Repeat("~", 128)}, "%!s(<nil>)"},
		{NewAccount{ID: "000000000002", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, "%!s(<nil>)"},
	} {
		c.n.Partition = "aws"
		err := p.engine.Update(t.Context(), func(tx store.Tx) error {
			_, err := CreateAccount(tx, time.Now(), c.n)
			return err
		})
		if got := fmt.Sprintf("%s", err); strings.TrimSpace(got) != c.want {
			t.Errorf("%v: %s, want %s", c.n.AccessKeyID, got, c.want)
		}
	}
	if who := p.principal("000000000002", "AKIAIOSFODNN7EXAMPLE"); who.Kind != aws.Root {
		t.Errorf("%+v", who)
	}
}

func TestRootKeyPrintsNoSecret(t *testing.T) {
	k := RootKey{Account: testAccount, AccessKeyID: "AKIA", SecretAccessKey: "wJalrXUtnFEMI"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, text := range []string{fmt.Sprintf(verb, k), fmt.Sprintf(verb, &k)} {
			if strings.Contains(text, "wJalr") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
}

func TestAccountsAreApart(t *testing.T) {
	p := newPlane(t)
	p.account("444455556666")
	furnish(p)
	theirs := p.principal("444455556666", "root444455556666")
	for what, got := range map[string]string{
		"a user":   try(p, theirs, iam.GetUser, &iam.GetUserInput{UserName: new("u")}),
		"a policy": try(p, theirs, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: own}),
	} {
		if got == "" {
			t.Errorf("%s of another account was read", what)
		}
	}
	p.update(func(tx store.Tx) error {
		if _, _, err := findKey(tx, "AKIAAAAAAAAAAAAAAAAA"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown key: %v", err)
		}
		return nil
	})
}

func TestTokenVersionIsShown(t *testing.T) {
	p := newPlane(t)
	version := func() int32 {
		return call(p, p.root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap["GlobalEndpointTokenVersion"]
	}
	if got := version(); got != 1 {
		t.Errorf("at first %d", got)
	}
	for want, in := range map[int32]iam.GlobalEndpointTokenVersion{1: "v1Token", 2: "v2Token"} {
		call(p, p.root, iam.SetSecurityTokenServicePreferences, &iam.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: in})
		if got := version(); got != want {
			t.Errorf("after %s: %d", in, got)
		}
	}
}
