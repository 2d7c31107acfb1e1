package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/garrison-security/garrison/blob/blobtest"
)

// uploaders are clients that put objects, and what was acknowledged to them.
type uploaders struct {
	server *server
	client *s3.Client

	mu   sync.Mutex
	sure map[string]int // keys whose put was acknowledged; under mu
	open map[string]int // keys that were being put; under mu
}

const uploadBucket = "uploads"

// content is what the object of a number holds: some lie in the store, most in blobs.
func content(n int) []byte { return blobtest.Bytes(1+n*7919%90_000, uint64(n)) }

// upload puts until the server is killed, after wait, or limit objects were put.
func (u *uploaders) upload(t *testing.T, from, limit int, wait time.Duration) {
	var all sync.WaitGroup
	next := from
	for range 8 {
		all.Go(func() {
			for {
				u.mu.Lock()
				n := next
				next++
				key := fmt.Sprintf("object-%d", n)
				u.open[key] = n
				u.mu.Unlock()
				_, err := u.client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String(uploadBucket), Key: &key, Body: bytes.NewReader(content(n))})
				if err != nil {
					return
				}
				u.mu.Lock()
				delete(u.open, key)
				u.sure[key] = n
				u.mu.Unlock()
				if n >= from+limit {
					return
				}
			}
		})
	}
	time.Sleep(wait)
	u.server.kill()
	all.Wait()
	if err := u.server.sound(); err != nil {
		t.Error(err)
	}
}

