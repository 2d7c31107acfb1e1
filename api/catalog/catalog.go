// Package catalog is the table of every operation of every AWS service: names
// and routing, no types. Behind it any AWS call can be told apart and refused
// by name, though nobody serves it. Package api/<service> holds what is served.
package catalog

import "github.com/garrison-security/garrison/aws"

// Service is one AWS service, as far as a request must be known to be its own.
type Service struct {
	Name           string // botocore's: "iam", "s3control", "resourcegroupstaggingapi"
	ServiceID      string // "Resource Groups Tagging API"
	SigningName    string // "tagging"
	EndpointPrefix string // "tagging"
	TargetPrefix   string // awsJson and CBOR: before the last dot of X-Amz-Target; "" = none
	Version        string // API version: query's Version parameter
	// Protocols are those that some client speaks, the model's preferred one first.
	Protocols []aws.Protocol
}

// Operation is one operation's routing.
type Operation struct {
	Name       string
	Method     string // POST for RPC protocols
	URI        string // the model's URI template, with its literal query; "/" for RPC protocols
	HostPrefix string // "{AccountId}."
	Unsigned   bool   // may be called without a signature
}

// Services lists all services, sorted by name. The slice is shared and must not be changed.
func Services() []*Service { return nil }

// Lookup is the service called name, or nil.
func Lookup(name string) *Service { return nil }

// Operations lists the service's operations, sorted by name. The slice is shared and must not be changed.
func (s *Service) Operations() []Operation { return nil }

// Operation is the operation called name.
func (s *Service) Operation(name string) (Operation, bool) { return Operation{}, false }
