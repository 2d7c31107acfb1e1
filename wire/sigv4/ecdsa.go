package sigv4

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
)

// orderMinusTwo is the order of P-256 less two.
var orderMinusTwo = [32]byte{
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
}

// derivePair is a secret's V4a key pair. Its private half is the first block
// of a counter-mode HMAC (NIST SP 800-108) that is not above the curve's order
// less two, plus one:
//
//	HMAC("AWS4A"+secret, 0x00000001 || "AWS4-ECDSA-P256-SHA256" || 0x00 || key id || counter || 0x00000100)
//
// A block is too large once in 2^32; after 254 of them there is none, and nil
// is answered.
func derivePair(secret, accessKeyID string) *ecdsa.PrivateKey {
	input := append([]byte{0, 0, 0, 1}, V4a...)
	input = append(append(input, 0), accessKeyID...)
	for counter := byte(1); counter < 255; counter++ {
		h := hmac.New(sha256.New, []byte("AWS4A"+secret))
		h.Write(input)
		h.Write([]byte{counter, 0, 0, 1, 0})
		candidate := h.Sum(nil)
		if above(candidate, orderMinusTwo[:]) {
			continue
		}
		increment(candidate)
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), candidate)
		if err != nil {
			continue
		}
		return private
	}
	return nil
}

// above says whether a > b, both of 32 bytes, in constant time.
func above(a, b []byte) bool {
	more, equal := 0, 1
	for i := range a {
		x, y := int(a[i]), int(b[i])
		more |= equal & subtle.ConstantTimeLessOrEq(y+1, x)
		equal &= subtle.ConstantTimeEq(int32(x), int32(y))
	}
	return more == 1
}

// increment adds one to a number of 32 bytes.
func increment(n []byte) {
	carry := uint16(1)
	for i := len(n) - 1; i >= 0; i-- {
		carry += uint16(n[i])
		n[i] = byte(carry)
		carry >>= 8
	}
}
