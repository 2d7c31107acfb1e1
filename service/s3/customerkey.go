package s3

import (
	"crypto/hkdf"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// customerKey is what a request says of a key that its caller keeps (SSE-C): the
// algorithm, the key and its MD5, the latter two in base64. It is used while the
// request lasts, and never kept.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
type customerKey struct{ algorithm, key, md5 *string }

// given tells whether the request says anything of such a key.
func (c customerKey) given() bool { return c.algorithm != nil || c.key != nil || c.md5 != nil }

// customerKeySize is the one length of such keys, in bytes.
const customerKeySize = 32

// secret checks the key, and answers its bytes.
func (c customerKey) secret(call *gateway.Call) ([]byte, error) {
	refuse := func(message string) error {
		return fault(http.StatusBadRequest, "InvalidArgument", message, "ArgumentName", "x-amz-server-side-encryption")
	}
	const needs = "Requests specifying Server Side Encryption with Customer provided keys must "
	switch {
	case !call.Private():
		return nil, invalidRequest(needs + "be made over a secure connection.")
	case c.algorithm == nil:
		return nil, refuse(needs + "provide a valid encryption algorithm.")
	case *c.algorithm != "AES256":
		return nil, unknownEncryption(*c.algorithm)
	case c.key == nil:
		return nil, refuse(needs + "provide an appropriate secret key.")
	case c.md5 == nil:
		return nil, refuse(needs + "provide the client calculated MD5 of the secret key.")
	}
	secret, err := base64.StdEncoding.DecodeString(*c.key)
	if err != nil {
		return nil, refuse("The secret key was invalid for the specified algorithm.")
	}
	given, err := base64.StdEncoding.DecodeString(*c.md5)
	if digest := md5.Sum(secret); err != nil || subtle.ConstantTimeCompare(digest[:], given) != 1 {
		return nil, refuse("The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	if len(secret) != customerKeySize {
		clear(secret)
		return nil, refuse("The secret key was invalid for the specified algorithm.")
	}
	return secret, nil
}

// customerCheck is what tells a customer's key from another, and nothing of it.
func customerCheck(secret, salt []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, salt, "garrison s3: check of a customer's key", sha256.Size)
}

func unknownEncryption(algorithm string) error {
	return fault(http.StatusBadRequest, "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.",
		"ArgumentName", "x-amz-server-side-encryption", "ArgumentValue", algorithm)
}

// Refusals of requests whose key is not what the object, or the upload, has.
func needsCustomerKey() error {
	return invalidRequest("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
}

func noCustomerKey() error {
	return invalidRequest("The encryption parameters are not applicable to this object.")
}

func otherCustomerKey() error {
	return &aws.Error{Kind: aws.AccessDenied, Message: "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."}
}

func partNeedsCustomerKey() error {
	return invalidRequest("The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
}

func otherPartKey() error {
	return invalidRequest("The provided encryption parameters did not match the ones used originally.")
}
