package kms_test

import (
	"strings"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/service/kms"
)

const aDay = 24 * time.Hour

func optionsOf(grants int) func(*kms.Options) {
	return func(o *kms.Options) { o.Quotas.GrantsPerKey = grants }
}

// sweep looks after all keys whose time has come.
func (p *plane) sweep() {
	p.Helper()
	for range 100 {
		more, err := p.kms.Sweep(p.Context(), p.engine, p.clock())
		if err != nil {
			p.Fatal(err)
		}
		if !more {
			return
		}
	}
	p.Fatal("the sweep does not end")
}

func (p *plane) describe(id string) *api.KeyMetadata {
	p.Helper()
	return call(p, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: id}).KeyMetadata
}

// What was encrypted before a rotation opens after it, however many there were.
func TestRotationKeepsWhatWasEncrypted(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	var blobs [][]byte
	seen := map[string]bool{}
	for range 25 {
		blobs = append(blobs, call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob)
		if id := *p.describe(key.KeyId).CurrentKeyMaterialId; seen[id] {
			t.Fatal("material came back")
		} else {
			seen[id] = true
		}
		if out := call(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId}); *out.KeyId != *key.Arn {
			t.Errorf("RotateKeyOnDemand = %s", *out.KeyId)
		}
	}
	for i, blob := range blobs {
		if out := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); string(out.Plaintext) != "x" || !seen[*out.KeyMaterialId] {
			t.Errorf("blob %d: %+v", i, out)
		}
	}
	if got := try(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId}); got != "LimitExceededException: The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: "+*key.Arn {
		t.Errorf("a 26th rotation: %s", got)
	}
	list := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId, Limit: new(int32(20))})
	if len(list.Rotations) != 20 || !*list.Truncated || *list.Rotations[0].RotationType != "ON_DEMAND" {
		t.Errorf("ListKeyRotations = %+v", list)
	}
	if rest := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId, Marker: list.NextMarker}); len(rest.Rotations) != 5 || *rest.Truncated {
		t.Errorf("ListKeyRotations goes on with %+v", rest)
	}
	if all := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId, IncludeKeyMaterial: new(api.IncludeKeyMaterialAllKeyMaterial)}); len(all.Rotations) != 26 || *all.Rotations[25].KeyMaterialState != "CURRENT" || *all.Rotations[0].KeyMaterialState != "NON_CURRENT" {
		t.Errorf("ListKeyRotations of all = %d", len(all.Rotations))
	}
}

func TestAutomaticRotation(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	status := func() *api.GetKeyRotationStatusOutput {
		return call(p, p.root, api.GetKeyRotationStatus, &api.GetKeyRotationStatusInput{KeyId: key.KeyId})
	}
	if got := status(); *got.KeyRotationEnabled || got.NextRotationDate != nil || got.RotationPeriodInDays != nil {
		t.Errorf("GetKeyRotationStatus = %+v", got)
	}
	call(p, p.root, api.EnableKeyRotation, &api.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: new(int32(90))})
	if got := status(); !*got.KeyRotationEnabled || *got.RotationPeriodInDays != 90 || !got.NextRotationDate.Equal(p.clock().Add(90*aDay)) {
		t.Errorf("GetKeyRotationStatus = %+v", got)
	}
	first := *p.describe(key.KeyId).CurrentKeyMaterialId
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	p.pass(90*aDay - time.Second)
	p.sweep()
	if *p.describe(key.KeyId).CurrentKeyMaterialId != first {
		t.Error("rotated a second early")
	}
	p.pass(time.Second)
	p.sweep()
	if *p.describe(key.KeyId).CurrentKeyMaterialId == first {
		t.Error("not rotated at its date")
	}
	call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob})
	if got := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId}).Rotations; len(got) != 1 || *got[0].RotationType != "AUTOMATIC" || !got[0].RotationDate.Equal(p.clock()) {
		t.Errorf("ListKeyRotations = %+v", got)
	}
	if got := status(); !got.NextRotationDate.Equal(p.clock().Add(90 * aDay)) {
		t.Errorf("the next rotation is %v", got.NextRotationDate)
	}
	// While it is disabled it is not rotated; enabled again, it is, once.
	call(p, p.root, api.DisableKey, &api.DisableKeyInput{KeyId: key.KeyId})
	p.pass(400 * aDay)
	p.sweep()
	call(p, p.root, api.EnableKey, &api.EnableKeyInput{KeyId: key.KeyId})
	p.sweep()
	if got := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId}).Rotations; len(got) != 2 {
		t.Errorf("%d rotations", len(got))
	}
	call(p, p.root, api.DisableKeyRotation, &api.DisableKeyRotationInput{KeyId: key.KeyId})
	p.pass(400 * aDay)
	p.sweep()
	if got := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId}).Rotations; len(got) != 2 {
		t.Errorf("%d rotations", len(got))
	}
}

