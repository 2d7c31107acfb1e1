package s3

import (
	"context"
	"regexp"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

func objectToEncrypt(call *gateway.Call, in *s3.UpdateObjectEncryptionInput) (*onObject, error) {
	o, err := objectOf(func(in *s3.UpdateObjectEncryptionInput) (string, string, *string, *string) {
		return in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner
	})(call, in)
	if o == nil {
		return nil, err
	}
	o.ask("s3:PutObject")
	if in.ObjectEncryption != nil && in.ObjectEncryption.SSEKMS != nil {
		call.Condition("s3:x-amz-server-side-encryption", string(s3.ServerSideEncryptionAwsKms))
		call.Condition("s3:x-amz-server-side-encryption-aws-kms-key-id", in.ObjectEncryption.SSEKMS.KMSKeyArn)
	}
	return o, err
}

// kmsKeyARN is what UpdateObjectEncryption takes for a key, with its account.
var kmsKeyARN = regexp.MustCompile(`^arn:aws[a-zA-Z0-9-]*:kms:[a-z0-9-]+:([0-9]{12}):key/[a-zA-Z0-9-]+$`)

// updateObjectEncryption seals the keys of an object's content under another key
// of KMS. The content itself, and all else of the object, stays as it is.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html
func (s *Service) updateObjectEncryption(ctx context.Context, call *gateway.Call, on *onObject, in *s3.UpdateObjectEncryptionInput) (*s3.UpdateObjectEncryptionOutput, error) {
	v, err := on.present(call)
	if err != nil {
		return nil, err
	}
	to, err := encryptionToBe(in.ObjectEncryption)
	if err != nil {
		return nil, err
	}
	from := v.Encryption
	switch {
	case kmsKeyARN.FindStringSubmatch(to.KMSKeyArn)[1] != on.bucket.Account:
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "The AWS KMS key in the request must be owned by the same account as the bucket. " +
			"Modify the request to specify a KMS key from the same account, and then try again."}
	case from != nil && from.Algorithm != s3.ServerSideEncryptionAwsKms:
		return nil, invalidRequest("The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. " +
			"Only source objects encrypted with SSE-S3 or SSE-KMS are supported.")
	case v.Lock.keeps(call.Time):
		return nil, &aws.Error{Kind: aws.AccessDenied, Message: "The encryption type for the specified object can’t be updated because that object is protected by S3 Object Lock. " +
			"If the object has a governance-mode retention period or a legal hold, you must first remove the Object Lock status on the object before you issue your UpdateObjectEncryption request. " +
			"You can't use the UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period applied to them."}
	}
	w := way{algorithm: s3.ServerSideEncryptionAwsKms, keyID: to.KMSKeyArn, bucketKey: flag(to.BucketKeyEnabled)}
	if from != nil {
		w.context = from.Context
	}
	before, err := s.unlock(ctx, call, on, from, customerKey{})
	if err != nil {
		return nil, err
	}
	e, after, err := s.encrypt(ctx, call, on, w, customerKey{})
	if err != nil {
		return nil, err
	}
	key, err := on.bucket.reseal(call, v, before, after)
	if err != nil {
		return nil, err
	}
	return nil, on.change(call, func(v *Version) { v.Encryption, v.Data.Key = e, key })
}

// encryptionToBe is what a request asks for, which must be a key of KMS by its ARN.
func encryptionToBe(in *s3.ObjectEncryption) (*s3.SSEKMSEncryption, error) {
	const again = "Modify the request to specify "
	switch {
	case in == nil || in.SSEKMS == nil:
		return nil, invalidRequest("Requests that modify an object encryption configuration require a valid new encryption type. Valid values are SSEKMS. " +
			again + "SSE-KMS for the updated encryption type, and then try again.")
	case in.SSEKMS.KMSKeyArn == "":
		return nil, invalidRequest("Requests that modify an object's encryption type to SSE-KMS require an AWS KMS key Amazon Resource Name (ARN). " +
			again + "a KMS key ARN, and then try again.")
	case !kmsKeyARN.MatchString(in.SSEKMS.KMSKeyArn):
		return nil, invalidRequest("Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name (ARN). " +
			"Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.")
	}
	return in.SSEKMS, nil
}

// reseal seals what opens a version's content anew: the key of its blob, which it
// answers, those of its parts, or the content itself where that is small.
func (b *Bucket) reseal(call *gateway.Call, v *Version, before, after *sealing) (key []byte, err error) {
	switch {
	case v.Data.Parts > 0:
		return nil, b.resealParts(call, v.Data.ID, before, after)
	case v.Data.Blob != "":
		if key, err = before.open(v.Data.Key, string(v.Data.Blob)); err != nil {
			return nil, err
		}
		return after.seal(key, string(v.Data.Blob)), nil
	case v.Data.Rows > 0:
		return nil, contents.Update(call.Tx, b.Account, func(c *content) error {
			small, err := before.open(c.Bytes, v.Data.ID)
			if err == nil {
				c.Bytes = after.seal(small, v.Data.ID)
			}
			return err
		}, b.ID, v.Data.ID)
	}
	return nil, nil
}

func (b *Bucket) resealParts(call *gateway.Call, upload string, before, after *sealing) error {
	var all []Part
	for entry, err := range parts.List(call.Tx, b.Account, nil, b.ID, upload) {
		if err != nil {
			return err
		}
		all = append(all, *entry.Value)
	}
	for i := range all {
		p := &all[i]
		key, err := before.open(p.Key, string(p.Blob))
		if err != nil {
			return err
		}
		p.Key = after.seal(key, string(p.Blob))
		if err := parts.Put(call.Tx, b.Account, p, b.ID, upload, partPart(p.Number)); err != nil {
			return err
		}
	}
	return nil
}
