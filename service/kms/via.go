package kms

import (
	"strings"

	"github.com/garrison-security/garrison/gateway"
)

// viaService is kms:ViaService of a call that another service makes in its
// caller's name: "s3.eu-west-1.amazonaws.com".
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func viaService(call *gateway.Call) string {
	service, domain, _ := strings.Cut(call.Via, ".")
	return service + "." + call.Region + "." + domain
}
