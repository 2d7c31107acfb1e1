package s3

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Upload is an object that is being uploaded in parts: what it will be.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
type Upload struct {
	ID        string
	Initiated time.Time
	Initiator string // ARN
	Class     s3.StorageClass
	Header    Header
	Metadata  map[string]string
	Tags      []Tag
	Algorithm s3.ChecksumAlgorithm // of each part
	Type      s3.ChecksumType      // of the whole
	Account   string               // whose object it will be; "": the bucket's owner's
	ACL       *ACL
	// Encryption is by whose keys its parts are encrypted; nil: S3's own.
	Encryption *Encryption
	Lock       *Lock // that was asked for; nil: none
}

// Part is a part of an upload, or of an object that was uploaded so.
type Part struct {
	Number   int32
	Size     int64
	ETag     string
	Checksum Checksum
	Modified time.Time
	Blob     blob.ID
	Key      []byte // sealed, unless encrypted by S3's own keys
	Outer    []byte // the key of the second layer; nil: there is none
}

var (
	uploads = store.NewTable[Upload]("s3/upload") // bucket, key, upload
	parts   = store.NewTable[Part]("s3/part")     // bucket, upload, number
)

// Bounds of an upload.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	maxParts = 10_000
	minPart  = 5 << 20 // of all but the last
)

func partPart(number int32) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(number)))
}

func noSuchUpload(id string) error {
	return fault(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", "UploadId", id)
}

func uploadToCreate(call *gateway.Call, in *s3.CreateMultipartUploadInput) (*onObject, error) {
	b, err := findBucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	tags, err := queryTags(in.Tagging)
	if err != nil {
		return nil, err
	}
	o := &onObject{bucket: b, key: in.Key}
	o.ask("s3:PutObject")
	if in.Tagging != nil {
		o.ask("s3:PutObjectTagging")
	}
	requestTags(call, tags)
	if err := o.share(call, &aclRequest{canned(in.ACL), in.GrantFullControl, in.GrantRead, nil, in.GrantReadACP, in.GrantWriteACP, nil}); err != nil {
		return o, err
	}
	if err := encryptingUpload(in).check(call, o); err != nil {
		return o, err
	}
	if err := lockingUpload(in).check(call, o); err != nil {
		return o, err
	}
	return o, checkClass(call, in.StorageClass)
}

func lockingUpload(in *s3.CreateMultipartUploadInput) locking {
	return locking{in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus}
}

func encryptingUpload(in *s3.CreateMultipartUploadInput) encrypting {
	return encrypting{in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled,
		customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}}
}

func (s *Service) createMultipartUpload(ctx context.Context, call *gateway.Call, on *onObject, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	b := on.bucket
	tags, err := queryTags(in.Tagging)
	if err == nil {
		err = checkMetadata(in.Metadata)
	}
	if err != nil {
		return nil, err
	}
	u := &Upload{
		ID: newVersionID(uint64(call.Time.UnixNano())), Initiated: second(call.Time), Initiator: call.Principal.ARN, Class: classOf(in.StorageClass),
		Account: on.owner, ACL: on.acl, Lock: lockingUpload(in).lock(),
		Metadata: decodedMetadata(in.Metadata), Tags: tags, Header: headerOf(in.CacheControl, in.ContentDisposition, in.ContentEncoding, in.ContentLanguage, in.ContentType, in.Expires, in.WebsiteRedirectLocation),
	}
	if in.ChecksumAlgorithm != nil {
		u.Algorithm = *in.ChecksumAlgorithm
		if digests[u.Algorithm] == nil {
			return nil, unsupported()
		}
	}
	_, cyclic := polynomials[u.Algorithm]
	switch {
	case in.ChecksumType != nil && in.ChecksumAlgorithm == nil:
		return nil, invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	case in.ChecksumType != nil:
		u.Type = *in.ChecksumType
	case u.Algorithm == s3.ChecksumAlgorithmCrc64nvme:
		u.Type = s3.ChecksumTypeFullObject
	case u.Algorithm != "":
		u.Type = s3.ChecksumTypeComposite
	}
	if u.Type == s3.ChecksumTypeFullObject && !cyclic || u.Type == s3.ChecksumTypeComposite && u.Algorithm == s3.ChecksumAlgorithmCrc64nvme {
		return nil, invalidRequest("The " + string(u.Type) + " checksum type cannot be used with the " + lower(u.Algorithm) + " checksum algorithm.")
	}
	customer := encryptingUpload(in).customer
	w, err := encryptingUpload(in).way(b)
	if err != nil {
		return nil, err
	}
	if u.Encryption, _, err = s.encrypt(ctx, call, on, w, customer); err != nil {
		return nil, err
	}
	if err := uploads.Insert(call.Tx, b.Account, u, b.ID, on.key, u.ID); err != nil {
		return nil, err
	}
	out := &s3.CreateMultipartUploadOutput{Bucket: &b.Name, Key: &on.key, UploadId: &u.ID, SSEKMSEncryptionContext: u.Encryption.shownContext()}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = u.Encryption.shown(customer)
	if u.Algorithm != "" {
		out.ChecksumAlgorithm, out.ChecksumType = &u.Algorithm, &u.Type
	}
	out.AbortDate, out.AbortRuleId, err = b.abortion(call.Tx, on.key, u)
	return out, err
}

