// Package catalog is the table of every operation of every AWS service: names
// and routing, no types. Behind it any AWS call can be told apart and refused
// by name, though nobody serves it. Package api/<service> holds what is served.
//
// services.txt and operations.txt are written by modelgen. The first is read
// when the first service is asked for, a service's part of the second when its
// operations are.
package catalog

import (
	"slices"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/aws"
)

// Service is one AWS service, as far as a request must be known to be its own.
type Service struct {
	Name           string // botocore's: "iam", "s3control", "resourcegroupstaggingapi"
	ServiceID      string // "Resource Groups Tagging API"
	SigningName    string // "tagging"
	EndpointPrefix string // "tagging"
	TargetPrefix   string // awsJson: before the last dot of X-Amz-Target; "" = none
	SmithyName     string // in the path of CBOR requests; "" where it is not known
	Version        string // API version: query's Version parameter
	// Protocols are those of the service's model, its preferred one first.
	// AWSJSON11 stands for both versions where the service has no model here.
	Protocols []aws.Protocol

	load       sync.Once
	operations []Operation
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
func Services() []*Service { return services() }

// Lookup is the service called name, or nil.
func Lookup(name string) *Service {
	i, ok := slices.BinarySearchFunc(Services(), name, func(s *Service, name string) int {
		return strings.Compare(s.Name, name)
	})
	if !ok {
		return nil
	}
	return Services()[i]
}

// Operations lists the service's operations, sorted by name. The slice is shared and must not be changed.
func (s *Service) Operations() []Operation {
	s.load.Do(func() { s.operations = readOperations(s.Name) })
	return s.operations
}

// Operation is the operation called name.
func (s *Service) Operation(name string) (Operation, bool) {
	operations := s.Operations()
	i, ok := slices.BinarySearchFunc(operations, name, func(o Operation, name string) int {
		return strings.Compare(o.Name, name)
	})
	if !ok {
		return Operation{}, false
	}
	return operations[i], true
}
