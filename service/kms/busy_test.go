package kms_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// While RSA-4096 signatures run, a key is tagged in a loop: signing happens
// outside transactions, so that neither waits for the other's.
func TestSigningHoldsUpNobody(t *testing.T) {
	p := newPlane(t)
	slow, tagged := p.key(of("RSA_4096", "SIGN_VERIFY")), p.key()
	var signed atomic.Int64
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := gateway.Invoke(t.Context(), p.Gateway, p.root, api.Sign, &api.SignInput{KeyId: slow.KeyId, Message: []byte("m"), SigningAlgorithm: "RSASSA_PSS_SHA_512"})
				if err != nil {
					t.Error(err)
					return
				}
				signed.Add(1)
			}
		})
	}
	began, tags := time.Now(), 0
	for time.Since(began) < time.Second || signed.Load() < 8 {
		call(p, p.root, api.TagResource, &api.TagResourceInput{KeyId: tagged.KeyId, Tags: []api.Tag{{TagKey: "n"}}})
		call(p, p.root, api.TagResource, &api.TagResourceInput{KeyId: slow.KeyId, Tags: []api.Tag{{TagKey: "n"}}})
		tags++
		if time.Since(began) > 20*time.Second {
			break
		}
	}
	close(stop)
	all.Wait()
	if n := signed.Load(); int64(tags) < 2*n || n == 0 {
		t.Errorf("%d rounds of tags beside %d signatures", tags, n)
	}
}

// Many use one key at once, while it is rotated: none meets a conflict, and all
// that was sealed opens.
func TestAHotKey(t *testing.T) {
	p := newPlane(t)
	key := p.key()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				out, err := gateway.Invoke(t.Context(), p.Gateway, p.root, api.GenerateDataKey, &api.GenerateDataKeyInput{KeyId: key.KeyId, NumberOfBytes: new(int32(32))})
				if err != nil {
					t.Error(err)
					return
				}
				opened, err := gateway.Invoke(t.Context(), p.Gateway, p.root, api.Decrypt, &api.DecryptInput{CiphertextBlob: out.CiphertextBlob})
				if err != nil || string(opened.Plaintext) != string(out.Plaintext) {
					t.Errorf("Decrypt: %v", err)
					return
				}
			}
		})
	}
	for range 20 {
		call(p, p.root, api.RotateKeyOnDemand, &api.RotateKeyOnDemandInput{KeyId: key.KeyId})
	}
	all.Wait()
}
