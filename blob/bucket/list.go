package bucket

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/garrison-security/garrison/blob"
)

// All implements blob.Store. Times are the node's: what the store's clock is apart
// from it is found out from each page's own date.
func (s *Store) All(ctx context.Context, after blob.ID) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := s.all(ctx, after, yield); err != nil {
			yield(blob.Info{}, err)
		}
	}
}

// all yields until yield says false. Its error is still to be yielded.
func (s *Store) all(ctx context.Context, after blob.ID, yield func(blob.Info, error) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	prefix := s.options.Prefix + blobs
	last := prefix + string(after)
	for {
		limited, cancel := s.within(ctx, 0)
		out, err := s.client.ListObjectsV2(limited, &s3.ListObjectsV2Input{Bucket: &s.options.Bucket, Prefix: &prefix, StartAfter: &last})
		cancel()
		if err != nil {
			return failure(ctx, err)
		}
		began, skew := last, skewOf(out.ResultMetadata)
		for _, object := range out.Contents {
			name := aws.ToString(object.Key)
			if name <= last || object.Size == nil || object.LastModified == nil {
				return fmt.Errorf("%w: a list out of order", blob.ErrUnavailable)
			}
			last = name
			id := blob.ID(strings.TrimPrefix(name, prefix))
			if !id.Valid() {
				continue
			}
			kept := object.LastModified.Add(skew)
			if strings.Contains(aws.ToString(object.ETag), "-") {
				kept = kept.Add(abandoned) // put in parts: Amazon S3 tells when that was begun
			}
			if !yield(blob.Info{ID: id, Size: *object.Size, Kept: kept}, nil) {
				return nil
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return nil
		}
		if last == began {
			return fmt.Errorf("%w: a list without an end", blob.ErrUnavailable)
		}
	}
}

// skewOf is what is to be added to the object store's times to make them the node's.
func skewOf(answer middleware.Metadata) time.Duration {
	server, ok := awsmiddleware.GetServerTime(answer)
	received, ok2 := awsmiddleware.GetResponseAt(answer)
	if !ok || !ok2 {
		return 0
	}
	return received.Sub(server)
}
