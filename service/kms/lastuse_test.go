package kms_test

import (
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/service/kms"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// follow hands the whole record to the consumer that writes down last uses.
func (p *plane) follow() {
	p.Helper()
	var records []trail.Record
	streams, err := p.engine.Streams(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, stream := range streams {
		for row, err := range p.engine.Rows(p.Context(), stream.ID, 0) {
			if err != nil {
				p.Fatal(err)
			}
			some, err := p.trail.Journal.Open(stream.ID, row)
			if err != nil {
				p.Fatal(err)
			}
			records = append(records, some...)
		}
	}
	p.update(func(tx store.Tx) error { return p.kms.RecordUse(tx, records) })
}

func TestLastUsage(t *testing.T) {
	p := newPlane(t)
	key, unused := p.key(), p.key()
	usage := func(id string) *api.GetKeyLastUsageOutput {
		p.follow()
		return call(p, p.root, api.GetKeyLastUsage, &api.GetKeyLastUsageInput{KeyId: id})
	}
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	p.pass(aDay)
	call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob})
	at := p.clock()
	p.pass(aDay)
	try(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "b"}}) // a failure is no use
	p.describe(key.KeyId)
	got := usage(key.KeyId).KeyLastUsage
	if got.Operation == nil || *got.Operation != "Decrypt" || !got.Timestamp.Equal(at) || *got.CloudTrailEventId == "" || *got.KmsRequestId == "" {
		t.Errorf("GetKeyLastUsage = %+v", got)
	}
	if got := usage(unused.KeyId); got.KeyLastUsage.Operation != nil || !got.TrackingStartDate.Equal(*unused.CreationDate) {
		t.Errorf("GetKeyLastUsage of an unused key = %+v", got)
	}
	// Policies may ask for how long nobody has used it.
	careful := p.user("careful", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:DisableKey","kms:ScheduleKeyDeletion"],"Resource":"*","Condition":{"NumericGreaterThanEquals":{"kms:TrailingDaysWithoutKeyUsage":"30"}}}}`)
	p.pass(28 * aDay)
	for range 2 {
		used := try(p, careful, api.DisableKey, &api.DisableKeyInput{KeyId: key.KeyId})
		idle := try(p, careful, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: unused.KeyId})
		if !strings.Contains(used, "not authorized") || idle != "" {
			t.Errorf("DisableKey of a used key = %q, ScheduleKeyDeletion of an unused one = %q", used, idle)
		}
		call(p, p.root, api.CancelKeyDeletion, &api.CancelKeyDeletionInput{KeyId: unused.KeyId})
	}
	p.pass(2 * aDay)
	call(p, careful, api.DisableKey, &api.DisableKeyInput{KeyId: key.KeyId})
	// Another account's use counts, by the record that the key's account has of it.
	open := p.key(governed(document(statement("Allow", `{"AWS":["`+home+`","`+other+`"]}`, "kms:*", ""))))
	call(p, p.holder("root"+other), api.Encrypt, &api.EncryptInput{KeyId: *open.Arn, Plaintext: []byte("x")})
	if got := usage(open.KeyId).KeyLastUsage; got.Operation == nil || *got.Operation != "Encrypt" {
		t.Errorf("GetKeyLastUsage after another account's use = %+v", got)
	}
}

// A key's uses and the record say no more of what was encrypted than its size would.
func TestRecordsHoldNoSecrets(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	alice := p.user("alice", "")
	grant := call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt"}})
	call(p, alice, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("a plaintext"), GrantTokens: []string{*grant.GrantToken}, EncryptionContext: map[string]string{"a": "b"}})
	call(p, p.root, api.RetireGrant, &api.RetireGrantInput{GrantToken: grant.GrantToken})
	p.imported("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", []byte("thirty-two bytes of known secret"))
	call(p, p.root, api.GenerateMac, &api.GenerateMacInput{KeyId: p.key(of("HMAC_256", "GENERATE_VERIFY_MAC")).KeyId, Message: []byte("a plaintext"), MacAlgorithm: "HMAC_SHA_256"})
	for _, e := range p.events() {
		text := string(e.AppendJSON(nil))
		for _, secret := range []string{"a plaintext", "YSBwbGFpbnRleHQ", *grant.GrantToken, "of known secret", "importToken", "ciphertextBlob", "\"grantToken\""} {
			if strings.Contains(text, secret) {
				t.Errorf("%s records %q: %s", e.EventName, secret, text)
			}
		}
		if e.EventName == "Encrypt" && (!strings.Contains(text, `"encryptionContext":{"a":"b"}`) || !strings.Contains(text, `"encryptionAlgorithm":"SYMMETRIC_DEFAULT"`) || !strings.Contains(text, `"resources":[`) || !strings.Contains(text, `"responseElements":null`)) {
			t.Errorf("Encrypt is recorded as %s", text)
		}
	}
}

// The bounds of a key hold for what it gathers.
func TestAliasQuota(t *testing.T) {
	p := newPlane(t, func(o *kms.Options) { o.Quotas.AliasesPerKey = 1 })
	key := p.key()
	call(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/one", TargetKeyId: key.KeyId})
	if got := try(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/two", TargetKeyId: key.KeyId}); got != "LimitExceededException: The quota of 1 aliases for a KMS key has been reached." {
		t.Errorf("CreateAlias = %q", got)
	}
	second := p.key()
	call(p, p.root, api.UpdateAlias, &api.UpdateAliasInput{AliasName: "alias/one", TargetKeyId: second.KeyId})
	call(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/two", TargetKeyId: key.KeyId})
	if got := call(p, p.root, api.ListAliases, &api.ListAliasesInput{KeyId: &second.KeyId}).Aliases; len(got) != 1 || *got[0].AliasName != "alias/one" {
		t.Errorf("ListAliases = %+v", got)
	}
}
