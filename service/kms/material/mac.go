package material

import "crypto/hmac"

// MAC is the HMAC of a message under a secret (FIPS 198-1).
func MAC(s Spec, secret []byte, algorithm string, message []byte) ([]byte, error) {
	if !s.Has(ForMACs, algorithm) {
		return nil, ErrAlgorithm
	}
	h := hmac.New(hashOf(algorithm).New, secret)
	h.Write(message)
	return h.Sum(nil), nil
}

// VerifyMAC tells, in constant time, whether a MAC is the message's.
func VerifyMAC(s Spec, secret []byte, algorithm string, message, given []byte) (bool, error) {
	want, err := MAC(s, secret, algorithm, message)
	if err != nil {
		return false, err
	}
	return hmac.Equal(want, given), nil
}
