package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/garrison-security/garrison/blob/blobtest"
	"github.com/garrison-security/garrison/internal/pgtest"
)

// objectNodes are nodes on one database whose blobs lie in another garrison's bucket.
type objectNodes struct {
	*objectStore
	nodes   []*server
	clients []*s3.Client
	root    key
}

func startObjectNodes(t *testing.T) *objectNodes {
	t.Helper()
	o := &objectNodes{objectStore: newObjectStore(t)}
	url := pgtest.URL(t)
	o.nodes, o.root = startNodesWith(t,
		[]string{"--blobs", "s3://" + blobBucket + "/nodes?region=us-east-1&endpoint=" + o.proxy.URL},
		[]string{"AWS_ACCESS_KEY_ID=" + o.objectStore.root.ID, "AWS_SECRET_ACCESS_KEY=" + o.objectStore.root.Secret}, url, url, url)
	for _, n := range o.nodes {
		o.clients = append(o.clients, objects(n, o.root))
	}
	return o
}

func objects(s *server, k key) *s3.Client {
	return s3.NewFromConfig(config(s.endpoint, "us-east-1", k, &http.Transport{}), func(c *s3.Options) { c.UsePathStyle = true })
}

func (o *objectNodes) put(on int, key string, data []byte) error {
	_, err := o.clients[on].PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String("shared"), Key: &key, Body: bytes.NewReader(data)})
	return err
}

func (o *objectNodes) get(on int, key string) ([]byte, error) {
	out, err := o.clients[on].GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("shared"), Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// everywhere holds that each node that is there answers an object with data.
func (o *objectNodes) everywhere(t *testing.T, key string, data []byte) {
	t.Helper()
	for i, n := range o.nodes {
		if !n.running() {
			continue
		}
		if got, err := o.get(i, key); err != nil || !bytes.Equal(got, data) {
			t.Errorf("node %d answers %s with %d of %d bytes, %v", i, key, len(got), len(data), err)
		}
	}
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestNodesShareObjects puts, overwrites, assembles and deletes objects on nodes
// in turn, breaks the object store under them, and kills one during uploads.
func TestNodesShareObjects(t *testing.T) {
	t.Parallel()
	o := startObjectNodes(t)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := o.clients[0].CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("shared")})
	check(err)
	secret := bytes.Repeat([]byte("what nobody else reads. "), 20_000)
	check(o.put(0, "large", secret))
	check(o.put(1, "small", []byte("small")))
	o.everywhere(t, "large", secret)
	o.everywhere(t, "small", []byte("small"))
	o.storesNothingInTheClear(t)
	other := blobtest.Bytes(300_000, 2)
	check(o.put(1, "large", other))
	o.everywhere(t, "large", other)
	o.multipart(t)
	_, err = o.clients[2].DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("shared"), Key: aws.String("large")})
	check(err)
	for i := range o.nodes {
		if _, err := o.get(i, "large"); code(err) != "NoSuchKey" {
			t.Errorf("node %d, of what was deleted: %v", i, err)
		}
	}
	o.brokenStore(t)
	o.killed(t)
	for _, n := range o.nodes {
		if err := n.sound(); err != nil {
			t.Error(err)
		}
		if strings.Contains(n.log.String(), o.objectStore.root.Secret) {
			t.Error("the object store's secret key stands in a log")
		}
	}
}

// storesNothingInTheClear reads what the object store was given.
func (o *objectNodes) storesNothingInTheClear(t *testing.T) {
	t.Helper()
	list, err := o.client().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(blobBucket)})
	if err != nil || len(list.Contents) != 2 { // the owner, and one blob
		t.Fatalf("%d objects, %v", len(list.Contents), err)
	}
	for _, object := range list.Contents {
		out, err := o.client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(blobBucket), Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(out.Body)
		if err != nil || bytes.Contains(content, []byte("nobody else")) || strings.Contains(*object.Key, "large") {
			t.Errorf("%s tells what it holds, %v", *object.Key, err)
		}
	}
}

// multipart begins an upload on one node, uploads a part on each, and completes it on another.
func (o *objectNodes) multipart(t *testing.T) {
	t.Helper()
	name, key := aws.String("shared"), aws.String("assembled")
	up, err := o.clients[0].CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var whole []byte
	var done []types.CompletedPart
	for i, n := range []int{5 << 20, 5 << 20, 1000} {
		data := blobtest.Bytes(n, uint64(i))
		whole = append(whole, data...)
		part, err := o.clients[i].UploadPart(t.Context(), &s3.UploadPartInput{Bucket: name, Key: key, UploadId: up.UploadId,
			PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(data)})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	if _, err := o.clients[1].CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: name, Key: key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}); err != nil {
		t.Fatal(err)
	}
	o.everywhere(t, "assembled", whole)
}

