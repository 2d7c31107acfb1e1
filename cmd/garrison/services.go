package main

import (
	"context"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/sts"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// services is the list of all services, and the one place where what one needs
// of another is plugged in.
type services struct {
	all       []gateway.Service
	directory gateway.Directory
	sessions  gateway.Sessions
	consumers []consumer
}

// consumer follows the record, until ctx ends.
type consumer interface {
	Run(ctx context.Context, record *trail.Trail) error
}

func newServices(h *house, settings *Settings) (services, error) {
	quotas, accounts, err := settings.quotas()
	if err != nil {
		return services{}, usageError{err}
	}
	identities := iam.New(iam.Options{Tokens: store.Tokens{Sealer: h.keys}, Quotas: quotas, Accounts: accounts})
	tokens := sts.New(h.keys, identities)
	return services{
		all:       []gateway.Service{identities, tokens},
		directory: identities,
		sessions:  tokens,
		consumers: []consumer{identities},
	}, nil
}
