package s3

import (
	"context"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

func attributesOf(call *gateway.Call, in *s3.GetObjectAttributesInput) (*onObject, error) {
	o, err := objectOf(func(in *s3.GetObjectAttributesInput) (string, string, *string, *string) {
		return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
	})(call, in)
	if o != nil {
		o.asks = nil
		if in.VersionId != nil {
			o.ask("s3:GetObjectVersion")
			o.ask("s3:GetObjectVersionAttributes")
		} else {
			o.ask("s3:GetObject")
			o.ask("s3:GetObjectAttributes")
		}
	}
	return o, err
}

func (s *Service) getObjectAttributes(ctx context.Context, call *gateway.Call, on *onObject, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	v, err := on.present(call)
	if err != nil {
		return nil, err
	}
	customer := customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}
	if err := v.Encryption.admits(call, customer); err != nil {
		return nil, err
	}
	out := &s3.GetObjectAttributesOutput{LastModified: &v.Modified, VersionId: on.versionID()}
	asked := func(a s3.ObjectAttributes) bool { return slices.Contains(in.ObjectAttributes, a) }
	if asked(s3.ObjectAttributesETag) {
		out.ETag = &v.ETag
	}
	if asked(s3.ObjectAttributesChecksum) && v.Checksum.Algorithm != "" {
		if _, err := s.unlock(ctx, call, on, v.Encryption, customer); err != nil {
			return nil, err
		}
		c := &s3.Checksum{ChecksumType: &v.Checksum.Type}
		value, _, _ := strings.Cut(v.Checksum.Value, "-")
		Checksum{Algorithm: v.Checksum.Algorithm, Value: value}.showIn(c)
		out.Checksum = c
	}
	if asked(s3.ObjectAttributesStorageClass) {
		out.StorageClass = &v.Class
	}
	if asked(s3.ObjectAttributesObjectSize) {
		out.ObjectSize = &v.Size
	}
	if asked(s3.ObjectAttributesObjectParts) && v.Data.Parts > 0 {
		if out.ObjectParts, err = on.partsOf(call, v, in); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// partsOf lists the parts of an object that has the checksum of their checksums; of others S3 tells their number alone.
func (o *onObject) partsOf(call *gateway.Call, v *Version, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesParts, error) {
	out := &s3.GetObjectAttributesParts{TotalPartsCount: new(int32(v.Data.Parts))}
	if v.Checksum.Type != s3.ChecksumTypeComposite {
		return out, nil
	}
	most, err := count(in.MaxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	marker := int32(0)
	if in.PartNumberMarker != nil {
		marker = max(0, *in.PartNumberMarker)
	}
	out.PartNumberMarker, out.MaxParts, out.IsTruncated, out.NextPartNumberMarker = &marker, new(int32(most)), new(false), &marker
	after := store.Key("", "", o.bucket.ID, v.Data.ID, partPart(marker))[len(store.Key("", "")):]
	for entry, err := range parts.List(call.Tx, o.bucket.Account, after, o.bucket.ID, v.Data.ID) {
		if err != nil {
			return nil, err
		}
		if len(out.Parts) == most {
			out.IsTruncated = new(true)
			break
		}
		p := entry.Value
		listed := s3.ObjectPart{PartNumber: &p.Number, Size: &p.Size}
		p.Checksum.showIn(&listed)
		out.Parts, out.NextPartNumberMarker = append(out.Parts, listed), &p.Number
	}
	return out, nil
}
