//go:build cgo

package helper

import (
	"errors"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/garrison-security/garrison/hsm/frame"
	"github.com/garrison-security/garrison/internal/hsmtest"
)

// TestMaterialNeverLeaves: with the PIN and all of PKCS #11, a key that was
// made here can't be read, wrapped, copied out or made readable.
func TestMaterialNeverLeaves(t *testing.T) {
	at := hsmtest.New(t, "garrison test")
	t.Setenv("SOFTHSM2_CONF", at.Conf)
	loaded, err := load(&frame.Request{Op: frame.Open, Fields: [][]byte{[]byte(at.Module), []byte(at.Label), {}, []byte(at.PIN), {}}})
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.close()
	token := loaded.(*pkcs11Token)
	if a := token.perform(&frame.Request{Op: frame.Generate, Fields: [][]byte{[]byte("key")}}); a.Status != frame.OK {
		t.Fatalf("%+v", a)
	}
	session := <-token.free
	key, err := token.key(session, "key")
	if err != nil {
		t.Fatal(err)
	}
	wrapping, err := token.module.GenerateKey(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32), pkcs11.NewAttribute(pkcs11.CKA_WRAP, true), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		try  func() error
		want pkcs11.Error
	}{
		"read": {func() error {
			_, err := token.module.GetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
			return err
		}, pkcs11.CKR_ATTRIBUTE_SENSITIVE},
		"wrap": {func() error {
			_, err := token.module.WrapKey(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_WRAP, nil)}, wrapping, key)
			return err
		}, pkcs11.CKR_KEY_UNEXTRACTABLE},
		"make extractable": {func() error {
			return token.module.SetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)})
		}, pkcs11.CKR_ATTRIBUTE_READ_ONLY},
		"make readable": {func() error {
			return token.module.SetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false)})
		}, pkcs11.CKR_ATTRIBUTE_READ_ONLY},
		"copy as extractable": {func() error {
			_, err := token.module.CopyObject(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)})
			return err
		}, pkcs11.CKR_ATTRIBUTE_READ_ONLY},
	} {
		if err := c.try(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
