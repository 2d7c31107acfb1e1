package s3

import (
	"net/http"

	"github.com/garrison-security/garrison/aws"
)

// Errors as S3 words them. Most are none of its model's.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

func fault(status int, code, message string, fields ...string) error {
	e := &aws.Error{Kind: aws.Custom, Code: code, Status: status, Message: message}
	for i := 0; i+1 < len(fields); i += 2 {
		e.Fields = append(e.Fields, aws.Field{Name: fields[i], Value: fields[i+1]})
	}
	return e
}

func noSuchBucket(name string) error {
	return fault(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist", "BucketName", name)
}

func noSuchKey(key string) error {
	return fault(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", "Key", key)
}

func noSuchVersion(key, id string) error {
	return fault(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.", "Key", key, "VersionId", id)
}

func invalidVersion(id string) error {
	return invalidArgument("Invalid version id specified", "versionId", id)
}

func invalidArgument(message, name, value string) error {
	return fault(http.StatusBadRequest, "InvalidArgument", message, "ArgumentName", name, "ArgumentValue", value)
}

func invalidRequest(message string) error {
	return fault(http.StatusBadRequest, "InvalidRequest", message)
}

func malformedXML() error {
	return fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func preconditionFailed(condition string) error {
	return fault(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", condition)
}

func notModified() error { return fault(http.StatusNotModified, "NotModified", "Not Modified") }

func accessDenied() error {
	return &aws.Error{Kind: aws.AccessDenied, Message: "Access Denied"}
}
