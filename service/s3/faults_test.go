package s3

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/blobtest"
	"github.com/garrison-security/garrison/blob/fs"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// vaultOn is a vault whose blobs lie on that file system, in the directory "blob".
func vaultOn(t *testing.T, disk vfs.FS) *vault {
	t.Helper()
	u := newVault(t)
	u.reopen(disk)
	return u
}

func (u *vault) reopen(disk vfs.FS) {
	u.Helper()
	blobs, err := fs.OpenOn(disk, "blob")
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(func() { blobs.Close() })
	u.Blobs = blobs
}

// take receives content, and makes no row of it.
func (u *vault) take(content []byte) (*received, error) {
	u.Helper()
	check, err := verify(bytes.NewReader(content), nil, nil, nil)
	if err != nil {
		u.Fatal(err)
	}
	w, err := encrypting{}.way(u.bucket)
	if err != nil {
		u.Fatal(err)
	}
	return u.receive(u.Context(), u.at("key"), sized{bytes.NewReader(content), int64(len(content))}, check, w, false)
}

// keeps makes what was received an object.
func (u *vault) keeps(key string, r *received) *Version {
	u.Helper()
	v := &Version{Size: r.size, ETag: r.etag}
	u.update(func(call *gateway.Call) error {
		return errors.Join(u.bucket.keep(call.Tx, v, r), u.bucket.place(call, key, v))
	})
	return v
}

func (u *vault) blobs() map[blob.ID]bool {
	u.Helper()
	all := map[blob.ID]bool{}
	for info, err := range u.Blobs.All(u.Context(), "") {
		if err != nil {
			u.Fatal(err)
		}
		all[info.ID] = true
	}
	return all
}

// Whichever write finds the disk full, the caller is told to come again, nothing
// is kept, and once there is room all is well.
func TestAFullDiskKeepsNothing(t *testing.T) {
	content := blobtest.Bytes(300_000, 1)
	for at := 1; ; at++ {
		armed, n, failed := false, 0, false
		u := vaultOn(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if !armed || op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
				return nil
			}
			if n++; n < at || op.Kind == errorfs.OpRemove {
				return nil
			}
			failed = true
			return syscall.ENOSPC
		})))
		armed = true
		_, err := u.take(content)
		armed = false
		if !failed {
			if at < 5 {
				t.Fatalf("only %d writes", at)
			}
			break
		}
		if refused, ok := errors.AsType[*aws.Error](err); !ok || refused.Kind != aws.Unavailable {
			t.Errorf("write %d: %v", at, err)
		}
		if left := u.blobs(); len(left) > 1 { // at most one whose directory could not be synced, for the sweeper
			t.Errorf("write %d: %d blobs", at, len(left))
		}
		r, err := u.take(content)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := u.read("key", u.keeps("key", r), customerKey{}); err != nil || !bytes.Equal(got, content) {
			t.Errorf("afterwards: %d bytes, %v", len(got), err)
		}
	}
}

// What lies on disk is altered, cut or put in another's place: of content no wrong
// byte is answered, and its end never comes.
func TestDamagedContentIsNeverAnswered(t *testing.T) {
	u := newVault(t)
	dir := t.TempDir()
	blobs, err := fs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	u.Blobs = blobs
	content, other := blobtest.Bytes(300_000, 1), blobtest.Bytes(300_000, 2)
	random := rand.New(rand.NewPCG(3, 4))
	for name, e := range map[string]encrypting{"SSE-S3": {}, "SSE-KMS": kinds["SSE-KMS"], "DSSE-KMS": kinds["DSSE-KMS"], "SSE-C": kinds["SSE-C"]} {
		v, theirs := u.put("key", content, e), u.put("other", other, e)
		path := func(v *Version) string { return filepath.Join(dir, string(v.Data.Blob[:2]), string(v.Data.Blob)) }
		whole, err := os.ReadFile(path(v))
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := os.ReadFile(path(theirs))
		if err != nil {
			t.Fatal(err)
		}
		damage := [][]byte{nil, whole[:1], whole[:len(whole)-1], whole[:2*blob.Segment], append(bytes.Clone(whole), 0), foreign, append(bytes.Clone(foreign[:70_000]), whole[70_000:]...)}
		for range 20 {
			flipped := bytes.Clone(whole)
			flipped[random.IntN(len(flipped))] ^= 1 << random.IntN(8)
			damage = append(damage, flipped)
		}
		for i, damaged := range damage {
			if err := os.WriteFile(path(v), damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := u.read("key", v, e.customer)
			if !errors.Is(err, blob.ErrDamaged) || !bytes.HasPrefix(content, got) || len(got) == len(content) {
				t.Errorf("%s, damage %d: %d bytes, %v", name, i, len(got), err)
			}
		}
		if err := os.WriteFile(path(v), whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := u.read("key", v, e.customer); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s, mended: %d bytes, %v", name, len(got), err)
		}
	}
}

// A disk that fails to read says so to whoever reads: what came before is right, and its end never comes.
func TestAReadErrorEndsTheAnswer(t *testing.T) {
	content := blobtest.Bytes(300_000, 1)
	for at := 1; ; at++ {
		armed, n, failed := false, 0, false
		u := vaultOn(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if !armed || op.Kind.ReadOrWrite() != errorfs.OpIsRead {
				return nil
			}
			if n++; n != at {
				return nil
			}
			failed = true
			return syscall.EIO
		})))
		r, err := u.take(content)
		if err != nil {
			t.Fatal(err)
		}
		v := u.keeps("key", r)
		armed = true
		got, err := u.read("key", v, customerKey{})
		if !failed {
			if err != nil || at < 5 {
				t.Fatalf("%d reads, %v", at, err)
			}
			break
		}
		if !errors.Is(err, blob.ErrUnavailable) || !bytes.HasPrefix(content, got) || len(got) == len(content) {
			t.Errorf("read %d: %d bytes, %v", at, len(got), err)
		}
	}
}

