package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

func (s *Service) getObject(ctx context.Context, call *gateway.Call, on *onObject, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	v, part, out, err := on.describe(call, in)
	if err != nil {
		return nil, err
	}
	k, err := s.unlock(ctx, call, on, v.Encryption, customerOf(in))
	if err != nil {
		return nil, err
	}
	out.Body, err = s.open(call, on.bucket, v, part, k)
	return out, err
}

func (s *Service) headObject(ctx context.Context, call *gateway.Call, on *onObject, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	asked := (*s3.GetObjectInput)(in)
	v, _, o, err := on.describe(call, asked)
	if err != nil {
		return nil, err
	}
	if enabled(in.ChecksumMode) { // which only those are told who may have the content
		if _, err := s.unlock(ctx, call, on, v.Encryption, customerOf(asked)); err != nil {
			return nil, err
		}
	}
	out := &s3.HeadObjectOutput{
		AcceptRanges: o.AcceptRanges, LastModified: o.LastModified, ContentLength: o.ContentLength, ETag: o.ETag, VersionId: o.VersionId,
		CacheControl: o.CacheControl, ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding, ContentLanguage: o.ContentLanguage,
		ContentType: o.ContentType, ContentRange: o.ContentRange, Expires: o.Expires, WebsiteRedirectLocation: o.WebsiteRedirectLocation,
		Metadata: o.Metadata, StorageClass: o.StorageClass, PartsCount: o.PartsCount, TagCount: o.TagCount, ChecksumType: o.ChecksumType,
		ServerSideEncryption: o.ServerSideEncryption, SSEKMSKeyId: o.SSEKMSKeyId, BucketKeyEnabled: o.BucketKeyEnabled,
		SSECustomerAlgorithm: o.SSECustomerAlgorithm, SSECustomerKeyMD5: o.SSECustomerKeyMD5,
		Expiration:     o.Expiration,
		ObjectLockMode: o.ObjectLockMode, ObjectLockRetainUntilDate: o.ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus: o.ObjectLockLegalHoldStatus,
	}
	if o.ChecksumType != nil {
		on.sum.showIn(out)
	}
	return out, nil
}

func customerOf(in *s3.GetObjectInput) customerKey {
	return customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
}

// describe is what both GetObject and HeadObject answer: all but the content.
func (o *onObject) describe(call *gateway.Call, in *s3.GetObjectInput) (*Version, part, *s3.GetObjectOutput, error) {
	customer := customerOf(in)
	v, part, err := o.toRead(call, reading{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince, in.Range, in.PartNumber, customer})
	if err != nil {
		return nil, part, nil, err
	}
	h := v.answered(in.ResponseCacheControl, in.ResponseContentDisposition, in.ResponseContentEncoding, in.ResponseContentLanguage, in.ResponseContentType, in.ResponseExpires)
	out := &s3.GetObjectOutput{
		AcceptRanges: new("bytes"), LastModified: &v.Modified, ContentLength: &part.length, ETag: new(quoted(v.ETag)),
		CacheControl: some(h.CacheControl), ContentDisposition: some(h.ContentDisposition), ContentEncoding: some(h.ContentEncoding),
		ContentLanguage: some(h.ContentLanguage), ContentType: some(h.ContentType), Expires: some(h.Expires), WebsiteRedirectLocation: some(h.WebsiteRedirect),
		ContentRange: part.header(v.Size), Metadata: encodedMetadata(v.Metadata), VersionId: o.versionID(), StorageClass: v.shownClass(),
	}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = v.Encryption.shown(customer)
	out.ObjectLockMode, out.ObjectLockRetainUntilDate, out.ObjectLockLegalHoldStatus = o.shownLock(call, v)
	if !o.byID {
		if out.Expiration, err = o.bucket.expiration(call.Tx, o.key, v); err != nil {
			return nil, part, nil, err
		}
	}
	if len(v.Tags) > 0 {
		out.TagCount = new(int32(len(v.Tags)))
	}
	if in.PartNumber != nil {
		out.PartsCount = v.partsCount()
	}
	if sum := o.sum; enabled(in.ChecksumMode) && sum != nil && sum.Algorithm != "" {
		sum.showIn(out)
		out.ChecksumType = &v.Checksum.Type
	}
	return v, part, out, nil
}

func enabled(mode *s3.ChecksumMode) bool {
	return mode != nil && strings.EqualFold(string(*mode), string(s3.ChecksumModeEnabled))
}

