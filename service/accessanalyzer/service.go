// Package accessanalyzer is IAM Access Analyzer as far as it looks at policies
// by themselves: ValidatePolicy. It keeps nothing.
package accessanalyzer

import (
	"github.com/garrison-security/garrison/api/accessanalyzer"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Options are what a Service is made of.
type Options struct {
	Tokens store.Tokens // seals the tokens of pages
}

// Service is IAM Access Analyzer. It is safe for concurrent use.
type Service struct{ Options }

// New makes a Service.
func New(o Options) *Service { return &Service{o} }

// Operations implements gateway.Service.
func (s *Service) Operations() []gateway.Operation {
	return []gateway.Operation{
		gateway.Prepare(accessanalyzer.ValidatePolicy, gateway.Account, s.validatePolicy, answerValidation),
	}
}
