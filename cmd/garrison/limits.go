package main

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/kms"
	"github.com/garrison-security/garrison/service/organizations"
)

// documentedRates are the rates that AWS documents, for `limits: aws`.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (STS)
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
var documentedRates = map[string]gateway.Rate{
	"sts:*":                   {PerSecond: 600, Burst: 600},
	"cloudtrail:LookupEvents": {PerSecond: 2, Burst: 2},
	"cloudtrail:*":            {PerSecond: 10, Burst: 10},
}

// rates are those that the settings ask for: AWS's, and single ones over them.
func (s *Settings) rates() (map[string]gateway.Rate, error) {
	rates := map[string]gateway.Rate{}
	if s.Limits == "aws" {
		for what, rate := range documentedRates {
			rates[what] = rate
		}
	}
	for _, text := range s.Rate {
		what, rate, err := parseRate(text)
		if err != nil {
			return nil, err
		}
		rates[what] = rate
	}
	return rates, nil
}

// parseRate reads "iam:CreateUser=5", five a second, or "iam:*=5/20", five a
// second and twenty at once.
func parseRate(text string) (what string, rate gateway.Rate, err error) {
	wrong := fmt.Errorf("%q is not like iam:CreateUser=5 or iam:*=5/20", text)
	what, value, ok := strings.Cut(text, "=")
	service, operation, named := strings.Cut(what, ":")
	if !ok || what != "*" && (!named || service == "" || operation == "") {
		return "", rate, wrong
	}
	second, burst, given := strings.Cut(value, "/")
	if rate.PerSecond, err = strconv.ParseFloat(second, 64); err != nil || !(rate.PerSecond > 0 && rate.PerSecond <= 1e9) {
		return "", rate, wrong
	}
	rate.Burst = max(1, int(rate.PerSecond))
	if given {
		if rate.Burst, err = strconv.Atoi(burst); err != nil || rate.Burst < 1 {
			return "", rate, wrong
		}
	}
	return what, rate, nil
}

// quotas are the counts of all services that have some, by service.
type quotas struct {
	IAM           iam.Quotas
	KMS           kms.Quotas
	Organizations organizations.Quotas
}

// perAccount is a service's share of accounts' quotas.
func perAccount[Q any](accounts map[string]quotas, of func(quotas) Q) map[string]Q {
	share := make(map[string]Q, len(accounts))
	for account, q := range accounts {
		share[account] = of(q)
	}
	return share
}

// quotas are those for all accounts, and for single ones.
func (s *Settings) quotas() (all quotas, accounts map[string]quotas, err error) {
	accounts = map[string]quotas{}
	for _, text := range s.Quota { // those of all accounts first: an account's own start from them
		if account, _, _ := strings.Cut(text, "/"); accountID.MatchString(account) {
			accounts[account] = quotas{}
		} else {
			err = errors.Join(err, all.set(text, text))
		}
	}
	for account := range accounts {
		own := all
		for _, text := range s.Quota {
			if of, rest, _ := strings.Cut(text, "/"); of == account {
				err = errors.Join(err, own.set(rest, text))
			}
		}
		accounts[account] = own
	}
	return all, accounts, err
}

// set sets the quota that "iam:users=10000" names.
func (q *quotas) set(text, whole string) error {
	name, value, _ := strings.Cut(text, "=")
	service, name, _ := strings.Cut(name, ":")
	number, err := strconv.Atoi(value)
	var names []string
	for of, all := range reflect.ValueOf(q).Elem().Fields() {
		for field, at := range all.Fields() {
			if strings.EqualFold(of.Name, service) && strings.EqualFold(field.Name, name) && err == nil && number > 0 {
				at.SetInt(int64(number))
				return nil
			}
			names = append(names, strings.ToLower(of.Name)+":"+field.Name)
		}
	}
	return fmt.Errorf("%q is not like iam:Users=10000 or 123456789012/iam:Users=10000; there are %s", whole, strings.Join(names, ", "))
}