// Power is lost during uploads: what became an object before is whole after it,
// and the sweeper removes the rest, an hour later, and nothing else.
func TestAfterALossOfPowerTheSweeperRemovesWhatNoObjectNames(t *testing.T) {
	for seed := range uint64(6) {
		disk := vfs.NewCrashableMem()
		u := vaultOn(t, disk)
		random := rand.New(rand.NewPCG(seed, 5))
		kept := map[*Version][]byte{}
		orphans, begun := 0, 0
		for i := range 60 {
			content := blobtest.Bytes(inline+1+random.IntN(100_000), uint64(i))
			switch random.IntN(4) {
			case 0: // the process ends before the row is committed
				if _, err := u.take(content); err != nil {
					t.Fatal(err)
				}
				orphans++
			case 1: // and before the blob is
				w, err := u.Blobs.Create(t.Context(), blob.NewID())
				if err != nil {
					t.Fatal(err)
				}
				w.Write(bytes.Clone(content))
				begun++
			default:
				r, err := u.take(content)
				if err != nil {
					t.Fatal(err)
				}
				kept[u.keeps(string(blob.NewID()), r)] = content
			}
		}
		u.reopen(disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[seed%3], RNG: random}))
		before := len(u.blobs())
		if before != len(kept)+orphans || orphans == 0 || begun == 0 {
			t.Fatalf("seed %d: %d blobs after the loss, of %d objects and %d orphans", seed, before, len(kept), orphans)
		}
		later := time.Duration(0)
		u.Clock = func() time.Time { return time.Now().Add(later) }
		for _, later = range []time.Duration{59 * time.Minute, 61 * time.Minute} {
			if err := errors.Join(u.Sweep(t.Context()), u.SweepOrphans(t.Context())); err != nil {
				t.Fatal(err)
			}
			want := len(kept)
			if later < keepGarbage {
				want = before
			}
			if n := len(u.blobs()); n != want {
				t.Errorf("seed %d: after %v %d blobs, want %d", seed, later, n, want)
			}
		}
		for v, content := range kept {
			if got, err := u.read("key", v, customerKey{}); err != nil || !bytes.Equal(got, content) {
				t.Errorf("seed %d: %d of %d bytes, %v", seed, len(got), len(content), err)
			}
		}
	}
}

// What is overwritten or deleted goes an hour later; a reader that has begun reads on.
func TestTheSweeperLeavesReadersTheirHour(t *testing.T) {
	u := newVault(t)
	now := time.Now()
	u.Clock = func() time.Time { return now }
	first, second := blobtest.Bytes(500_000, 1), blobtest.Bytes(500_000, 2)
	replace := func(content []byte) *Version {
		r, err := u.take(content)
		if err != nil {
			t.Fatal(err)
		}
		v := &Version{Size: r.size, ETag: r.etag}
		err = u.Engine.Update(t.Context(), func(tx store.Tx) error {
			call := &gateway.Call{Tx: tx, Principal: u.caller, Region: "us-east-1", Time: now}
			return errors.Join(u.bucket.keep(tx, v, r), u.bucket.place(call, "key", v))
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	old := replace(first)
	now = now.Add(2 * keepGarbage) // so that the blob is older than an orphan may be
	replace(second)
	for _, c := range []struct {
		after time.Duration
		blobs int
	}{{59 * time.Minute, 2}, {2 * time.Minute, 1}} {
		now = now.Add(c.after)
		if err := errors.Join(u.Sweep(t.Context()), u.SweepOrphans(t.Context())); err != nil {
			t.Fatal(err)
		}
		if n := len(u.blobs()); n != c.blobs {
			t.Errorf("%d blobs, want %d", n, c.blobs)
		}
		got, err := u.read("key", old, customerKey{})
		if c.blobs == 2 && (err != nil || !bytes.Equal(got, first)) || c.blobs == 1 && !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("the old content: %d bytes, %v", len(got), err)
		}
	}
}
