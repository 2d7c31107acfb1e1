package aws

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
)

// IDs that AWS gives to keys and principals are a prefix of four letters that
// tells their kind (AKIA, ASIA, AIDA, AROA …) and base32 digits, of which the
// first 48 bits hold a one, the account in 40 bits, and seven more bits. AWS
// does not document the account's place; it was published by Aidan Steele
// ("AWS Access Key ID formats", 2020) and Tal Be'ery ("A short note on AWS key
// ID", 2023).
const (
	idPrefix     = 4
	accessKeyLen = idPrefix + 16
	uniqueIDLen  = idPrefix + 17
	accountShift = 7
	accountFlag  = 1 << 47
	maxAccount   = 999_999_999_999
)

// NewAccessKeyID makes a random access key id of an account: prefix, of four
// letters, and 16 base32 digits, 39 bits of which are random.
func NewAccessKeyID(prefix, account string) string { return newID(prefix, account, accessKeyLen) }

// NewUniqueID makes a random unique id of an account's user, role, group or
// policy: prefix, of four letters, and 17 base32 digits, 44 bits of which are
// random.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func NewUniqueID(prefix, account string) string { return newID(prefix, account, uniqueIDLen) }

func newID(prefix, account string, length int) string {
	var b [16]byte
	rand.Read(b[:])
	low := uint64(binary.BigEndian.Uint16(b[4:6])) & (1<<accountShift - 1)
	high := accountFlag | accountNumber(account)<<accountShift | low
	for i := range 6 {
		b[i] = byte(high >> (40 - 8*i))
	}
	return prefix + base32.StdEncoding.EncodeToString(b[:])[:length-idPrefix]
}

// AccountOfID is the account that an access key id or a unique id carries, 12
// digits; false for text that carries none. It says nothing of whether the id
// was ever given out.
func AccountOfID(id string) (account string, ok bool) {
	if len(id) != accessKeyLen && len(id) != uniqueIDLen {
		return "", false
	}
	var high uint64
	for i := idPrefix; i < idPrefix+10; i++ { // ten digits of five bits hold the first 48
		d, ok := base32Digit(id[i])
		if !ok {
			return "", false
		}
		high = high<<5 | d
	}
	high >>= 2
	number := high &^ accountFlag >> accountShift
	if high&accountFlag == 0 || number > maxAccount {
		return "", false
	}
	var digits [12]byte
	for i := range digits {
		digits[len(digits)-1-i] = '0' + byte(number%10)
		number /= 10
	}
	return string(digits[:]), true
}

func base32Digit(c byte) (uint64, bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint64(c - 'A'), true
	case '2' <= c && c <= '7':
		return uint64(c-'2') + 26, true
	}
	return 0, false
}

// accountNumber is an account id, 12 digits, as a number.
func accountNumber(account string) uint64 {
	var n uint64
	for i := range len(account) {
		n = n*10 + uint64(account[i]-'0')
	}
	return n
}

// IsAccount tells an account id: 12 digits.
func IsAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
