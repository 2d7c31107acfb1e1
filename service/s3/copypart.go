package s3

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

func partSource(in *s3.UploadPartCopyInput) source {
	return source{
		in.CopySource, in.ExpectedSourceBucketOwner, in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
		customerKey{in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5},
	}
}

func partToCopy(call *gateway.Call, in *s3.UploadPartCopyInput) (*onObject, error) {
	o := &onObject{key: in.Key}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	missing := partSource(in).find(call, o)
	if missing != nil && o.from == nil {
		return nil, missing
	}
	var err error
	if o.bucket, err = findBucket(call, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	call.Condition("s3:x-amz-copy-source", strings.TrimPrefix(in.CopySource, "/"))
	o.ask("s3:PutObject")
	if err := checkPartKey(call, o, customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}); missing == nil {
		missing = err
	}
	return o, missing
}

func (s *Service) receivePartCopy(ctx context.Context, call *gateway.Call, on *onObject, in *s3.UploadPartCopyInput, _ io.Reader) (copied, error) {
	var v *Version
	var u *Upload
	var k *sealing
	var locked error
	err := s.Engine.View(ctx, func(tx store.Tx) (err error) {
		call.Tx = tx
		if u, err = on.upload(tx, in.UploadId); err == nil {
			v, err = partSource(in).version(call, on.from)
		}
		if err == nil {
			k, locked = s.unlock(ctx, call, on.from, v.Encryption, partSource(in).customer)
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
	p := part{0, v.Size, false}
	if in.CopySourceRange != nil {
		if p, err = copyRange(*in.CopySourceRange, v.Size); err != nil {
			return copied{}, err
		}
	}
	if p.length > maxPut {
		return copied{}, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: " + strconv.Itoa(maxPut))
	}
	var algorithm *s3.ChecksumAlgorithm
	if u.Algorithm != "" {
		algorithm = &u.Algorithm
	}
	r, err := s.copyContent(ctx, on, v, p, algorithm, k, u.way(), true)
	return copied{received: r, of: v}, err
}

// copyRange is the range of a source that a part is made of: first and last byte, both there.
func copyRange(text string, size int64) (part, error) {
	malformed := invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
		"x-amz-copy-source-range", text)
	spec, ok := strings.CutPrefix(text, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	first, err := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	if !ok || !dash || err != nil || err2 != nil || first < 0 || last < first {
		return part{}, malformed
	}
	if last >= size {
		return part{}, invalidArgument("Range specified is not valid for source object of size: "+strconv.FormatInt(size, 10), "x-amz-copy-source-range", text)
	}
	return part{first, last - first + 1, true}, nil
}

func (s *Service) uploadPartCopy(ctx context.Context, call *gateway.Call, on *onObject, in *s3.UploadPartCopyInput, c copied) (*s3.UploadPartCopyOutput, error) {
	from, err := partSource(in).version(call, on.from)
	if err == nil && (from.Sequence != c.of.Sequence || from.ID != c.of.ID) {
		err = changed()
	}
	if err == nil {
		err = s.reopen(ctx, call, on, c, partSource(in).customer)
	}
	if err != nil {
		return nil, err
	}
	customer := customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
	p, e, err := s.keepPart(ctx, call, on, in.UploadId, in.PartNumber, customer, c.received)
	if err != nil {
		return nil, err
	}
	result := &s3.CopyPartResult{ETag: new(quoted(p.ETag)), LastModified: &p.Modified}
	p.Checksum.showIn(result)
	out := &s3.UploadPartCopyOutput{CopyPartResult: result}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, out.SSECustomerAlgorithm, out.SSECustomerKeyMD5 = e.shown(customer)
	out.CopySourceVersionId = on.from.copiedVersion(from)
	return out, nil
}
