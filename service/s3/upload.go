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
}

// Part is a part of an upload, or of an object that was uploaded so.
type Part struct {
	Number   int32
	Size     int64
	ETag     string
	Checksum Checksum
	Modified time.Time
	Blob     blob.ID
	Key      []byte
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
	return o, storing{
		Encryption: in.ServerSideEncryption, KMS: in.SSEKMSKeyId != nil || in.SSEKMSEncryptionContext != nil || flag(in.BucketKeyEnabled),
		Customer: in.SSECustomerAlgorithm != nil || in.SSECustomerKey != nil || in.SSECustomerKeyMD5 != nil,
		Lock:     in.ObjectLockMode != nil || in.ObjectLockRetainUntilDate != nil || in.ObjectLockLegalHoldStatus != nil, Class: in.StorageClass,
	}.check(call)
}

func (s *Service) createMultipartUpload(_ context.Context, call *gateway.Call, on *onObject, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	b := on.bucket
	tags, err := queryTags(in.Tagging)
	if err == nil {
		err = checkMetadata(in.Metadata)
	}
	if err != nil {
		return nil, err
	}
	u := &Upload{
		ID: newVersionID(uint64(call.Time.UnixNano())), Initiated: second(call.Time), Initiator: call.Principal.ARN, Class: s3.StorageClassStandard,
		Account: on.owner, ACL: on.acl,
		Metadata: in.Metadata, Tags: tags, Header: headerOf(in.CacheControl, in.ContentDisposition, in.ContentEncoding, in.ContentLanguage, in.ContentType, in.Expires, in.WebsiteRedirectLocation),
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
		return nil, invalidRequest("The " + string(u.Type) + " checksum type cannot be used with the " + string(u.Algorithm) + " checksum algorithm.")
	}
	if err := uploads.Insert(call.Tx, b.Account, u, b.ID, on.key, u.ID); err != nil {
		return nil, err
	}
	out := &s3.CreateMultipartUploadOutput{Bucket: &b.Name, Key: &on.key, UploadId: &u.ID, ServerSideEncryption: new(s3.ServerSideEncryptionAes256)}
	if u.Algorithm != "" {
		out.ChecksumAlgorithm, out.ChecksumType = &u.Algorithm, &u.Type
	}
	return out, nil
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

// receivePart reads a part's content to its end. What its upload says of
// checksums is compared when it is kept.
func (s *Service) receivePart(ctx context.Context, call *gateway.Call, on *onObject, in *s3.UploadPartInput, body io.Reader) (*received, error) {
	if in.SSECustomerAlgorithm != nil || in.SSECustomerKey != nil || in.SSECustomerKeyMD5 != nil {
		return nil, gateway.NotImplemented(call.Operation, "SSECustomerAlgorithm")
	}
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	v, err := verify(body, in.ChecksumAlgorithm, checksums{
		CRC32: in.ChecksumCRC32, CRC32C: in.ChecksumCRC32C, CRC64NVME: in.ChecksumCRC64NVME, SHA1: in.ChecksumSHA1, SHA256: in.ChecksumSHA256,
		SHA512: in.ChecksumSHA512, MD5: in.ChecksumMD5, XXHASH64: in.ChecksumXXHASH64, XXHASH3: in.ChecksumXXHASH3, XXHASH128: in.ChecksumXXHASH128,
	}, in.ContentMD5)
	if err != nil {
		return nil, err
	}
	return s.receive(ctx, on, body, v, true)
}

func checkPartNumber(n int32) error {
	if n < 1 || n > maxParts {
		return invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", strconv.Itoa(int(n)))
	}
	return nil
}

func (s *Service) uploadPart(_ context.Context, call *gateway.Call, on *onObject, in *s3.UploadPartInput, r *received) (*s3.UploadPartOutput, error) {
	p, err := on.keepPart(call, in.UploadId, in.PartNumber, r)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: new(quoted(p.ETag)), ServerSideEncryption: new(s3.ServerSideEncryptionAes256)}
	*checksumOf(&out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME, &out.ChecksumSHA1, &out.ChecksumSHA256, &out.ChecksumSHA512, p.Checksum.Algorithm) = &p.Checksum.Value
	return out, nil
}

// keepPart makes what was received a part of an upload, in place of one of the same number.
func (o *onObject) keepPart(call *gateway.Call, id string, number int32, r *received) (*Part, error) {
	b, tx := o.bucket, call.Tx
	u, err := o.upload(tx, id)
	if err != nil {
		return nil, err
	}
	if u.Algorithm != "" && u.Algorithm != r.checksum.Algorithm {
		return nil, invalidRequest("Checksum Type mismatch occurred, expected checksum Type: " + lower(u.Algorithm) + ", actual checksum Type: " + lower(r.checksum.Algorithm))
	}
	p := &Part{Number: number, Size: r.size, ETag: r.etag, Checksum: r.checksum, Modified: second(call.Time), Blob: r.blob, Key: r.key}
	old, err := parts.Get(tx, b.Account, b.ID, id, partPart(number))
	if err == nil {
		err = discard(tx, call.Time, old.Blob)
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if err := uses.Insert(tx, "", &blobUse{b.Account, b.ID}, string(r.blob)); err != nil {
		return nil, err
	}
	return p, parts.Put(tx, b.Account, p, b.ID, id, partPart(number))
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
