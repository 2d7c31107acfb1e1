package iam

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
)

const (
	// longestKey is the longest private key that is read, as DER: that of RSA's 4,096 bits, AWS's longest, with room.
	longestKey = 3 << 10
	// longestChain bounds the certificates of a chain, each of which is a signature to verify.
	longestChain = 16
	// longestModulus bounds the RSA keys of certificates, in bits: a signature's cost grows with it.
	longestModulus = 8192
)

// checkServerCertificate holds a certificate, its private key and its chain
// ("" = none) against each other, and answers when the certificate expires.
// What it refuses it does not repeat: a key may have been put in another's place.
func checkServerCertificate(body, key, chain string) (expires time.Time, err error) {
	leaf, err := readCertificate(body)
	if err != nil {
		return time.Time{}, err
	}
	private := readPrivateKey(key)
	if private == nil {
		return time.Time{}, malformedCertificate("Unable to parse key. Please ensure the private key is in PEM format, is not encrypted, and is RSA of 1024 to 4096 bits or ECDSA.")
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(private.Public()) {
		return time.Time{}, &iam.KeyPairMismatchException{Message: "The public key certificate and the private key do not match."}
	}
	return leaf.NotAfter, checkChain(leaf, chain)
}

// readPrivateKey is an unencrypted key of PEM: PKCS #1, PKCS #8 or SEC 1; nil if it is none.
func readPrivateKey(text string) crypto.Signer {
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || len(block.Bytes) > longestKey {
			return nil
		}
		switch block.Type {
		case "EC PARAMETERS": // which openssl writes before a key
			continue
		case "RSA PRIVATE KEY":
			if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil && fitRSA(key) {
				return key
			}
		case "EC PRIVATE KEY":
			if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
				return key
			}
		case "PRIVATE KEY":
			switch key, _ := x509.ParsePKCS8PrivateKey(block.Bytes); key := key.(type) {
			case *rsa.PrivateKey:
				if fitRSA(key) {
					return key
				}
			case *ecdsa.PrivateKey:
				return key
			}
		}
		return nil
	}
}

func fitRSA(key *rsa.PrivateKey) bool { return key.N.BitLen() >= 1024 && key.N.BitLen() <= 4096 }

// checkChain wants the issuer of the certificate first, and of each the issuer next.
func checkChain(leaf *x509.Certificate, chain string) error {
	below := leaf
	for i, rest := -1, chain; strings.TrimSpace(rest) != ""; i++ {
		block, more := pem.Decode([]byte(rest))
		if block == nil || !beginsPEM(rest) || block.Type != "CERTIFICATE" || i+1 == longestChain {
			return badChain(i + 1)
		}
		issuer, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return badChain(i + 1)
		}
		if !signedBy(below, issuer) {
			return badChain(i)
		}
		below, rest = issuer, string(more)
	}
	return nil
}

// badChain names the certificate that the chain breaks at; -1 is the server's own.
func badChain(at int) error {
	return malformedCertificate("Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: " + strconv.Itoa(at))
}

// signedBy tells whether issuer signed c. The issuer's own constraints are for who rests on the chain.
func signedBy(c, issuer *x509.Certificate) bool {
	if key, ok := issuer.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > longestModulus {
		return false
	}
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) && issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
