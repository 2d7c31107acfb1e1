package iam

import (
	"crypto/fips140"
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
)

const (
	sshRSA = "ssh-rsa"
	// Sizes of RSA keys, in bits.
	leastRSA, mostRSA = 2048, 16384
)

// readPublicKey reads an RSA public key as OpenSSH (RFC 4253, section 6.6) or PEM writes it.
func readPublicKey(body string) (key *rsa.PublicKey, asPEM bool, err error) {
	body = strings.TrimSpace(body)
	switch {
	case strings.HasPrefix(body, "-----BEGIN "):
		key, asPEM = readPEMKey(body), true
	case strings.HasPrefix(body, "ssh-"), strings.HasPrefix(body, "ecdsa-"):
		if fields := strings.Fields(body); len(fields) >= 2 && fields[0] == sshRSA {
			key = readSSHKey(fields[1])
		}
	default:
		return nil, false, &iam.UnrecognizedPublicKeyEncodingException{Message: "The public key encoding format is unsupported or unrecognized."}
	}
	if key == nil || key.N.BitLen() < leastRSA || key.N.BitLen() > mostRSA || key.N.Bit(0) == 0 || key.E < 3 || key.E&1 == 0 {
		return nil, false, &iam.InvalidPublicKeyException{Message: "The public key is malformed or otherwise invalid."}
	}
	return key, asPEM, nil
}

func readPEMKey(body string) *rsa.PublicKey {
	block, _ := pem.Decode([]byte(body))
	if block == nil {
		return nil
	}
	if block.Type == "RSA PUBLIC KEY" {
		key, _ := x509.ParsePKCS1PublicKey(block.Bytes)
		return key
	}
	parsed, _ := x509.ParsePKIXPublicKey(block.Bytes)
	key, _ := parsed.(*rsa.PublicKey)
	return key
}

func readSSHKey(text string) *rsa.PublicKey {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	var parts [3][]byte // the type, the exponent, the modulus
	for i := range parts {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil
		}
		n := int(binary.BigEndian.Uint32(b))
		parts[i], b = b[4:4+n], b[4+n:]
	}
	e := new(big.Int).SetBytes(parts[1])
	if len(b) > 0 || string(parts[0]) != sshRSA || e.BitLen() > 31 {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(parts[2]), E: int(e.Int64())}
}

// sshBytes is a key as SSH sends it.
func sshBytes(key *rsa.PublicKey) (b []byte) {
	add := func(part []byte) {
		if len(part) > 0 && part[0] >= 0x80 { // a positive number's first bit is zero
			part = append([]byte{0}, part...)
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	add([]byte(sshRSA))
	add(big.NewInt(int64(key.E)).Bytes())
	add(key.N.Bytes())
	return b
}

func sshPublicKey(key *rsa.PublicKey) string {
	return sshRSA + " " + base64.StdEncoding.EncodeToString(sshBytes(key))
}

func pemPublicKey(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// fingerprint is a key's MD5, as AWS and OpenSSH's "-E md5" write it. It names
// a key to people and proves nothing, so FIPS mode is set aside for it.
func fingerprint(key *rsa.PublicKey) string {
	var sum [md5.Size]byte
	fips140.WithoutEnforcement(func() { sum = md5.Sum(sshBytes(key)) })
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(pairs, ":")
}
