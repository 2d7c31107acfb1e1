package kms_test

import (
	"strings"
	"testing"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/kms"
)

type ops = []api.GrantOperation

func TestGrantLetsInWhomNoPolicyDoes(t *testing.T) {
	p := newPlane(t)
	key, alice := p.key(), p.user("alice", "")
	if may(p, alice, key.KeyId, nil) {
		t.Fatal("alice may without a grant")
	}
	grant := call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt", "DescribeKey"}})
	if !may(p, alice, key.KeyId, nil) || !may(p, alice, *key.Arn, map[string]string{"any": "context"}) {
		t.Error("the grant does not let in")
	}
	if got := try(p, alice, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), GrantTokens: []string{*grant.GrantToken}}); got != "" {
		t.Errorf("with its token: %s", got)
	}
	if got := try(p, alice, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: key.KeyId, NumberOfBytes: new(int32(8))}); !strings.Contains(got, "not authorized") {
		t.Errorf("an operation that the grant does not list: %q", got)
	}
	if may(p, p.user("bob", ""), key.KeyId, nil) || may(p, alice, p.key().KeyId, nil) {
		t.Error("the grant lets in another, or to another key")
	}
	call(p, p.root, api.RevokeGrant, &api.RevokeGrantInput{KeyId: key.KeyId, GrantId: *grant.GrantId})
	if may(p, alice, key.KeyId, nil) {
		t.Error("a grant that was revoked lets in")
	}
}

