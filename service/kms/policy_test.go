package kms_test

import (
	"strings"
	"testing"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
)

const allKMS = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}`

// may tells whether who can encrypt with a key.
func may(p *plane, who *aws.Principal, key string, context map[string]string) bool {
	got := try(p, who, api.Encrypt, &api.EncryptInput{KeyId: key, Plaintext: []byte("x"), EncryptionContext: context})
	if got != "" && !strings.Contains(got, "is not authorized to perform: kms:Encrypt") {
		p.Errorf("Encrypt = %s", got)
	}
	return got == ""
}

func statement(effect, principal, action, condition string) string {
	s := `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `","Resource":"*"`
	if condition != "" {
		s += `,"Condition":` + condition
	}
	return s + "}"
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// The key's policy decides first: it may let in whom no other policy does, and
// keep out an administrator.
func TestKeyPolicyDecides(t *testing.T) {
	p := newPlane(t)
	admin, nobody := p.user("admin", allKMS), p.user("nobody", "")
	const me, them = `{"AWS":"` + home + `"}`, `{"AWS":"arn:aws:iam::` + home + `:user/nobody"}`
	for _, c := range []struct {
		name          string
		policy        string
		admin, nobody bool
	}{
		{"the account's policies decide", document(statement("Allow", me, "kms:*", "")), true, false},
		{"one user alone", document(statement("Allow", them, "kms:Encrypt", "")), false, true},
		{"everyone", document(statement("Allow", `"*"`, "kms:Encrypt", "")), true, true},
		{"everyone but one", document(statement("Allow", `"*"`, "kms:Encrypt", ""), statement("Deny", them, "kms:*", "")), true, false},
		{"nobody", document(statement("Allow", me, "kms:PutKeyPolicy", "")), false, false},
		{"with a context", document(statement("Allow", them, "kms:Encrypt", `{"StringEquals":{"kms:EncryptionContext:team":"blue"}}`)), false, false},
		{"by an algorithm", document(statement("Allow", them, "kms:Encrypt", `{"StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT","kms:CallerAccount":"`+home+`","kms:KeySpec":"SYMMETRIC_DEFAULT","kms:KeyUsage":"ENCRYPT_DECRYPT","kms:KeyOrigin":"AWS_KMS"},"Bool":{"kms:MultiRegion":"false"}}`)), false, true},
		{"through a service", document(statement("Allow", them, "kms:Encrypt", `{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`)), false, false},
	} {
		key := p.key(governed(c.policy))
		if got := may(p, admin, key.KeyId, nil); got != c.admin {
			t.Errorf("%s: an administrator may: %t", c.name, got)
		}
		if got := may(p, nobody, key.KeyId, nil); got != c.nobody {
			t.Errorf("%s: the user may: %t", c.name, got)
		}
	}
}

func TestConditionsOnTheContextAndAliases(t *testing.T) {
	p := newPlane(t)
	user := p.user("user", "")
	them := `{"AWS":"arn:aws:iam::` + home + `:user/user"}`
	key := p.key(governed(document(
		statement("Allow", `{"AWS":"`+home+`"}`, "kms:*", ""),
		statement("Allow", them, "kms:Encrypt", `{"StringEquals":{"kms:EncryptionContext:team":"blue"},"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["team","x"]}}`),
		statement("Allow", them, "kms:Encrypt", `{"StringEquals":{"kms:RequestAlias":"alias/mine"}}`),
		statement("Allow", them, "kms:DescribeKey", `{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/mine"}}`),
	)))
	describe := func() bool { return try(p, user, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}) == "" }
	if may(p, user, key.KeyId, nil) || may(p, user, key.KeyId, map[string]string{"team": "red"}) || may(p, user, key.KeyId, map[string]string{"team": "blue", "y": ""}) {
		t.Error("encrypts with another context")
	}
	if !may(p, user, key.KeyId, map[string]string{"team": "blue"}) || !may(p, user, key.KeyId, map[string]string{"x": "1", "team": "blue"}) {
		t.Error("does not encrypt with its context")
	}
	if may(p, user, "alias/mine", nil) || describe() {
		t.Error("an alias that does not exist lets in")
	}
	for _, name := range []string{"alias/mine", "alias/yours"} {
		call(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: name, TargetKeyId: key.KeyId})
	}
	if !may(p, user, "alias/mine", nil) || !may(p, user, "arn:aws:kms:us-east-1:"+home+":alias/mine", nil) || !describe() {
		t.Error("the alias does not let in")
	}
	if may(p, user, "alias/yours", nil) || may(p, user, key.KeyId, nil) {
		t.Error("another name of the key lets in")
	}
	call(p, p.root, api.DeleteAlias, &api.DeleteAliasInput{AliasName: "alias/mine"})
	if may(p, user, "alias/mine", nil) || describe() {
		t.Error("an alias that is gone lets in")
	}
}

