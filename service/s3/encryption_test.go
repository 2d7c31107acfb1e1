package s3

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/fs"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

// oneKey is a KMS with one key, and nobody whom it refuses.
type oneKey struct {
	aead  cipher.AEAD
	plain [][]byte // the data keys that it made
}

func newOneKey(t testing.TB) *oneKey {
	secret := make([]byte, 32)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return &oneKey{aead: aead}
}

func bind(pairs map[string]string) []byte {
	text, _ := json.Marshal(pairs)
	return text
}

func (k *oneKey) DataKey(_ context.Context, _ *gateway.Call, _ string, pairs map[string]string) ([]byte, []byte, string, error) {
	plain := make([]byte, 32)
	rand.Read(plain)
	k.plain = append(k.plain, bytes.Clone(plain))
	return plain, k.aead.Seal(nil, nil, plain, bind(pairs)), "arn:aws:kms:us-east-1:111122223333:key/k", nil
}

func (k *oneKey) OpenDataKey(_ context.Context, _ *gateway.Call, sealed []byte, pairs map[string]string) ([]byte, error) {
	return k.aead.Open(nil, nil, sealed, bind(pairs))
}

// vault is a bucket whose objects are put and read below the gateway.
type vault struct {
	*testing.T
	*Service
	keys   *oneKey
	bucket *onBucket
	caller *aws.Principal
}

func newVault(t *testing.T) *vault {
	engine, err := mem.Open(storetest.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	blobs, err := fs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	keys := newOneKey(t)
	caller := &aws.Principal{Kind: aws.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/alice"}
	return &vault{
		t, New(Options{Engine: engine, Blobs: blobs, Keys: keys}), keys,
		&onBucket{Bucket: &Bucket{Name: "bucket", Account: caller.Account, ID: newID(), Region: "us-east-1"}, partition: "aws", caller: caller}, caller,
	}
}

func (u *vault) update(f func(*gateway.Call) error) {
	u.Helper()
	err := u.Engine.Update(u.Context(), func(tx store.Tx) error { return f(&gateway.Call{Tx: tx, Principal: u.caller, Region: "us-east-1"}) })
	if err != nil {
		u.Fatal(err)
	}
}

func (u *vault) at(key string) *onObject { return &onObject{bucket: u.bucket, key: key} }

// put keeps content under a key, and answers its row.
func (u *vault) put(key string, content []byte, e encrypting) *Version {
	u.Helper()
	w, err := e.way(u.bucket)
	if err != nil {
		u.Fatal(err)
	}
	check, err := verify(bytes.NewReader(content), nil, nil, nil)
	if err != nil {
		u.Fatal(err)
	}
	r, err := u.receive(u.Context(), u.at(key), sized{bytes.NewReader(content), int64(len(content))}, check, w, false)
	if err != nil {
		u.Fatal(err)
	}
	var v *Version
	u.update(func(call *gateway.Call) error {
		made, k, err := u.encrypt(u.Context(), call, u.at(key), r.way, e.customer)
		if err != nil {
			return err
		}
		r.sealing = k
		v = &Version{Size: r.size, Encryption: made, ETag: r.tag(made)}
		return u.bucket.keep(call.Tx, v, r)
	})
	return v
}

// read reads a row's content as that of a key.
func (u *vault) read(key string, v *Version, customer customerKey) (content []byte, err error) {
	u.update(func(call *gateway.Call) error {
		var k *sealing
		if k, err = u.unlock(u.Context(), call, u.at(key), v.Encryption, customer); err != nil {
			return nil
		}
		var body io.ReadCloser
		if body, err = u.open(call, u.bucket, v, part{0, v.Size, false}, k); err == nil {
			content, err = io.ReadAll(body)
			body.Close()
		}
		return nil
	})
	return content, err
}

func ownKey(first byte) customerKey {
	secret := bytes.Repeat([]byte{first}, customerKeySize)
	digest := md5.Sum(secret)
	return customerKey{new("AES256"), new(base64.StdEncoding.EncodeToString(secret)), new(base64.StdEncoding.EncodeToString(digest[:]))}
}

var kinds = map[string]encrypting{
	"SSE-C":    {customer: ownKey('a')},
	"SSE-KMS":  {algorithm: new(s3.ServerSideEncryptionAwsKms), context: new(base64.StdEncoding.EncodeToString([]byte(`{"team":"blue"}`)))},
	"DSSE-KMS": {algorithm: new(s3.ServerSideEncryptionAwsKmsDsse)},
}

// Whoever can write rows and blobs, and has no key, makes nothing that opens as something else.
func TestContentOpensWhereItWasSealedAlone(t *testing.T) {
	for name, how := range kinds {
		for _, size := range []int{100, inline + 1, 3 * blob.Segment} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				u := newVault(t)
				one, two := bytes.Repeat([]byte("one "), size/4+1)[:size], bytes.Repeat([]byte("two "), size/4+1)[:size]
				a, b := u.put("a", one, how), u.put("b", two, how)
				if got, err := u.read("a", a, how.customer); err != nil || !bytes.Equal(got, one) {
					t.Fatalf("what was put reads otherwise: %v", err)
				}
				if a.ETag == b.ETag || a.ETag == fmt.Sprintf("%x", md5.Sum(one)) {
					t.Error("the entity tag tells of the content")
				}
				for attack, edit := range map[string]func(v *Version){
					"the content of another":     func(v *Version) { v.Data = b.Data },
					"the keys of another":        func(v *Version) { v.Encryption = b.Encryption },
					"the sealed key of another":  func(v *Version) { v.Data.Key = b.Data.Key; v.Data.ID = b.Data.ID },
					"the salt of another":        func(v *Version) { v.Encryption.Salt = b.Encryption.Salt; v.Encryption.Check = b.Encryption.Check },
					"no encryption":              func(v *Version) { v.Encryption = nil },
					"a key that was never there": func(v *Version) { v.Data.Key = blob.NewKey().Bytes(); v.Data.ID = b.Data.ID },
				} {
					moved, e := *a, *a.Encryption
					moved.Encryption = &e
					edit(&moved)
					customer := how.customer
					if moved.Encryption == nil {
						customer = customerKey{}
					}
					if got, err := u.read("a", &moved, customer); err == nil {
						t.Errorf("with %s it reads %q", attack, got[:8])
					}
				}
				if how.customer.given() {
					return
				}
				if _, err := u.read("b", a, how.customer); err == nil {
					t.Error("a row opens under another's name")
				}
				moved, e := *a, *a.Encryption
				moved.Encryption, e.Context = &e, map[string]string{"team": "red"}
				if _, err := u.read("a", &moved, how.customer); err == nil {
					t.Error("it opens with another encryption context")
				}
			})
		}
	}
}

