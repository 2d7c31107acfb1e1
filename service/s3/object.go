package s3

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Version is a version of an object, or a delete marker. The one that a key
// shows stands in objects; all others, and delete markers always, stand in versions.
type Version struct {
	ID       string // "null": made while the bucket kept no versions
	Sequence uint64 // orders the versions of a key: nanoseconds since 1970, or one more than the version before
	Marker   bool
	Modified time.Time
	Account  string // whose object it is, unless its bucket's owner is enforced
	ACL      *ACL   // nil: its owner's alone

	Size     int64
	ETag     string // without quotes
	Checksum Checksum
	Class    s3.StorageClass
	Header   Header
	Metadata map[string]string
	Tags     []Tag
	Data     Data
	// Encryption is by whose keys it is encrypted; nil: S3's own.
	Encryption *Encryption
	Lock       *Lock // nil: there never was one
}

// Header are the headers that an object is answered with.
type Header struct {
	CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, Expires, WebsiteRedirect string
}

// Data says where an object's content lies: nowhere if it is empty, in
// contents, in one blob, or in parts.
type Data struct {
	ID   string  // of its row in contents, or of the upload whose parts it is; unique in the bucket
	Blob blob.ID // "": no single blob
	Key  []byte  // of the blob; sealed, unless the object is encrypted by S3's own keys
	// Outer is the key of the second layer, of content that is sealed twice.
	Outer []byte
	Rows  int // in contents: 1, or 0
	// Parts is how many parts it was uploaded in; 0: it was put at once.
	Parts int
}

// content is the content of a small object, sealed by the store like any value.
type content struct{ Bytes []byte }

// blobUse says that a blob is in use, or was given up and is not yet swept, and whose it is.
type blobUse struct{ Account, Bucket string }

var (
	objects  = store.NewTable[Version]("s3/object")
	versions = store.NewTable[Version]("s3/version")
	nulls    = store.NewTable[nullVersion]("s3/null")
	contents = store.NewTable[content]("s3/content")
	uses     = store.NewTable[blobUse]("s3/blob")
)

// BlobOf is the blob that the row under key says to be in use: every blob that is has one.
func BlobOf(key []byte) (blob.ID, bool) {
	if !bytes.HasPrefix(key, usesPrefix) {
		return "", false
	}
	_, _, parts, ok := store.Parts(key)
	if !ok || len(parts) != 1 {
		return "", false
	}
	return blob.ID(parts[0]), true
}

var usesPrefix = store.Key("s3/blob", "")

// nullVersion says where among versions the one stands that is called "null"; a
// current one is not among them.
type nullVersion struct{ Sequence uint64 }

const nullID = "null"

// newVersionID is a version's name: its place, so that it is found by it, and
// 128 random bits.
func newVersionID(sequence uint64) string {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], sequence)
	rand.Read(b[8:])
	return base64.URLEncoding.EncodeToString(b[:])
}

// sequenceOf is the place of the version of that name; false for what is no name of a version.
func sequenceOf(id string) (uint64, bool) {
	b, err := base64.URLEncoding.Strict().DecodeString(id)
	if err != nil || len(b) != 24 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}

// sequencePart puts the versions of a key in order, the newest first.
func sequencePart(sequence uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, ^sequence))
}

// maxKey is an object key's greatest length, in bytes of UTF-8.
const maxKey = 1024

func checkKey(key string) error {
	if len(key) > maxKey {
		return fault(http.StatusBadRequest, "KeyTooLongError", "Your key is too long", "Size", strconv.Itoa(len(key)), "MaxSizeAllowed", strconv.Itoa(maxKey))
	}
	if key == "" || !utf8.ValidString(key) {
		return invalidArgument("Object key is not valid UTF-8", "key", "")
	}
	return nil
}

