package kms_test

import (
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
)

const unknownKey = "1234abcd-12ab-34cd-56ef-1234567890ab"

func named(region, account, id string) string {
	return "arn:aws:kms:" + region + ":" + account + ":key/" + id
}

// Each refusal as AWS words it.
func TestRefusals(t *testing.T) {
	p := newPlane(t)
	root := p.root
	key, hmac := p.key(), p.key(of("HMAC_224", "GENERATE_VERIFY_MAC"))
	rsa := p.key(of("RSA_2048", "ENCRYPT_DECRYPT"))
	disabled, doomed := p.key(), p.key()
	call(p, root, api.DisableKey, &api.DisableKeyInput{KeyId: disabled.KeyId})
	call(p, root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: doomed.KeyId, PendingWindowInDays: new(int32(7))})
	call(p, root, api.CreateAlias, &api.CreateAliasInput{AliasName: "alias/a", TargetKeyId: key.KeyId})
	blob := call(p, root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}).CiphertextBlob
	encrypt := func(id string) string {
		return try(p, root, api.Encrypt, &api.EncryptInput{KeyId: id, Plaintext: []byte("x")})
	}
	describe := func(id string) string { return try(p, root, api.DescribeKey, &api.DescribeKeyInput{KeyId: id}) }
	create := func(in api.CreateKeyInput) string { return try(p, root, api.CreateKey, &in) }
	alias := func(name, key string) string {
		return try(p, root, api.CreateAlias, &api.CreateAliasInput{AliasName: name, TargetKeyId: key})
	}
	tags := func(keys ...string) (in []api.Tag) {
		for _, k := range keys {
			in = append(in, api.Tag{TagKey: k})
		}
		return in
	}
	many := make([]string, 51)
	for i := range many {
		many[i] = strings.Repeat("k", i+1)
	}
	for _, c := range []struct{ name, got, want string }{
		{"an unknown id", describe(unknownKey), "NotFoundException: Key '" + named(region, home, unknownKey) + "' does not exist"},
		{"an unknown ARN", describe(named(region, home, unknownKey)), "NotFoundException: Key '" + named(region, home, unknownKey) + "' does not exist"},
		{"an unknown multi-Region id", describe("mrk-" + strings.Repeat("0", 32)), "NotFoundException: Key '" + named(region, home, "mrk-"+strings.Repeat("0", 32)) + "' does not exist"},
		{"no id", describe("fake-key-id"), "NotFoundException: Invalid keyId 'fake-key-id'"},
		{"an id without hyphens", describe("134f2428cec14b25a1ae9048164dba47"), "NotFoundException: Invalid keyId '134f2428cec14b25a1ae9048164dba47'"},
		{"no multi-Region id", describe("mrk-fake-key-id"), "NotFoundException: Invalid keyId 'mrk-fake-key-id'"},
		{"another Region's ARN", describe(named("eu-west-1", home, key.KeyId)), "NotFoundException: Invalid arn eu-west-1"},
		{"an unknown alias", describe("alias/none"), "NotFoundException: Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found."},
		{"an unknown alias's ARN", describe("arn:aws:kms:us-east-1:111122223333:alias/none"), "NotFoundException: Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found."},
		{"an alias where none is taken", try(p, root, api.EnableKey, &api.EnableKeyInput{KeyId: "alias/a"}), "NotFoundException: Invalid keyId 'alias/a'"},
		{"another account's key to manage", try(p, root, api.EnableKey, &api.EnableKeyInput{KeyId: named(region, other, unknownKey)}), "User: arn:aws:iam::111122223333:root is not authorized to perform: kms:EnableKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{"to encrypt with a disabled key", encrypt(disabled.KeyId), "DisabledException: " + *disabled.Arn + " is disabled."},
		{"to encrypt with a key to be deleted", encrypt(doomed.KeyId), "KMSInvalidStateException: " + *doomed.Arn + " is pending deletion."},
		{"to encrypt with an HMAC key", encrypt(hmac.KeyId), "InvalidKeyUsageException: " + *hmac.Arn + " key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt."},
		{"to encrypt by another algorithm", encrypt(rsa.KeyId), "InvalidKeyUsageException: Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."},
		{"too much for RSA", try(p, root, api.Encrypt, &api.EncryptInput{KeyId: rsa.KeyId, Plaintext: make([]byte, 191), EncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256)}), "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes."},
		{"a context for RSA", try(p, root, api.Encrypt, &api.EncryptInput{KeyId: rsa.KeyId, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "b"}, EncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256)}), "EncryptionContext is not supported for asymmetric KMS keys."},
		{"too long a context", try(p, root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": strings.Repeat("b", 8192)}}), "The encryption context is 8193 bytes long; it can have 8192 bytes at most."},
		{"too long a plaintext", try(p, root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: make([]byte, 4097)}), "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"},
		{"a dry run", try(p, root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), DryRun: new(true)}), "DryRunOperationException: The request would have succeeded, but the DryRun option is set."},
		{"a grant token that is none", try(p, root, api.Encrypt, &api.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), GrantTokens: []string{"eA=="}}), "InvalidGrantTokenException: Invalid grant token."},
		{"to decrypt no ciphertext", try(p, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: []byte("nonsense")}), "InvalidCiphertextException: "},
		{"to decrypt without a ciphertext", try(p, root, api.Decrypt, &api.DecryptInput{}), "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"},
		{"to decrypt no ciphertext with a key", try(p, root, api.Decrypt, &api.DecryptInput{KeyId: &key.KeyId, CiphertextBlob: []byte("nonsense")}), "InvalidCiphertextException: "},
		{"to decrypt without the context", try(p, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "b"}}), "InvalidCiphertextException: "},
		{"to decrypt with another key", try(p, root, api.Decrypt, &api.DecryptInput{KeyId: &disabled.KeyId, CiphertextBlob: blob}), "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation."},
		{"to decrypt with an HMAC key", try(p, root, api.Decrypt, &api.DecryptInput{KeyId: &hmac.KeyId, CiphertextBlob: []byte("nonsense")}), "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation."},
		{"to decrypt RSA without a key", try(p, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, EncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256)}), "You must specify the KeyId of an asymmetric KMS key."},
		{"to decrypt RSA that is none", try(p, root, api.Decrypt, &api.DecryptInput{KeyId: &rsa.KeyId, CiphertextBlob: blob, EncryptionAlgorithm: new(api.EncryptionAlgorithmSpecRsaesOaepSha256)}), "InvalidCiphertextException: "},
		{"attestation", try(p, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, Recipient: &api.RecipientInfo{}}), "Garrison does not implement kms:Decrypt, parameter Recipient yet"},
		{"modifiers of no dry run", try(p, root, api.Decrypt, &api.DecryptInput{CiphertextBlob: blob, DryRunModifiers: []api.DryRunModifierType{"IGNORE_CIPHERTEXT"}}), "DryRunModifiers can be used only when DryRun is true."},
		{"a dry run without a ciphertext", try(p, root, api.Decrypt, &api.DecryptInput{KeyId: &key.KeyId, DryRun: new(true), DryRunModifiers: []api.DryRunModifierType{"IGNORE_CIPHERTEXT"}}), "DryRunOperationException: The request would have succeeded, but the DryRun option is set."},
		{"a data key of two sizes", try(p, root, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: key.KeyId, NumberOfBytes: new(int32(8)), KeySpec: new(api.DataKeySpecAes128)}), "Please specify either number of bytes or key spec."},
		{"a data key of none", try(p, root, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: key.KeyId}), "Please specify either number of bytes or key spec."},
		{"a pair of SM2", try(p, root, api.GenerateDataKeyPair, &api.GenerateDataKeyPairInput{KeyId: key.KeyId, KeyPairSpec: "SM2"}), "UnsupportedOperationException: KeyPairSpec SM2 is not supported in this Region."},
		{"no random bytes", try(p, root, api.GenerateRandom, &api.GenerateRandomInput{}), "NumberOfBytes is required."},
		{"too many random bytes", try(p, root, api.GenerateRandom, &api.GenerateRandomInput{NumberOfBytes: new(int32(1025))}), "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024"},
		{"a spec without a usage", create(api.CreateKeyInput{KeySpec: new(api.KeySpecHmac256)}), "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."},
		{"a usage of another spec", create(api.CreateKeyInput{KeySpec: new(api.KeySpecRsa2048), KeyUsage: new(api.KeyUsageTypeKeyAgreement)}), "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"},
		{"SM2", create(api.CreateKeyInput{KeySpec: new(api.KeySpecSm2), KeyUsage: new(api.KeyUsageTypeSignVerify)}), "UnsupportedOperationException: KeySpec SM2 is not supported in this Region."},
		{"a spec by two names", create(api.CreateKeyInput{KeySpec: new(api.KeySpecSymmetricDefault), CustomerMasterKeySpec: new(api.CustomerMasterKeySpecSymmetricDefault)}), "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated."},
		{"a key store", create(api.CreateKeyInput{Origin: new(api.OriginTypeAwsCloudhsm), CustomKeyStoreId: new("cks-1")}), "CustomKeyStoreNotFoundException: The custom key store cks-1 does not exist."},
		{"a tag twice", create(api.CreateKeyInput{Tags: tags("a", "a")}), "TagException: Duplicate tag keys"},
		{"a tag of AWS's", create(api.CreateKeyInput{Tags: tags("AWS:x")}), "TagException: Tags beginning with aws: are reserved"},
		{"too many tags", create(api.CreateKeyInput{Tags: tags(many...)}), "TagException: Too many tags"},
		{"a policy that is none", create(api.CreateKeyInput{Policy: new("{}")}), "MalformedPolicyDocumentException: "},
		{"a policy that locks out", create(api.CreateKeyInput{Policy: new(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + other + `"},"Action":"kms:*","Resource":"*"}}`)}), "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."},
		{"a policy that locks out by what it lacks", create(api.CreateKeyInput{Policy: new(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:Encrypt","Resource":"*"}}`)}), "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."},
		{"a policy that denies its author", create(api.CreateKeyInput{Policy: new(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":"kms:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*"}]}`)}), "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."},
		{"a policy of nobody's", create(api.CreateKeyInput{Policy: new(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/nobody"},"Action":"kms:*","Resource":"*"}}`)}), "MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals."},
		{"too long a policy", create(api.CreateKeyInput{Policy: new(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":"kms:*","Resource":"*","Sid":"` + strings.Repeat("x", 32<<10) + `"}}`)}), "LimitExceededException: The key policy exceeds the maximum size of 32768 bytes."},
		{"another policy", try(p, root, api.GetKeyPolicy, &api.GetKeyPolicyInput{KeyId: key.KeyId, PolicyName: new("other")}), "NotFoundException: No such policy exists"},
		{"an alias without the prefix", alias("b", key.KeyId), `Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`},
		{"an alias of AWS's", alias("alias/aws/ebs", key.KeyId), "NotAuthorizedException: "},
		{"an alias with a colon", alias("alias/my:alias", key.KeyId), "alias/my:alias contains invalid characters for an alias"},
		{"an alias of nothing", alias("alias/", key.KeyId), "1 validation error detected: Value 'alias/' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"},
		{"an alias of an alias", alias("alias/b", "alias/a"), "Aliases must refer to keys. Not aliases"},
		{"an alias twice", alias("alias/a", key.KeyId), "AlreadyExistsException: An alias with the name arn:aws:kms:us-east-1:111122223333:alias/a already exists"},
		{"an alias of a key to be deleted", alias("alias/b", doomed.KeyId), "KMSInvalidStateException: " + *doomed.Arn + " is pending deletion."},
		{"an alias of an unknown key", alias("alias/b", unknownKey), "NotFoundException: Key '" + named(region, home, unknownKey) + "' does not exist"},
		{"to move an alias to another kind of key", try(p, root, api.UpdateAlias, &api.UpdateAliasInput{AliasName: "alias/a", TargetKeyId: hmac.KeyId}), "Alias alias/a cannot be changed from a symmetric ENCRYPT_DECRYPT key to a hmac GENERATE_VERIFY_MAC key."},
		{"to move an unknown alias", try(p, root, api.UpdateAlias, &api.UpdateAliasInput{AliasName: "alias/b", TargetKeyId: key.KeyId}), "NotFoundException: Alias arn:aws:kms:us-east-1:111122223333:alias/b is not found."},
		{"to delete an unknown alias", try(p, root, api.DeleteAlias, &api.DeleteAliasInput{AliasName: "alias/b"}), "NotFoundException: Alias arn:aws:kms:us-east-1:111122223333:alias/b is not found."},
		{"to cancel no deletion", try(p, root, api.CancelKeyDeletion, &api.CancelKeyDeletionInput{KeyId: key.KeyId}), "KMSInvalidStateException: " + *key.Arn + " is not pending deletion."},
		{"to delete twice", try(p, root, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: doomed.KeyId}), "KMSInvalidStateException: " + *doomed.Arn + " is pending deletion."},
		{"to enable a key to be deleted", try(p, root, api.EnableKey, &api.EnableKeyInput{KeyId: doomed.KeyId}), "KMSInvalidStateException: " + *doomed.Arn + " is pending deletion."},
		{"to tag a key to be deleted", try(p, root, api.TagResource, &api.TagResourceInput{KeyId: doomed.KeyId, Tags: tags("a")}), "KMSInvalidStateException: " + *doomed.Arn + " is pending deletion."},
		{"a marker that is none", try(p, root, api.ListKeys, &api.ListKeysInput{Marker: new("x")}), "InvalidMarkerException: Could not deserialize marker"},
	} {
		if c.got != c.want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(c.got, c.want)) {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}
