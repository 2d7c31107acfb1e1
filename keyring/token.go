package keyring

// SealToken seals what a caller is given to bring back: a session token, a
// pagination token. Purpose and aad bind it: it opens with the same two alone.
// The token is opaque bytes, 33 longer than plaintext, under the
// installation's key, so that every node opens it.
func (k *Keyring) SealToken(purpose string, aad, plaintext []byte) ([]byte, error) {
	a := additional(forTokens, purpose, aad)
	defer a.free()
	return k.seal(make([]byte, 0, len(plaintext)+sealedOverhead), "", a.b, plaintext)
}

// OpenToken is what SealToken sealed. Whatever is wrong with a token, it
// answers the one store.ErrSealed.
func (k *Keyring) OpenToken(purpose string, aad, token []byte) ([]byte, error) {
	a := additional(forTokens, purpose, aad)
	defer a.free()
	return k.open(nil, "", a.b, token)
}
