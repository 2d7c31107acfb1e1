package material

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// vectors are a file of Project Wycheproof's, read for the members that some test here needs.
type vectors struct {
	TestGroups []struct {
		KeySize         int
		Sha, MgfSha     string
		SLen            int
		PublicKeyDer    string
		PrivateKeyPkcs8 string
		PublicKey       json.RawMessage
		Tests           []vector
	}
}

type vector struct {
	TcID                          int
	Comment, Result               string
	Flags                         []string
	Key, Msg, Ct, Tag, Sig, Label string
	Mu, Public, Private, Shared   string
	Ctx                           string
}

func wycheproof(t *testing.T, name string) vectors {
	t.Helper()
	f, err := os.Open(shared.Path(t, "data/wycheproof/"+name+"_test.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.NewDecoder(unzipped).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// judge compares an outcome with a vector's: what is legal but weak may be refused.
func judge(t *testing.T, v *vector, ok bool) {
	t.Helper()
	if ok && v.Result == "invalid" || !ok && v.Result == "valid" {
		t.Errorf("vector %d (%s, %v): taken %t, is %s", v.TcID, v.Comment, v.Flags, ok, v.Result)
	}
}

func TestVerifyAgreesWithWycheproof(t *testing.T) {
	for file, c := range map[string]struct {
		spec      Spec
		algorithm string
	}{
		"ecdsa_secp256r1_sha256": {P256, "ECDSA_SHA_256"},
		"ecdsa_secp384r1_sha384": {P384, "ECDSA_SHA_384"},
		"ecdsa_secp521r1_sha512": {P521, "ECDSA_SHA_512"},
		"ecdsa_secp256k1_sha256": {P256K1, "ECDSA_SHA_256"},
		"ed25519":                {Ed25519, "ED25519_SHA_512"},
		"mldsa_44_verify":        {MLDSA44, "ML_DSA_SHAKE_256"},
		"mldsa_65_verify":        {MLDSA65, "ML_DSA_SHAKE_256"},
		"mldsa_87_verify":        {MLDSA87, "ML_DSA_SHAKE_256"},

		"rsa_signature_2048_sha256":   {RSA2048, "RSASSA_PKCS1_V1_5_SHA_256"},
		"rsa_signature_2048_sha384":   {RSA2048, "RSASSA_PKCS1_V1_5_SHA_384"},
		"rsa_signature_2048_sha512":   {RSA2048, "RSASSA_PKCS1_V1_5_SHA_512"},
		"rsa_signature_3072_sha256":   {RSA3072, "RSASSA_PKCS1_V1_5_SHA_256"},
		"rsa_signature_3072_sha384":   {RSA3072, "RSASSA_PKCS1_V1_5_SHA_384"},
		"rsa_signature_3072_sha512":   {RSA3072, "RSASSA_PKCS1_V1_5_SHA_512"},
		"rsa_signature_4096_sha256":   {RSA4096, "RSASSA_PKCS1_V1_5_SHA_256"},
		"rsa_signature_4096_sha384":   {RSA4096, "RSASSA_PKCS1_V1_5_SHA_384"},
		"rsa_signature_4096_sha512":   {RSA4096, "RSASSA_PKCS1_V1_5_SHA_512"},
		"rsa_pss_2048_sha256_mgf1_32": {RSA2048, "RSASSA_PSS_SHA_256"},
		"rsa_pss_2048_sha384_mgf1_48": {RSA2048, "RSASSA_PSS_SHA_384"},
		"rsa_pss_3072_sha256_mgf1_32": {RSA3072, "RSASSA_PSS_SHA_256"},
		"rsa_pss_4096_sha256_mgf1_32": {RSA4096, "RSASSA_PSS_SHA_256"},
		"rsa_pss_4096_sha384_mgf1_48": {RSA4096, "RSASSA_PSS_SHA_384"},
		"rsa_pss_4096_sha512_mgf1_64": {RSA4096, "RSASSA_PSS_SHA_512"},
	} {
		t.Run(file, func(t *testing.T) {
			for _, group := range wycheproof(t, file).TestGroups {
				for i := range group.Tests {
					v := &group.Tests[i]
					if ofContext(v) {
						continue
					}
					err := Verify(c.spec, unhex(t, group.PublicKeyDer), c.algorithm, Raw, unhex(t, v.Msg), unhex(t, v.Sig))
					judge(t, v, err == nil)
				}
			}
		})
	}
}

// ofContext tells ML-DSA's vectors that sign with a context string, which KMS has not.
func ofContext(v *vector) bool { return v.Ctx != "" }

// Salts that KMS never makes, and other masks, are no signatures of its algorithms.
func TestVerifyRefusesOtherParameters(t *testing.T) {
	for file, algorithm := range map[string]string{
		"rsa_pss_2048_sha256_mgf1_0":               "RSASSA_PSS_SHA_256",
		"rsa_pss_2048_sha256_mgf1sha1_20":          "RSASSA_PSS_SHA_256",
		"rsa_pss_2048_sha512_224_mgf1_28":          "RSASSA_PSS_SHA_512",
		"rsa_pss_2048_sha512_256_mgf1_32":          "RSASSA_PSS_SHA_512",
		"rsa_pss_2048_sha512_mgf1sha256_32_params": "RSASSA_PSS_SHA_512",
		"rsa_pss_4096_sha512_mgf1_32":              "RSASSA_PSS_SHA_512",
	} {
		for _, group := range wycheproof(t, file).TestGroups {
			spec := map[int]Spec{2048: RSA2048, 4096: RSA4096}[group.KeySize]
			for i := range group.Tests {
				v := &group.Tests[i]
				if v.Comment == "s_len changed to 32" { // which is KMS's own
					continue
				}
				if Verify(spec, unhex(t, group.PublicKeyDer), algorithm, Raw, unhex(t, v.Msg), unhex(t, v.Sig)) == nil {
					t.Errorf("%s: vector %d is taken for %s", file, v.TcID, algorithm)
				}
			}
		}
	}
}

func TestDecryptAgreesWithWycheproof(t *testing.T) {
	for file, c := range map[string]struct {
		spec      Spec
		algorithm string
	}{
		"rsa_oaep_2048_sha1_mgf1sha1":     {RSA2048, "RSAES_OAEP_SHA_1"},
		"rsa_oaep_2048_sha256_mgf1sha256": {RSA2048, "RSAES_OAEP_SHA_256"},
		"rsa_oaep_3072_sha256_mgf1sha256": {RSA3072, "RSAES_OAEP_SHA_256"},
		"rsa_oaep_4096_sha256_mgf1sha256": {RSA4096, "RSAES_OAEP_SHA_256"},
	} {
		for _, group := range wycheproof(t, file).TestGroups {
			pair, err := OpenPair(c.spec, unhex(t, group.PrivateKeyPkcs8))
			if err != nil {
				t.Fatal(err)
			}
			for i := range group.Tests {
				v := &group.Tests[i]
				if v.Label != "" {
					continue // KMS has no labels
				}
				plaintext, err := pair.Decrypt(c.algorithm, unhex(t, v.Ct))
				judge(t, v, err == nil && hex.EncodeToString(plaintext) == v.Msg)
			}
		}
	}
}

func TestMACAgreesWithWycheproof(t *testing.T) {
	for file, c := range map[string]struct {
		spec      Spec
		algorithm string
	}{
		"hmac_sha224": {HMAC224, "HMAC_SHA_224"}, "hmac_sha256": {HMAC256, "HMAC_SHA_256"},
		"hmac_sha384": {HMAC384, "HMAC_SHA_384"}, "hmac_sha512": {HMAC512, "HMAC_SHA_512"},
	} {
		for _, group := range wycheproof(t, file).TestGroups {
			for i := range group.Tests {
				v := &group.Tests[i]
				if len(v.Tag) != 2*hashOf(c.algorithm).Size() {
					continue // KMS cuts no MACs
				}
				ok, err := VerifyMAC(c.spec, unhex(t, v.Key), c.algorithm, unhex(t, v.Msg), unhex(t, v.Tag))
				if err != nil {
					t.Fatal(err)
				}
				judge(t, v, ok)
			}
		}
	}
}

func TestAgreeAgreesWithWycheproof(t *testing.T) {
	for file, spec := range map[string]Spec{
		"ecdh_secp256r1_pem": P256, "ecdh_secp384r1_pem": P384, "ecdh_secp521r1_pem": P521,
	} {
		for _, group := range wycheproof(t, file).TestGroups {
			for i := range group.Tests {
				v := &group.Tests[i]
				private, _ := pem.Decode([]byte(v.Private))
				public, _ := pem.Decode([]byte(v.Public))
				if private == nil || public == nil {
					continue
				}
				pair, err := OpenPair(spec, private.Bytes)
				if err != nil {
					judge(t, v, false)
					continue
				}
				secret, err := pair.Agree(public.Bytes)
				judge(t, v, err == nil && hex.EncodeToString(secret) == v.Shared)
			}
		}
	}
}

func TestUnwrapAgreesWithWycheproof(t *testing.T) {
	for _, group := range wycheproof(t, "aes_kwp").TestGroups {
		for i := range group.Tests {
			v := &group.Tests[i]
			secret, err := unwrapPadded(unhex(t, v.Key), unhex(t, v.Ct))
			judge(t, v, err == nil && hex.EncodeToString(secret) == v.Msg)
		}
	}
}

// ML-DSA signs what FIPS 204's vectors sign: its signatures of messages and of
// their representatives verify under the vectors' public keys.
func TestMLDSASignsWycheproofsMessages(t *testing.T) {
	for file, spec := range map[string]Spec{
		"mldsa_44_sign_seed": MLDSA44, "mldsa_65_sign_seed": MLDSA65, "mldsa_87_sign_seed": MLDSA87,
	} {
		for _, group := range wycheproof(t, file).TestGroups {
			if group.PrivateKeyPkcs8 == "" {
				continue
			}
			pair, err := OpenPair(spec, unhex(t, group.PrivateKeyPkcs8))
			if err != nil {
				continue // vectors of malformed keys
			}
			public, err := pair.Public()
			if err != nil {
				t.Fatal(err)
			}
			for i := range group.Tests {
				v := &group.Tests[i]
				if v.Result != "valid" || v.Msg == "" || ofContext(v) || len(v.Msg) > 4096 {
					continue
				}
				message := unhex(t, v.Msg)
				signature, err := pair.Sign("ML_DSA_SHAKE_256", Raw, message)
				if err != nil {
					t.Fatal(err)
				}
				if err := Verify(spec, public, "ML_DSA_SHAKE_256", Raw, message, signature); err != nil {
					t.Errorf("%s %d: %v", file, v.TcID, err)
				}
				if err := Verify(spec, public, "ML_DSA_SHAKE_256", Raw, message, unhex(t, v.Sig)); err != nil {
					t.Errorf("%s %d: the vector's signature: %v", file, v.TcID, err)
				}
				if v.Mu == "" {
					continue
				}
				if signature, err = pair.Sign("ML_DSA_SHAKE_256", ExternalMu, unhex(t, v.Mu)); err != nil {
					t.Fatal(err)
				}
				if err := Verify(spec, public, "ML_DSA_SHAKE_256", Raw, message, signature); err != nil {
					t.Errorf("%s %d: by its representative: %v", file, v.TcID, err)
				}
			}
		}
	}
}
