package iam

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// Account is an account of the installation.
type Account struct {
	ID      string // 12 digits
	Name    string
	Email   string `cbor:",omitempty"` // of the owner; "" = none is known
	Created time.Time
}

// accountsByEmail finds accounts by their owners' addresses, of which keys, not
// being sealed, hold a hash.
var accountsByEmail = &store.Index[Account]{Name: "email", Unique: true, Of: func(a *Account, add func(parts ...string)) {
	if a.Email != "" {
		add(emailHash(a.Email))
	}
}}

// emailHash is the same for an address however its letters are cased.
func emailHash(email string) string {
	sum := sha256.Sum256([]byte(fold(email)))
	return hex.EncodeToString(sum[:])
}

// accounts holds every account under its id, in the installation's scope.
var accounts = store.NewTable("iam/account", accountsByEmail)

// NewAccount says what account to make.
type NewAccount struct {
	ID        string // 12 digits: NewAccountID makes one
	Name      string // "" = none
	Email     string // of the owner; "" = none
	Partition string // "aws"
	// The root's access key; both "" = a random one. An id is 4 to 128 letters,
	// digits and underscores, and doesn't begin with ASIA, which begins those of
	// sessions; a secret is 8 to 128 printable ASCII characters.
	AccessKeyID, SecretAccessKey string
}

// RootKey is the access key of an account's root. It is answered once, when
// the account is made; the caller writes it to a file of mode 0600, and to
// nothing else.
type RootKey struct {
	Account, AccessKeyID, SecretAccessKey string
}

// Format implements fmt.Formatter, so that no verb prints the secret.
func (k RootKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "root key %s", k.AccessKeyID) }

// ErrAccountExists means that an account has the id already.
var ErrAccountExists = errors.New("iam: the account exists already")

// ErrEmailExists means that another account has the owner's address.
var ErrEmailExists = errors.New("iam: the address is another account's")

// ErrKeyExists means that another access key has the id.
var ErrKeyExists = errors.New("iam: the access key id is in use")

// NewAccountID is a random account id. AWS's don't begin with a zero.
func NewAccountID() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000_000_000))
	if err != nil {
		return "", fmt.Errorf("iam: account id: %w", err)
	}
	return fmt.Sprint(n.Int64() + 100_000_000_000), nil
}

var (
	emailForm  = regexp.MustCompile(`\A[^\s@]{1,64}@[^\s@]+\.[^\s@]+\z`)
	nameForm   = regexp.MustCompile(`\A[\x20-\x7e]{0,50}\z`)
	keyIDForm  = regexp.MustCompile(`\A\w{4,128}\z`)
	secretForm = regexp.MustCompile(`\A[\x21-\x7e]{8,128}\z`)
)

// Check tells whether an account can be made so.
func (n *NewAccount) Check() error {
	switch {
	case !aws.IsAccount(n.ID):
		return errors.New("an account id is 12 digits")
	case n.Partition == "":
		return errors.New("an account needs a partition")
	case !nameForm.MatchString(n.Name):
		return errors.New("an account's name is at most 50 printable ASCII characters") // as in Organizations
	case n.Email != "" && (len(n.Email) < 6 || len(n.Email) > 64 || !emailForm.MatchString(n.Email)):
		return errors.New("an account's address is 6 to 64 characters, name@host.domain") // likewise
	case (n.AccessKeyID == "") != (n.SecretAccessKey == ""):
		return errors.New("the root's access key needs both an id and a secret")
	case n.AccessKeyID == "":
		return nil
	case !keyIDForm.MatchString(n.AccessKeyID):
		return errors.New("an access key id is 4 to 128 letters, digits and underscores")
	case len(n.AccessKeyID) >= 4 && n.AccessKeyID[:4] == "ASIA":
		return errors.New("an access key id that begins with ASIA is a session's")
	case !secretForm.MatchString(n.SecretAccessKey):
		return errors.New("a secret access key is 8 to 128 printable characters without spaces")
	}
	return nil
}

// CreateAccount makes an account with its root user and the root's access key,
// in tx. The account's key must stand in the keyring (Keyring.Ensure). It
// answers ErrAccountExists, ErrEmailExists or ErrKeyExists.
func CreateAccount(tx store.Tx, now time.Time, n NewAccount) (*RootKey, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	created := second(now)
	key := &AccessKey{ID: n.AccessKeyID, Secret: n.SecretAccessKey, Created: created}
	if key.ID == "" {
		key.ID, key.Secret = aws.NewAccessKeyID("AKIA", n.ID), newSecret()
	}
	if err := insertAccount(tx, created, &n); err != nil {
		return nil, err
	}
	if _, _, err := findKey(tx, key.ID); !errors.Is(err, store.ErrNotFound) {
		return nil, errors.Join(err, ErrKeyExists)
	}
	if carried, _ := aws.AccountOfID(key.ID); carried != n.ID {
		if err := keyAccounts.Insert(tx, "", &KeyAccount{Account: n.ID}, key.ID); err != nil {
			return nil, err
		}
	}
	if err := keys.Insert(tx, n.ID, key, key.ID); err != nil {
		return nil, err
	}
	if err := insertRoot(tx, created, &n, key.ID); err != nil {
		return nil, err
	}
	return &RootKey{Account: n.ID, AccessKeyID: key.ID, SecretAccessKey: key.Secret}, nil
}

// insertAccount lists a new account, whose id and address nobody else has.
func insertAccount(tx store.Tx, created time.Time, n *NewAccount) error {
	if n.Email != "" {
		if _, err := accounts.Find(tx, accountsByEmail, "", emailHash(n.Email)); !errors.Is(err, store.ErrNotFound) {
			return cmp.Or(err, ErrEmailExists)
		}
	}
	err := accounts.Insert(tx, "", &Account{ID: n.ID, Name: n.Name, Email: n.Email, Created: created}, n.ID)
	if errors.Is(err, store.ErrExists) {
		return ErrAccountExists
	}
	return err
}

// insertRoot makes an account's root, who holds the keys.
func insertRoot(tx store.Tx, created time.Time, n *NewAccount, keys ...string) error {
	return roots.Insert(tx, n.ID, &User{
		Entity: Entity{Path: "/", ID: n.ID, Arn: "arn:" + n.Partition + ":iam::" + n.ID + ":root", Created: created},
		Keys:   keys,
	})
}

// CreateFirstAccount makes the account of an empty store; where there is an
// account it answers nil and changes nothing. Of two at once one makes it: the
// transactions can't both find the store empty.
func CreateFirstAccount(tx store.Tx, now time.Time, n NewAccount) (*RootKey, error) {
	all, err := ListAccounts(tx, "", 1)
	if err != nil || len(all) > 0 {
		return nil, err
	}
	return CreateAccount(tx, now, n)
}

// ListAccounts is up to limit accounts whose ids come after the one given, by id.
func ListAccounts(tx store.Tx, after string, limit int) ([]*Account, error) {
	var from []byte
	if after != "" {
		from = place(after)
	}
	found, _, err := store.Page(accounts.List(tx, "", from), limit, nil)
	return found, err
}

// place is where a record named by parts stands in its table's listing.
func place(parts ...string) []byte {
	return store.Key("", "", parts...)[len(store.Key("", "")):]
}
