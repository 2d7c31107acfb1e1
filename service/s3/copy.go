package s3

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// source is what a copy is made of: its conditions are on the object that it names.
type source struct {
	text                               string
	expectedOwner                      *string
	ifMatch, ifNoneMatch               *string
	ifModifiedSince, ifUnmodifiedSince *time.Time
	customer                           customerKey
}

// find finds the object that is to be copied, in whatever Region, and asks to read it.
func (c source) find(call *gateway.Call, to *onObject) error {
	text := c.text
	var version *string
	if path, query, ok := strings.Cut(text, "?versionId="); ok {
		text, version = path, &query
	}
	text, err := url.QueryUnescape(text) // a plus sign is a space, too
	if err != nil {
		return invalidArgument("Invalid copy source encoding.", "x-amz-copy-source", c.text)
	}
	if strings.HasPrefix(text, "arn:") {
		return gateway.NotImplemented(call.Operation, "CopySource of an access point")
	}
	name, key, ok := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	if !ok || key == "" {
		return invalidArgument("Invalid copy source object key", "x-amz-copy-source", "x-amz-copy-source")
	}
	b, err := lookUp(call, name, c.expectedOwner)
	if err != nil {
		return err
	}
	from := &onObject{bucket: b, key: key, byID: version != nil}
	to.from = from
	to.asks = append(to.asks, gateway.Authorization{Action: "s3:GetObject", On: from})
	var conditions []string
	if version != nil {
		to.asks[len(to.asks)-1].Action = "s3:GetObjectVersion"
		conditions = append(conditions, "s3:versionid", *version)
	}
	if from.version, err = b.find(call.Tx, key, version); err != nil {
		return err
	}
	if from.version != nil {
		for _, t := range from.version.Tags {
			conditions = append(conditions, "s3:ExistingObjectTag/"+t.Key, t.Value)
		}
	}
	to.asks[len(to.asks)-1].Conditions = conditions
	return nil
}

// version is the version to be copied, if the conditions on it hold.
func (c source) version(call *gateway.Call, from *onObject) (*Version, error) {
	v := from.version
	switch {
	case v == nil:
		return nil, from.missing(call)
	case v.Marker && from.byID:
		return nil, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	case v.Marker:
		return nil, from.missing(call)
	}
	err := reading{ifMatch: c.ifMatch, ifNoneMatch: c.ifNoneMatch, ifModifiedSince: c.ifModifiedSince, ifUnmodifiedSince: c.ifUnmodifiedSince}.conditions(v)
	if isFault(err, "NotModified") {
		err = preconditionFailed("x-amz-copy-source-If-None-Match")
	}
	return v, err
}

func sourceOf(in *s3.CopyObjectInput) source {
	return source{
		in.CopySource, in.ExpectedSourceBucketOwner, in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
		customerKey{in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5},
	}
}

func encryptingCopy(in *s3.CopyObjectInput) encrypting {
	return encrypting{in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled,
		customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}}
}

func lockingCopy(in *s3.CopyObjectInput) locking {
	return locking{in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus}
}

func replaces[D ~string](directive *D) bool { return directive != nil && *directive == "REPLACE" }

