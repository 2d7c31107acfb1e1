//go:build cgo

package helper

import (
	"bytes"
	"crypto/rand"

	"github.com/miekg/pkcs11"

	"github.com/garrison-security/garrison/hsm/frame"
)

// Sealed bytes are a format, the IV, and what the module made: ciphertext and tag.
const (
	format  = 1
	ivSize  = 12
	tagSize = 16
)

// encrypt seals with AES-GCM (CKM_AES_GCM, SP 800-38D). Its IV is random, of 12
// bytes, so that a key may seal 2^32 times; or the token's own, where the token
// takes none: such a module is given zeros and writes what it used in their
// place. One that left the zeros there has used them, and what it made is thrown away.
func (t *pkcs11Token) encrypt(session pkcs11.SessionHandle, label string, plaintext, aad []byte) ([]byte, error) {
	key, err := t.key(session, label)
	if err != nil {
		return nil, err
	}
	return t.seal(session, key, plaintext, aad)
}

func (t *pkcs11Token) seal(session pkcs11.SessionHandle, key pkcs11.ObjectHandle, plaintext, aad []byte) ([]byte, error) {
	iv := make([]byte, ivSize)
	if !t.ivFromHSM {
		rand.Read(iv)
	}
	params := pkcs11.NewGCMParams(iv, aad, 8*tagSize)
	defer params.Free()
	if err := t.module.EncryptInit(session, gcm(params), key); err != nil {
		return nil, err
	}
	ciphertext, err := t.module.Encrypt(session, plaintext)
	if err != nil {
		return nil, err
	}
	iv = params.IV()
	if len(ciphertext) != len(plaintext)+tagSize || len(iv) != ivSize || bytes.Equal(iv, make([]byte, ivSize)) {
		return nil, fault{status: frame.Unsuited}
	}
	sealed := append(make([]byte, 0, len(plaintext)+frame.Overhead), format)
	return append(append(sealed, iv...), ciphertext...), nil
}

func gcm(params *pkcs11.GCMParams) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}
}

// decrypt opens what encrypt sealed. Modules tell a wrong tag by several return
// values, one of them "general error": whether it was the tag or the token is
// found out by the key's opening something of its own.
func (t *pkcs11Token) decrypt(session pkcs11.SessionHandle, label string, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < frame.Overhead || sealed[0] != format {
		return nil, fault{status: frame.Undecryptable}
	}
	key, err := t.key(session, label)
	if err != nil {
		return nil, err
	}
	plaintext, err := t.unseal(session, key, sealed, aad)
	if err == nil {
		return plaintext, nil
	}
	f := faultOf(frame.Failed, err)
	if f.status == frame.Failed && t.works(session, key) {
		f.status = frame.Undecryptable
	}
	return nil, f
}

func (t *pkcs11Token) unseal(session pkcs11.SessionHandle, key pkcs11.ObjectHandle, sealed, aad []byte) ([]byte, error) {
	params := pkcs11.NewGCMParams(sealed[1:1+ivSize], aad, 8*tagSize)
	defer params.Free()
	if err := t.module.DecryptInit(session, gcm(params), key); err != nil {
		return nil, err
	}
	plaintext, err := t.module.Decrypt(session, sealed[1+ivSize:])
	if err == nil && len(plaintext) != len(sealed)-frame.Overhead {
		clear(plaintext)
		return nil, fault{status: frame.Unsuited}
	}
	return plaintext, err
}

// works says whether a key opens what it has just sealed.
func (t *pkcs11Token) works(session pkcs11.SessionHandle, key pkcs11.ObjectHandle) bool {
	known := []byte("does this key work?")
	sealed, err := t.seal(session, key, known, nil)
	if err != nil {
		return false
	}
	plaintext, err := t.unseal(session, key, sealed, nil)
	return err == nil && bytes.Equal(plaintext, known)
}
