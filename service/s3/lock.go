package s3

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// Lock is what keeps a version from being deleted: a retention until a date, a
// legal hold, or both.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
type Lock struct {
	Mode  s3.ObjectLockRetentionMode // "": no retention
	Until time.Time                  // from when on the retention keeps nothing
	Hold  s3.ObjectLockLegalHoldStatus
}

// DefaultRetention is the retention of versions that are made with none of their own.
type DefaultRetention struct {
	Mode        s3.ObjectLockRetentionMode
	Days, Years int32 // one of them
}

// ObjectLock is a bucket's: it is never taken back.
type ObjectLock struct {
	Default *DefaultRetention // nil: none
}

// retained is the mode in which a version is retained at now; "": it isn't.
func (l *Lock) retained(now time.Time) s3.ObjectLockRetentionMode {
	if l == nil || !now.Before(l.Until) {
		return ""
	}
	return l.Mode
}

// held tells whether a version is under a legal hold.
func (l *Lock) held() bool { return l != nil && l.Hold == s3.ObjectLockLegalHoldStatusOn }

// keeps tells whether a version can't be deleted at now by who doesn't bypass governance.
func (l *Lock) keeps(now time.Time) bool { return l.held() || l.retained(now) != "" }

// binds tells whether a version can't be deleted at now by anybody.
func (l *Lock) binds(now time.Time) bool {
	return l.held() || l.retained(now) == s3.ObjectLockRetentionModeCompliance
}

// locked is the refusal of what object lock keeps from being done.
func locked() error {
	return &aws.Error{Kind: aws.AccessDenied, Message: "Access Denied because object protected by object lock."}
}

func noObjectLock() error {
	return invalidRequest("Bucket is missing Object Lock Configuration")
}

// from is the lock of a version that is made at now with no retention of its own.
func (o *ObjectLock) from(now time.Time) *Lock {
	if o == nil || o.Default == nil {
		return nil
	}
	d := o.Default
	return &Lock{Mode: d.Mode, Until: shownDate(now.AddDate(int(d.Years), 0, int(d.Days)))}
}

// locking is what a request says of the lock of the object that it writes.
type locking struct {
	mode  *s3.ObjectLockMode
	until *time.Time
	hold  *s3.ObjectLockLegalHoldStatus
}

func (l locking) given() bool { return l.mode != nil || l.until != nil || l.hold != nil }

// check refuses a lock that can't be, asks for the permission to lock, and sets its condition keys.
func (l locking) check(call *gateway.Call, o *onObject) error {
	if !l.given() {
		return nil
	}
	if l.mode != nil || l.until != nil {
		o.ask("s3:PutObjectRetention")
	}
	if l.hold != nil {
		o.ask("s3:PutObjectLegalHold")
		call.Condition("s3:object-lock-legal-hold", string(*l.hold))
	}
	if l.mode != nil && l.until != nil {
		retentionConditions(call, string(*l.mode), *l.until)
	}
	const mode, until = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
	const both = until + " and " + mode + " must both be supplied"
	switch {
	case l.mode != nil && !knownMode(s3.ObjectLockRetentionMode(*l.mode)):
		return invalidArgument("Unknown wormMode directive.", mode, string(*l.mode))
	case l.mode != nil && l.until == nil:
		return fault(http.StatusBadRequest, "InvalidArgument", both, "ArgumentName", until)
	case l.mode == nil && l.until != nil:
		return fault(http.StatusBadRequest, "InvalidArgument", both, "ArgumentName", mode)
	case l.until != nil && !l.until.After(call.Time):
		return pastRetention(until, *l.until)
	case o.bucket.Lock == nil:
		return noObjectLock()
	}
	return nil
}

func knownMode(m s3.ObjectLockRetentionMode) bool {
	return m == s3.ObjectLockRetentionModeGovernance || m == s3.ObjectLockRetentionModeCompliance
}

// pastRetention echoes the date as Java writes it, as S3 does.
func pastRetention(name string, until time.Time) error {
	return invalidArgument("The retain until date must be in the future!", name, until.UTC().Format("Mon Jan 02 15:04:05 MST 2006"))
}

// retentionConditions sets the keys of a retention that a request asks for. What
// is left of a day counts as one, so that a bound from above is never passed.
func retentionConditions(call *gateway.Call, mode string, until time.Time) {
	call.Condition("s3:object-lock-mode", mode)
	call.Condition("s3:object-lock-retain-until-date", until.UTC().Format("2006-01-02T15:04:05.000Z"))
	days := math.Ceil(until.Sub(call.Time).Hours() / 24)
	call.Condition("s3:object-lock-remaining-retention-days", strconv.FormatFloat(max(0, days), 'f', -1, 64))
}

// lock is the lock that the request asks for; nil: none.
func (l locking) lock() *Lock {
	if !l.given() {
		return nil
	}
	made := new(Lock)
	if l.mode != nil && l.until != nil {
		made.Mode, made.Until = s3.ObjectLockRetentionMode(*l.mode), shownDate(*l.until)
	}
	if l.hold != nil {
		made.Hold = *l.hold
	}
	return made
}

// lockFor is the lock of a version that is made at now: the retention that was
// asked for, else the bucket's default.
func (b *Bucket) lockFor(asked *Lock, now time.Time) *Lock {
	made := b.Lock.from(now)
	switch {
	case asked == nil:
		return made
	case made != nil && asked.Mode == "":
		made.Hold = asked.Hold
		return made
	}
	return asked
}

// shownDate is a date as answers have it, so that who repeats it shortens nothing.
func shownDate(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// shownLock are a version's lock's members of an answer, of which a caller sees what
// it may ask for.
func (o *onObject) shownLock(call *gateway.Call, v *Version) (mode *s3.ObjectLockMode, until *time.Time, hold *s3.ObjectLockLegalHoldStatus) {
	l := v.Lock
	if l == nil {
		return nil, nil, nil
	}
	if l.Mode != "" && call.Authorize("s3:GetObjectRetention", o) == nil {
		mode, until = new(s3.ObjectLockMode(l.Mode)), &l.Until
	}
	if l.Hold != "" && call.Authorize("s3:GetObjectLegalHold", o) == nil {
		hold = &l.Hold
	}
	return mode, until, hold
}

func (s *Service) lockOperations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Op(s3.PutObjectLockConfiguration, bucketOf(func(in *s3.PutObjectLockConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.putObjectLockConfiguration),
		gateway.Op(s3.GetObjectLockConfiguration, bucketOf(func(in *s3.GetObjectLockConfigurationInput) (string, *string) {
			return in.Bucket, in.ExpectedBucketOwner
		}), s.getObjectLockConfiguration),
		gateway.Op(s3.PutObjectRetention, objectToRetain, s.putObjectRetention),
		gateway.Op(s3.GetObjectRetention, objectOf(func(in *s3.GetObjectRetentionInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.getObjectRetention),
		gateway.Op(s3.PutObjectLegalHold, objectToHold, s.putObjectLegalHold),
		gateway.Op(s3.GetObjectLegalHold, objectOf(func(in *s3.GetObjectLegalHoldInput) (string, string, *string, *string) {
			return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
		}), s.getObjectLegalHold),
	}
}