// A stranger learns no more of a key that is there than of one that is not.
func TestExistenceIsHidden(t *testing.T) {
	p := newPlane(t)
	mallory := p.user("mallory", "")
	outsider := p.userOf(p.holder("root"+other), "outsider", allKMS)
	key := p.key(governed(document(statement("Allow", `{"AWS":"`+home+`"}`, "kms:*", ""))))
	call(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/here", TargetKeyId: key.KeyId})
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	strange := append([]byte(nil), blob...)
	for i := 7; i < 23; i++ { // the key's id
		strange[i] ^= 0x55
	}
	arn := func(id string) string { return named(region, home, id) }
	mask := strings.NewReplacer(key.KeyId, "ID", unknownKey, "ID")
	for name, who := range map[string]*aws.Principal{"a user without rights": mallory, "another account's administrator": outsider} {
		for operation, ask := range map[string]func(string) string{
			"Encrypt": func(id string) string {
				return try(p, who, api.Encrypt, &api.EncryptInput{KeyId: id, Plaintext: []byte("x")})
			},
			"DescribeKey": func(id string) string { return try(p, who, api.DescribeKey, &api.DescribeKeyInput{KeyId: id}) },
			"DisableKey":  func(id string) string { return try(p, who, api.DisableKey, &api.DisableKeyInput{KeyId: id}) },
			"ListGrants":  func(id string) string { return try(p, who, api.GetKeyPolicy, &api.GetKeyPolicyInput{KeyId: id}) },
		} {
			there, not := mask.Replace(ask(arn(key.KeyId))), mask.Replace(ask(arn(unknownKey)))
			if there != not || !strings.Contains(there, "is not authorized to perform") {
				t.Errorf("%s is told by %s: %q of a key that is there, %q of one that is not", name, operation, there, not)
			}
		}
		there := try(p, who, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob})
		not := try(p, who, api.Decrypt, &api.DecryptInput{CiphertextBlob: strange})
		strip := func(s string) string { a, _, _ := strings.Cut(s, " on resource: "); return a }
		if strip(there) != strip(not) || !strings.Contains(there, "is not authorized to perform") {
			t.Errorf("%s is told by Decrypt: %q, %q", name, there, not)
		}
	}
}

// A key policy names a user, not whoever takes the name.
func TestPolicyDoesNotFollowANameTakenAgain(t *testing.T) {
	p := newPlane(t)
	first := p.user("alice", "")
	key := p.key(governed(document(statement("Allow", `{"AWS":"`+home+`"}`, "kms:*", ""), statement("Allow", `{"AWS":"`+first.ARN+`"}`, "kms:Encrypt", ""))))
	if !may(p, first, key.KeyId, nil) {
		t.Fatal("alice may not encrypt")
	}
	if text := *call(p, p.root, api.GetKeyPolicy, &api.GetKeyPolicyInput{KeyId: key.KeyId}).Policy; !strings.Contains(text, first.ARN) || strings.Contains(text, "AIDA") {
		t.Errorf("the policy shows as %s", text)
	}
	call(p, p.root, iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyInput{UserName: new("alice"), AccessKeyId: first.AccessKeyID})
	call(p, p.root, iamapi.DeleteUser, &iamapi.DeleteUserInput{UserName: "alice"})
	second := p.user("alice", "")
	if may(p, second, key.KeyId, nil) {
		t.Error("a second alice may do what the first could")
	}
	if text := *call(p, p.root, api.GetKeyPolicy, &api.GetKeyPolicyInput{KeyId: key.KeyId}).Policy; !strings.Contains(text, first.ID) {
		t.Errorf("the policy shows as %s", text)
	}
}

// Another account needs both sides: the key's policy and its own.
func TestAcrossAccounts(t *testing.T) {
	p := newPlane(t)
	them := p.holder("root" + other)
	with, without := p.userOf(them, "with", allKMS), p.userOf(them, "without", "")
	open, shut := p.key(governed(document(statement("Allow", `{"AWS":["`+home+`","`+other+`"]}`, "kms:*", "")))), p.key()
	if !may(p, with, *open.Arn, nil) {
		t.Error("who has both sides is refused")
	}
	if may(p, without, *open.Arn, nil) || may(p, with, *shut.Arn, nil) {
		t.Error("who lacks a side is let in")
	}
	if got := try(p, with, api.DisableKey, &api.DisableKeyInput{KeyId: *open.Arn}); !strings.Contains(got, "not authorized") {
		t.Errorf("another account manages the key: %q", got)
	}
	blob := call(p, with, api.Encrypt, &api.EncryptInput{KeyId: *open.Arn, Plaintext: []byte("theirs")}).CiphertextBlob
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}).Plaintext; string(got) != "theirs" {
		t.Errorf("Decrypt = %q", got)
	}
}

// Tags given at creation need the right to tag, and may grant and deny.
func TestTagsDecide(t *testing.T) {
	p := newPlane(t)
	maker := p.user("maker", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:CreateKey","Resource":"*","Condition":{"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT"}}},
		{"Effect":"Allow","Action":"kms:TagResource","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}},
		{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}}]}`)
	create := func(in api.CreateKeyInput) string { return try(p, maker, api.CreateKey, &in) }
	if got := create(api.CreateKeyInput{Tags: []api.Tag{{TagKey: "team", TagValue: "red"}}}); !strings.Contains(got, "not authorized to perform: kms:TagResource") {
		t.Errorf("CreateKey = %q", got)
	}
	if got := create(api.CreateKeyInput{KeySpec: new(api.KeySpecHmac256), KeyUsage: new(api.KeyUsageTypeGenerateVerifyMac)}); !strings.Contains(got, "not authorized to perform: kms:CreateKey") {
		t.Errorf("CreateKey = %q", got)
	}
	blue := call(p, maker, api.CreateKey, &api.CreateKeyInput{Tags: []api.Tag{{TagKey: "team", TagValue: "blue"}}}).KeyMetadata
	if !may(p, maker, blue.KeyId, nil) || may(p, maker, p.key().KeyId, nil) {
		t.Error("tags don't decide")
	}
	if got := try(p, maker, api.UntagResource, &api.UntagResourceInput{KeyId: blue.KeyId, TagKeys: []string{"team"}}); !strings.Contains(got, "not authorized") {
		t.Errorf("UntagResource = %q", got)
	}
}
