package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/gateway"
)

const (
	// maxPut is the largest object that is put at once: 5 GiB.
	maxPut = 5 << 30
	// inline is the largest content that lies in the store.
	inline = 16 << 10
	// maxMetadata bounds a user's metadata: names and values together.
	maxMetadata = 2 << 10
)

func objectToPut(call *gateway.Call, in *s3.PutObjectInput) (*onObject, error) {
	b, err := findBucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	o := &onObject{bucket: b, key: in.Key}
	o.ask("s3:PutObject")
	tags, err := queryTags(in.Tagging)
	if err != nil {
		return nil, err
	}
	if in.Tagging != nil {
		o.ask("s3:PutObjectTagging")
	}
	requestTags(call, tags)
	if in.IfNoneMatch != nil {
		call.Condition("s3:if-none-match", *in.IfNoneMatch)
	}
	if in.IfMatch != nil {
		call.Condition("s3:if-match", *in.IfMatch)
	}
	if in.WriteOffsetBytes != nil {
		return o, gateway.NotImplemented(call.Operation, "WriteOffsetBytes")
	}
	if err := o.share(call, &aclRequest{canned(in.ACL), in.GrantFullControl, in.GrantRead, nil, in.GrantReadACP, in.GrantWriteACP, nil}); err != nil {
		return o, err
	}
	if err := encryptingPut(in).check(call, o); err != nil {
		return o, err
	}
	if err := lockingPut(in).check(call, o); err != nil {
		return o, err
	}
	return o, checkClass(call, in.StorageClass)
}

func lockingPut(in *s3.PutObjectInput) locking {
	return locking{in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus}
}

func encryptingPut(in *s3.PutObjectInput) encrypting {
	return encrypting{in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled,
		customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}}
}

// queryTags are the tags of a x-amz-tagging header.
func queryTags(header *string) ([]Tag, error) {
	if header == nil {
		return nil, nil
	}
	values, err := url.ParseQuery(*header)
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", *header)
	}
	var given []s3.Tag
	for key, list := range values {
		if len(list) != 1 {
			return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", *header)
		}
		given = append(given, s3.Tag{Key: key, Value: list[0]})
	}
	sortTags(given)
	return tagsOf(given, maxObjectTags)
}

// requestTags sets the condition keys of the tags that a request gives an object.
func requestTags(call *gateway.Call, tags []Tag) {
	if len(tags) == 0 {
		return
	}
	keys := make([]string, 0, len(tags))
	for _, t := range tags {
		call.Condition("s3:RequestObjectTag/"+t.Key, t.Value)
		keys = append(keys, t.Key)
	}
	call.ConditionList("s3:RequestObjectTagKeys", keys...)
}

// received is content that has arrived whole, and is nobody's yet.
type received struct {
	size     int64
	etag     string
	checksum Checksum // as the request named it
	kept     Checksum // what a part is kept with
	small    []byte   // of at most inline bytes
	blob     blob.ID
	key      []byte
	outer    []byte   // the key of the second layer, around that of key; nil: there is none
	way      way      // how it is to be encrypted
	sealing  *sealing // of key, or of small; set in each attempt to keep it
}

