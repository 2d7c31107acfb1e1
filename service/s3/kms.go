package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// Keys is what S3 asks of KMS, in the name of a call's caller.
type Keys interface {
	// DataKey makes a 256-bit key, sealed under a key that the caller names ("": S3's AWS managed key)
	// with an encryption context.
	DataKey(ctx context.Context, call *gateway.Call, key string, encryptionContext map[string]string) (plaintext, sealed []byte, keyARN string, err error)
	// OpenDataKey opens what DataKey sealed.
	OpenDataKey(ctx context.Context, call *gateway.Call, sealed []byte, encryptionContext map[string]string) (plaintext []byte, err error)
}

// encryptionContext is what an object's data key is bound to: the object, or with
// an S3 Bucket Key its bucket, and the caller's own pairs.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
func (o *onObject) encryptionContext(bucketKey bool, own map[string]string) map[string]string {
	pairs := make(map[string]string, len(own)+1)
	for name, value := range own {
		pairs[name] = value
	}
	pairs[contextARN] = o.ARN()
	if bucketKey {
		pairs[contextARN] = o.bucket.ARN()
	}
	return pairs
}

// contextARN is the pair that S3 adds.
const contextARN = "aws:s3:arn"

// dataKey asks KMS for a data key of an object.
func (s *Service) dataKey(ctx context.Context, call *gateway.Call, o *onObject, w way) (plaintext []byte, e *Encryption, err error) {
	if err := s.asksKMS(call); err != nil {
		return nil, nil, err
	}
	e = &Encryption{Algorithm: w.algorithm, Context: w.context, BucketKey: w.bucketKey}
	plaintext, e.DataKey, e.KeyARN, err = s.Keys.DataKey(ctx, call, w.keyID, o.encryptionContext(w.bucketKey, w.context))
	return plaintext, e, kmsFault(err)
}

// openDataKey asks KMS to open an object's data key, in its bucket's Region.
func (s *Service) openDataKey(ctx context.Context, call *gateway.Call, o *onObject, e *Encryption) ([]byte, error) {
	if err := s.asksKMS(call); err != nil {
		return nil, err
	}
	region := call.Region
	defer func() { call.Region = region }()
	call.Region = o.bucket.Region
	plaintext, err := s.Keys.OpenDataKey(ctx, call, e.DataKey, o.encryptionContext(e.BucketKey, e.Context))
	return plaintext, kmsFault(err)
}

// asksKMS refuses where KMS can't be asked.
func (s *Service) asksKMS(call *gateway.Call) error {
	if s.Keys == nil {
		return gateway.NotImplemented(call.Operation, "ServerSideEncryption with keys of KMS")
	}
	return mayUseKeys(call)
}

// mayUseKeys refuses callers for whom KMS is not asked: nobody, and those whom others can overhear.
func mayUseKeys(call *gateway.Call) error {
	switch {
	case call.Principal.Kind == aws.Anonymous:
		return accessDenied()
	case !call.Private():
		return fault(http.StatusBadRequest, "InvalidArgument", "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.")
	}
	return nil
}

// kmsFault is an error of KMS as S3 hands it on: as its own, by the name "KMS.…".
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#KMSErrorCodeList
func kmsFault(err error) error {
	if e, ok := errors.AsType[aws.Modelled](err); ok {
		return fault(http.StatusBadRequest, "KMS."+e.ErrorShape(), e.ErrorText())
	}
	if e, ok := errors.AsType[*aws.Error](err); ok && e.Kind == aws.Validation {
		return fault(http.StatusBadRequest, "KMS.ValidationException", e.Message)
	}
	return err
}
