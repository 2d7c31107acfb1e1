package iam

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"strings"
	"unicode"

	"github.com/garrison-security/garrison/api/iam"
)

// A password is kept as what PBKDF2 (NIST SP 800-132) with HMAC-SHA-256 makes
// of it: format 1, iterations (uint32), a salt of 16 bytes, 32 derived bytes.
const (
	passwordFormat     = 1
	passwordIterations = 600_000 // OWASP, Password Storage Cheat Sheet, 2023
	saltSize           = 16
)

// hashPassword is the stored form of a password. It takes a good tenth of a second.
func hashPassword(password string) ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte{passwordFormat}, passwordIterations)
	salt := make([]byte, saltSize)
	rand.Read(salt)
	derived, err := pbkdf2.Key(sha256.New, password, salt, passwordIterations, sha256.Size)
	if err != nil {
		return nil, err
	}
	return append(append(b, salt...), derived...), nil
}

// isPassword tells whether hash was made of password, at the same cost.
func isPassword(hash []byte, password string) bool {
	const head = 1 + 4 + saltSize
	if len(hash) != head+sha256.Size || hash[0] != passwordFormat {
		return false
	}
	iterations := binary.BigEndian.Uint32(hash[1:])
	if iterations > 100*passwordIterations {
		return false
	}
	derived, err := pbkdf2.Key(sha256.New, password, hash[5:head], int(iterations), sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(derived, hash[head:]) == 1
}

// checkPassword holds a password against AWS's default password policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html#default-policy-details
func checkPassword(password, userName, account string) error {
	runes := []rune(password)
	if len(runes) < 8 {
		return &iam.PasswordPolicyViolationException{Message: "Password should have a minimum length of 8"}
	}
	if len(runes) > 128 {
		return &iam.PasswordPolicyViolationException{Message: "Password should have a maximum length of 128"}
	}
	var upper, lower, digit, symbol int
	for _, r := range runes {
		switch {
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsDigit(r):
			digit = 1
		case strings.ContainsRune("!@#$%^&*()_+-=[]{}|'", r):
			symbol = 1
		}
	}
	if upper+lower+digit+symbol < 3 {
		return &iam.PasswordPolicyViolationException{Message: "Password should have at least three of the following: uppercase letters, lowercase letters, numbers, symbols"}
	}
	if strings.EqualFold(password, userName) || strings.EqualFold(password, account) {
		return &iam.PasswordPolicyViolationException{Message: "Password should not be identical to the account name or the user name"}
	}
	return nil
}