// brokenStore takes the object store away: what needs it is refused, nothing is
// lost, and all else is served.
func (o *objectNodes) brokenStore(t *testing.T) {
	t.Helper()
	data := blobtest.Bytes(100_000, 5)
	if err := o.put(0, "before", data); err != nil {
		t.Fatal(err)
	}
	o.breaks(refuses(http.StatusServiceUnavailable, "SlowDown"))
	if err := o.put(1, "meanwhile", data); code(err) != "ServiceUnavailable" && code(err) != "SlowDown" {
		t.Errorf("put: %v", err)
	}
	if _, err := o.get(2, "before"); err == nil {
		t.Error("read without the object store")
	}
	if _, err := o.get(2, "small"); err != nil {
		t.Errorf("what lies in the database: %v", err)
	}
	users := iam.NewFromConfig(config(o.nodes[1].endpoint, "us-east-1", o.root, &http.Transport{}))
	if _, err := users.ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Errorf("another service: %v", err)
	}
	if _, err := o.get(0, "meanwhile"); code(err) != "NoSuchKey" {
		t.Errorf("what was refused: %v", err)
	}
	o.breaks(nil)
	o.everywhere(t, "before", data)
	if err := o.put(1, "meanwhile", data); err != nil {
		t.Error(err)
	}
}

// killed kills a node with SIGKILL while it takes uploads: what it has acknowledged
// the others answer whole, and of the rest all or nothing.
func (o *objectNodes) killed(t *testing.T) {
	t.Helper()
	var mu sync.Mutex
	sure, unsure := map[string]uint64{}, map[string]uint64{}
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			for n := range 1000 {
				key, seed := fmt.Sprintf("w%d-%d", writer, n), uint64(writer*1000+n)
				err := o.put(2, key, blobtest.Bytes(200_000, seed))
				mu.Lock()
				if err != nil {
					unsure[key] = seed
					mu.Unlock()
					return
				}
				sure[key] = seed
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Second)
	o.nodes[2].kill()
	all.Wait()
	if len(sure) == 0 {
		t.Error("no upload was acknowledged")
	}
	for key, seed := range sure {
		o.everywhere(t, key, blobtest.Bytes(200_000, seed))
	}
	for key, seed := range unsure {
		if got, err := o.get(0, key); code(err) != "NoSuchKey" && (err != nil || !bytes.Equal(got, blobtest.Bytes(200_000, seed))) {
			t.Errorf("%s, which was not acknowledged: %d bytes, %v", key, len(got), err)
		}
	}
	t.Logf("%d uploads acknowledged, %d under way when the node was killed", len(sure), len(unsure))
}

// TestS3NeedsAPlaceThatNodesShare asks a node on a database that has none, and
// starts one on a place that is another installation's.
func TestS3NeedsAPlaceThatNodesShare(t *testing.T) {
	t.Parallel()
	bare, root := serving(t, "--engine", pgtest.URL(t))
	_, err := objects(bare, root).ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if code(err) != "NotImplemented" || !strings.Contains(err.Error(), "--blobs s3://BUCKET") {
		t.Errorf("without --blobs: %v", err)
	}
	o := newObjectStore(t)
	env := []string{"AWS_ACCESS_KEY_ID=" + o.root.ID, "AWS_SECRET_ACCESS_KEY=" + o.root.Secret}
	place := "s3://" + blobBucket + "/alone?region=us-east-1&endpoint=" + o.server.endpoint
	one := &server{dir: t.TempDir(), args: []string{"--engine", "pebble", "--blobs", place}, env: env, log: new(logBuffer)}
	if err := one.start(); err != nil {
		t.Fatal(err)
	}
	defer one.kill()
	other := &server{dir: t.TempDir(), args: []string{"--engine", "pebble", "--blobs", place}, env: env, log: new(logBuffer)}
	if err := other.start(); err == nil || !strings.Contains(err.Error(), "another installation") {
		t.Errorf("two installations in one place: %v", err)
	}
	for _, c := range []struct{ url, engine, want string }{
		{place, "pebble", "the bucket: an installation's"},
		{strings.Replace(place, "/alone", "/nobodys", 1), "pebble", "nobody's; a start makes it"},
		{strings.Replace(place, "//", "//AKIA:s3cret@", 1), "pebble", "holds credentials"},
		{place, "mem", "the engine mem keeps nothing"},
	} {
		out, complaints, err := garrisonWith(t.Context(), t.TempDir(), env, "check-config", "--engine", c.engine, "--blobs", c.url)
		if all := fmt.Sprint(out, complaints, err); !strings.Contains(all, c.want) || strings.Contains(all, "s3cret") {
			t.Errorf("check-config of %s says %s, want %q", c.url, all, c.want)
		}
	}
}
