//go:build cgo

package helper

import (
	"errors"

	"github.com/miekg/pkcs11"

	"github.com/garrison-security/garrison/hsm/frame"
)

// sessionsWanted is how many calls a token is asked to do at once.
const sessionsWanted = 8

// load loads a module, finds the one token that is meant, and logs its user in.
func load(open *frame.Request) (token, error) {
	path, label, serial, pin := string(open.Fields[0]), string(open.Fields[1]), string(open.Fields[2]), string(open.Fields[3])
	module := pkcs11.New(path)
	if module == nil {
		return nil, fault{status: frame.NoModule}
	}
	if err := module.Initialize(); err != nil {
		return nil, faultOf(frame.NoModule, err)
	}
	t := &pkcs11Token{module: module, ivFromHSM: string(open.Fields[4]) == "hsm", handles: map[string]pkcs11.ObjectHandle{}}
	if err := t.find(label, serial); err != nil {
		return nil, err
	}
	if err := t.suits(); err != nil {
		return nil, err
	}
	if err := t.login(pin); err != nil {
		return nil, err
	}
	return t, nil
}

// find finds the slot whose token has a label, and a serial number unless that is "".
func (t *pkcs11Token) find(label, serial string) error {
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return faultOf(frame.NoToken, err)
	}
	found := 0
	for _, slot := range slots {
		token, err := t.module.GetTokenInfo(slot)
		if err != nil || token.Label != label || serial != "" && token.SerialNumber != serial {
			continue
		}
		if token.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0 {
			return fault{frame.PINLocked, pkcs11.CKR_PIN_LOCKED}
		}
		t.slot = slot
		found++
	}
	if found != 1 {
		return fault{status: frame.NoToken}
	}
	return nil
}

// suits says whether the token makes AES keys and seals with AES-GCM.
func (t *pkcs11Token) suits() error {
	for mechanism, wanted := range map[uint]uint{
		pkcs11.CKM_AES_KEY_GEN: pkcs11.CKF_GENERATE,
		pkcs11.CKM_AES_GCM:     pkcs11.CKF_ENCRYPT | pkcs11.CKF_DECRYPT,
	} {
		can, err := t.module.GetMechanismInfo(t.slot, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)})
		if err != nil {
			return faultOf(frame.Unsuited, err)
		}
		if can.Flags&wanted != wanted {
			return fault{status: frame.Unsuited}
		}
	}
	return nil
}

// login opens the sessions, as many of those wanted as the token has, and logs
// the user in, once: a login holds for all of a process's sessions.
func (t *pkcs11Token) login(pin string) error {
	t.free = make(chan pkcs11.SessionHandle, sessionsWanted)
	for range sessionsWanted {
		session, err := t.open()
		if errors.Is(err, pkcs11.Error(pkcs11.CKR_SESSION_COUNT)) && len(t.free) > 0 {
			break
		}
		if err != nil {
			return faultOf(frame.Failed, err)
		}
		t.free <- session
	}
	t.count = len(t.free)
	session := <-t.free
	err := t.module.Login(session, pkcs11.CKU_USER, pin)
	t.free <- session
	code, _ := errors.AsType[pkcs11.Error](err)
	switch code {
	case pkcs11.CKR_OK:
		return nil
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE:
		return faultOf(frame.WrongPIN, err)
	case pkcs11.CKR_PIN_LOCKED:
		return faultOf(frame.PINLocked, err)
	}
	return faultOf(frame.Failed, err)
}

func (t *pkcs11Token) open() (pkcs11.SessionHandle, error) {
	return t.module.OpenSession(t.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
}

// gone are the return values after which a module is of no further use to this process.
var gone = map[pkcs11.Error]bool{
	pkcs11.CKR_HOST_MEMORY: true, pkcs11.CKR_DEVICE_ERROR: true, pkcs11.CKR_DEVICE_MEMORY: true, pkcs11.CKR_DEVICE_REMOVED: true,
	pkcs11.CKR_SESSION_CLOSED: true, pkcs11.CKR_SESSION_HANDLE_INVALID: true, pkcs11.CKR_TOKEN_NOT_PRESENT: true,
	pkcs11.CKR_TOKEN_NOT_RECOGNIZED: true, pkcs11.CKR_USER_NOT_LOGGED_IN: true, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED: true,
}

// faultOf is a fault of a module's error, which may have made the module useless.
func faultOf(status frame.Status, err error) fault {
	if f, ok := errors.AsType[fault](err); ok {
		return f
	}
	code, ok := errors.AsType[pkcs11.Error](err)
	if ok && gone[code] && status == frame.Failed {
		status = frame.Gone
	}
	return fault{status, uint32(code)}
}
