package main

import (
	"bufio"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/garrison-security/garrison/backup"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/bucket"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/service/s3"
	"github.com/garrison-security/garrison/store"
)

// RestoreCmd makes an installation of a backup.
type RestoreCmd struct {
	House
	From string `help:"File that garrison backup wrote; by default standard input." placeholder:"FILE"`
}

// Run implements the subcommand.
func (c *RestoreCmd) Run(ctx context.Context, io streams) (err error) {
	if faults := c.faults(); len(faults) > 0 {
		return (*configFile)(nil).faultErrors(faults)
	}
	if c.Engine == "mem" {
		return usageError{errors.New("--engine: mem keeps nothing")}
	}
	from := os.Stdin
	if c.From != "" {
		if from, err = os.Open(c.From); err != nil {
			return usageError{err}
		}
		defer from.Close()
	}
	h := newHouse(c.House, newLog(io.err, "warn", "auto"))
	if err := unserved(ctx, h.dir); err != nil {
		return err
	}
	r := restoring{house: h}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.abort())
		}
	}()
	manifest, counts, err := r.read(ctx, from)
	if err != nil {
		return err
	}
	if err := r.close(); err != nil {
		return err
	}
	h.restored = &counts
	if err := r.open(ctx, false); err != nil {
		return fmt.Errorf("the backup is restored, and does not open: %w", err)
	}
	fmt.Fprintf(io.err, "restored the backup of %s: %s\n", manifest.Time.Format(time.RFC3339), tellCounts(counts))
	return h.close()
}

// restoring is a restore under way.
type restoring struct {
	*house
	target backup.Target
	done   bool // or perhaps: then what was written is left
}

func (r *restoring) read(ctx context.Context, from io.Reader) (backup.Manifest, backup.Counts, error) {
	reader := backup.Reader{Key: r.key, Release: release, Names: s3.BlobOf, Begin: func(of backup.Manifest) (backup.Target, error) {
		err := r.begin(ctx, of)
		return r.target, err
	}}
	manifest, counts, err := reader.Read(ctx, bufio.NewReaderSize(from, backupPiece))
	if errors.Is(err, store.ErrUnknownFate) {
		r.done, err = true, fmt.Errorf("%w; garrison verify tells whether the restore is whole, and otherwise it is begun again", err)
	}
	r.done = r.done || err == nil
	return manifest, counts, err
}

// key is that of the stream, by the root key, which has to be there beforehand.
func (r *restoring) key(head []byte) (cipher.AEAD, error) {
	root, err := r.passphrase()
	if root == nil && err == nil {
		root, err = keyring.ReadRootFile(r.dir.rootKey(r.settings.RootKey))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the backup's root key is not at %s: copy it there, or name it with --root-key", r.dir.rootKey(r.settings.RootKey))
	}
	if err != nil {
		return nil, err
	}
	aead, err := keyring.OpenStreamKey(root, head)
	if wrong, ok := errors.AsType[*keyring.WrongRootError](err); ok {
		err = fmt.Errorf("%w (%s)", wrong, r.rootName())
	}
	return aead, err
}

// begin opens what is restored to, which holds nothing.
func (r *restoring) begin(ctx context.Context, of backup.Manifest) (err error) {
	if err := r.dir.prepare(); err != nil {
		return err
	}
	options := store.Options{Release: release, Log: r.log}
	if r.target.Store, err = restoreEngine(ctx, r.settings.Engine, r.dir, options); err != nil {
		return err
	}
	blobs, err := openBlobs(ctx, r.settings)
	if err != nil || blobs == nil {
		return err
	}
	if err := r.claim(ctx, blobs, of); err != nil {
		return errors.Join(err, blobs.Close()) // what is there is not this restore's to remove
	}
	r.target.Blobs = blobs
	return nil
}

// claim makes a place of blobs this restore's, if it holds none. What an earlier
// restore has left in this directory is removed; a bucket may be another's by now.
func (r *restoring) claim(ctx context.Context, blobs blob.Store, of backup.Manifest) error {
	where := r.dir.blobs()
	if shared, ok := blobs.(*bucket.Store); ok {
		shared.Own(of.Installation)
		if err := shared.Claim(ctx); err != nil {
			return err
		}
		where = r.settings.Blobs
	} else if r.target.Store.Again() {
		return removeBlobs(ctx, blobs)
	}
	for info, err := range blobs.All(ctx, "") {
		if err == nil {
			err = fmt.Errorf("%s holds blobs already, such as %s: a restore needs a place that holds none", where, info.ID)
		}
		return err
	}
	return nil
}

func removeBlobs(ctx context.Context, blobs blob.Store) error {
	for info, err := range blobs.All(ctx, "") {
		if err == nil {
			err = blobs.Remove(ctx, info.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// close ends the use of the blobs, for the house to open them.
func (r *restoring) close() error {
	if r.target.Blobs == nil {
		return nil
	}
	blobs := r.target.Blobs
	r.target.Blobs = nil
	return blobs.Close()
}

// abort removes what was written: the blobs first, so that what stays is unfinished.
func (r *restoring) abort() (err error) {
	if r.done {
		return r.close()
	}
	if r.target.Blobs != nil {
		err = errors.Join(removeBlobs(context.Background(), r.target.Blobs), r.close())
	}
	if r.target.Store != nil && err == nil {
		r.target.Store.Abort()
	}
	return err
}
