package s3

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// lifecycle is a bucket's lifecycle configuration, as it is kept.
type lifecycle struct {
	Rules []s3.LifecycleRule
	// Minimum is the smallest size of what transitions move. It is answered, and
	// moves nothing: there is one storage class.
	Minimum s3.TransitionDefaultMinimumObjectSize
}

const lifecycles kind[lifecycle] = "lifecycle"

func (s *Service) lifecycleOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutBucketLifecycleConfiguration, bucketOf(func(in *s3.PutBucketLifecycleConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putBucketLifecycleConfiguration),
		gateway.Op(s3.GetBucketLifecycleConfiguration, bucketOf(func(in *s3.GetBucketLifecycleConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getBucketLifecycleConfiguration),
		gateway.Op(s3.DeleteBucketLifecycle, bucketOf(func(in *s3.DeleteBucketLifecycleInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.deleteBucketLifecycle),
	}
}

// putBucketLifecycleConfiguration replaces the bucket's rules. They are carried
// out from the next minute on, and then each midnight UTC.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
func (s *Service) putBucketLifecycleConfiguration(_ context.Context, call *gateway.Call, b *onBucket, in *s3.PutBucketLifecycleConfigurationInput) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	minimum := s3.TransitionDefaultMinimumObjectSizeAllStorageClasses128k
	if in.TransitionDefaultMinimumObjectSize != nil {
		minimum = *in.TransitionDefaultMinimumObjectSize
	}
	if minimum != s3.TransitionDefaultMinimumObjectSizeAllStorageClasses128k && minimum != s3.TransitionDefaultMinimumObjectSizeVariesByStorageClass {
		return nil, invalidRequest("Invalid TransitionDefaultMinimumObjectSize found: " + string(minimum))
	}
	if in.LifecycleConfiguration == nil {
		return nil, malformedXML()
	}
	if b.deletesByMFA() {
		return nil, invalidBucketState("Lifecycle configuration is not supported on a bucket with Mfa Authentication enabled.")
	}
	rules := in.LifecycleConfiguration.Rules
	if err := checkLifecycle(rules); err != nil {
		return nil, err
	}
	for i := range rules {
		if len(rules[i].Transitions) > 0 || len(rules[i].NoncurrentVersionTransitions) > 0 {
			return nil, gateway.NotImplemented(call.Operation, "Transition")
		}
		if text(rules[i].ID) == "" {
			rules[i].ID = new(newID())
		}
	}
	err := errors.Join(
		lifecycles.put(call.Tx, b.Bucket, "", &lifecycle{rules, minimum}),
		passes.Put(call.Tx, "", &pass{Account: b.Account, Name: b.Name, Next: call.Time.UTC()}, b.ID),
		b.change(call, func(b *Bucket) error {
			b.Expires = true
			return nil
		}),
	)
	return &s3.PutBucketLifecycleConfigurationOutput{TransitionDefaultMinimumObjectSize: &minimum}, err
}

func (s *Service) getBucketLifecycleConfiguration(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	c, err := lifecycles.get(call.Tx, b.Bucket, "")
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fault(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", "BucketName", b.Name)
	}
	return &s3.GetBucketLifecycleConfigurationOutput{Rules: c.Rules, TransitionDefaultMinimumObjectSize: &c.Minimum}, nil
}

func (s *Service) deleteBucketLifecycle(_ context.Context, call *gateway.Call, b *onBucket, _ *s3.DeleteBucketLifecycleInput) (*s3.DeleteBucketLifecycleOutput, error) {
	if !b.Expires {
		return nil, nil
	}
	return nil, errors.Join(
		lifecycles.delete(call.Tx, b.Bucket, ""),
		passes.Delete(call.Tx, "", b.ID),
		b.change(call, func(b *Bucket) error {
			b.Expires = false
			return nil
		}),
	)
}

// rules are the bucket's rules that are enabled.
func (b *Bucket) rules(tx store.Tx) (rules, error) {
	if !b.Expires {
		return nil, nil
	}
	row, err := settings.Get(tx, b.Account, b.ID, string(lifecycles), "")
	if err != nil {
		return nil, err
	}
	if known := row.rules.Load(); known != nil {
		return *known, nil
	}
	c, err := decoded[lifecycle](row)
	if err != nil {
		return nil, err
	}
	compiled := compileRules(c.Rules)
	row.rules.Store(&compiled)
	return compiled, nil
}

// expiration is the header that says when a current object expires, and by which rule; nil: it doesn't.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
func (b *Bucket) expiration(tx store.Tx, key string, v *Version) (*string, error) {
	all, err := b.rules(tx)
	if err != nil {
		return nil, err
	}
	when, by := all.expiry(key, v)
	if by == nil {
		return nil, nil
	}
	return new(`expiry-date="` + when.Format(http.TimeFormat) + `", rule-id="` + by.shownID + `"`), nil
}

// abortion is when an upload will be given up, and by which rule; nil: it won't.
func (b *Bucket) abortion(tx store.Tx, key string, u *Upload) (when *time.Time, rule *string, err error) {
	all, err := b.rules(tx)
	if err != nil {
		return nil, nil, err
	}
	at, by := all.abort(key, u)
	if by == nil {
		return nil, nil, nil
	}
	return &at, &by.shownID, nil
}
