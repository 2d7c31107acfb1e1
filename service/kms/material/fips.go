package material

import "crypto/fips140"

// Approved tells whether Go's FIPS 140-3 module does the cryptography of a
// spec: of all but secp256k1 and ML-DSA, which come from libraries beside it.
func (s Spec) Approved() bool {
	return specs[s].family != koblitzPair && specs[s].family != latticePair
}

// Available tells whether keys of the spec may be made and used: in a process
// that is restricted to FIPS 140-3 (GODEBUG=fips140=only) the approved ones alone.
func (s Spec) Available() bool { return s.Approved() || !fips140.Enforced() }
