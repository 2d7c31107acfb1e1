package material

import "slices"

// Spec is a key spec by AWS's name.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
type Spec string

// The key specs. SM2, which AWS has in China alone, is none of them.
const (
	Symmetric Spec = "SYMMETRIC_DEFAULT"
	HMAC224   Spec = "HMAC_224"
	HMAC256   Spec = "HMAC_256"
	HMAC384   Spec = "HMAC_384"
	HMAC512   Spec = "HMAC_512"
	RSA2048   Spec = "RSA_2048"
	RSA3072   Spec = "RSA_3072"
	RSA4096   Spec = "RSA_4096"
	P256      Spec = "ECC_NIST_P256"
	P384      Spec = "ECC_NIST_P384"
	P521      Spec = "ECC_NIST_P521"
	P256K1    Spec = "ECC_SECG_P256K1"
	Ed25519   Spec = "ECC_NIST_EDWARDS25519"
	MLDSA44   Spec = "ML_DSA_44"
	MLDSA65   Spec = "ML_DSA_65"
	MLDSA87   Spec = "ML_DSA_87"
)

// Usages of keys.
const (
	ForEncryption = "ENCRYPT_DECRYPT"
	ForSigning    = "SIGN_VERIFY"
	ForMACs       = "GENERATE_VERIFY_MAC"
	ForAgreement  = "KEY_AGREEMENT"
)

// family is the kind of cryptography behind a spec.
type family uint8

const (
	symmetric family = iota + 1
	mac
	rsaPair
	nistPair
	koblitzPair
	edwardsPair
	latticePair
)

// traits are what a spec says.
type traits struct {
	family     family
	size       int // bytes of a secret, bits of an RSA modulus
	algorithms map[string][]string
}

var (
	rsaTraits = map[string][]string{
		ForEncryption: {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"},
		ForSigning: {
			"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
			"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
		},
	}
	latticeTraits = map[string][]string{ForSigning: {"ML_DSA_SHAKE_256"}}
)

func hmacTraits(algorithm string) map[string][]string {
	return map[string][]string{ForMACs: {algorithm}}
}

func nistTraits(algorithm string) map[string][]string {
	return map[string][]string{ForSigning: {algorithm}, ForAgreement: {"ECDH"}}
}

var specs = map[Spec]traits{
	Symmetric: {symmetric, 32, map[string][]string{ForEncryption: {"SYMMETRIC_DEFAULT"}}},
	HMAC224:   {mac, 28, hmacTraits("HMAC_SHA_224")},
	HMAC256:   {mac, 32, hmacTraits("HMAC_SHA_256")},
	HMAC384:   {mac, 48, hmacTraits("HMAC_SHA_384")},
	HMAC512:   {mac, 64, hmacTraits("HMAC_SHA_512")},
	RSA2048:   {rsaPair, 2048, rsaTraits},
	RSA3072:   {rsaPair, 3072, rsaTraits},
	RSA4096:   {rsaPair, 4096, rsaTraits},
	P256:      {nistPair, 0, nistTraits("ECDSA_SHA_256")},
	P384:      {nistPair, 0, nistTraits("ECDSA_SHA_384")},
	P521:      {nistPair, 0, nistTraits("ECDSA_SHA_512")},
	P256K1:    {koblitzPair, 0, map[string][]string{ForSigning: {"ECDSA_SHA_256"}}},
	Ed25519:   {edwardsPair, 0, map[string][]string{ForSigning: {"ED25519_SHA_512", "ED25519_PH_SHA_512"}}},
	MLDSA44:   {latticePair, 0, latticeTraits},
	MLDSA65:   {latticePair, 0, latticeTraits},
	MLDSA87:   {latticePair, 0, latticeTraits},
}

// Known tells whether keys of the spec can be made.
func (s Spec) Known() bool { return specs[s].family != 0 }

// Serves tells whether a key of the spec can have a usage.
func (s Spec) Serves(usage string) bool { return specs[s].algorithms[usage] != nil }

// Algorithms are those that a key of the spec has for a usage; nil for a usage that it can't have.
func (s Spec) Algorithms(usage string) []string { return specs[s].algorithms[usage] }

// Has tells whether a key of the spec has an algorithm for a usage.
func (s Spec) Has(usage, algorithm string) bool {
	return slices.Contains(specs[s].algorithms[usage], algorithm)
}

// Symmetric tells the spec of keys that encrypt and decrypt with one secret.
func (s Spec) Symmetric() bool { return s == Symmetric }

// Paired tells the specs of keys that have a public half.
func (s Spec) Paired() bool { return specs[s].family > mac }

// RSA tells RSA's specs.
func (s Spec) RSA() bool { return specs[s].family == rsaPair }

// Kind groups the specs between which an alias may move: one secret, HMAC, pairs.
func (s Spec) Kind() string {
	switch {
	case s.Symmetric():
		return "symmetric"
	case s.Paired():
		return "asymmetric"
	}
	return "hmac"
}
