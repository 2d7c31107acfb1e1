package s3

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// second is t as S3's dates have it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// CanonicalID is an account's canonical user id, by which S3 names owners: 64
// hexadecimal digits that tell the account to nobody who does not know it.
func CanonicalID(account string) string {
	sum := sha256.Sum256([]byte("garrison s3 canonical user " + account))
	return hex.EncodeToString(sum[:])
}

func owner(account string) *s3.Owner { return &s3.Owner{ID: new(CanonicalID(account))} }

func (s *Service) headBucket(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	return &s3.HeadBucketOutput{BucketRegion: &b.Region, BucketArn: new(b.ARN()), AccessPointAlias: new(false)}, nil
}

// deleteBucket refuses as long as anything lies in the bucket.
func (s *Service) deleteBucket(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	for _, empty := range []func() (bool, error){
		func() (bool, error) { return none(objects.List(call.Tx, b.Account, nil, b.ID)) },
		func() (bool, error) { return none(versions.List(call.Tx, b.Account, nil, b.ID)) },
	} {
		ok, err := empty()
		if err != nil {
			return nil, err
		}
		if !ok {
			message := "The bucket you tried to delete is not empty"
			if b.Versioning != "" {
				message += ". You must delete all versions in the bucket."
			}
			return nil, fault(http.StatusConflict, "BucketNotEmpty", message, "BucketName", b.Name)
		}
	}
	if err := b.abortAll(call); err != nil {
		return nil, err
	}
	return nil, errors.Join(b.dropSettings(call.Tx), names.Delete(call.Tx, "", b.Name), buckets.Delete(call.Tx, b.Account, b.Name))
}

// abortAll gives up what is being uploaded to a bucket that is about to go.
func (b *onBucket) abortAll(call *gateway.Call) error {
	var all [][]string
	for entry, err := range uploads.List(call.Tx, b.Account, nil, b.ID) {
		if err != nil {
			return err
		}
		if len(all) == pageSize {
			return fault(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete has more than 1000 multipart uploads in progress. Abort them first.", "BucketName", b.Name)
		}
		all = append(all, entry.Parts)
	}
	for _, at := range all {
		if err := errors.Join(uploads.Delete(call.Tx, b.Account, at...), discardParts(call.Tx, call.Time, b.Bucket, at[2])); err != nil {
			return err
		}
	}
	return nil
}

// none tells whether a listing is empty.
func none[V any](entries func(func(store.Entry[V], error) bool)) (bool, error) {
	for _, err := range entries {
		return false, err
	}
	return true, nil
}

const maxBuckets = 10_000

func (s *Service) listBuckets(_ context.Context, call *gateway.Call, _ gateway.Anything, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	limit := maxBuckets
	if in.MaxBuckets != nil {
		limit = int(*in.MaxBuckets)
	}
	if limit < 1 || limit > maxBuckets {
		return nil, invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", "")
	}
	prefix, region := text(in.Prefix), text(in.BucketRegion)
	of := store.Listing{Name: "s3:ListBuckets", Account: call.Account, Filter: prefix + "\x00" + region}
	after, err := s.Tokens.Open(of, text(in.ContinuationToken))
	if err != nil {
		return nil, invalidArgument("The continuation token provided is incorrect", "continuation-token", text(in.ContinuationToken))
	}
	found, more, err := store.Page(buckets.List(call.Tx, call.Account, after), limit, func(b *Bucket) bool {
		return strings.HasPrefix(b.Name, prefix) && (region == "" || b.Region == region)
	})
	if err != nil {
		return nil, err
	}
	out := &s3.ListBucketsOutput{Owner: owner(call.Account), Prefix: in.Prefix, Buckets: make([]s3.Bucket, 0, len(found))}
	for _, b := range found {
		listed := s3.Bucket{Name: &b.Name, CreationDate: &b.Created, BucketArn: new("arn:" + call.Partition + ":s3:::" + b.Name)}
		if in.MaxBuckets != nil || in.BucketRegion != nil || in.Prefix != nil || in.ContinuationToken != nil { // as AWS answers paged requests
			listed.BucketRegion = &b.Region
		}
		out.Buckets = append(out.Buckets, listed)
	}
	next, err := s.Tokens.Seal(of, more)
	if err != nil {
		return nil, err
	}
	if next != "" {
		out.ContinuationToken = &next
	}
	return out, nil
}

func (s *Service) getBucketLocation(_ context.Context, _ *gateway.Call, b *onBucket, _ *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	out := new(s3.GetBucketLocationOutput)
	if b.Region != usualRegion {
		out.LocationConstraint = new(s3.BucketLocationConstraint(cmp.Or(b.Location, b.Region)))
	}
	return out, nil
}

// text is *s, or "".
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