// receiveObject reads an object's content to its end, and checks it.
func (s *Service) receiveObject(ctx context.Context, call *gateway.Call, on *onObject, in *s3.PutObjectInput, body io.Reader) (*received, error) {
	v, err := verify(body, in.ChecksumAlgorithm, checksumsIn(in), in.ContentMD5)
	if err != nil {
		return nil, err
	}
	if !v.said && on.bucket.lockFor(lockingPut(in).lock(), call.Time) != nil {
		return nil, invalidRequest("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
	}
	w, err := encryptingPut(in).way(on.bucket)
	if err != nil {
		return nil, err
	}
	return s.receive(ctx, on, body, v, w, false)
}

// receive reads a body to its end into memory if it is small and may lie in
// the store, else into a blob, and checks it.
func (s *Service) receive(ctx context.Context, on *onObject, body io.Reader, v *verifier, w way, blobAlways bool) (*received, error) {
	length := int64(-1)
	if known, ok := body.(interface{ Length() int64 }); ok {
		length = known.Length()
	}
	if _, own := body.(interface{ Unsized() }); own {
		return s.receiveUnsized(ctx, on, body, v, w)
	}
	if length < 0 {
		return nil, fault(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if length > maxPut {
		return nil, putTooLarge(length)
	}
	r := &received{way: w}
	if length <= inline && !blobAlways {
		var small bytes.Buffer
		if err := pour(io.MultiWriter(&small, v), body, length); err != nil {
			return nil, err
		}
		r.small = small.Bytes()
	} else if err := s.receiveBlob(ctx, on, body, v, length, r); err != nil {
		return nil, err
	}
	return s.checked(r, body, v)
}

func putTooLarge(size int64) error {
	return fault(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size",
		"ProposedSize", strconv.FormatInt(size, 10), "MaxSizeAllowed", strconv.Itoa(maxPut))
}

// checked is what was received, once it is what its request said.
func (s *Service) checked(r *received, body io.Reader, v *verifier) (*received, error) {
	var err error
	if r.checksum, err = v.check(body); err != nil {
		s.drop(r)
		return nil, err
	}
	r.size, r.etag, r.kept = v.size, v.etag(), v.kept(r.checksum)
	return r, nil
}

func (s *Service) receiveBlob(ctx context.Context, on *onObject, body io.Reader, v *verifier, length int64, r *received) error {
	id, key := blob.NewID(), blob.NewKey()
	to, err := s.Blobs.Create(ctx, id)
	if err != nil {
		return storage(err)
	}
	defer to.Abort()
	var outer *blob.SealWriter
	into := io.Writer(to)
	if r.way.dual() {
		second := blob.NewKey()
		if outer, err = blob.Seal(to, second, id, on.bucket.outerBound()); err != nil {
			return err
		}
		into, r.outer = outer, second.Bytes()
	}
	sealed, err := blob.Seal(into, key, id, on.bucket.bound())
	if err != nil {
		return err
	}
	if err := pour(io.MultiWriter(sealed, v), body, length); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return storage(err)
	}
	if outer != nil {
		if err := outer.Close(); err != nil {
			return storage(err)
		}
	}
	if err := to.Commit(ctx); err != nil {
		return storage(err)
	}
	r.blob, r.key = id, key.Bytes()
	return nil
}

// bound is what the bucket's blobs belong to.
func (b *Bucket) bound() []byte { return []byte("s3 " + b.ID) }

// outerBound is bound for the second layer of content that is sealed twice.
func (b *Bucket) outerBound() []byte { return []byte("s3 outer " + b.ID) }

// pour copies a body to its end, which must come at length, unless that is -1.
func pour(to io.Writer, body io.Reader, length int64) error {
	n, err := io.Copy(to, body)
	if _, ours := errors.AsType[*aws.Error](err); ours || errors.Is(err, blob.ErrFull) || errors.Is(err, blob.ErrUnavailable) {
		return storage(err)
	}
	if err != nil || n != length && length >= 0 {
		return fault(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return nil
}

// storage is a blob engine's error as the caller sees it.
func storage(err error) error {
	if errors.Is(err, blob.ErrFull) || errors.Is(err, blob.ErrUnavailable) {
		return &aws.Error{Kind: aws.Unavailable, Message: "Please reduce your request rate."}
	}
	return err
}

// drop gives up what was received and is not to be kept. What a crash leaves the sweeper finds.
func (s *Service) drop(r *received) {
	if r.blob != "" {
		s.Blobs.Remove(context.Background(), r.blob)
	}
}

func (s *Service) putObject(ctx context.Context, call *gateway.Call, on *onObject, in *s3.PutObjectInput, r *received) (*s3.PutObjectOutput, error) {
	b := on.bucket
	if err := writeConditions(call, b, on.key, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	if err := checkMetadata(in.Metadata); err != nil {
		return nil, err
	}
	tags, err := queryTags(in.Tagging)
	if err != nil {
		return nil, err
	}
	customer := encryptingPut(in).customer
	e, k, err := s.encrypt(ctx, call, on, r.way, customer)
	if err != nil {
		return nil, err
	}
	r.sealing = k
	v := &Version{
		Modified: second(call.Time), Account: on.owner, ACL: on.acl, Size: r.size, ETag: r.tag(e), Encryption: e, Checksum: r.checksum, Class: classOf(in.StorageClass),
		Metadata: decodedMetadata(in.Metadata), Tags: tags, Lock: lockingPut(in).lock(),
		Header: headerOf(in.CacheControl, in.ContentDisposition, in.ContentEncoding, in.ContentLanguage, in.ContentType, in.Expires, in.WebsiteRedirectLocation),
	}
	if err := b.keep(call.Tx, v, r); err != nil {
		return nil, err
	}
	if err := b.place(call, on.key, v); err != nil {
		return nil, err
	}
	out := &s3.PutObjectOutput{ETag: new(quoted(v.ETag)), ChecksumType: &v.Checksum.Type, SSEKMSEncryptionContext: e.shownContext()}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = e.shown(customer)
	v.Checksum.showIn(out)
	if b.Versioning == s3.BucketVersioningStatusEnabled {
		out.VersionId = &v.ID
	}
	out.Expiration, err = b.expiration(call.Tx, on.key, v)
	return out, err
}

func checkMetadata(metadata map[string]string) error {
	size := 0
	for name, value := range metadata {
		size += len(name) + len(value)
	}
	if size > maxMetadata {
		return fault(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size",
			"Size", strconv.Itoa(size), "MaxSizeAllowed", strconv.Itoa(maxMetadata))
	}
	return nil
}

// headerOf is what an object is answered with, of what it is put with.
func headerOf(cache, disposition, encoding, language, kind, expires, redirect *string) Header {
	h := Header{
		CacheControl: text(cache), ContentDisposition: text(disposition), ContentEncoding: contentEncoding(encoding),
		ContentLanguage: text(language), ContentType: text(kind), Expires: text(expires), WebsiteRedirect: text(redirect),
	}
	if h.ContentType == "" {
		h.ContentType = "binary/octet-stream"
	}
	return h
}

func quoted(etag string) string { return `"` + etag + `"` }

// writeConditions refuses a write whose conditions on the current object do not hold.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func writeConditions(call *gateway.Call, b *onBucket, key string, ifMatch, ifNoneMatch *string) error {
	if ifMatch == nil && ifNoneMatch == nil {
		return nil
	}
	current, err := b.find(call.Tx, key, nil)
	if err != nil {
		return err
	}
	there := current != nil && !current.Marker
	switch {
	case ifMatch != nil && ifNoneMatch != nil:
		return fault(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
	case ifNoneMatch != nil && *ifNoneMatch != "*":
		return fault(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented", "Header", "If-None-Match")
	case ifNoneMatch != nil && there:
		return preconditionFailed("If-None-Match")
	case ifMatch != nil && !there:
		return noSuchKey(key)
	case ifMatch != nil && !matches(*ifMatch, current.ETag):
		return preconditionFailed("If-Match")
	}
	return nil
}