// onObject is an object as what a call acts on: a version of it, where there is one.
type onObject struct {
	bucket  *onBucket
	key     string
	version *Version // nil: there is none
	byID    bool     // the call names a version
	asks    []gateway.Authorization
	from    *onObject // what is copied to it; nil: nothing is
	sum     *Checksum // of what is read; nil: of a range there is none
	// acl and owner are what an object that is written will have.
	acl   *ACL
	owner string
}

// ARN implements gateway.Resource.
func (o *onObject) ARN() string { return o.bucket.ARN() + "/" + o.key }

// ResourceAccount implements gateway.Owned.
func (o *onObject) ResourceAccount() string {
	if o.foreign() {
		return o.version.Account
	}
	return o.bucket.Account
}

// ResourcePolicy implements gateway.Governed.
func (o *onObject) ResourcePolicy() *policy.Policy {
	if o.foreign() {
		return o.bucket.denials()
	}
	return o.bucket.ResourcePolicy()
}

// Asks implements gateway.Asking.
func (o *onObject) Asks() []gateway.Authorization { return o.asks }

// ask adds what the call asks of the object.
func (o *onObject) ask(action string, conditions ...string) {
	o.asks = append(o.asks, gateway.Authorization{Action: action, On: o, Conditions: conditions})
}

// find finds a version: the current one, or the one of that name.
func (b *Bucket) find(tx store.Tx, key string, id *string) (*Version, error) {
	current, err := objects.Get(tx, b.Account, b.ID, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if id == nil {
		if current != nil {
			return current, nil
		}
		newest, err := b.newest(tx, key)
		if err != nil {
			return nil, err
		}
		return newest, nil // a marker, or nothing
	}
	if current != nil && current.ID == *id {
		return current, nil
	}
	var sequence uint64
	if *id == nullID {
		at, err := nulls.Get(tx, b.Account, b.ID, key)
		if errors.Is(err, store.ErrNotFound) {
			return nil, noSuchVersion(key, *id)
		}
		if err != nil {
			return nil, err
		}
		sequence = at.Sequence
	} else {
		var ok bool
		if sequence, ok = sequenceOf(*id); !ok {
			return nil, invalidVersion(*id)
		}
	}
	v, err := versions.Get(tx, b.Account, b.ID, key, sequencePart(sequence))
	if errors.Is(err, store.ErrNotFound) || err == nil && v.ID != *id {
		return nil, noSuchVersion(key, *id)
	}
	return v, err
}

// newest is the newest of the versions of a key that are not current, or nil.
func (b *Bucket) newest(tx store.Tx, key string) (*Version, error) {
	for entry, err := range versions.List(tx, b.Account, nil, b.ID, key) {
		return entry.Value, err
	}
	return nil, nil
}

// objectOf finds the object that the input names, for reading it.
func objectOf[In any](of func(*In) (bucket, key string, version, expectedOwner *string)) gateway.Target[In, *onObject] {
	return func(call *gateway.Call, in *In) (*onObject, error) {
		name, key, id, owner := of(in)
		b, err := findBucket(call, name, owner)
		if err != nil {
			return nil, err
		}
		if err := checkKey(key); err != nil {
			return nil, err
		}
		o := &onObject{bucket: b, key: key, byID: id != nil}
		action := call.Operation.Actions[0]
		if id != nil {
			call.Condition("s3:versionid", *id)
			if when := call.Operation.ActionsWhen; len(when) > 0 {
				action = when[0].Action
			}
		}
		o.ask(action)
		v, err := b.find(call.Tx, key, id)
		if err != nil {
			return o, err
		}
		o.version = v
		if v != nil {
			for _, t := range v.Tags {
				call.Condition("s3:ExistingObjectTag/"+t.Key, t.Value)
			}
		}
		return o, nil
	}
}

// missing is the error for an object that is not there: only those who may list
// the bucket are told.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (o *onObject) missing(call *gateway.Call) error {
	if call.Authorize("s3:ListBucket", o.bucket) != nil {
		return accessDenied()
	}
	return noSuchKey(o.key)
}
