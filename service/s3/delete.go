package s3

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

func objectToDelete(call *gateway.Call, in *s3.DeleteObjectInput) (*onObject, error) {
	b, err := findBucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	for name, given := range map[string]bool{
		"IfMatchLastModifiedTime": in.IfMatchLastModifiedTime != nil, "IfMatchSize": in.IfMatchSize != nil,
	} {
		if given {
			return nil, gateway.NotImplemented(call.Operation, name)
		}
	}
	o := &onObject{bucket: b, key: in.Key, byID: in.VersionId != nil}
	if in.VersionId != nil {
		call.Condition("s3:versionid", *in.VersionId)
	}
	if in.IfMatch != nil {
		call.Condition("s3:if-match", *in.IfMatch)
	}
	o.ask(deleteAction(in.VersionId))
	return o, b.mayBypass(in.BypassGovernanceRetention)
}

// mayBypass refuses to bypass a governance that the bucket can't have.
func (b *Bucket) mayBypass(said *bool) error {
	if said == nil || b.Lock != nil {
		return nil
	}
	const header = "x-amz-bypass-governance-retention"
	return fault(http.StatusBadRequest, "InvalidArgument", header+" is only applicable to Object Lock enabled buckets.", "ArgumentName", header)
}

func deleteAction(version *string) string {
	if version != nil {
		return "s3:DeleteObjectVersion"
	}
	return "s3:DeleteObject"
}

func (s *Service) deleteObject(_ context.Context, call *gateway.Call, on *onObject, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := s.verifyMFA(call, on.bucket, in.MFA, in.VersionId != nil && on.bucket.deletesByMFA()); err != nil {
		return nil, err
	}
	if in.IfMatch != nil {
		if err := writeConditions(call, on.bucket, on.key, in.IfMatch, nil); err != nil {
			return nil, err
		}
	}
	marker, id, err := on.bucket.delete(call, on.key, in.VersionId, in.BypassGovernanceRetention)
	if err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectOutput{VersionId: some(id)}
	if marker {
		out.DeleteMarker = &marker
	}
	return out, nil
}

// delete deletes a version, or makes the key show none: a delete marker if the
// bucket keeps versions. It answers the version that was deleted or made, and
// whether that is a marker. What is not there is deleted already.
func (b *onBucket) delete(call *gateway.Call, key string, version *string, bypass *bool) (marker bool, id string, err error) {
	if version != nil {
		v, err := b.find(call.Tx, key, version)
		if isFault(err, "NoSuchVersion") {
			return false, *version, nil
		}
		if err != nil {
			return false, "", err
		}
		if err := b.unlocked(call, key, v, bypass); err != nil {
			return false, "", err
		}
		return v.Marker, v.ID, b.remove(call, key, v)
	}
	if b.Versioning != "" {
		v := &Version{Marker: true, Modified: second(call.Time), Account: b.Account}
		err := b.place(call, key, v)
		return true, v.ID, err
	}
	current, err := b.current(call.Tx, key)
	if err != nil || current == nil {
		return false, "", err
	}
	return false, "", b.remove(call, key, current)
}

// unlocked refuses to delete a version that is locked. Governance alone can be bypassed.
func (b *onBucket) unlocked(call *gateway.Call, key string, v *Version, bypass *bool) error {
	switch {
	case v.Lock.binds(call.Time):
		return locked()
	case v.Lock.keeps(call.Time):
		return (&onObject{bucket: b, key: key}).bypass(call, bypass)
	}
	return nil
}

func isFault(err error, code string) bool {
	e, ok := errors.AsType[*aws.Error](err)
	return ok && e.Code == code
}

// deletion is a bucket from which many objects are to be deleted, each decided on by itself.
type deletion struct{ *onBucket }

// Asks implements gateway.Asking: nothing is asked of the bucket.
func (deletion) Asks() []gateway.Authorization { return nil }

// maxDelete is how many objects are deleted at once.
const maxDelete = 1000

func bucketToDeleteFrom(call *gateway.Call, in *s3.DeleteObjectsInput) (deletion, error) {
	b, err := findBucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return deletion{}, err
	}
	if err := b.mayBypass(in.BypassGovernanceRetention); err != nil {
		return deletion{}, err
	}
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > maxDelete {
		return deletion{}, malformedXML()
	}
	return deletion{b}, nil
}

func (s *Service) deleteObjects(_ context.Context, call *gateway.Call, on deletion, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	versions := slices.ContainsFunc(in.Delete.Objects, func(o s3.ObjectIdentifier) bool { return o.VersionId != nil })
	if err := s.verifyMFA(call, on.onBucket, in.MFA, versions && on.deletesByMFA()); err != nil {
		return nil, err
	}
	out := new(s3.DeleteObjectsOutput)
	for i := range in.Delete.Objects {
		o := &in.Delete.Objects[i]
		deleted, err := deleteOne(call, on.onBucket, o, in.BypassGovernanceRetention)
		if e, ok := errors.AsType[*aws.Error](err); ok {
			code := e.Code
			if e.Kind == aws.AccessDenied {
				code = "AccessDenied"
			}
			out.Errors = append(out.Errors, s3.Error{Key: &o.Key, VersionId: o.VersionId, Code: &code, Message: &e.Message})
			continue
		}
		if err != nil {
			return nil, err
		}
		if !flag(in.Delete.Quiet) {
			out.Deleted = append(out.Deleted, *deleted)
		}
	}
	return out, nil
}

func deleteOne(call *gateway.Call, b *onBucket, o *s3.ObjectIdentifier, bypass *bool) (*s3.DeletedObject, error) {
	if err := checkKey(o.Key); err != nil {
		return nil, err
	}
	if o.LastModifiedTime != nil || o.Size != nil {
		return nil, fault(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
	}
	var conditions []string
	if o.VersionId != nil {
		conditions = []string{"s3:versionid", *o.VersionId}
	}
	on := &onObject{bucket: b, key: o.Key}
	if err := call.Authorize(deleteAction(o.VersionId), on, conditions...); err != nil {
		return nil, err
	}
	if o.ETag != nil {
		if err := writeConditions(call, b, o.Key, o.ETag, nil); err != nil {
			return nil, err
		}
	}
	marker, id, err := b.delete(call, o.Key, o.VersionId, bypass)
	if err != nil {
		return nil, err
	}
	d := &s3.DeletedObject{Key: &o.Key, VersionId: o.VersionId}
	if marker {
		d.DeleteMarker, d.DeleteMarkerVersionId = &marker, &id
	}
	return d, nil
}
