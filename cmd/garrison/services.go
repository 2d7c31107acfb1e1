package main

import (
	"context"
	"time"

	"github.com/garrison-security/garrison/backup"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/accessanalyzer"
	"github.com/garrison-security/garrison/service/cloudtrail"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/kms"
	"github.com/garrison-security/garrison/service/organizations"
	"github.com/garrison-security/garrison/service/s3"
	"github.com/garrison-security/garrison/service/sts"
	"github.com/garrison-security/garrison/store"
)

// services is the list of all services, and the one place where what one needs
// of another is plugged in.
type services struct {
	all       []gateway.Service
	unserved  map[string]string // why a service is not among them
	directory gateway.Directory
	sessions  gateway.Sessions
	denials   gateway.Denials
	limits    gateway.Guardrails
	consumers []consumer
}

// consumer is what follows from the record, until ctx ends.
type consumer struct {
	name string
	run  func(ctx context.Context) error
}

func newServices(h *house, settings *Settings) (services, error) {
	all, accounts, err := settings.quotas()
	if err != nil {
		return services{}, usageError{err}
	}
	identities := iam.New(iam.Options{Tokens: store.Tokens{Sealer: h.keys}, Quotas: all.IAM,
		Accounts: perAccount(accounts, func(q quotas) iam.Quotas { return q.IAM })})
	tokens := sts.New(h.keys, identities, h.clockRight)
	lookups := cloudtrail.New(cloudtrail.Options{Trail: h.record, Tokens: store.Tokens{Sealer: h.keys}, Log: h.log})
	tree := organizations.New(organizations.Options{
		Accounts: identities, Keys: h.keys, NewAccountID: iam.NewAccountID, Tokens: store.Tokens{Sealer: h.keys},
		Quotas: all.Organizations, PerAccount: perAccount(accounts, func(q quotas) organizations.Quotas { return q.Organizations }),
	})
	identities.Organizations = tree
	served := settings.Region
	if len(served) == 0 {
		served = gateway.Regions(h.Partition)
	}
	proxies, err := settings.xksClient()
	if err != nil {
		return services{}, usageError{err}
	}
	clusters, err := settings.clusters(h.log)
	if err != nil {
		return services{}, usageError{err}
	}
	keys := kms.New(kms.Options{
		Proxies: proxies, Clusters: clusters,
		Sealer: h.keys, Identities: identities, Regions: served, Quotas: all.KMS, Accounts: perAccount(accounts, func(q quotas) kms.Quotas { return q.KMS }),
	})
	list := services{
		all:       []gateway.Service{identities, tokens, lookups, tree, keys, accessanalyzer.New(accessanalyzer.Options{Tokens: store.Tokens{Sealer: h.keys}})},
		directory: identities,
		sessions:  tokens,
		denials:   tokens,
		limits:    tree,
		consumers: []consumer{
			{"iam", func(ctx context.Context) error { return identities.Run(ctx, h.record) }},
			{"iam reports", func(ctx context.Context) error { return identities.MakeReports(ctx, h.record) }},
			{"cloudtrail", lookups.Run},
			{"kms", func(ctx context.Context) error { return keys.Follow(ctx, h.record) }},
			{"kms key stores", func(ctx context.Context) error { return keys.RunStores(ctx, h.record) }},
			{"kms logins", func(ctx context.Context) error { return keys.RunLogins(ctx, h.engine) }},
			{"kms calendar", func(ctx context.Context) error { return keys.Run(ctx, h.engine, time.Now) }},
		},
	}
	if h.blobs == nil {
		list.unserved = map[string]string{"s3": noBlobs, "s3control": noBlobs}
	} else {
		held := func(tx store.Tx) (bool, error) { return backup.Held(tx, time.Now()) }
		objects := s3.New(s3.Options{Engine: h.engine, Blobs: h.blobs, Held: held, Regions: served, Keys: keys.For("s3"), MFA: identities, Tokens: store.Tokens{Sealer: h.keys}, Log: h.log})
		list.all = append(list.all, objects, s3.Control{})
		list.consumers = append(list.consumers, consumer{"s3", func(ctx context.Context) error { return h.record.Alone(ctx, "s3 sweep", objects.Run) }},
			consumer{"s3 lifecycle", func(ctx context.Context) error { return h.record.Alone(ctx, "s3 lifecycle", objects.Expire) }})
	}
	identities.Calls = iam.CallsOf(list.all)
	return list, nil
}

// noBlobs is why S3 is not served from a database alone.
const noBlobs = "with --engine postgres://… it needs a place for objects that nodes share; name one with --blobs s3://BUCKET"