func TestRotationRefuses(t *testing.T) {
	p := newPlane(t)
	pair, disabled := p.key(of("ECC_NIST_P256", "SIGN_VERIFY")), p.key()
	empty := p.key(external)
	call(p, p.root, api.DisableKey, &api.DisableKeyInput{KeyId: disabled.KeyId})
	rotate := func(k *api.KeyMetadata) string {
		return try(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: k.KeyId})
	}
	enable := func(k *api.KeyMetadata) string {
		return try(p, p.root, api.EnableKeyRotation, &api.EnableKeyRotationInput{KeyId: k.KeyId})
	}
	for _, c := range []struct{ name, got, want string }{
		{"a pair", rotate(pair), "UnsupportedOperationException: "},
		{"a disabled key", rotate(disabled), "DisabledException: " + *disabled.Arn + " is disabled."},
		{"a key without material", rotate(empty), "KMSInvalidStateException: " + *empty.Arn + " is pending import."},
		{"automatically, a pair", enable(pair), "UnsupportedOperationException: "},
		{"automatically, imported material", enable(empty), "UnsupportedOperationException: " + *empty.Arn + " origin is EXTERNAL which is not valid for this operation."},
		{"automatically, a disabled key", enable(disabled), "DisabledException: " + *disabled.Arn + " is disabled."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// A key is gone at its date, whether or not the loop has come by, and leaves nothing.
func TestDeletionToTheSecond(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", "")
	key := p.key()
	call(p, p.root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/doomed", TargetKeyId: key.KeyId})
	call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, Operations: ops{"Encrypt"}})
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	out := call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	if !out.DeletionDate.Equal(p.clock().Add(7*aDay)) || *out.KeyState != "PendingDeletion" {
		t.Errorf("ScheduleKeyDeletion = %+v", out)
	}
	p.pass(7*aDay - time.Second)
	p.sweep()
	if got := p.describe(key.KeyId); *got.KeyState != "PendingDeletion" || !got.DeletionDate.Equal(*out.DeletionDate) {
		t.Errorf("a second before: %+v", got)
	}
	p.pass(time.Second)
	gone := "NotFoundException: Key '" + *key.Arn + "' does not exist"
	if got := try(p, p.root, api.CancelKeyDeletion, &api.CancelKeyDeletionInput{KeyId: key.KeyId}); got != gone {
		t.Errorf("CancelKeyDeletion at its date = %q", got)
	}
	p.sweep()
	if got := try(p, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}); got != gone {
		t.Errorf("DescribeKey = %q", got)
	}
	if got := try(p, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: "alias/doomed"}); !strings.Contains(got, "is not found") {
		t.Errorf("DescribeKey of its alias = %q", got)
	}
	if got := try(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); !strings.Contains(got, "not allowed to access") {
		t.Errorf("Decrypt = %q", got)
	}
	for _, e := range p.events() {
		if e.EventName == "DeleteKey" && e.EventType == "AwsServiceEvent" && e.Resources[0].ARN == *key.Arn && e.RecipientAccountID == home {
			return
		}
	}
	t.Error("the deletion is not recorded")
}

func TestCancelDeletion(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId})
	call(p, p.root, api.CancelKeyDeletion, &api.CancelKeyDeletionInput{KeyId: key.KeyId})
	p.pass(100 * aDay)
	p.sweep()
	if got := p.describe(key.KeyId); *got.KeyState != "Disabled" || got.DeletionDate != nil {
		t.Errorf("after the deletion was cancelled: %+v", got)
	}
}

func TestKeyQuota(t *testing.T) {
	p := newPlane(t, func(o *kms.Options) { o.Quotas.Keys = 2 })
	key := p.key()
	p.key()
	if got := try(p, p.root, api.CreateKey, &api.CreateKeyInput{}); got != "LimitExceededException: The quota of 2 KMS keys in this Region has been reached." {
		t.Errorf("CreateKey = %q", got)
	}
	callIn(p, "eu-west-1", p.root, api.CreateKey, &api.CreateKeyInput{})
	call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	p.pass(7 * aDay)
	p.sweep()
	p.key()
}

// A key with more grants than a transaction removes is deleted all the same.
func TestDeletionOfManyGrants(t *testing.T) {
	p := newPlane(t)
	key, alice := p.key(), p.user("alice", "")
	for range 250 {
		call(p, p.root, api.CreateGrant, &api.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: alice.ARN, RetiringPrincipal: &alice.ARN, Operations: ops{"Encrypt"}})
	}
	call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	p.pass(7 * aDay)
	p.sweep()
	if n := len(call(p, p.root, api.ListRetirableGrants, &api.ListRetirableGrantsInput{RetiringPrincipal: alice.ARN}).Grants); n != 0 {
		t.Errorf("%d grants are left", n)
	}
	if n := len(call(p, p.root, api.ListKeys, &api.ListKeysInput{}).Keys); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}