// An explicit Deny stands against any grant.
func TestGrantDoesNotLiftADeny(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}}`)
	key := p.key()
	call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt"}})
	if may(p, alice, key.KeyId, nil) {
		t.Error("a grant lifts a Deny")
	}
}

func TestGrantConstraints(t *testing.T) {
	p := newPlane(t)
	role := p.session("worker", "")
	key := p.key()
	grant := func(c *api.GrantConstraints) func() {
		id := call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: role.Session.RoleARN, Operations: ops{"Encrypt", "DescribeKey"}, Constraints: c}).GrantId
		return func() { call(p, p.root, api.RevokeGrant, &api.RevokeGrantInput{KeyId: key.KeyId, GrantId: *id}) }
	}
	for _, c := range []struct {
		name        string
		constraints api.GrantConstraints
		context     map[string]string
		want        bool
	}{
		{"equal", api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, map[string]string{"a": "1"}, true},
		{"more than equal", api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, map[string]string{"a": "1", "b": "2"}, false},
		{"other than equal", api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, map[string]string{"a": "2"}, false},
		{"none for equal", api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, nil, false},
		{"another case", api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, map[string]string{"A": "1"}, false},
		{"the subset", api.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, map[string]string{"a": "1"}, true},
		{"more than the subset", api.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, map[string]string{"a": "1", "b": "2"}, true},
		{"none for the subset", api.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, nil, false},
	} {
		end := grant(&c.constraints)
		if got := may(p, role, key.KeyId, c.context); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
		call(p, role, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}) // constraints don't bear on it
		end()
	}
}

// Who may make grants by a grant alone can give no more than it has.
func TestGrantsAreNotRaised(t *testing.T) {
	p := newPlane(t)
	alice, bob := p.user("alice", ""), p.user("bob", "")
	key := p.key()
	call(p, p.root, api.CreateGrant, &api.CreateGrantInput{
		KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt", "CreateGrant"},
		Constraints: &api.GrantConstraints{EncryptionContextSubset: map[string]string{"team": "blue"}},
	})
	pass := func(operations ops, c *api.GrantConstraints) string {
		return try(p, alice, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: bob.ARN, Operations: operations, Constraints: c})
	}
	blue := &api.GrantConstraints{EncryptionContextSubset: map[string]string{"team": "blue"}}
	for name, got := range map[string]string{
		"another operation": pass(ops{"Encrypt", "Decrypt"}, blue),
		"no constraint":     pass(ops{"Encrypt"}, nil),
		"another":           pass(ops{"Encrypt"}, &api.GrantConstraints{EncryptionContextSubset: map[string]string{"team": "red"}}),
		"an empty one":      pass(ops{"Encrypt"}, &api.GrantConstraints{EncryptionContextSubset: map[string]string{}}),
	} {
		if !strings.Contains(got, "not authorized to perform: kms:CreateGrant") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, got := range map[string]string{
		"the same":       pass(ops{"Encrypt"}, blue),
		"stricter":       pass(ops{"Encrypt"}, &api.GrantConstraints{EncryptionContextSubset: map[string]string{"team": "blue", "x": "1"}}),
		"equal to a set": pass(ops{"Encrypt"}, &api.GrantConstraints{EncryptionContextEquals: map[string]string{"team": "blue", "x": "1"}}),
	} {
		if got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if may(p, bob, key.KeyId, nil) || !may(p, bob, key.KeyId, map[string]string{"team": "blue"}) {
		t.Error("the grant that was passed on lets in otherwise")
	}
}

func TestGrantDoesNotFollowANameTakenAgain(t *testing.T) {
	p := newPlane(t)
	key, first := p.key(), p.user("alice", "")
	call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: first.ARN, RetiringPrincipal: &first.ARN, Operations: ops{"Encrypt"}})
	call(p, p.root, iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyInput{UserName: new("alice"), AccessKeyId: first.AccessKeyID})
	call(p, p.root, iamapi.DeleteUser, &iamapi.DeleteUserInput{UserName: "alice"})
	second := p.user("alice", "")
	if may(p, second, key.KeyId, nil) {
		t.Error("a second alice has the first one's grant")
	}
	if n := len(call(p, p.root, api.ListRetirableGrants, &api.ListRetirableGrantsInput{RetiringPrincipal: second.ARN}).Grants); n != 0 {
		t.Errorf("a second alice may retire %d grants", n)
	}
}

func TestRetireGrant(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	grantee, retiring, stranger := p.user("grantee", ""), p.user("retiring", ""), p.user("stranger", allKMS)
	other := p.holder("root" + other)
	make := func(operations ...api.GrantOperation) *api.CreateGrantOutput {
		return call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: grantee.ARN, RetiringPrincipal: &retiring.ARN, Operations: operations})
	}
	g := make("Encrypt")
	if got := try(p, grantee, api.RetireGrant, &api.RetireGrantInput{GrantToken: g.GrantToken}); !strings.Contains(got, "not authorized to perform: kms:RetireGrant") {
		t.Errorf("the grantee of a grant without RetireGrant: %q", got)
	}
	if got := try(p, other, api.RetireGrant, &api.RetireGrantInput{GrantToken: g.GrantToken}); !strings.Contains(got, "not authorized") {
		t.Errorf("another account's root: %q", got)
	}
	if got := call(p, p.root, api.ListRetirableGrants, &api.ListRetirableGrantsInput{RetiringPrincipal: retiring.ARN}).Grants; len(got) != 1 || *got[0].GrantId != *g.GrantId {
		t.Errorf("ListRetirableGrants = %+v", got)
	}
	call(p, retiring, api.RetireGrant, &api.RetireGrantInput{GrantToken: g.GrantToken})
	if got := try(p, retiring, api.RetireGrant, &api.RetireGrantInput{KeyId: &key.KeyId, GrantId: g.GrantId}); !strings.Contains(got, "not authorized") {
		t.Errorf("a grant that is gone: %q", got)
	}
	if got := try(p, p.root, api.RetireGrant, &api.RetireGrantInput{KeyId: &key.KeyId, GrantId: g.GrantId}); got != "InvalidGrantIdException: " {
		t.Errorf("a grant that is gone, by root: %q", got)
	}
	call(p, grantee, api.RetireGrant, &api.RetireGrantInput{KeyId: key.Arn, GrantId: make("RetireGrant", "Encrypt").GrantId})
	call(p, p.root, api.RetireGrant, &api.RetireGrantInput{KeyId: &key.KeyId, GrantId: make("Encrypt").GrantId})
	call(p, stranger, api.RetireGrant, &api.RetireGrantInput{KeyId: &key.KeyId, GrantId: make("Encrypt").GrantId}) // the account's policies delegate it
	for name, got := range map[string]string{
		"neither token nor id": try(p, p.root, api.RetireGrant, &api.RetireGrantInput{}),
		"a key alone":          try(p, p.root, api.RetireGrant, &api.RetireGrantInput{KeyId: &key.KeyId}),
	} {
		if got != "Grant token OR (grant ID, key ID) must be specified" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCreateGrantRefuses(t *testing.T) {
	p := newPlane(t, optionsOf(2))
	key, mac, alice := p.key(), p.key(of("HMAC_256", "GENERATE_VERIFY_MAC")), p.user("alice", "")
	grant := func(in api.CreateGrantInput) string {
		if in.GranteePrincipal == "" {
			in.GranteePrincipal = alice.ARN
		}
		return try(p, p.root, api.CreateGrant, &in)
	}
	named := api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt"}, Name: new("once")}
	first, again := call(p, p.root, api.CreateGrant, &named), call(p, p.root, api.CreateGrant, &named)
	if *first.GrantId != *again.GrantId {
		t.Error("a grant of a name is made twice")
	}
	for _, c := range []struct{ name, got, want string }{
		{"an operation of other keys", grant(api.CreateGrantInput{KeyId: key.KeyId, Operations: ops{"Sign"}}), "Operation Sign is not supported in a grant of " + *key.Arn + ", whose key spec is SYMMETRIC_DEFAULT and key usage ENCRYPT_DECRYPT."},
		{"a constraint of an HMAC key", grant(api.CreateGrantInput{KeyId: mac.KeyId, Operations: ops{"GenerateMac"}, Constraints: &api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "b"}}}), "Grant constraints are not supported for " + *mac.Arn + ", whose key spec is HMAC_256."},
		{"nobody", grant(api.CreateGrantInput{KeyId: key.KeyId, Operations: ops{"Encrypt"}, GranteePrincipal: "arn:aws:iam::" + home + ":user/nobody"}), "InvalidArnException: ARN does not refer to a valid principal: arn:aws:iam::" + home + ":user/nobody"},
		{"a name", grant(api.CreateGrantInput{KeyId: key.KeyId, Operations: ops{"Encrypt"}, GranteePrincipal: "alice"}), "InvalidArnException: ARN does not refer to a valid principal: alice"},
		{"a dry run", grant(api.CreateGrantInput{KeyId: key.KeyId, Operations: ops{"Encrypt"}, DryRun: new(true)}), "DryRunOperationException: The request would have succeeded, but the DryRun option is set."},
		{"a second", grant(api.CreateGrantInput{KeyId: key.KeyId, Operations: ops{"Encrypt"}}), ""},
		{"one too many", grant(api.CreateGrantInput{KeyId: key.KeyId, Operations: ops{"Encrypt"}}), "LimitExceededException: The quota of 2 grants for a KMS key has been reached."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if got := call(p, p.root, api.ListGrants, &api.ListGrantsInput{KeyId: key.KeyId, Limit: new(int32(1))}); len(got.Grants) != 1 || !*got.Truncated {
		t.Errorf("ListGrants = %+v", got)
	} else if rest := call(p, p.root, api.ListGrants, &api.ListGrantsInput{KeyId: key.KeyId, Marker: got.NextMarker}); len(rest.Grants) != 1 || *rest.Truncated {
		t.Errorf("ListGrants goes on with %+v", rest)
	}
}

// Conditions on what a grant gives keep a delegate from giving more.
func TestConditionsOnGrants(t *testing.T) {
	p := newPlane(t)
	key, alice := p.key(), p.user("alice", "")
	delegate := p.user("delegate", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{
		"ForAllValues:StringEquals":{"kms:GrantOperations":["Encrypt"]},"StringEquals":{"kms:GrantConstraintType":"EncryptionContextSubset","kms:EncryptionContext:team":"blue"},
		"StringLike":{"kms:GranteePrincipal":"*:user/alice"},"Null":{"kms:RetiringPrincipal":"true"}}}}`)
	in := func(change func(*api.CreateGrantInput)) string {
		i := &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt"}, Constraints: &api.GrantConstraints{EncryptionContextSubset: map[string]string{"team": "blue"}}}
		change(i)
		return try(p, delegate, api.CreateGrant, i)
	}
	if got := in(func(*api.CreateGrantInput) {}); got != "" {
		t.Errorf("what may be given: %q", got)
	}
	for name, change := range map[string]func(*api.CreateGrantInput){
		"more":               func(i *api.CreateGrantInput) { i.Operations = ops{"Encrypt", "Decrypt"} },
		"to another":         func(i *api.CreateGrantInput) { i.GranteePrincipal = delegate.ARN },
		"without constraint": func(i *api.CreateGrantInput) { i.Constraints = nil },
		"retired by one":     func(i *api.CreateGrantInput) { i.RetiringPrincipal = &alice.ARN },
		"in another context": func(i *api.CreateGrantInput) { i.Constraints.EncryptionContextSubset["team"] = "red" },
	} {
		if got := in(change); !strings.Contains(got, "not authorized to perform: kms:CreateGrant") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Nobody makes a decision dear by making grants without end.
func TestGrantsOfOneGrantee(t *testing.T) {
	p := newPlane(t)
	key, alice := p.key(), p.user("alice", "")
	in := &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Decrypt"}}
	for range 500 {
		call(p, p.root, api.CreateGrant, in)
	}
	if got := try(p, p.root, api.CreateGrant, in); got != "LimitExceededException: The quota of 500 grants of a KMS key for one grantee principal has been reached." {
		t.Errorf("CreateGrant = %q", got)
	}
	in.GranteePrincipal = p.user("bob", "").ARN
	call(p, p.root, api.CreateGrant, in)
	for _, g := range call(p, p.root, api.ListGrants, &api.ListGrantsInput{KeyId: key.KeyId, GranteePrincipal: &alice.ARN}).Grants {
		call(p, p.root, api.RevokeGrant, &api.RevokeGrantInput{KeyId: key.KeyId, GrantId: *g.GrantId})
	}
	in.GranteePrincipal = alice.ARN
	call(p, p.root, api.CreateGrant, in)
}