func objectToCopy(call *gateway.Call, in *s3.CopyObjectInput) (*onObject, error) {
	o := &onObject{key: in.Key}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	missing := sourceOf(in).find(call, o)
	if missing != nil && o.from == nil {
		return nil, missing
	}
	var err error
	if o.bucket, err = findBucket(call, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	call.Condition("s3:x-amz-copy-source", strings.TrimPrefix(in.CopySource, "/"))
	if in.MetadataDirective != nil {
		call.Condition("s3:x-amz-metadata-directive", string(*in.MetadataDirective))
	}
	o.ask("s3:PutObject")
	switch v := o.from.version; {
	case replaces(in.TaggingDirective):
		tags, err := queryTags(in.Tagging)
		if err != nil {
			return nil, err
		}
		requestTags(call, tags)
		if len(tags) > 0 {
			o.ask("s3:PutObjectTagging")
		}
	case v != nil && len(v.Tags) > 0:
		o.asks = append(o.asks, gateway.Authorization{Action: "s3:GetObjectTagging", On: o.from})
		o.ask("s3:PutObjectTagging")
	}
	unbuilt := encryptingCopy(in).check(call, o)
	if missing == nil {
		missing = unbuilt
	}
	unbuilt = lockingCopy(in).check(call, o)
	if missing == nil {
		missing = unbuilt
	}
	unbuilt = checkClass(call, in.StorageClass)
	if err := o.share(call, &aclRequest{canned(in.ACL), in.GrantFullControl, in.GrantRead, nil, in.GrantReadACP, in.GrantWriteACP, nil}); missing == nil {
		missing = err
	}
	if missing == nil {
		missing = unbuilt
	}
	return o, missing
}

// copiedVersion is the name of the version that was copied; nil if it has none of its own.
func (o *onObject) copiedVersion(v *Version) *string {
	if o.bucket.Versioning == "" || v.ID == nullID {
		return nil
	}
	return &v.ID
}

// unchanging tells whether a copy would put an object in its own place as it is.
func unchanging(on *onObject, v *Version, in *s3.CopyObjectInput) bool {
	return on.from.bucket.ID == on.bucket.ID && on.from.key == on.key && !on.from.byID &&
		!replaces(in.MetadataDirective) && in.StorageClass == nil && in.WebsiteRedirectLocation == nil &&
		in.ServerSideEncryption == nil && in.SSECustomerAlgorithm == nil && v.Encryption == nil && !on.bucket.Encryption.Explicit
}

// copied is content that was read from its source and is nobody's yet.
type copied struct {
	*received
	of     *Version
	locked error // why the source could not be read; it is asked again in the transaction that keeps its record
}

func (s *Service) receiveCopy(ctx context.Context, call *gateway.Call, on *onObject, in *s3.CopyObjectInput, _ io.Reader) (copied, error) {
	var v *Version
	var k *sealing
	var locked error
	err := s.Engine.View(ctx, func(tx store.Tx) (err error) {
		call.Tx = tx
		if v, err = sourceOf(in).version(call, on.from); err == nil {
			k, locked = s.unlock(ctx, call, on.from, v.Encryption, sourceOf(in).customer)
		}
		return err
	})
	call.Tx = nil
	if err != nil {
		return copied{}, err
	}
	if gateway.Stopped(locked) {
		return copied{}, locked
	}
	if locked != nil {
		return copied{of: v, locked: locked}, nil
	}
	w, err := encryptingCopy(in).way(on.bucket)
	if err != nil {
		return copied{}, err
	}
	if unchanging(on, v, in) {
		return copied{}, invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if v.Size > maxPut {
		return copied{}, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: " + strconv.Itoa(maxPut))
	}
	algorithm := in.ChecksumAlgorithm
	if algorithm == nil && v.Checksum.Algorithm != "" {
		algorithm = &v.Checksum.Algorithm
	}
	r, err := s.copyContent(ctx, on, v, part{0, v.Size, false}, algorithm, k, w, false)
	return copied{received: r, of: v}, err
}

// copyContent reads a part of a version into content of its own.
func (s *Service) copyContent(ctx context.Context, on *onObject, v *Version, p part, algorithm *s3.ChecksumAlgorithm, k *sealing, w way, blobAlways bool) (*received, error) {
	var body io.ReadCloser
	err := s.Engine.View(ctx, func(tx store.Tx) (err error) {
		body, err = s.open(&gateway.Call{Tx: tx}, on.from.bucket, v, p, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	check, err := verify(body, algorithm, nil, nil)
	if err != nil {
		return nil, err
	}
	return s.receive(ctx, on, sized{body, p.length}, check, w, blobAlways)
}

// sized is a body of known length.
type sized struct {
	io.Reader
	length int64
}

// Length is the body's length.
func (s sized) Length() int64 { return s.length }

// changed is the refusal of a copy whose source is another by now than was read.
func changed() error {
	return fault(http.StatusConflict, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Try again.")
}

// reopen asks once more whether the caller may read the source, so that the use of
// its key stands in the record of the call.
func (s *Service) reopen(ctx context.Context, call *gateway.Call, on *onObject, c copied, customer customerKey) error {
	if _, err := s.unlock(ctx, call, on.from, c.of.Encryption, customer); err != nil {
		return err
	}
	return c.locked
}

func (s *Service) copyObject(ctx context.Context, call *gateway.Call, on *onObject, in *s3.CopyObjectInput, c copied) (*s3.CopyObjectOutput, error) {
	from, err := sourceOf(in).version(call, on.from)
	if err == nil && (from.Sequence != c.of.Sequence || from.ID != c.of.ID) {
		err = changed()
	}
	if err == nil {
		err = writeConditions(call, on.bucket, on.key, in.IfMatch, in.IfNoneMatch)
	}
	if err == nil {
		err = s.reopen(ctx, call, on, c, sourceOf(in).customer)
	}
	if err != nil {
		return nil, err
	}
	b := on.bucket
	customer := encryptingCopy(in).customer
	e, k, err := s.encrypt(ctx, call, on, c.way, customer)
	if err != nil {
		return nil, err
	}
	c.sealing = k
	v := &Version{
		Modified: second(call.Time), Account: on.owner, ACL: on.acl, Size: c.size, ETag: c.tag(e), Encryption: e, Checksum: c.checksum, Class: classOf(in.StorageClass),
		Header: from.Header, Metadata: from.Metadata, Tags: from.Tags, Lock: lockingCopy(in).lock(),
	}
	v.Header.WebsiteRedirect = text(in.WebsiteRedirectLocation) // it is not copied
	if replaces(in.MetadataDirective) {
		if err := checkMetadata(in.Metadata); err != nil {
			return nil, err
		}
		v.Metadata = decodedMetadata(in.Metadata)
		v.Header = headerOf(in.CacheControl, in.ContentDisposition, in.ContentEncoding, in.ContentLanguage, in.ContentType, in.Expires, in.WebsiteRedirectLocation)
	}
	if replaces(in.TaggingDirective) {
		if v.Tags, err = queryTags(in.Tagging); err != nil {
			return nil, err
		}
	}
	if err := b.keep(call.Tx, v, c.received); err != nil {
		return nil, err
	}
	if err := b.place(call, on.key, v); err != nil {
		return nil, err
	}
	result := &s3.CopyObjectResult{ETag: new(quoted(v.ETag)), LastModified: &v.Modified, ChecksumType: &v.Checksum.Type}
	v.Checksum.showIn(result)
	out := &s3.CopyObjectOutput{CopyObjectResult: result, SSEKMSEncryptionContext: e.shownContext()}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = e.shown(customer)
	if b.Versioning != "" {
		out.VersionId = &v.ID
	}
	if out.Expiration, err = b.expiration(call.Tx, on.key, v); err != nil {
		return nil, err
	}
	out.CopySourceVersionId = on.from.copiedVersion(from)
	return out, nil
}
