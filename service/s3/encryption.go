package s3

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// Encryption is how the content of an object, or of an upload's parts, is
// encrypted by other keys than S3's own: those of KMS or its customer's.
type Encryption struct {
	Algorithm s3.ServerSideEncryption // aws:kms or aws:kms:dsse; "": SSE-C
	KeyARN    string                  // of the KMS key
	DataKey   []byte                  // as KMS sealed it
	Context   map[string]string       // the caller's pairs
	BucketKey bool
	Salt      []byte // what makes the secret this object's own
	Check     []byte // of SSE-C: the secret's
}

// customers tells whether the key is the customer's own.
func (e *Encryption) customers() bool { return e != nil && e.Algorithm == "" }

// encrypting is what a request says of how an object is to be encrypted.
type encrypting struct {
	algorithm      *s3.ServerSideEncryption
	keyID, context *string
	bucketKey      *bool
	customer       customerKey
}

// way is how an object is to be encrypted, as its request and its bucket have it.
type way struct {
	algorithm s3.ServerSideEncryption // "": SSE-C
	keyID     string                  // as the caller named it; "": S3's AWS managed key
	context   map[string]string
	bucketKey bool
}

// dual tells whether content is to be sealed twice.
func (w way) dual() bool { return w.algorithm == s3.ServerSideEncryptionAwsKmsDsse }

// check sets the condition keys of what the request says, and refuses what
// can't be, or what the bucket blocks.
func (e encrypting) check(call *gateway.Call, o *onObject) error {
	if e.algorithm != nil {
		call.Condition("s3:x-amz-server-side-encryption", string(*e.algorithm))
	}
	if e.keyID != nil {
		call.Condition("s3:x-amz-server-side-encryption-aws-kms-key-id", *e.keyID)
	}
	if e.customer.algorithm != nil {
		call.Condition("s3:x-amz-server-side-encryption-customer-algorithm", *e.customer.algorithm)
	}
	w, err := e.way(o.bucket)
	if err != nil {
		return err
	}
	if !e.customer.given() {
		if w.algorithm != s3.ServerSideEncryptionAes256 {
			return mayUseKeys(call)
		}
		return nil
	}
	if err := blockedCustomerKey(call, o); err != nil {
		return err
	}
	secret, err := e.customer.secret(call)
	clear(secret)
	return err
}

// blockedCustomerKey refuses a customer's key where the bucket blocks such.
func blockedCustomerKey(call *gateway.Call, o *onObject) error {
	if !o.bucket.Encryption.BlocksSSEC {
		return nil
	}
	return &aws.Error{Kind: aws.AccessDenied, Message: "User: " + call.Principal.ARN + " is not authorized to perform: s3:" + call.Operation.Name +
		` on resource: "` + o.ARN() + `" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). ` +
		"Please specify a different server-side encryption type"}
}

// way is how the object is to be encrypted in that bucket.
func (e encrypting) way(b *onBucket) (way, error) {
	if e.customer.given() {
		if e.algorithm != nil || e.keyID != nil || e.context != nil {
			return way{}, invalidArgument("Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
				"x-amz-server-side-encryption", string(or(e.algorithm, "")))
		}
		return way{}, nil
	}
	w := way{algorithm: b.Encryption.algorithm(), keyID: b.Encryption.KeyID, bucketKey: b.Encryption.BucketKey}
	if e.algorithm != nil {
		w.algorithm, w.keyID = *e.algorithm, text(e.keyID)
	}
	if e.bucketKey != nil {
		w.bucketKey = *e.bucketKey
	}
	switch w.algorithm {
	case s3.ServerSideEncryptionAes256:
		w.bucketKey = false
	case s3.ServerSideEncryptionAwsKms:
	case s3.ServerSideEncryptionAwsKmsDsse:
		if flag(e.bucketKey) {
			return way{}, invalidArgument("S3 Bucket Keys are not supported with aws:kms:dsse", "x-amz-server-side-encryption-bucket-key-enabled", "true")
		}
		w.bucketKey = false
	default:
		return way{}, unknownEncryption(string(w.algorithm))
	}
	if (e.keyID != nil || e.context != nil) && (e.algorithm == nil || *e.algorithm == s3.ServerSideEncryptionAes256) {
		return way{}, invalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
			"x-amz-server-side-encryption", string(or(e.algorithm, "null")))
	}
	var err error
	w.context, err = contextOf(e.context)
	return w, err
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// contextOf reads an encryption context: JSON of string pairs, in base64.
func contextOf(header *string) (map[string]string, error) {
	if header == nil {
		return nil, nil
	}
	malformed := invalidArgument("The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map",
		"x-amz-server-side-encryption-context", "")
	decoded, err := base64.StdEncoding.DecodeString(*header)
	if err != nil {
		return nil, malformed
	}
	var pairs map[string]string
	if err := json.Unmarshal(decoded, &pairs); err != nil {
		return nil, malformed
	}
	if _, taken := pairs[contextARN]; taken {
		return nil, malformed
	}
	return pairs, nil
}

