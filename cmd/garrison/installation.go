package main

import (
	"cmp"
	"context"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/bucket"
	"github.com/garrison-security/garrison/front"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/organizations"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/trail"
)

// installation is what all nodes of an installation share, as stored.
type installation struct {
	Partition string
	Created   time.Time
	// The authority of the certificates that servers make themselves, DER.
	Authority, AuthorityKey []byte
}

var installations = store.NewTable[installation]("house/installation")

// load reads the installation's record; of a store without one it stays empty.
func (h *house) load(ctx context.Context) error {
	err := h.engine.View(ctx, func(tx store.Tx) error {
		found, err := installations.Get(tx, "")
		if err == nil {
			h.enter(*found)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// enter takes in which installation it is.
func (h *house) enter(i installation) {
	h.installation = i
	if shared, ok := h.blobs.(*bucket.Store); ok {
		shared.Own(i.id())
	}
}

// id tells installations apart. It is no secret: the authority is public.
func (i installation) id() string {
	digest := sha256.Sum256(append([]byte("garrison installation "), i.Authority...))
	return hex.EncodeToString(digest[:16])
}

// claimBlobs finds out whether the place of blobs is this installation's. That
// it can't be asked now keeps nobody from serving what needs no blob.
func (h *house) claimBlobs(ctx context.Context) error {
	shared, ok := h.blobs.(*bucket.Store)
	if !ok {
		return nil
	}
	err := shared.Claim(ctx)
	if errors.Is(err, blob.ErrUnavailable) {
		h.log.Warn("the object store of --blobs can't be asked now: until then calls that need it are refused", "error", err)
		return nil
	}
	return err
}

// founding is how an installation begins.
type founding struct {
	account   string     // "" = a random id
	partition string     // "" = aws
	key       *accessKey // root's; nil = a random one
}

// check tells what would be wrong with it, before anything is made; nothing
// where there is a store already. Whether a database holds one is known once it
// is open, and checked then.
func (f founding) check(dir dataDir, engine string) error {
	if postgres.IsURL(engine) {
		return nil
	}
	if holds, err := dir.holdsStore(); engine != "mem" && (err != nil || holds) {
		return err
	}
	_, err := f.newAccount()
	return err
}

func (f founding) newAccount() (iam.NewAccount, error) {
	n, err := newAccount(f.account, "", cmp.Or(f.partition, "aws"), f.key)
	if err != nil {
		return n, usageError{err}
	}
	return n, nil
}

// found makes the installation's record and its first account, unless there
// are both, and answers the account's id; "" if nothing was made. The
// credentials file is written first, so that no account is ever without.
func (h *house) found(ctx context.Context, by operator, f founding) (string, error) {
	if h.Partition != "" {
		return "", nil
	}
	n, err := f.newAccount()
	if err != nil {
		return "", err
	}
	authority, err := front.NewAuthority(time.Now())
	if err != nil {
		return "", err
	}
	event, err := operatorEvent(by, "Init", map[string]string{"accountId": n.ID, "partition": n.Partition})
	if err != nil {
		return "", err
	}
	made := installation{Partition: n.Partition, Created: event.EventTime}
	if made.Authority, made.AuthorityKey, err = authority.Marshal(); err != nil {
		return "", err
	}
	mark := keptMark
	if h.fleeting {
		mark = fleetingMark
	}
	setAside, err := credentialsFile(h.dir.credentials()).anew(mark, accessKey{n.AccessKeyID, n.SecretAccessKey})
	if err != nil {
		return "", err
	}
	if setAside != "" {
		h.log.Warn("credentials that were here are set aside", "file", setAside)
	}
	if err := h.keys.Ensure(ctx, n.ID); err != nil {
		return "", err
	}
	err = h.engine.Update(ctx, func(tx store.Tx) error {
		if err := installations.Insert(tx, "", &made); err != nil {
			return err
		}
		if err := makeAccount(tx, event.EventTime, n); err != nil {
			return err
		}
		return trail.Append(tx, event)
	})
	if errors.Is(err, store.ErrExists) && h.shared {
		return "", h.foundElsewhere(ctx, setAside, err)
	}
	if err != nil {
		return "", err
	}
	h.enter(made)
	return n.ID, nil
}

// foundElsewhere takes in that another node was quicker to found the
// installation: the key that was to be root's here opens nothing.
func (h *house) foundElsewhere(ctx context.Context, setAside string, cause error) error {
	if err := h.load(ctx); err != nil {
		return err
	}
	if h.Partition == "" {
		return cause
	}
	file := h.dir.credentials()
	if setAside != "" {
		return os.Rename(setAside, file)
	}
	return os.Remove(file)
}

// makeAccount makes an account with its root, in no organisation.
func makeAccount(tx store.Tx, now time.Time, n iam.NewAccount) error {
	if _, err := iam.CreateAccount(tx, now, n); err != nil {
		return err
	}
	return organizations.Admit(tx, n.ID)
}

// newAccount says what account to make, with a key for its root that is known
// before the account is.
func newAccount(id, name, partition string, given *accessKey) (iam.NewAccount, error) {
	n := iam.NewAccount{ID: id, Name: name, Partition: partition}
	if n.ID == "" {
		var err error
		if n.ID, err = iam.NewAccountID(); err != nil {
			return n, err
		}
	}
	if given == nil {
		var secret [30]byte // as long as AWS's: 40 characters
		rand.Read(secret[:])
		given = &accessKey{aws.NewAccessKeyID("AKIA", n.ID), base64.StdEncoding.EncodeToString(secret[:])}
	}
	n.AccessKeyID, n.SecretAccessKey = given.ID, given.Secret
	if fips140.Enforced() && len(given.Secret) < leastFIPSSecret {
		return n, fmt.Errorf("a secret access key has at least %d characters where FIPS 140-3 is enforced", leastFIPSSecret)
	}
	return n, n.Check()
}

// leastFIPSSecret makes a key of HMAC of 112 bits, with the "AWS4" that signatures put before it.
const leastFIPSSecret = 112/8 - len("AWS4")

// accountExists looks an account up in the list of them.
func (h *house) accountExists(ctx context.Context, id string) (exists bool, err error) {
	number, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return false, err
	}
	after := ""
	if number > 0 {
		after = fmt.Sprintf("%012d", number-1)
	}
	err = h.engine.View(ctx, func(tx store.Tx) error {
		next, err := iam.ListAccounts(tx, after, 1)
		exists = len(next) > 0 && next[0].ID == id
		return err
	})
	return exists, err
}