// uploadOf finds the bucket and key of an upload that the input names.
func uploadOf[In any](action string, of func(*In) (bucket, key string, expectedOwner *string)) gateway.Target[In, *onObject] {
	return func(call *gateway.Call, in *In) (*onObject, error) {
		name, key, owner := of(in)
		b, err := findBucket(call, name, owner)
		if err != nil {
			return nil, err
		}
		if err := checkKey(key); err != nil {
			return nil, err
		}
		o := &onObject{bucket: b, key: key}
		o.ask(action)
		return o, nil
	}
}

// upload is the upload of that name.
func (o *onObject) upload(tx store.Tx, id string) (*Upload, error) {
	u, err := uploads.Get(tx, o.bucket.Account, o.bucket.ID, o.key, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchUpload(id)
	}
	return u, err
}

// way is how the parts of the upload are encrypted.
func (u *Upload) way() way {
	if u.Encryption == nil {
		return way{algorithm: s3.ServerSideEncryptionAes256}
	}
	return way{algorithm: u.Encryption.Algorithm}
}

func partToUpload(call *gateway.Call, in *s3.UploadPartInput) (*onObject, error) {
	o, err := uploadOf("s3:PutObject", func(in *s3.UploadPartInput) (string, string, *string) {
		return in.Bucket, in.Key, in.ExpectedBucketOwner
	})(call, in)
	if err != nil {
		return nil, err
	}
	return o, checkPartKey(call, o, customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5})
}

// checkPartKey sets the condition key of a customer's key for a part, and refuses one that the bucket blocks.
func checkPartKey(call *gateway.Call, o *onObject, customer customerKey) error {
	if customer.algorithm != nil {
		call.Condition("s3:x-amz-server-side-encryption-customer-algorithm", *customer.algorithm)
	}
	if !customer.given() {
		return nil
	}
	return blockedCustomerKey(call, o)
}

// receivePart reads a part's content to its end. What its upload says of
// checksums is compared when it is kept.
func (s *Service) receivePart(ctx context.Context, call *gateway.Call, on *onObject, in *s3.UploadPartInput, body io.Reader) (*received, error) {
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	v, err := verify(body, in.ChecksumAlgorithm, checksumsIn(in), in.ContentMD5)
	if err != nil {
		return nil, err
	}
	var u *Upload
	err = s.Engine.View(ctx, func(tx store.Tx) (err error) {
		if u, err = on.upload(tx, in.UploadId); err == nil {
			err = u.Encryption.admitsPart(call, customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	v.part = true
	if u.Algorithm == "" && !u.Encryption.customers() {
		v.keepUsual()
	}
	return s.receive(ctx, on, body, v, u.way(), true)
}

func checkPartNumber(n int32) error {
	if n < 1 || n > maxParts {
		return invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", strconv.Itoa(int(n)))
	}
	return nil
}

func (s *Service) uploadPart(ctx context.Context, call *gateway.Call, on *onObject, in *s3.UploadPartInput, r *received) (*s3.UploadPartOutput, error) {
	customer := customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
	p, e, err := s.keepPart(ctx, call, on, in.UploadId, in.PartNumber, customer, r)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: new(quoted(p.ETag))}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = e.shown(customer)
	r.checksum.showIn(out)
	return out, nil
}

// keepPart makes what was received a part of an upload, in place of one of the
// same number, and answers how the upload is encrypted.
func (s *Service) keepPart(ctx context.Context, call *gateway.Call, o *onObject, id string, number int32, customer customerKey, r *received) (*Part, *Encryption, error) {
	b, tx := o.bucket, call.Tx
	u, err := o.upload(tx, id)
	if err != nil {
		return nil, nil, err
	}
	if u.Algorithm != "" && u.Algorithm != r.checksum.Algorithm {
		return nil, nil, invalidRequest("Checksum Type mismatch occurred, expected checksum Type: " + lower(u.Algorithm) + ", actual checksum Type: " + lower(r.checksum.Algorithm))
	}
	if err := u.Encryption.admitsPart(call, customer); err != nil {
		return nil, nil, err
	}
	k, err := s.unlock(ctx, call, o, u.Encryption, customer)
	if err != nil {
		return nil, nil, err
	}
	p := &Part{
		Number: number, Size: r.size, ETag: r.tag(u.Encryption), Checksum: r.kept, Modified: second(call.Time), Blob: r.blob,
		Key: k.seal(r.key, string(r.blob)), Outer: r.outer,
	}
	old, err := parts.Get(tx, b.Account, b.ID, id, partPart(number))
	if err == nil {
		err = discard(tx, call.Time, old.Blob)
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return nil, nil, err
	}
	if err := uses.Insert(tx, "", &blobUse{b.Account, b.ID}, string(r.blob)); err != nil {
		return nil, nil, err
	}
	return p, u.Encryption, parts.Put(tx, b.Account, p, b.ID, id, partPart(number))
}

func (s *Service) abortMultipartUpload(_ context.Context, call *gateway.Call, on *onObject, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	u, err := on.upload(call.Tx, in.UploadId)
	if err != nil {
		return nil, err
	}
	if in.IfMatchInitiatedTime != nil && !in.IfMatchInitiatedTime.Equal(u.Initiated) {
		return nil, preconditionFailed("If-Match-Initiated-Time")
	}
	if err := uploads.Delete(call.Tx, on.bucket.Account, on.bucket.ID, on.key, u.ID); err != nil {
		return nil, err
	}
	return nil, discardParts(call.Tx, call.Time, on.bucket.Bucket, u.ID)
}
