package s3

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

func uploadToComplete(call *gateway.Call, in *s3.CompleteMultipartUploadInput) (*onObject, error) {
	b, err := findBucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	if in.SSECustomerAlgorithm != nil {
		call.Condition("s3:x-amz-server-side-encryption-customer-algorithm", *in.SSECustomerAlgorithm)
	}
	if in.IfMatch != nil {
		call.Condition("s3:if-match", *in.IfMatch)
	}
	if in.IfNoneMatch != nil {
		call.Condition("s3:if-none-match", *in.IfNoneMatch)
	}
	o := &onObject{bucket: b, key: in.Key}
	o.ask("s3:PutObject")
	return o, nil
}

// completeMultipartUpload makes an object of the parts that the input lists. One
// that was completed already is answered again, as long as its object is there.
func (s *Service) completeMultipartUpload(_ context.Context, call *gateway.Call, on *onObject, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	b, tx := on.bucket, call.Tx
	u, err := on.upload(tx, in.UploadId)
	if isFault(err, "NoSuchUpload") {
		if current, again := b.current(tx, on.key); again == nil && current != nil && current.Data.Parts > 0 && current.Data.ID == in.UploadId {
			return b.completed(call, on.key, current)
		}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0:
		return nil, invalidRequest("You must specify at least one part")
	case len(in.MultipartUpload.Parts) > maxParts:
		return nil, malformedXML()
	case in.ChecksumType != nil && *in.ChecksumType != u.Type:
		return nil, invalidRequest("The upload was created using the " + cmp.Or(string(u.Type), "null") + " checksum mode. The complete request must use the same checksum mode.")
	}
	// The key of a customer is needed where the checksums are.
	if customer := (customerKey{in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5}); customer.given() || u.Algorithm != "" {
		if err := u.Encryption.admitsPart(call, customer); err != nil {
			return nil, err
		}
	}
	if err := writeConditions(call, b, on.key, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	have := map[int32]*Part{}
	for entry, err := range parts.List(tx, b.Account, nil, b.ID, u.ID) {
		if err != nil {
			return nil, err
		}
		have[entry.Value.Number] = entry.Value
	}
	v := &Version{
		Modified: second(call.Time), Account: cmp.Or(u.Account, b.Account), ACL: u.ACL, Class: u.Class, Header: u.Header, Metadata: u.Metadata, Tags: u.Tags,
		Data: Data{ID: u.ID, Parts: len(in.MultipartUpload.Parts)}, Encryption: u.Encryption, Lock: u.Lock,
	}
	chosen, err := choose(in.MultipartUpload.Parts, have, u)
	if err != nil {
		return nil, err
	}
	if err := v.assemble(u, chosen); err != nil {
		return nil, err
	}
	if err := checkWhole(in, u, v); err != nil {
		return nil, err
	}
	for _, p := range chosen {
		delete(have, p.Number)
	}
	for number, p := range have { // uploaded, and not wanted
		if err := errors.Join(discard(tx, call.Time, p.Blob), parts.Delete(tx, b.Account, b.ID, u.ID, partPart(number))); err != nil {
			return nil, err
		}
	}
	if err := uploads.Delete(tx, b.Account, b.ID, on.key, u.ID); err != nil {
		return nil, err
	}
	if err := b.place(call, on.key, v); err != nil {
		return nil, err
	}
	return b.completed(call, on.key, v)
}

// choose finds the parts that are listed, which must be in order and as they were uploaded.
func choose(listed []s3.CompletedPart, have map[int32]*Part, u *Upload) ([]*Part, error) {
	last := int32(0)
	for i := range listed {
		c := &listed[i]
		if c.PartNumber == nil || c.ETag == nil {
			return nil, malformedXML()
		}
		if *c.PartNumber <= last {
			return nil, fault(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.", "UploadId", u.ID)
		}
		last = *c.PartNumber
	}
	chosen := make([]*Part, 0, len(listed))
	var invalid error // of several parts S3 names the last
	for i := range listed {
		c := &listed[i]
		p, etag := have[*c.PartNumber], strings.Trim(*c.ETag, `"`)
		fits, err := p.fits(c, u)
		if err != nil {
			return nil, err
		}
		if p == nil || p.ETag != etag || !fits {
			invalid = fault(http.StatusBadRequest, "InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
				"UploadId", u.ID, "PartNumber", strconv.Itoa(int(*c.PartNumber)), "ETag", etag)
		}
		chosen = append(chosen, p)
	}
	if invalid != nil {
		return nil, invalid
	}
	for i, p := range chosen {
		if i < len(chosen)-1 && p.Size < minPart {
			return nil, fault(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
				"ProposedSize", strconv.FormatInt(p.Size, 10), "MinSizeAllowed", strconv.Itoa(minPart), "PartNumber", strconv.Itoa(int(p.Number)), "ETag", p.ETag)
		}
	}
	return chosen, nil
}

// fits tells whether the checksums that a request lists for a part are those of the
// part, if there is one. Uploads whose whole has the checksum of its parts' checksums
// need them listed, and take no others.
func (p *Part) fits(c *s3.CompletedPart, u *Upload) (bool, error) {
	said := checksumsIn(c)
	composite := u.Type == s3.ChecksumTypeComposite
	if composite && len(said) == 0 {
		return false, invalidRequest("The upload was created using a " + lower(u.Algorithm) + " checksum. The complete request must include the checksum for each part. It was missing for part " +
			strconv.Itoa(int(*c.PartNumber)) + " in the request.")
	}
	for a, value := range said {
		if composite && a != u.Algorithm {
			return false, fault(http.StatusBadRequest, "BadDigest", "The "+lower(a)+" you specified for part "+strconv.Itoa(int(*c.PartNumber))+" did not match what we received.")
		}
		if p == nil || a != p.Checksum.Algorithm || value != p.Checksum.Value {
			return false, nil
		}
	}
	return true, nil
}

// assemble makes a version's size, entity tag and checksum of those of its parts.
func (v *Version) assemble(u *Upload, chosen []*Part) error {
	tags := md5.New()
	for _, p := range chosen {
		v.Size += p.Size
		digest, err := hex.DecodeString(p.ETag)
		if err != nil {
			return err
		}
		tags.Write(digest)
	}
	v.ETag = hex.EncodeToString(tags.Sum(nil)) + "-" + strconv.Itoa(len(chosen))
	algorithm, kind := u.Algorithm, u.Type
	if algorithm == "" && u.Encryption.customers() {
		return nil
	}
	if algorithm == "" { // none was agreed on: S3's own, if all parts have it
		algorithm, kind = s3.ChecksumAlgorithmCrc64nvme, s3.ChecksumTypeFullObject
		for _, p := range chosen {
			if p.Checksum.Algorithm != algorithm {
				return nil
			}
		}
	}
	v.Checksum = Checksum{Algorithm: algorithm, Type: kind}
	if kind == s3.ChecksumTypeFullObject {
		sum := uint64(0)
		for i, p := range chosen {
			part, ok := sumOf(algorithm, p.Checksum.Value)
			if !ok {
				return errors.New("s3: a part's checksum is damaged")
			}
			if i == 0 {
				sum = part
			} else {
				sum = combine(algorithm, sum, part, p.Size)
			}
		}
		v.Checksum.Value = sumText(algorithm, sum)
		return nil
	}
	whole := digests[algorithm]()
	for _, p := range chosen {
		digest, err := base64.StdEncoding.DecodeString(p.Checksum.Value)
		if err != nil {
			return err
		}
		whole.Write(digest)
	}
	v.Checksum.Value = base64.StdEncoding.EncodeToString(whole.Sum(nil)) + "-" + strconv.Itoa(len(chosen))
	return nil
}

// checkWhole compares what was assembled with what the request says of it.
func checkWhole(in *s3.CompleteMultipartUploadInput, u *Upload, v *Version) error {
	if in.MpuObjectSize != nil && *in.MpuObjectSize != v.Size {
		return invalidRequest("The provided 'x-amz-mp-object-size' header value " + strconv.FormatInt(*in.MpuObjectSize, 10) + " does not match what was computed: " + strconv.FormatInt(v.Size, 10))
	}
	if in.ChecksumMD5 != nil || in.ChecksumXXHASH64 != nil || in.ChecksumXXHASH3 != nil || in.ChecksumXXHASH128 != nil {
		return unsupported()
	}
	if u.Type == "" { // which is compared with what was agreed on alone
		return nil
	}
	for a, value := range checksumsIn(in) {
		whole, _, _ := strings.Cut(v.Checksum.Value, "-")
		given, _, _ := strings.Cut(value, "-")
		// What says no type is compared as a checksum of checksums.
		if a != v.Checksum.Algorithm || given != whole || in.ChecksumType == nil && u.Type == s3.ChecksumTypeFullObject {
			return fault(http.StatusBadRequest, "BadDigest", "The "+lower(v.Checksum.Algorithm)+" you specified did not match the calculated checksum.")
		}
	}
	return nil
}

func lower(a s3.ChecksumAlgorithm) string { return strings.ToLower(string(a)) }

func (b *onBucket) completed(call *gateway.Call, key string, v *Version) (*s3.CompleteMultipartUploadOutput, error) {
	out := &s3.CompleteMultipartUploadOutput{
		Location: new("/" + b.Name + "/" + (&url.URL{Path: key}).EscapedPath()), Bucket: &b.Name, Key: &key, ETag: new(quoted(v.ETag)),
	}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled, _, _ = v.Encryption.shown(customerKey{})
	if v.Checksum.Algorithm != "" {
		v.Checksum.showIn(out)
		out.ChecksumType = &v.Checksum.Type
	}
	if b.Versioning != "" {
		out.VersionId = &v.ID
	}
	var err error
	out.Expiration, err = b.expiration(call.Tx, key, v)
	return out, err
}
