package kms_test

import (
	"bytes"
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
)

func multiRegion(in *api.CreateKeyInput) { in.MultiRegion = new(true) }

const (
	paris  = "eu-west-1"
	berlin = "eu-central-1"
)

// A replica opens what its primary encrypts, and the other way round, after rotations too.
func TestReplicasShareMaterial(t *testing.T) {
	p := newPlane(t)
	key := p.key(multiRegion)
	if !strings.HasPrefix(key.KeyId, "mrk-") || *key.MultiRegionConfiguration.MultiRegionKeyType != "PRIMARY" || len(key.MultiRegionConfiguration.ReplicaKeys) != 0 {
		t.Errorf("CreateKey = %+v", key)
	}
	before := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	call(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId})
	out := call(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: paris, Tags: []api.Tag{{TagKey: "a", TagValue: "b"}}})
	if m := out.ReplicaKeyMetadata; *m.Arn != named(paris, home, key.KeyId) || *m.KeyState != "Creating" || *m.MultiRegionConfiguration.MultiRegionKeyType != "REPLICA" || len(out.ReplicaTags) != 1 {
		t.Errorf("ReplicateKey = %+v", out)
	}
	call(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: berlin})
	call(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId})
	after := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	theirs := callIn(p, berlin, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	for _, in := range []string{region, paris, berlin} {
		for i, blob := range [][]byte{before, after, theirs} {
			if got := callIn(p, in, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); string(got.Plaintext) != "x" || *got.KeyId != named(in, home, key.KeyId) {
				t.Errorf("blob %d in %s: %+v", i, in, got)
			}
		}
		m := callIn(p, in, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}).KeyMetadata
		if c := m.MultiRegionConfiguration; len(c.ReplicaKeys) != 2 || *c.PrimaryKey.Region != region || *m.CurrentKeyMaterialId != *p.describe(key.KeyId).CurrentKeyMaterialId {
			t.Errorf("in %s: %+v", in, m)
		}
	}
	single := p.key()
	blob := call(p, p.root, api.Encrypt, &api.EncryptInput{KeyId: single.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	if got := tryIn(p, paris, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); !strings.Contains(got, "does not exist in this region") {
		t.Errorf("a key of one Region opens in another: %q", got)
	}
}

func TestReplicasRefuse(t *testing.T) {
	p := newPlane(t)
	key, single := p.key(multiRegion), p.key()
	call(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: paris})
	replica := named(paris, home, key.KeyId)
	replicate := func(id, to string) string {
		return try(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: id, ReplicaRegion: to})
	}
	for _, c := range []struct{ name, got, want string }{
		{"a replica of a replica", tryIn(p, paris, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: berlin}), "UnsupportedOperationException: " + replica + " is not a multi-region primary key."},
		{"a replica of a key of one Region", replicate(single.KeyId, paris), "UnsupportedOperationException: " + *single.Arn + " is not a multi-region key."},
		{"a second replica", replicate(key.KeyId, paris), "AlreadyExistsException: "},
		{"a replica at home", replicate(key.KeyId, region), "AlreadyExistsException: "},
		{"a Region that is not served", replicate(key.KeyId, "ap-east-1"), "ReplicaRegion ap-east-1 is not a Region of this installation."},
		{"to rotate a replica", tryIn(p, paris, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId}), "UnsupportedOperationException: " + replica + " is not a multi-region primary key."},
		{"to promote from a replica", tryIn(p, paris, p.root, api.UpdatePrimaryRegion, &api.UpdatePrimaryRegionInput{KeyId: key.KeyId, PrimaryRegion: region}), "UnsupportedOperationException: " + replica + " is not a multi-region primary key."},
		{"to promote none", try(p, p.root, api.UpdatePrimaryRegion, &api.UpdatePrimaryRegionInput{KeyId: key.KeyId, PrimaryRegion: berlin}), "NotFoundException: There is no replica of " + *key.Arn + " in eu-central-1."},
	} {
		if c.got != c.want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(c.got, c.want)) {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestUpdatePrimaryRegion(t *testing.T) {
	p := newPlane(t)
	key := p.key(multiRegion)
	call(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: paris})
	call(p, p.root, api.EnableKeyRotation, &api.EnableKeyRotationInput{KeyId: key.KeyId})
	call(p, p.root, api.UpdatePrimaryRegion, &api.UpdatePrimaryRegionInput{KeyId: key.KeyId, PrimaryRegion: paris})
	for _, in := range []string{region, paris} {
		m := callIn(p, in, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}).KeyMetadata
		if c := m.MultiRegionConfiguration; *c.PrimaryKey.Region != paris || len(c.ReplicaKeys) != 1 || *c.ReplicaKeys[0].Region != region {
			t.Errorf("in %s: %+v", in, c)
		}
		if got := callIn(p, in, p.root, api.GetKeyRotationStatus, &api.GetKeyRotationStatusInput{KeyId: key.KeyId}); !*got.KeyRotationEnabled || !got.NextRotationDate.Equal(p.clock().Add(365*aDay)) {
			t.Errorf("in %s: %+v", in, got)
		}
	}
	blob := callIn(p, paris, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	p.pass(365 * aDay)
	p.sweep()
	call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob})
	if n := len(call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId}).Rotations); n != 1 {
		t.Errorf("%d rotations", n)
	}
}

