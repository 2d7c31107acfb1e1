package main

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam"
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

// quotas are IAM's counts: for all accounts, and for single ones.
func (s *Settings) quotas() (all iam.Quotas, accounts map[string]iam.Quotas, err error) {
	accounts = map[string]iam.Quotas{}
	for _, text := range s.Quota { // those of all accounts first: an account's own start from them
		if account, _, _ := strings.Cut(text, "/"); accountID.MatchString(account) {
			accounts[account] = iam.Quotas{}
		} else {
			err = errors.Join(err, setQuota(&all, text, text))
		}
	}
	for account := range accounts {
		own := all
		for _, text := range s.Quota {
			if of, rest, _ := strings.Cut(text, "/"); of == account {
				err = errors.Join(err, setQuota(&own, rest, text))
			}
		}
		accounts[account] = own
	}
	return all, accounts, err
}

// setQuota sets the quota that "iam:users=10000" names.
func setQuota(q *iam.Quotas, text, whole string) error {
	name, value, _ := strings.Cut(text, "=")
	service, name, _ := strings.Cut(name, ":")
	number, err := strconv.Atoi(value)
	var names []string
	for field, at := range reflect.ValueOf(q).Elem().Fields() {
		if service == "iam" && strings.EqualFold(field.Name, name) && err == nil && number > 0 {
			at.SetInt(int64(number))
			return nil
		}
		names = append(names, field.Name)
	}
	return fmt.Errorf("%q is not like iam:Users=10000 or 123456789012/iam:Users=10000; there are %s", whole, strings.Join(names, ", "))
}
