package material

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A CiphertextBlob of a symmetric key, version 1:
//
//	 0   1  the version
//	 1   1  1 for a multi-Region key, else 0
//	 2   5  the account's number
//	 7  16  the key's id, its 32 hexadecimal digits as bytes
//	23  16  the first half of the material's ID
//	39  16  salt
//	55  12  nonce
//	67   n  ciphertext
//	 …  16  tag
//
// Each blob is sealed by AES-256-GCM under a key of its own, made from the
// material and the salt by HKDF-SHA256; what stands before the nonce and the
// encryption context are the additional data. Two blobs share key and nonce
// when 224 random bits are alike, so that no count of messages, and no second
// node that has the same material, needs to be bounded: nonces alone would
// bound a key to 2^32 messages (NIST SP 800-38D, 8.3).
const (
	blobVersion  = 1
	blobSalt     = 39
	blobNonce    = blobSalt + 16
	blobOverhead = blobNonce + 12 + 16
)

// Header is what a blob says of itself: which key sealed it, and with which material.
type Header struct {
	Account  string // 12 digits
	Key      string // the key's id: a UUID, or mrk- and 32 hexadecimal digits
	Material string // the first half of the material's ID: 32 hexadecimal digits
	Outside  bool   // it is of a key in a custom key store: version 2
}

const multiRegionPrefix = "mrk-"

// append writes the header, without a salt.
func (h *Header) append(b []byte) ([]byte, error) {
	id, multi := strings.CutPrefix(h.Key, multiRegionPrefix)
	flag := byte(0)
	if multi {
		flag = 1
	}
	number, err := strconv.ParseUint(h.Account, 10, 40)
	if err != nil {
		return nil, fmt.Errorf("seal: account %q", h.Account)
	}
	version := byte(blobVersion)
	if h.Outside {
		version = outsideVersion
	}
	b = append(b, version, flag)
	b = append(b, byte(number>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(number))
	for _, digits := range []string{strings.ReplaceAll(id, "-", ""), h.Material} {
		n := len(b)
		if b, err = hex.AppendDecode(b, []byte(digits)); err != nil || len(b)-n != 16 {
			return nil, fmt.Errorf("seal: id %q", digits)
		}
	}
	return b, nil
}

// ParseBlob reads a blob's header; ErrCiphertext for what is no blob.
func ParseBlob(blob []byte) (Header, error) {
	outside := len(blob) > blobSalt && blob[0] == outsideVersion
	if !outside && (len(blob) < blobOverhead || blob[0] != blobVersion) || blob[1] > 1 {
		return Header{}, ErrCiphertext
	}
	number := uint64(blob[2])<<32 | uint64(binary.BigEndian.Uint32(blob[3:]))
	if number > 999_999_999_999 {
		return Header{}, ErrCiphertext
	}
	id := hex.EncodeToString(blob[7:23])
	if blob[1] == 1 {
		id = multiRegionPrefix + id
	} else {
		id = id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
	}
	return Header{Account: fmt.Sprintf("%012d", number), Key: id, Material: hex.EncodeToString(blob[23:39]), Outside: outside}, nil
}

// Seal encrypts plaintext under a symmetric key's material.
func Seal(secret []byte, h Header, c Context, plaintext []byte) ([]byte, error) {
	blob, err := h.append(make([]byte, 0, blobOverhead+len(plaintext)))
	if err != nil {
		return nil, err
	}
	blob = blob[:blobNonce]
	rand.Read(blob[blobSalt:])
	aead, err := blobKey(secret, "garrison kms blob 1 ", blob[blobSalt:])
	if err != nil {
		return nil, err
	}
	additional := c.append(append(make([]byte, 0, 256), blob...))
	return aead.Seal(blob, nil, plaintext, additional), nil
}

// Open decrypts a blob. Whatever is wrong with it, it answers ErrCiphertext.
func Open(secret []byte, c Context, blob []byte) ([]byte, error) {
	if len(blob) < blobOverhead || blob[0] != blobVersion {
		return nil, ErrCiphertext
	}
	aead, err := blobKey(secret, "garrison kms blob 1 ", blob[blobSalt:blobNonce])
	if err != nil {
		return nil, err
	}
	additional := c.append(append(make([]byte, 0, 256), blob[:blobNonce]...))
	plaintext, err := aead.Open(nil, nil, blob[blobNonce:], additional)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}

// blobKey is the cipher of one blob of a kind.
func blobKey(secret []byte, kind string, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, secret, kind+string(salt), 32)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
