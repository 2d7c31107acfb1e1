// Package bucket keeps blobs as objects of a bucket: of Amazon S3, or of another
// store that speaks its API. Several nodes may use one place at the same time.
//
// A blob is spooled on the node (in memory, or in a file that has no name), and
// then put as one object: whole or not at all, and never over another. What it
// holds is sealed before, so that neither the spool nor the store sees content.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/garrison-security/garrison/blob"
)

// Options are what a Store is made of.
type Options struct {
	Location
	// Spool is a directory for what is being written. What it holds of blobs is removed at Open.
	Spool string
	// Credentials are whose the requests are; nil: what the environment, AWS's files or the machine's role say.
	Credentials aws.CredentialsProvider
	// PartSize is how many bytes are put at once; a larger blob goes in parts. 0 is 64 MiB.
	PartSize int64
	// Patience is how long the object store may take without a sign of life; 0 is 30 seconds.
	Patience time.Duration
}

const (
	usualPatience = 30 * time.Second
	usualPart     = 64 << 20
	attempts      = 4 // of a request
	maxBackoff    = 2 * time.Second
	connectTime   = 5 * time.Second
	idle          = 256 // connections that are kept
	slowest       = 256 << 10
)

// Open opens a place. It asks the object store nothing yet; see Own.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Patience == 0 {
		o.Patience = usualPatience
	}
	if o.PartSize == 0 {
		o.PartSize = usualPart
	}
	if err := prepareSpool(o.Spool); err != nil {
		return nil, fmt.Errorf("blob/bucket: %w", err)
	}
	transport := awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTime }).
		WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost, t.MaxConnsPerHost = idle, idle, 0 // calls under way are bounded in front
			t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = connectTime, o.Patience
		})
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(transport), config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = attempts, maxBackoff })
		}),
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	settings, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("blob/bucket: %w", err)
	}
	if settings.Region == "" {
		if o.Endpoint == "" {
			return nil, errors.New("blob/bucket: no region is named, neither in the URL nor in the environment")
		}
		settings.Region = "us-east-1"
	}
	return &Store{options: o, client: s3.NewFromConfig(settings, func(c *s3.Options) {
		c.BaseEndpoint, c.UsePathStyle = nil, false // whatever endpoint the environment names for clients of ours
		if o.Endpoint != "" {
			c.BaseEndpoint, c.UsePathStyle = &o.Endpoint, true
		}
		// Every store checks the signed SHA-256 of a body; trailers and newer sums not all know.
		c.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		c.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})}, nil
}

// Store keeps blobs in a bucket. It implements blob.Store.
type Store struct {
	options       Options
	client        *s3.Client
	unconditional atomic.Bool // the store has no conditional writes

	claimed  atomic.Bool // the place is known to be owner's
	claiming sync.Mutex
	owner    string    // under claiming: whose the place is to be
	failed   error     // under claiming: what the last try ended with
	tried    time.Time // under claiming: when it did
}

var _ blob.Store = (*Store)(nil)

// spooled are the names that files of a spool have while they have one.
const spooled = "blob-*"

// prepareSpool makes the directory, and removes what a crash left there.
func prepareSpool(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(dir, spooled))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func (s *Store) key(id blob.ID) *string { return aws.String(s.options.Prefix + blobs + string(id)) }

// blobs is what the names of blobs have before them, below the place's prefix.
const blobs = "blob/"

// within bounds a request that moves n bytes.
func (s *Store) within(ctx context.Context, n int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.options.Patience+time.Duration(n/slowest)*time.Second)
}

// Remove implements blob.Store.
func (s *Store) Remove(ctx context.Context, id blob.ID) error {
	if err := ctx.Err(); err != nil || !id.Valid() {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	limited, cancel := s.within(ctx, 0)
	defer cancel()
	_, err := s.client.DeleteObject(limited, &s3.DeleteObjectInput{Bucket: &s.options.Bucket, Key: s.key(id)})
	if err = failure(ctx, err); errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	return err
}

// Close implements blob.Store.
func (s *Store) Close() error { return nil }

// failure is a request's error as a blob.Store answers it. ctx is the caller's.
func failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	status := 0
	if answered, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		status = answered.HTTPStatusCode()
	}
	switch code := codeOf(err); {
	case code == "NoSuchKey": // and no other 404: without its bucket nothing is known of a blob
		return blob.ErrNotFound
	case status == http.StatusInsufficientStorage || full[code]:
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", blob.ErrUnavailable, err)
}

// full are the codes by which object stores say that they have no room.
var full = map[string]bool{
	"InsufficientStorage": true, "QuotaExceeded": true, "XMinioStorageFull": true, "XMinioAdminBucketQuotaExceeded": true,
}

// codeOf is the error code that the object store answered; "": it answered none.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}
