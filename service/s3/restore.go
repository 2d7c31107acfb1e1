package s3

import (
	"context"
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// restoreObject says that the object needs no restoring: none is archived here.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
func (s *Service) restoreObject(_ context.Context, call *gateway.Call, on *onObject, _ *s3.RestoreObjectInput) (*s3.RestoreObjectOutput, error) {
	if _, err := on.present(call); err != nil {
		return nil, err
	}
	return nil, fault(http.StatusForbidden, "InvalidObjectState", "Restore is not allowed for the object's current storage class")
}