// encrypt makes what seals a new object's content keys, and what its row keeps of
// it: both nil for SSE-S3. KMS is asked, where it is to be.
func (s *Service) encrypt(ctx context.Context, call *gateway.Call, o *onObject, w way, customer customerKey) (*Encryption, *sealing, error) {
	var secret []byte
	var err error
	e := new(Encryption)
	switch {
	case customer.given():
		secret, err = customer.secret(call)
	case w.algorithm == s3.ServerSideEncryptionAes256:
		return nil, nil, nil
	default:
		secret, e, err = s.dataKey(ctx, call, o, w)
	}
	if err != nil {
		return nil, nil, err
	}
	defer clear(secret)
	e.Salt = make([]byte, 32)
	rand.Read(e.Salt)
	if e.Algorithm == "" {
		if e.Check, err = customerCheck(secret, e.Salt); err != nil {
			return nil, nil, err
		}
	}
	k, err := newSealing(secret, e.Salt, o.bucket.Bucket)
	return e, k, err
}

// unlock makes again what seals an object's content keys. The customer's key is
// checked, or KMS asked.
func (s *Service) unlock(ctx context.Context, call *gateway.Call, o *onObject, e *Encryption, customer customerKey) (*sealing, error) {
	if err := e.admits(call, customer); err != nil || e == nil {
		return nil, err
	}
	var secret []byte
	var err error
	if e.Algorithm == "" {
		secret, err = customer.secret(call)
	} else {
		secret, err = s.openDataKey(ctx, call, o, e)
	}
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return newSealing(secret, e.Salt, o.bucket.Bucket)
}

// admits refuses a request without the customer's key that the object has, or with another.
func (e *Encryption) admits(call *gateway.Call, customer customerKey) error {
	own := e != nil && e.Algorithm == ""
	switch {
	case !customer.given() && own:
		return needsCustomerKey()
	case !customer.given():
		return nil
	case !own:
		return noCustomerKey()
	}
	secret, err := customer.secret(call)
	if err != nil {
		return err
	}
	defer clear(secret)
	check, err := customerCheck(secret, e.Salt)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(check, e.Check) != 1 {
		return otherCustomerKey()
	}
	return nil
}

// admitsPart is admits for a part of an upload.
func (e *Encryption) admitsPart(call *gateway.Call, customer customerKey) error {
	if customer.given() != (e != nil && e.Algorithm == "") {
		return partNeedsCustomerKey()
	}
	err := e.admits(call, customer)
	if isAccessDenied(err) {
		return otherPartKey()
	}
	return err
}

func isAccessDenied(err error) bool {
	e, ok := err.(*aws.Error)
	return ok && e.Kind == aws.AccessDenied
}

// shown is what an answer says of an object's encryption.
func (e *Encryption) shown(customer customerKey) (algorithm *s3.ServerSideEncryption, keyID *string, bucketKey *bool, customerAlgorithm, customerMD5 *string) {
	switch {
	case e == nil:
		return new(s3.ServerSideEncryptionAes256), nil, nil, nil, nil
	case e.Algorithm == "":
		return nil, nil, nil, customer.algorithm, customer.md5
	case e.BucketKey:
		bucketKey = new(true)
	}
	return new(e.Algorithm), new(e.KeyARN), bucketKey, nil, nil
}

// shownContext is the caller's encryption context as answers to writes repeat it.
func (e *Encryption) shownContext() *string {
	if e == nil || len(e.Context) == 0 {
		return nil
	}
	text, err := json.Marshal(e.Context)
	if err != nil {
		return nil
	}
	return new(base64.StdEncoding.EncodeToString(text))
}

// tag is the entity tag of what was received: its MD5, or with keys that are not
// S3's own nothing that tells of the content.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
func (r *received) tag(e *Encryption) string {
	if e == nil {
		return r.etag
	}
	var random [16]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