// some is s, or nil for "".
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// answered is the object's header with what the request puts in its place.
func (v *Version) answered(cache, disposition, encoding, language, kind *string, expires *time.Time) Header {
	h := v.Header
	for _, o := range []struct{ to, by *string }{
		{&h.CacheControl, cache}, {&h.ContentDisposition, disposition}, {&h.ContentEncoding, encoding}, {&h.ContentLanguage, language}, {&h.ContentType, kind},
	} {
		if o.by != nil {
			*o.to = *o.by
		}
	}
	if expires != nil {
		h.Expires = expires.UTC().Format(http.TimeFormat)
	}
	return h
}

// partsCount is how many parts an object was uploaded in; nil: it was put at once.
func (v *Version) partsCount() *int32 {
	if v.Data.Parts == 0 {
		return nil
	}
	return new(int32(v.Data.Parts))
}

// reading is what a request says of how an object is to be read.
type reading struct {
	ifMatch, ifNoneMatch               *string
	ifModifiedSince, ifUnmodifiedSince *time.Time
	byteRange                          *string
	partNumber                         *int32
	customer                           customerKey
}

// toRead is the version to be read, and what of it.
func (o *onObject) toRead(call *gateway.Call, r reading) (*Version, part, error) {
	v := o.version
	if v == nil {
		return nil, part{}, o.missing(call)
	}
	if v.Marker {
		return nil, part{}, o.deleted(call)
	}
	if err := v.Encryption.admits(call, r.customer); err != nil {
		return nil, part{}, err
	}
	if r.ifModifiedSince != nil && r.ifModifiedSince.After(call.Time) {
		r.ifModifiedSince = nil // no date to be compared with, RFC 9110, 13.1.3
	}
	if err := r.conditions(v); err != nil {
		return nil, part{}, err
	}
	if r.partNumber != nil && v.Data.Parts > 0 {
		p, err := o.part(call, v, r)
		return v, p, err
	}
	p, err := r.part(v)
	if !p.partial || r.partNumber != nil {
		o.sum = &v.Checksum
	}
	return v, p, err
}

// deleted is the error for a delete marker: a key without an object, or a version that can't be read.
func (o *onObject) deleted(call *gateway.Call) error {
	marker := o.marked()
	if o.byID {
		return o.notOnMarker(call)
	}
	err := o.missing(call)
	if e, ok := errors.AsType[*aws.Error](err); ok && e.Code == "NoSuchKey" {
		e.Header = marker
	}
	return err
}

// marked is what answers say of a delete marker in their header.
func (o *onObject) marked() []aws.Field {
	return []aws.Field{{Name: "X-Amz-Delete-Marker", Value: "true"}, {Name: "X-Amz-Version-Id", Value: o.version.ID}}
}

// notOnMarker is the refusal of what can't be done to a delete marker.
func (o *onObject) notOnMarker(call *gateway.Call) error {
	return &aws.Error{Kind: aws.Custom, Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed",
		Message: "The specified method is not allowed against this resource.",
		Fields:  []aws.Field{{Name: "Method", Value: call.Operation.Method}, {Name: "ResourceType", Value: "DeleteMarker"}},
		Header: append(o.marked(), aws.Field{Name: "Allow", Value: "DELETE"},
			aws.Field{Name: "Last-Modified", Value: o.version.Modified.Format(http.TimeFormat)})}
}

// conditions are RFC 9110's, in its order: If-Match before If-Unmodified-Since, then
// If-None-Match before If-Modified-Since.
func (r reading) conditions(v *Version) error {
	switch {
	case r.ifMatch != nil:
		if !matches(*r.ifMatch, v.ETag) {
			return preconditionFailed("If-Match")
		}
	case r.ifUnmodifiedSince != nil && v.Modified.After(*r.ifUnmodifiedSince):
		return preconditionFailed("If-Unmodified-Since")
	}
	unchanged := false
	switch {
	case r.ifNoneMatch != nil:
		unchanged = matches(*r.ifNoneMatch, v.ETag)
	case r.ifModifiedSince != nil:
		unchanged = !v.Modified.After(*r.ifModifiedSince)
	}
	if unchanged {
		err := notModified().(*aws.Error)
		err.Header = []aws.Field{{Name: "Etag", Value: quoted(v.ETag)}, {Name: "Last-Modified", Value: v.Modified.Format(http.TimeFormat)}}
		return err
	}
	return nil
}

// matches tells whether one of a list of entity tags, or "*", is an object's.
func matches(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == etag {
			return true
		}
	}
	return false
}
