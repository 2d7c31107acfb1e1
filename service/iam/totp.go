package iam

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"
)

// One-time passwords of RFC 6238 as AWS's virtual devices make them: HMAC-SHA-1
// of a seed of 40 bytes, steps of 30 seconds, six digits.
const (
	seedSize   = 40
	stepLength = 30 * time.Second
)

// newSeed is a device's secret.
func newSeed() []byte {
	seed := make([]byte, seedSize)
	rand.Read(seed)
	return seed
}

// base32Seed is a seed as people and QR codes carry it: 64 base32 digits.
func base32Seed(seed []byte) string { return base32.StdEncoding.EncodeToString(seed) }

// stepAt is the number of the step that t lies in.
func stepAt(t time.Time) int64 { return t.Unix() / int64(stepLength/time.Second) }

// codeAt is the code of a step (RFC 4226, section 5.3).
//
// SHA-1 is the algorithm that authenticator apps have in common. FIPS mode,
// which refuses it elsewhere, is set aside for this one use: HMAC does not rest
// on the hash's resistance to collisions.
func codeAt(seed []byte, step int64) string {
	var sum []byte
	fips140.WithoutEnforcement(func() {
		mac := hmac.New(sha1.New, seed)
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
		sum = mac.Sum(nil)
	})
	from := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[from:])&0x7fffffff%1_000_000)
}

// isCode tells, in constant time, whether code is that of a step.
func isCode(seed []byte, step int64, code string) bool {
	return subtle.ConstantTimeCompare([]byte(codeAt(seed, step)), []byte(code)) == 1
}
