package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestKill9KeepsKeys kills the server while keys are made, rotated, used and
// scheduled for deletion: after the restart what was acknowledged is there, and
// all ciphertext that was handed out opens.
func TestKill9KeepsKeys(t *testing.T) {
	t.Parallel()
	s, root := serving(t, "--engine", "pebble")
	for round := range 3 {
		u := &keyUsers{server: s, key: root}
		u.use(t, time.Duration(100+rand.IntN(400))*time.Millisecond)
		s.log = new(logBuffer)
		if err := s.start(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		u.check(t)
		if out, complaints, err := garrison(t.Context(), s.dir, "verify"); err != nil {
			t.Fatalf("round %d: verify: %v\n%s%s", round, err, out, complaints)
		}
	}
}

// keyUsers are clients of KMS, and what was acknowledged to them.
type keyUsers struct {
	server *server
	key    key

	mu        sync.Mutex
	blobs     map[string][]byte // by plaintext
	made      []string
	doomed    []string
	rotations int
}

func (u *keyUsers) client(t *http.Transport) *kms.Client {
	return kms.NewFromConfig(config(u.server.endpoint, "us-east-1", u.key, t))
}

// use lets clients work on one hot key and on many, and kills the server under their hands.
func (u *keyUsers) use(t *testing.T, wait time.Duration) {
	ctx := context.Background()
	hot, err := u.client(&http.Transport{}).CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	id := hot.KeyMetadata.KeyId
	u.made, u.blobs = append(u.made, *id), map[string][]byte{}
	var all sync.WaitGroup
	until := func(work func(c *kms.Client, n int) error) {
		all.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			c := u.client(transport)
			for n := 0; work(c, n) == nil; n++ {
			}
		})
	}
	for i := range 6 {
		until(func(c *kms.Client, n int) error {
			text := fmt.Sprint(i, " ", n)
			out, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte(text), EncryptionContext: map[string]string{"n": text}})
			u.note(err, func() { u.blobs[text] = out.CiphertextBlob })
			return err
		})
	}
	until(func(c *kms.Client, n int) error {
		if n == 20 {
			return context.Canceled // AWS rotates a key 25 times at most
		}
		_, err := c.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: id})
		u.note(err, func() { u.rotations++ })
		return err
	})
	until(func(c *kms.Client, n int) error {
		out, err := c.CreateKey(ctx, &kms.CreateKeyInput{})
		u.note(err, func() { u.made = append(u.made, *out.KeyMetadata.KeyId) })
		if err == nil {
			_, err = c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: out.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(7)})
			u.note(err, func() { u.doomed = append(u.doomed, *out.KeyMetadata.KeyId) })
		}
		return err
	})
	time.Sleep(wait)
	u.server.kill()
	all.Wait()
	if err := u.server.sound(); err != nil {
		t.Error(err)
	}
}

// note notes what was acknowledged.
func (u *keyUsers) note(err error, what func()) {
	if err == nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		what()
	}
}

// check compares what is there with what was acknowledged.
func (u *keyUsers) check(t *testing.T) {
	c := u.client(&http.Transport{})
	for text, blob := range u.blobs {
		out, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"n": text}})
		if err != nil || string(out.Plaintext) != text {
			t.Fatalf("what was sealed as %q does not open: %v", text, err)
		}
	}
	state := func(id string) types.KeyState {
		out, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &id})
		if err != nil {
			t.Fatalf("a key that was made: %v", err)
		}
		return out.KeyMetadata.KeyState
	}
	for _, id := range u.made {
		state(id)
	}
	for _, id := range u.doomed {
		if got := state(id); got != types.KeyStatePendingDeletion {
			t.Errorf("a key whose deletion was scheduled is %s", got)
		}
	}
	out, err := c.ListKeyRotations(t.Context(), &kms.ListKeyRotationsInput{KeyId: &u.made[0]})
	if err != nil || len(out.Rotations) < u.rotations || len(out.Rotations) > u.rotations+1 {
		t.Errorf("%d rotations were acknowledged: %v, %v", u.rotations, out, err)
	}
	t.Logf("%d blobs, %d keys, %d rotations", len(u.blobs), len(u.made), u.rotations)
}
