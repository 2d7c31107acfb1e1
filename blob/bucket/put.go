package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/garrison-security/garrison/blob"
)

const (
	maxParts = 10_000
	// markName is the metadata by which a writer knows an object as its own.
	markName = "write"
)

// errThere means that there is an object of that name, and another's.
var errThere = errors.New("blob/bucket: there is such an object already")

// put puts an object where there is none.
func (s *Store) put(ctx context.Context, key *string, mark string, body io.ReadSeeker, size int64) error {
	limited, cancel := s.within(ctx, size)
	defer cancel()
	for {
		in := &s3.PutObjectInput{Bucket: &s.options.Bucket, Key: key, Body: body, ContentLength: &size, Metadata: map[string]string{markName: mark}}
		conditional := !s.unconditional.Load()
		if conditional {
			in.IfNoneMatch = aws.String("*")
		}
		_, err := s.client.PutObject(limited, in)
		if conditional && codeOf(err) == "NotImplemented" { // names are random all the same
			s.unconditional.Store(true)
			if _, err = body.Seek(0, io.SeekStart); err == nil {
				continue
			}
		}
		return s.settle(ctx, key, mark, err)
	}
}

// settle finds out what became of a write that was answered with err: the answer
// to an earlier attempt may have been lost.
func (s *Store) settle(ctx context.Context, key *string, mark string, err error) error {
	switch codeOf(err) {
	case "PreconditionFailed", "NoSuchUpload":
	default:
		return failure(ctx, err)
	}
	limited, cancel := s.within(ctx, 0)
	defer cancel()
	out, there := s.client.HeadObject(limited, &s3.HeadObjectInput{Bucket: &s.options.Bucket, Key: key})
	switch {
	case there != nil:
		return failure(ctx, fmt.Errorf("%w, and then %w", err, there))
	case out.Metadata[markName] != mark:
		return errThere
	}
	return nil
}

// putParts puts a large object, part by part: it is there once all of it is.
func (s *Store) putParts(ctx context.Context, key *string, mark string, from io.ReaderAt, size int64) error {
	if size > maxParts*s.options.PartSize {
		return fmt.Errorf("blob/bucket: %d bytes are more than an object can have", size)
	}
	limited, cancel := s.within(ctx, 0)
	defer cancel()
	upload, err := s.client.CreateMultipartUpload(limited, &s3.CreateMultipartUploadInput{
		Bucket: &s.options.Bucket, Key: key, Metadata: map[string]string{markName: mark},
	})
	if err != nil {
		return failure(ctx, err)
	}
	err = s.parts(ctx, key, mark, upload.UploadId, from, size)
	if err != nil {
		s.abandon(context.WithoutCancel(ctx), key, upload.UploadId)
	}
	return err
}

// parts uploads the parts, and makes an object of them.
func (s *Store) parts(ctx context.Context, key *string, mark string, upload *string, from io.ReaderAt, size int64) error {
	var done []types.CompletedPart
	for at := int64(0); at < size; at += s.options.PartSize {
		n, number := min(s.options.PartSize, size-at), aws.Int32(int32(len(done)+1))
		limited, cancel := s.within(ctx, n)
		out, err := s.client.UploadPart(limited, &s3.UploadPartInput{
			Bucket: &s.options.Bucket, Key: key, UploadId: upload, PartNumber: number, Body: io.NewSectionReader(from, at, n), ContentLength: &n,
		})
		cancel()
		if err != nil {
			return failure(ctx, err)
		}
		done = append(done, types.CompletedPart{PartNumber: number, ETag: out.ETag})
	}
	limited, cancel := s.within(ctx, size)
	defer cancel()
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &s.options.Bucket, Key: key, UploadId: upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	}
	if !s.unconditional.Load() {
		in.IfNoneMatch = aws.String("*")
	}
	_, err := s.client.CompleteMultipartUpload(limited, in)
	if in.IfNoneMatch != nil && codeOf(err) == "NotImplemented" {
		s.unconditional.Store(true)
		in.IfNoneMatch = nil
		_, err = s.client.CompleteMultipartUpload(limited, in)
	}
	return s.settle(ctx, key, mark, err)
}

// abandon gives an upload up. What it can't Tidy will.
func (s *Store) abandon(ctx context.Context, key, upload *string) {
	limited, cancel := s.within(ctx, 0)
	defer cancel()
	_, _ = s.client.AbortMultipartUpload(limited, &s3.AbortMultipartUploadInput{Bucket: &s.options.Bucket, Key: key, UploadId: upload})
}

// abandoned is how old an upload is that nobody can be at any more.
const abandoned = 24 * time.Hour

// Tidy implements blob.Store: it gives up the uploads that a crash left.
func (s *Store) Tidy(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	in := &s3.ListMultipartUploadsInput{Bucket: &s.options.Bucket, Prefix: aws.String(s.options.Prefix + blobs)}
	for range maxPages {
		limited, cancel := s.within(ctx, 0)
		out, err := s.client.ListMultipartUploads(limited, in)
		cancel()
		if err != nil {
			return failure(ctx, err)
		}
		skew := skewOf(out.ResultMetadata)
		for _, u := range out.Uploads {
			if u.Key != nil && u.Initiated != nil && time.Since(u.Initiated.Add(skew)) > abandoned {
				s.abandon(ctx, u.Key, u.UploadId)
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
	return fmt.Errorf("%w: a list of uploads without an end", blob.ErrUnavailable)
}

// maxPages bounds a list of uploads.
const maxPages = 10_000