// A wrong key opens nothing, not even where what tells it from the right one was altered.
func TestACustomersKeyIsTheOnlyOne(t *testing.T) {
	u := newVault(t)
	v := u.put("a", []byte("content"), kinds["SSE-C"])
	if _, err := u.read("a", v, ownKey('b')); !isAccessDenied(err) {
		t.Errorf("another key: %v", err)
	}
	if _, err := u.read("a", v, customerKey{}); !isFault(err, "InvalidRequest") {
		t.Errorf("no key: %v", err)
	}
	var err error
	if v.Encryption.Check, err = customerCheck(bytes.Repeat([]byte{'b'}, customerKeySize), v.Encryption.Salt); err != nil {
		t.Fatal(err)
	}
	if got, err := u.read("a", v, ownKey('b')); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("another key, and its check: %q, %v", got, err)
	}
}

// Rows hold no key in the clear: neither the customer's, nor KMS's, nor a blob's.
func TestNoRowHoldsAKey(t *testing.T) {
	for name, how := range kinds {
		u := newVault(t)
		content := bytes.Repeat([]byte("content"), inline)
		w, _ := how.way(u.bucket)
		check, _ := verify(bytes.NewReader(content), nil, nil, nil)
		r, err := u.receive(t.Context(), u.at("a"), sized{bytes.NewReader(content), int64(len(content))}, check, w, false)
		if err != nil {
			t.Fatal(err)
		}
		secrets := [][]byte{bytes.Clone(r.key), bytes.Repeat([]byte{'a'}, customerKeySize)}
		v := new(Version)
		u.update(func(call *gateway.Call) error {
			var k *sealing
			if v.Encryption, k, err = u.encrypt(t.Context(), call, u.at("a"), r.way, how.customer); err != nil {
				return err
			}
			r.sealing = k
			return u.bucket.keep(call.Tx, v, r)
		})
		row := fmt.Sprintf("%q %q %q %q %q", v.Data.Key, v.Data.Outer, v.Encryption.DataKey, v.Encryption.Salt, v.Encryption.Check)
		for _, secret := range append(secrets, u.keys.plain...) {
			if quoted := fmt.Sprintf("%q", secret); strings.Contains(row, quoted[1:len(quoted)-1]) {
				t.Errorf("%s: a row holds a key", name)
			}
		}
	}
}

