package kms_test

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/internal/shared"
)

// group is a group of Project Wycheproof's vectors, read for the members that are used here.
type group struct {
	PrivateKeyPkcs8 string
	Tests           []struct {
		TcID                                              int
		Comment, Result                                   string
		Flags                                             []string
		Key, Msg, Ct, Tag, Label, Public, Private, Shared string
	}
}

func wycheproof(t *testing.T, name string) []group {
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
	var v struct{ TestGroups []group }
	if err := json.NewDecoder(unzipped).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v.TestGroups
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keysEach is how many of a file's keys are imported: each takes a wrapping key of its own.
const keysEach = 4

// Published vectors through the API: their keys are imported, then decrypt,
// authenticate and agree as the vectors say. What their public keys verify is
// tried on the function below the API, package material.
func TestVectorsThroughTheAPI(t *testing.T) {
	p := newPlane(t)
	judge := func(file string, id int, result string, ok bool) {
		if ok && result == "invalid" || !ok && result == "valid" {
			t.Errorf("%s %d: taken %t, is %s", file, id, ok, result)
		}
	}
	for file, algorithm := range map[string]api.EncryptionAlgorithmSpec{
		"rsa_oaep_2048_sha1_mgf1sha1": "RSAES_OAEP_SHA_1", "rsa_oaep_2048_sha256_mgf1sha256": "RSAES_OAEP_SHA_256",
	} {
		for _, g := range wycheproof(t, file)[:1] {
			key := p.imported("RSA_2048", "ENCRYPT_DECRYPT", unhex(t, g.PrivateKeyPkcs8))
			for _, v := range g.Tests {
				if v.Label != "" || v.Ct == "" {
					continue
				}
				in := &api.DecryptInput{KeyId: &key.KeyId, CiphertextBlob: unhex(t, v.Ct), EncryptionAlgorithm: &algorithm}
				if v.Result == "invalid" {
					judge(file, v.TcID, v.Result, try(p, p.root, api.Decrypt, in) == "")
				} else if got := call(p, p.root, api.Decrypt, in).Plaintext; hex.EncodeToString(got) != v.Msg {
					t.Errorf("%s %d: %x", file, v.TcID, got)
				}
			}
		}
	}
	for file, spec := range map[string]api.KeySpec{"hmac_sha256": "HMAC_256", "hmac_sha512": "HMAC_512"} {
		algorithm := api.MacAlgorithmSpec("HMAC_SHA_" + strings.TrimPrefix(string(spec), "HMAC_"))
		used := map[string]string{}
		for _, g := range wycheproof(t, file) {
			for _, v := range g.Tests {
				if len(v.Key) != map[api.KeySpec]int{"HMAC_256": 64, "HMAC_512": 128}[spec] || len(v.Tag) != len(v.Key) || v.Msg == "" {
					continue
				}
				if used[v.Key] == "" {
					if len(used) == keysEach {
						continue
					}
					used[v.Key] = p.imported(spec, "GENERATE_VERIFY_MAC", unhex(t, v.Key)).KeyId
				}
				got := try(p, p.root, api.VerifyMac, &api.VerifyMacInput{KeyId: used[v.Key], Message: unhex(t, v.Msg), MacAlgorithm: algorithm, Mac: unhex(t, v.Tag)})
				judge(file, v.TcID, v.Result, got == "")
			}
		}
		if len(used) == 0 {
			t.Errorf("%s: no vector was used", file)
		}
	}
	for file, spec := range map[string]api.KeySpec{"ecdh_secp256r1_pem": "ECC_NIST_P256", "ecdh_secp384r1_pem": "ECC_NIST_P384"} {
		used := map[string]string{}
		for _, g := range wycheproof(t, file) {
			for _, v := range g.Tests {
				private, _ := pem.Decode([]byte(v.Private))
				public, _ := pem.Decode([]byte(v.Public))
				if private == nil || public == nil {
					continue
				}
				if used[v.Private] == "" {
					if len(used) == keysEach {
						continue
					}
					used[v.Private] = p.imported(spec, "KEY_AGREEMENT", private.Bytes).KeyId
				}
				in := &api.DeriveSharedSecretInput{KeyId: used[v.Private], KeyAgreementAlgorithm: "ECDH", PublicKey: public.Bytes}
				if v.Result == "valid" {
					if got := call(p, p.root, api.DeriveSharedSecret, in).SharedSecret; hex.EncodeToString(got) != v.Shared {
						t.Errorf("%s %d: %x", file, v.TcID, got)
					}
				} else {
					judge(file, v.TcID, v.Result, try(p, p.root, api.DeriveSharedSecret, in) == "")
				}
			}
		}
		if len(used) == 0 {
			t.Errorf("%s: no vector was used", file)
		}
	}
}
