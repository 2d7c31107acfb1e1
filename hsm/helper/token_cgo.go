//go:build cgo

package helper

import (
	"bytes"
	"errors"
	"sync"

	"github.com/miekg/pkcs11"

	"github.com/garrison-security/garrison/hsm/frame"
)

// pkcs11Token is a token of a PKCS #11 module (version 2.40).
type pkcs11Token struct {
	module    *pkcs11.Ctx
	slot      uint
	ivFromHSM bool // the token gives IVs, and takes none
	count     int  // of sessions
	free      chan pkcs11.SessionHandle

	making sync.Mutex // held while a key is made, so that two don't get one label

	mu      sync.Mutex
	handles map[string]pkcs11.ObjectHandle // by label, at most maxHandles; checked at each use
}

// maxHandles bounds what is remembered of where keys are.
const maxHandles = 4096

func (t *pkcs11Token) sessions() int { return t.count }

// perform implements token. A session in which something failed is replaced:
// a module may have left an operation active there.
func (t *pkcs11Token) perform(r *frame.Request) frame.Answer {
	session := <-t.free
	body, err := t.do(session, r)
	if err == nil {
		t.free <- session
		return frame.Answer{Body: body}
	}
	f := faultOf(frame.Failed, err)
	if f.code != pkcs11.CKR_OK {
		if session, err = t.replace(session); err != nil {
			f = fault{frame.Gone, faultOf(frame.Gone, err).code}
		}
	}
	t.free <- session
	return *answerOf(r.ID, f)
}

// replace opens a session before the old one is closed: with a process's last
// session its login ends.
func (t *pkcs11Token) replace(old pkcs11.SessionHandle) (pkcs11.SessionHandle, error) {
	session, err := t.open()
	if errors.Is(err, pkcs11.Error(pkcs11.CKR_SESSION_COUNT)) {
		_ = t.module.CloseSession(old)
		return t.open()
	}
	if err == nil {
		_ = t.module.CloseSession(old)
	}
	return session, err
}

func (t *pkcs11Token) do(session pkcs11.SessionHandle, r *frame.Request) ([]byte, error) {
	if r.Op == frame.Ping {
		return nil, t.ping(session)
	}
	label := string(r.Fields[0])
	if label == "" {
		return nil, fault{status: frame.NoKey}
	}
	switch r.Op {
	case frame.Generate:
		return nil, t.generate(session, label)
	case frame.Encrypt:
		return t.encrypt(session, label, r.Fields[1], r.Fields[2])
	case frame.Decrypt:
		return t.decrypt(session, label, r.Fields[1], r.Fields[2])
	case frame.Destroy:
		return nil, t.destroy(session, label)
	}
	return nil, fault{status: frame.Failed}
}

// ping says whether the user is still logged in.
func (t *pkcs11Token) ping(session pkcs11.SessionHandle) error {
	now, err := t.module.GetSessionInfo(session)
	if err != nil {
		return err
	}
	if now.State != pkcs11.CKS_RW_USER_FUNCTIONS {
		return fault{frame.Gone, pkcs11.CKR_USER_NOT_LOGGED_IN}
	}
	return nil
}

// generate makes an AES-256 key inside the token. Who gave it the label at the
// same time, from another process, gets it or neither does.
func (t *pkcs11Token) generate(session pkcs11.SessionHandle, label string) error {
	t.making.Lock()
	defer t.making.Unlock()
	if there, err := t.search(session, label); err != nil {
		return err
	} else if len(there) > 0 {
		return fault{status: frame.KeyExists}
	}
	key, err := t.module.GenerateKey(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
		pkcs11.NewAttribute(pkcs11.CKA_ID, label),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, false),
		pkcs11.NewAttribute(pkcs11.CKA_VERIFY, false),
		pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_DERIVE, false),
	})
	if err != nil {
		return err
	}
	there, err := t.search(session, label)
	if err == nil && len(there) != 1 {
		err = fault{status: frame.KeyExists}
	}
	if err == nil && !t.fit(session, key, label) {
		err = fault{status: frame.Unsuited}
	}
	if err != nil {
		_ = t.module.DestroyObject(session, key)
	}
	return err
}

// key finds the one key of a label. Whoever can write to the token could put
// there a key that he knows; such a key was not made inside, and is refused.
func (t *pkcs11Token) key(session pkcs11.SessionHandle, label string) (pkcs11.ObjectHandle, error) {
	t.mu.Lock()
	key, remembered := t.handles[label]
	t.mu.Unlock()
	if remembered && t.fit(session, key, label) { // a handle may have become another object's
		return key, nil
	}
	there, err := t.search(session, label)
	if err != nil {
		return 0, err
	}
	if len(there) == 0 {
		return 0, fault{status: frame.NoKey}
	}
	if len(there) > 1 || !t.fit(session, there[0], label) {
		return 0, fault{status: frame.KeyUnfit}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.handles) >= maxHandles {
		clear(t.handles)
	}
	t.handles[label] = there[0]
	return there[0], nil
}

// search finds up to two secret keys of a label.
func (t *pkcs11Token) search(session pkcs11.SessionHandle, label string) ([]pkcs11.ObjectHandle, error) {
	if err := t.module.FindObjectsInit(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}); err != nil {
		return nil, err
	}
	there, _, err := t.module.FindObjects(session, 2)
	return there, errors.Join(err, t.module.FindObjectsFinal(session))
}

// fit says whether an object is an AES-256 key of this label that was made in
// the token and has never been able to leave it.
func (t *pkcs11Token) fit(session pkcs11.SessionHandle, key pkcs11.ObjectHandle, label string) bool {
	wanted := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_LOCAL, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_ALWAYS_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_NEVER_EXTRACTABLE, true),
	}
	has, err := t.module.GetAttributeValue(session, key, wanted)
	if err != nil || len(has) != len(wanted) {
		return false
	}
	for i := range wanted {
		if !bytes.Equal(has[i].Value, wanted[i].Value) {
			return false
		}
	}
	return true
}

func (t *pkcs11Token) destroy(session pkcs11.SessionHandle, label string) error {
	key, err := t.key(session, label)
	if err != nil {
		return err
	}
	t.mu.Lock()
	delete(t.handles, label)
	t.mu.Unlock()
	return t.module.DestroyObject(session, key)
}

// close logs out and unloads. A module's complaints change nothing any more.
func (t *pkcs11Token) close() {
	_ = t.module.CloseAllSessions(t.slot)
	_ = t.module.Finalize()
	t.module.Destroy()
}
