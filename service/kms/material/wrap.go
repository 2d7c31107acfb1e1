package material

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
)

// maxWrapped is the longest wrapped material, in bytes, as the model bounds it.
const maxWrapped = 6144

// Unwrap opens key material that was wrapped for import under the public half
// of an RSA key: by RSA-OAEP alone, or by AES key wrap with padding (RFC 5649)
// under a key that stands before it, RSA-OAEP encrypted. Whatever is wrong, it
// answers ErrCiphertext.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
func Unwrap(wrapping []byte, algorithm string, wrapped []byte) ([]byte, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(wrapping)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || len(wrapped) > maxWrapped {
		return nil, ErrCiphertext
	}
	switch algorithm {
	case "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256":
		return decryptOAEP(key, oaep(algorithm), wrapped)
	case "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256":
		size := key.Size()
		if len(wrapped) <= size {
			return nil, ErrCiphertext
		}
		secret, err := decryptOAEP(key, oaep("RSAES_OAEP_"+algorithm[len("RSA_AES_KEY_WRAP_"):]), wrapped[:size])
		if err != nil {
			return nil, err
		}
		defer clear(secret)
		return unwrapPadded(secret, wrapped[size:])
	}
	return nil, ErrAlgorithm
}

// paddedIV begins what key wrap with padding wraps (RFC 5649, section 3).
var paddedIV = []byte{0xA6, 0x59, 0x59, 0xA6}

// unwrapPadded is AES key unwrap with padding (RFC 5649, section 4.2).
func unwrapPadded(key, wrapped []byte) ([]byte, error) {
	if len(wrapped) < 16 || len(wrapped)%8 != 0 {
		return nil, ErrCiphertext
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrCiphertext
	}
	b := append([]byte(nil), wrapped...)
	if len(b) == 16 {
		block.Decrypt(b, b)
	} else {
		unwrap(block, b)
	}
	n := len(b) - 8
	size := int(binary.BigEndian.Uint32(b[4:8]))
	good := subtle.ConstantTimeCompare(b[:4], paddedIV)
	if size <= n-8 || size > n {
		clear(b)
		return nil, ErrCiphertext
	}
	padding := byte(0)
	for _, c := range b[8+size:] {
		padding |= c
	}
	if good&subtle.ConstantTimeByteEq(padding, 0) != 1 {
		clear(b)
		return nil, ErrCiphertext
	}
	secret := append([]byte(nil), b[8:8+size]...)
	clear(b)
	return secret, nil
}

// unwrap undoes the wrapping of RFC 3394, section 2.2.2, in place: the integrity block, then the data.
func unwrap(block cipher.Block, b []byte) {
	n := len(b)/8 - 1
	var buffer [16]byte
	copy(buffer[:8], b)
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			binary.BigEndian.PutUint64(buffer[:8], binary.BigEndian.Uint64(buffer[:8])^uint64(n*j+i))
			copy(buffer[8:], b[8*i:8*i+8])
			block.Decrypt(buffer[:], buffer[:])
			copy(b[8*i:], buffer[8:])
		}
	}
	copy(b, buffer[:8])
	clear(buffer[:])
}