// A primary waits for its replicas' deletion, then for its own time.
func TestDeletePrimary(t *testing.T) {
	p := newPlane(t)
	key := p.key(multiRegion)
	call(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: paris})
	out := call(p, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(7))})
	if *out.KeyState != "PendingReplicaDeletion" || out.DeletionDate != nil {
		t.Errorf("ScheduleKeyDeletion = %+v", out)
	}
	p.pass(30 * aDay)
	p.sweep()
	if m := p.describe(key.KeyId); *m.KeyState != "PendingReplicaDeletion" || *m.PendingDeletionWindowInDays != 7 {
		t.Errorf("DescribeKey = %+v", m)
	}
	callIn(p, paris, p.root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: new(int32(8))})
	p.pass(8 * aDay)
	p.sweep()
	if m := p.describe(key.KeyId); *m.KeyState != "PendingDeletion" || !m.DeletionDate.Equal(p.clock().Add(7*aDay)) || len(m.MultiRegionConfiguration.ReplicaKeys) != 0 {
		t.Errorf("DescribeKey = %+v", m)
	}
	p.pass(7 * aDay)
	p.sweep()
	if got := try(p, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: key.KeyId}); !strings.Contains(got, "does not exist") {
		t.Errorf("DescribeKey = %q", got)
	}
}

// Imported material reaches each Region by an import of its own; a rotation waits for all.
func TestImportIntoReplicas(t *testing.T) {
	p := newPlane(t)
	first, second := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	key := p.key(multiRegion, external)
	call(p, p.root, api.ImportKeyMaterial, p.importInput(key.KeyId, first))
	call(p, p.root, api.ReplicateKey, &api.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: paris})
	in := func(secret []byte) *api.ImportKeyMaterialInput {
		got := callIn(p, paris, p.root, api.GetParametersForImport, &api.GetParametersForImportInput{KeyId: key.KeyId, WrappingAlgorithm: keyWrap, WrappingKeySpec: "RSA_2048"})
		return &api.ImportKeyMaterialInput{KeyId: key.KeyId, ImportToken: got.ImportToken, EncryptedKeyMaterial: p.wrap(got.PublicKey, keyWrap, secret), ExpirationModel: new(api.ExpirationModelTypeKeyMaterialDoesNotExpire)}
	}
	if got := tryIn(p, paris, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}); !strings.Contains(got, "is pending import") {
		t.Errorf("Encrypt in the replica = %q", got)
	}
	if got := tryIn(p, paris, p.root, api.ImportKeyMaterial, in(second)); !strings.HasPrefix(got, "IncorrectKeyMaterialException") {
		t.Errorf("other material in the replica: %q", got)
	}
	callIn(p, paris, p.root, api.ImportKeyMaterial, in(first))
	next := p.importInput(key.KeyId, second)
	next.ImportType = new(api.ImportTypeNewKeyMaterial)
	call(p, p.root, api.ImportKeyMaterial, next)
	state := func() string {
		all := call(p, p.root, api.ListKeyRotations, &api.ListKeyRotationsInput{KeyId: key.KeyId, IncludeKeyMaterial: new(api.IncludeKeyMaterialAllKeyMaterial)}).Rotations
		return string(*all[1].KeyMaterialState)
	}
	if got := state(); got != "PENDING_MULTI_REGION_IMPORT_AND_ROTATION" {
		t.Errorf("material that a replica lacks is %s", got)
	}
	if got := try(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId}); !strings.Contains(got, "No available key material pending rotation") {
		t.Errorf("RotateKeyOnDemand = %q", got)
	}
	callIn(p, paris, p.root, api.ImportKeyMaterial, in(second))
	if got := state(); got != "PENDING_ROTATION" {
		t.Errorf("material that all have is %s", got)
	}
	call(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId})
	blob := callIn(p, paris, p.root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	if got := call(p, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob}); *got.KeyMaterialId != *p.describe(key.KeyId).CurrentKeyMaterialId {
		t.Errorf("Decrypt = %+v", got)
	}
}
