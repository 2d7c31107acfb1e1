package main

import (
	"context"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/cloudtrail"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/sts"
	"github.com/garrison-security/garrison/store"
)

// services is the list of all services, and the one place where what one needs
// of another is plugged in.
type services struct {
	all       []gateway.Service
	directory gateway.Directory
	sessions  gateway.Sessions
	consumers []consumer
}

// consumer is what follows from the record, until ctx ends.
type consumer struct {
	name string
	run  func(ctx context.Context) error
}

func newServices(h *house, settings *Settings) (services, error) {
	quotas, accounts, err := settings.quotas()
	if err != nil {
		return services{}, usageError{err}
	}
	identities := iam.New(iam.Options{Tokens: store.Tokens{Sealer: h.keys}, Quotas: quotas, Accounts: accounts})
	tokens := sts.New(h.keys, identities)
	lookups := cloudtrail.New(cloudtrail.Options{Trail: h.record, Tokens: store.Tokens{Sealer: h.keys}, Log: h.log})
	return services{
		all:       []gateway.Service{identities, tokens, lookups},
		directory: identities,
		sessions:  tokens,
		consumers: []consumer{
			{"iam", func(ctx context.Context) error { return identities.Run(ctx, h.record) }},
			{"cloudtrail", lookups.Run},
		},
	}, nil
}