func (u *uploaders) get(key string) ([]byte, error) {
	out, err := u.client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String(uploadBucket), Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// check holds that what was acknowledged is whole, and of the rest all or nothing.
func (u *uploaders) check(t *testing.T) {
	for key, n := range u.sure {
		if got, err := u.get(key); err != nil || !bytes.Equal(got, content(n)) {
			t.Errorf("%s was acknowledged: %d bytes, %v", key, len(got), err)
		}
	}
	for key, n := range u.open {
		if got, err := u.get(key); code(err) != "NoSuchKey" && (err != nil || !bytes.Equal(got, content(n))) {
			t.Errorf("%s was not acknowledged: %d bytes, %v", key, len(got), err)
		}
	}
}

// TestKill9KeepsObjects kills the server while objects are put: 8 clients, and a
// thousand puts a round where GARRISON_SOAK says how many rounds.
func TestKill9KeepsObjects(t *testing.T) {
	t.Parallel()
	rounds, limit, longest := 2, 200, 400
	if n, err := strconv.Atoi(os.Getenv("GARRISON_SOAK")); err == nil {
		rounds, limit, longest = n, 1000, 10_000
	}
	s, root := serving(t, "--engine", "pebble")
	if _, err := objects(s, root).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(uploadBucket)}); err != nil {
		t.Fatal(err)
	}
	acknowledged, lost, from := 0, 0, 0
	for round := range rounds {
		u := &uploaders{server: s, client: objects(s, root), sure: map[string]int{}, open: map[string]int{}}
		u.upload(t, from, limit, time.Duration(100+rand.IntN(longest))*time.Millisecond)
		from += 100 * limit
		s.log = new(logBuffer)
		if err := s.start(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		u.client = objects(s, root)
		u.check(t)
		if left, err := os.ReadDir(filepath.Join(s.dir, "blob", "begun")); err != nil || len(left) != 0 {
			t.Errorf("round %d: %d half-written blobs are left, %v", round, len(left), err)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		acknowledged, lost = acknowledged+len(u.sure), lost+len(u.open)
	}
	t.Logf("%d rounds: %d puts acknowledged, %d under way when killed", rounds, acknowledged, lost)
	if acknowledged == 0 {
		t.Error("no put was ever acknowledged")
	}
	damaged(t, s, objects(s, root))
}

// damaged flips a bit in the blob of an object, and reads it from the running
// server: the answer breaks off, and never ends well, and the log says of which request.
func damaged(t *testing.T, s *server, client *s3.Client) {
	key, before := aws.String("damaged"), map[string]bool{}
	each := func(visit func(string)) {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(s.dir, "blob"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && len(d.Name()) == 32 {
				visit(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	each(func(path string) { before[path] = true })
	data := blobtest.Bytes(400_000, 1)
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(uploadBucket), Key: key, Body: bytes.NewReader(data)}); err != nil {
		t.Fatal(err)
	}
	each(func(path string) {
		if before[path] {
			return
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[200_000] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(uploadBucket), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	got, err := io.ReadAll(out.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(data, got) || len(got) > 200_000 {
		t.Errorf("a flipped bit at 200000: %d bytes were answered, %v", len(got), err)
	}
	request, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.log.String(), request); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not name request %s", request)
		}
	}
}

// TestObjectsUnderRaces lets many write one key, and complete and abort one upload, at once.
func TestObjectsUnderRaces(t *testing.T) {
	t.Parallel()
	s, root := serving(t, "--engine", "pebble")
	client, name := objects(s, root), aws.String("races")
	ctx := context.Background()
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}); err != nil {
		t.Fatal(err)
	}
	const writers = 8
	at := func(do func(i int) error) (outcomes [writers]string) {
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				if err := do(i); err != nil {
					outcomes[i] = code(err)
				}
			})
		}
		all.Wait()
		return outcomes
	}
	body := func(i int) []byte { return blobtest.Bytes(30_000+i, uint64(i)) }
	holds := func(key string) int { // which writer's content the key holds, whole
		t.Helper()
		out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		defer out.Body.Close()
		got, err := io.ReadAll(out.Body)
		for i := range writers {
			if bytes.Equal(got, body(i)) {
				return i
			}
		}
		t.Fatalf("%s holds %d bytes of nobody, %v", key, len(got), err)
		return 0
	}

	won := -1
	for i, outcome := range at(func(i int) error {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("once"), Body: bytes.NewReader(body(i)), IfNoneMatch: aws.String("*")})
		return err
	}) {
		switch {
		case outcome == "" && won < 0:
			won = i
		case outcome != "PreconditionFailed":
			t.Errorf("writer %d: %q, and writer %d has made the object", i, outcome, won)
		}
	}
	if got := holds("once"); got != won {
		t.Errorf("writer %d made the object that holds what %d wrote", won, got)
	}
	tag, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: aws.String("once")})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i, outcome := range at(func(i int) error {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("once"), Body: bytes.NewReader(body((won + 1 + i%2) % writers)), IfMatch: tag.ETag})
		return err
	}) {
		if outcome == "" {
			changed++
		} else if outcome != "PreconditionFailed" {
			t.Errorf("writer %d: %q", i, outcome)
		}
	}
	if changed != 1 {
		t.Errorf("%d writers changed what was as they knew it", changed)
	}

	for _, outcome := range at(func(i int) error {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("often"), Body: bytes.NewReader(body(i))})
		return err
	}) {
		if outcome != "" {
			t.Error(outcome)
		}
	}
	holds("often")

	for round := range 4 {
		key := aws.String(fmt.Sprint("upload-", round))
		up, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		part, err := client.UploadPart(ctx, &s3.UploadPartInput{Bucket: name, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(body(0))})
		if err != nil {
			t.Fatal(err)
		}
		done := &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32}}}
		completed, aborted := 0, 0
		for i, outcome := range at(func(i int) error {
			if i%2 == 0 {
				_, err := client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: name, Key: key, UploadId: up.UploadId, MultipartUpload: done})
				return err
			}
			_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: name, Key: key, UploadId: up.UploadId})
			return err
		}) {
			switch {
			case outcome == "" && i%2 == 0:
				completed++
			case outcome == "":
				aborted++
			case outcome != "NoSuchUpload":
				t.Error(outcome)
			}
		}
		if (completed > 0) == (aborted > 0) || aborted > 1 {
			t.Errorf("completed %d times, aborted %d times", completed, aborted)
		}
		if completed > 0 {
			holds(*key)
		} else if _, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key}); code(err) != "NoSuchKey" {
			t.Errorf("of an aborted upload: %v", err)
		}
	}
}
