package s3

import (
	"context"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

func initiator(arn string) *s3.Initiator {
	if a, err := aws.ParseARN(arn); err == nil && a.Resource == "root" {
		return &s3.Initiator{ID: new(CanonicalID(a.Account))}
	}
	return &s3.Initiator{ID: &arn}
}

func (s *Service) listParts(_ context.Context, call *gateway.Call, on *onObject, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	u, err := on.upload(call.Tx, in.UploadId)
	if err != nil {
		return nil, err
	}
	if customer := (customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}); customer.given() {
		if err := u.Encryption.admitsPart(call, customer); err != nil {
			return nil, err
		}
	}
	most, err := count(in.MaxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	marker := int32(0)
	if in.PartNumberMarker != nil {
		if marker = *in.PartNumberMarker; marker < 0 {
			return nil, invalidArgument("Argument part-number-marker must be an integer between 0 and 2147483647", "part-number-marker", strconv.Itoa(int(marker)))
		}
	}
	b := on.bucket
	out := &s3.ListPartsOutput{
		Bucket: &b.Name, Key: &on.key, UploadId: &u.ID, PartNumberMarker: &marker, MaxParts: new(int32(most)), IsTruncated: new(false),
		Initiator: initiator(u.Initiator), Owner: owner(b.Account), StorageClass: &u.Class, NextPartNumberMarker: &marker,
	}
	if u.Algorithm != "" {
		out.ChecksumAlgorithm, out.ChecksumType = &u.Algorithm, &u.Type
	}
	if out.AbortDate, out.AbortRuleId, err = b.abortion(call.Tx, on.key, u); err != nil {
		return nil, err
	}
	base := len(store.Key("", ""))
	after := store.Key("", "", b.ID, u.ID, partPart(marker))[base:]
	for entry, err := range parts.List(call.Tx, b.Account, after, b.ID, u.ID) {
		if err != nil {
			return nil, err
		}
		if len(out.Parts) == most {
			out.IsTruncated = new(true)
			break
		}
		p := entry.Value
		listed := s3.Part{PartNumber: &p.Number, LastModified: &p.Modified, ETag: new(quoted(p.ETag)), Size: &p.Size}
		if u.Algorithm != "" {
			p.Checksum.showIn(&listed)
		}
		out.Parts, out.NextPartNumberMarker = append(out.Parts, listed), &p.Number
	}
	return out, nil
}

// count is how many entries a page may hold.
func count(most *int32, name string) (int, error) {
	if most == nil {
		return pageSize, nil
	}
	if *most < 0 {
		return 0, invalidArgument("Argument "+name+" must be an integer between 0 and 2147483647", name, strconv.Itoa(int(*most)))
	}
	return min(int(*most), pageSize), nil
}

// listMultipartUploads lists uploads by key, and those of a key as they were begun.
func (s *Service) listMultipartUploads(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	most, err := count(in.MaxUploads, "max-uploads")
	if err != nil {
		return nil, err
	}
	prefix, delimiter, keyMarker, idMarker := text(in.Prefix), text(in.Delimiter), text(in.KeyMarker), text(in.UploadIdMarker)
	encode := encoding(in.EncodingType)
	out := &s3.ListMultipartUploadsOutput{
		Bucket: &b.Name, KeyMarker: new(encode(keyMarker)), UploadIdMarker: &idMarker, Prefix: encoded(some(prefix), encode), Delimiter: encoded(some(delimiter), encode),
		MaxUploads: new(int32(most)), IsTruncated: new(false), EncodingType: in.EncodingType, NextKeyMarker: new(""), NextUploadIdMarker: new(""),
	}
	if keyMarker == "" {
		idMarker = ""
	}
	at := behindAll(b.ID, keyMarker)
	switch {
	case keyMarker == "" || keyMarker < prefix:
		at = before(b.ID, prefix)
	case idMarker != "":
		at = store.Key("", "", b.ID, keyMarker, idMarker)[len(store.Key("", "")):]
	}
	if up := rolled(keyMarker, prefix, delimiter); up != "" {
		at = behind(b.ID, up, true)
	}
	n := 0
	for again := most > 0; again; {
		again = false
		for entry, err := range uploads.List(call.Tx, b.Account, at, b.ID) {
			if err != nil {
				return nil, err
			}
			key, u := entry.Parts[1], entry.Value
			if !strings.HasPrefix(key, prefix) {
				return out, nil
			}
			if n == most {
				out.IsTruncated = new(true)
				return out, nil
			}
			n++
			if up := rolled(key, prefix, delimiter); up != "" {
				out.CommonPrefixes = append(out.CommonPrefixes, s3.CommonPrefix{Prefix: new(encode(up))})
				out.NextKeyMarker, out.NextUploadIdMarker = new(encode(up)), new("")
				at, again = behind(b.ID, up, true), true
				break
			}
			listed := s3.MultipartUpload{
				UploadId: &u.ID, Key: new(encode(key)), Initiated: &u.Initiated, StorageClass: &u.Class, Owner: owner(b.Account), Initiator: initiator(u.Initiator),
			}
			if u.Algorithm != "" {
				listed.ChecksumAlgorithm, listed.ChecksumType = &u.Algorithm, &u.Type
			}
			out.Uploads = append(out.Uploads, listed)
			out.NextKeyMarker, out.NextUploadIdMarker = new(encode(key)), &u.ID
		}
	}
	return out, nil
}
