package s3

import (
	"net/http"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// checkClass refuses what is no storage class of a general purpose bucket, and the
// archives, which would have to keep their objects from being read. The others
// differ in price and in how many places AWS keeps them at: here in name alone.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
func checkClass(call *gateway.Call, class *s3.StorageClass) error {
	if class == nil {
		return nil
	}
	call.Condition("s3:x-amz-storage-class", string(*class))
	switch *class {
	case s3.StorageClassStandard, s3.StorageClassReducedRedundancy, s3.StorageClassStandardIa, s3.StorageClassOnezoneIa,
		s3.StorageClassIntelligentTiering, s3.StorageClassGlacierIr:
		return nil
	case s3.StorageClassGlacier, s3.StorageClassDeepArchive:
		return gateway.NotImplemented(call.Operation, "StorageClass "+string(*class))
	}
	return fault(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid", "StorageClassRequested", string(*class))
}

// classOf is the class that a request names, or the usual one.
func classOf(class *s3.StorageClass) s3.StorageClass {
	if class == nil {
		return s3.StorageClassStandard
	}
	return *class
}

// shownClass is the class as reads answer it, which is nil for the usual one.
func (v *Version) shownClass() *s3.StorageClass {
	if v.Class == s3.StorageClassStandard || v.Class == "" {
		return nil
	}
	return &v.Class
}
