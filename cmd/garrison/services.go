package main

import (
	"github.com/garrison-security/garrison/gateway"
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
}

func newServices(h *house) services {
	identities := iam.New(iam.Options{Tokens: store.Tokens{Sealer: h.keys}})
	tokens := sts.New(h.keys, identities)
	return services{
		all:       []gateway.Service{identities, tokens},
		directory: identities,
		sessions:  tokens,
	}
}

// documentedRates are the rates that AWS documents, for `limits: aws`.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (STS)
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
var documentedRates = map[string]gateway.Rate{
	"sts:*":                   {PerSecond: 600, Burst: 600},
	"cloudtrail:LookupEvents": {PerSecond: 2, Burst: 2},
	"cloudtrail:*":            {PerSecond: 10, Burst: 10},
}
