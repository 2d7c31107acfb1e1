package organizations

import "crypto/rand"

// AWS's ids: a prefix that tells the kind, and lower-case letters and digits.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Types.html
const (
	idLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

	organizationIDLength   = 10
	rootIDLength           = 4
	unitIDLength           = 8
	policyIDLength         = 8
	handshakeIDLength      = 10
	requestIDLength        = 32
	resourcePolicyIDLength = 8
)

// newID is prefix and n random letters and digits.
func newID(prefix string, n int) string {
	id := []byte(prefix)
	var b [1]byte
	for len(id) < len(prefix)+n {
		rand.Read(b[:])
		if b[0] < 252 { // the largest multiple of 36: no letter is likelier than another
			id = append(id, idLetters[b[0]%36])
		}
	}
	return string(id)
}
