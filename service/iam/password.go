package iam

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// A password is kept as what PBKDF2 (NIST SP 800-132) with HMAC-SHA-256 makes
// of it: format 1, iterations (uint32), a salt of 16 bytes, 32 derived bytes.
const (
	passwordFormat     = 1
	passwordIterations = 600_000 // OWASP, Password Storage Cheat Sheet, 2023
	saltSize           = 16
	passwordHead       = 1 + 4 + saltSize
)

// hashPassword is the stored form of a password. It takes a good tenth of a
// second. A user's passwords have the salt of the one before, if it is given:
// then one that was had before is made to the same bytes.
func hashPassword(password string, before []byte) ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte{passwordFormat}, passwordIterations)
	salt := make([]byte, saltSize)
	if len(before) == passwordHead+sha256.Size && bytes.Equal(before[:len(b)], b) {
		copy(salt, before[len(b):])
	} else {
		rand.Read(salt)
	}
	derived, err := pbkdf2.Key(sha256.New, password, salt, passwordIterations, sha256.Size)
	if err != nil {
		return nil, err
	}
	return append(append(b, salt...), derived...), nil
}

// isPassword tells whether hash was made of password, at the same cost.
func isPassword(hash []byte, password string) bool {
	if len(hash) != passwordHead+sha256.Size || hash[0] != passwordFormat {
		return false
	}
	iterations := binary.BigEndian.Uint32(hash[1:])
	if iterations > 100*passwordIterations {
		return false
	}
	derived, err := pbkdf2.Key(sha256.New, password, hash[5:passwordHead], int(iterations), sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(derived, hash[passwordHead:]) == 1
}

// sameHash tells, in constant time, whether two hashes are of one password, if they have one salt.
func sameHash(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
