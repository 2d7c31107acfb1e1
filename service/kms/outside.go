package kms

import (
	"bytes"
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/service/kms/xks"
)

// done is what was done outside transactions with a key: a pair, or one in a custom key store.
type done struct {
	key             string // its ARN: an alias may select another since
	plaintext, blob []byte
}

// Wipe implements gateway.Wiped.
func (d *done) Wipe() {
	if d != nil {
		clear(d.plaintext)
	}
}

// opened is a copy of the plaintext, which its receiver may clear: the call may be carried out again.
func (d *done) opened() []byte { return bytes.Clone(d.plaintext) }

// of refuses what was done with another key than the one that is authorised now.
func (d *done) of(n *named) error {
	if d == nil || d.key != n.Arn {
		return &kms.KMSInternalException{Message: "The key changed while it was used. Try again."}
	}
	return nil
}

// outside tells a use of a key in a key store: it is prepared outside
// transactions. What will be refused needs no preparation.
func (n *named) outside(dryRun *bool) bool {
	return n.store != nil && n.store.connected() && (dryRun == nil || !*dryRun)
}

// noteStore writes down where a key is used, as AWS's records have it.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html
func (n *named) noteStore(call *gateway.Call) {
	call.Note("customKeyStoreId", n.Store)
	if n.XksKeyID != "" {
		call.Note("xksKeyId", n.XksKeyID)
	}
}

// loadInner reads the material that the first of two encryptions is under, for
// a key in an external key store.
func (n *named) loadInner(call *gateway.Call) (err error) {
	if n.store == nil || !n.store.external() {
		return nil
	}
	n.used = n.Current
	n.sealed, err = sealedSecret(call.Tx, n.Key, n.Current)
	return err
}

// header is the header of blobs of a key in a key store.
func (n *named) header(id string) material.Header {
	return material.Header{Account: n.Account, Key: n.ID, Material: id[:32], Outside: true}
}

// asking tells a proxy in whose name it is asked.
func (n *named) asking(call *gateway.Call) xks.Metadata {
	m := xks.Metadata{PrincipalARN: principalARN(call.Principal), Operation: call.Operation.Name, RequestID: call.RequestID, KeyARN: n.Arn}
	if call.Via != "" {
		m.ViaService = viaService(call)
	}
	return m
}

// sealOutside encrypts with a key in a key store, in no transaction.
func (s *Service) sealOutside(ctx context.Context, call *gateway.Call, n *named, plaintext []byte) ([]byte, error) {
	h := n.header(n.Current)
	bound, err := h.Bound(n.context)
	if err != nil {
		return nil, err
	}
	var sealed []byte
	if n.store.external() {
		sealed, err = s.sealByProxy(ctx, call, n, plaintext, bound)
	} else {
		sealed, err = s.sealByHSM(ctx, n, plaintext, bound)
	}
	if err != nil {
		return nil, err
	}
	return h.Wrap(sealed)
}

func (s *Service) sealByProxy(ctx context.Context, call *gateway.Call, n *named, plaintext, bound []byte) ([]byte, error) {
	secret, err := s.openSecret(n.Key, n.used, n.sealed)
	if err != nil {
		return nil, err
	}
	inner, err := material.SealInner(secret, bound, plaintext)
	clear(secret)
	if err != nil {
		return nil, err
	}
	proxy, err := s.proxy(n.store)
	if err != nil {
		return nil, err
	}
	defer clear(proxy.Secret)
	sealed, err := s.proxies().Encrypt(ctx, proxy, n.XksKeyID, n.asking(call), inner, bound)
	return sealed, using(err)
}

func (s *Service) sealByHSM(ctx context.Context, n *named, plaintext, bound []byte) ([]byte, error) {
	hsm, err := s.login(n.store)
	if err != nil {
		return nil, usingHSM(err)
	}
	sealed, err := hsm.Encrypt(ctx, n.hsmLabel(), plaintext, bound)
	return sealed, usingHSM(err)
}

// openOutside decrypts with a key in a key store, in no transaction.
func (s *Service) openOutside(ctx context.Context, call *gateway.Call, n *named, blob []byte) ([]byte, error) {
	sealed, err := material.Outside(blob)
	if err != nil || n.used == "" {
		return nil, errCiphertext
	}
	bound, err := n.header(n.used).Bound(n.context)
	if err != nil {
		return nil, err
	}
	if n.store.external() {
		return s.openByProxy(ctx, call, n, sealed, bound)
	}
	hsm, err := s.login(n.store)
	if err != nil {
		return nil, usingHSM(err)
	}
	plaintext, err := hsm.Decrypt(ctx, n.hsmLabel(), sealed, bound)
	return plaintext, usingHSM(err)
}

func (s *Service) openByProxy(ctx context.Context, call *gateway.Call, n *named, sealed, bound []byte) ([]byte, error) {
	proxy, err := s.proxy(n.store)
	if err != nil {
		return nil, err
	}
	defer clear(proxy.Secret)
	inner, err := s.proxies().Decrypt(ctx, proxy, n.XksKeyID, n.asking(call), sealed, bound)
	if err != nil {
		return nil, using(err)
	}
	secret, err := s.openSecret(n.Key, n.used, n.sealed)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	plaintext, err := material.OpenInner(secret, bound, inner)
	if errors.Is(err, material.ErrCiphertext) {
		return nil, invalidState(garbledProxy)
	}
	return plaintext, err
}