func TestWhatEncryptionIsRefused(t *testing.T) {
	b := &onBucket{Bucket: &Bucket{}}
	for name, c := range map[string]struct {
		e    encrypting
		want string
	}{
		"a key's id alone":          {encrypting{keyID: new("k")}, "InvalidArgument"},
		"a key's id with AES256":    {encrypting{algorithm: new(s3.ServerSideEncryptionAes256), keyID: new("k")}, "InvalidArgument"},
		"a context alone":           {encrypting{context: new("e30=")}, "InvalidArgument"},
		"two kinds":                 {encrypting{algorithm: new(s3.ServerSideEncryptionAes256), customer: ownKey('a')}, "InvalidArgument"},
		"another algorithm":         {encrypting{algorithm: new(s3.ServerSideEncryption("rot13"))}, "InvalidEncryptionAlgorithmError"},
		"bucket keys in two layers": {encrypting{algorithm: new(s3.ServerSideEncryptionAwsKmsDsse), bucketKey: new(true)}, "InvalidArgument"},
		"a context in the clear":    {encrypting{algorithm: new(s3.ServerSideEncryptionAwsKms), context: new("{}")}, "InvalidArgument"},
		"a context of numbers":      {encrypting{algorithm: new(s3.ServerSideEncryptionAwsKms), context: new(base64.StdEncoding.EncodeToString([]byte(`{"a":1}`)))}, "InvalidArgument"},
		"a context of S3's own": {encrypting{algorithm: new(s3.ServerSideEncryptionAwsKms),
			context: new(base64.StdEncoding.EncodeToString([]byte(`{"aws:s3:arn":"arn:aws:s3:::bucket/b"}`)))}, "InvalidArgument"},
	} {
		if _, err := c.e.way(b); !isFault(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	good := ownKey('a')
	for name, c := range map[string]struct {
		key  customerKey
		want string
	}{
		"no algorithm":       {customerKey{nil, good.key, good.md5}, "InvalidArgument"},
		"another algorithm":  {customerKey{new("AES128"), good.key, good.md5}, "InvalidEncryptionAlgorithmError"},
		"no key":             {customerKey{good.algorithm, nil, good.md5}, "InvalidArgument"},
		"no MD5":             {customerKey{good.algorithm, good.key, nil}, "InvalidArgument"},
		"another MD5":        {customerKey{good.algorithm, good.key, ownKey('b').md5}, "InvalidArgument"},
		"a key in the clear": {customerKey{good.algorithm, new("aaaa!"), good.md5}, "InvalidArgument"},
		"a short key":        {customerKey{good.algorithm, new("YQ=="), new("DMF1ucDxtqgxw5niaXcmYQ==")}, "InvalidArgument"},
	} {
		if _, err := c.key.secret(new(gateway.Call)); !isFault(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// Parts of one upload are sealed under one key, and each opens as what it is.
func TestWhatIsSealedIsBoundToItsName(t *testing.T) {
	b, other := &Bucket{ID: newID()}, &Bucket{ID: newID()}
	k, err := newSealing([]byte("secret"), []byte("salt"), b)
	if err != nil {
		t.Fatal(err)
	}
	sealed := k.seal([]byte("key"), "one")
	if got, err := k.open(sealed, "one"); err != nil || string(got) != "key" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := k.open(sealed, "two"); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("under another name: %v", err)
	}
	elsewhere, err := newSealing([]byte("secret"), []byte("salt"), other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.open(sealed, "one"); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("in another bucket: %v", err)
	}
}
