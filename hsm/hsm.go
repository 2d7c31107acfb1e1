// Package hsm keeps keys in hardware security modules that speak PKCS #11: AES
// keys that are made there and never leave. Modules are loaded by a helper
// process (cmd/garrison-pkcs11), which this package starts, watches, ends when
// it hangs, and starts again. It is not for deciding who may use a key, nor for
// anything of KMS: it knows labels and bytes.
package hsm

import (
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/hsm/frame"
)

// Bounds of what can be sealed, in bytes.
const (
	MaxPlaintext = frame.MaxPlaintext
	MaxAAD       = frame.MaxAAD
	MaxLabel     = frame.MaxLabel
)

// Why a store doesn't do what it is asked to. Nothing has been done then, but
// for Generate and Destroy with ErrUnavailable, of which nobody knows.
var (
	ErrUnknown       = errors.New("no hardware security module is configured for the cluster")
	ErrUnavailable   = errors.New("the hardware security module can't be reached")
	ErrNoModule      = errors.New("the PKCS #11 module can't be loaded")
	ErrNoToken       = errors.New("the PKCS #11 module has no such token, or several")
	ErrWrongPIN      = errors.New("the token refused the PIN")
	ErrPINLocked     = errors.New("the token takes no PIN any more")
	ErrUnsuited      = errors.New("the token does not do AES-GCM as it must")
	ErrNoKey         = errors.New("the token has no such key")
	ErrKeyExists     = errors.New("the token has a key of this label already")
	ErrKeyUnfit      = errors.New("the token's key of this label was not made there to stay, or there are several")
	ErrUndecryptable = errors.New("the ciphertext is not this key's with this additional data")
	ErrTooLarge      = errors.New("more than a hardware security module is given at once")
	ErrClosed        = errors.New("the store is closed")
)

var errorOf = map[frame.Status]error{
	frame.NoModule: ErrNoModule, frame.NoToken: ErrNoToken, frame.WrongPIN: ErrWrongPIN, frame.PINLocked: ErrPINLocked,
	frame.Unsuited: ErrUnsuited, frame.NoKey: ErrNoKey, frame.KeyExists: ErrKeyExists, frame.KeyUnfit: ErrKeyUnfit,
	frame.Undecryptable: ErrUndecryptable, frame.Gone: ErrUnavailable,
}

// TokenError is a refusal of the module that has no other name here. Code is
// its return value, a CKR_… of PKCS #11.
type TokenError struct{ Code uint32 }

func (e *TokenError) Error() string {
	return fmt.Sprintf("the PKCS #11 module failed with %#x", e.Code)
}

// errorIn is the error that an answer tells.
func errorIn(a *frame.Answer) error {
	if a.Status == frame.OK {
		return nil
	}
	err, ok := errorOf[a.Status]
	if !ok {
		return &TokenError{a.Code}
	}
	if a.Code != 0 {
		err = fmt.Errorf("%w (%#x)", err, a.Code)
	}
	return err
}
