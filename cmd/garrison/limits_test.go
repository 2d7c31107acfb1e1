package main

import (
	"testing"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam"
)

func TestRates(t *testing.T) {
	for text, want := range map[string]gateway.Rate{
		"iam:CreateUser=5": {PerSecond: 5, Burst: 5},
		"iam:*=5/20":       {PerSecond: 5, Burst: 20},
		"*=0.5":            {PerSecond: 0.5, Burst: 1},
	} {
		if _, got, err := parseRate(text); err != nil || got != want {
			t.Errorf("parseRate(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "iam", "iam=1", "iam:=1", ":x=1", "iam:x", "iam:x=0", "iam:x=-1", "iam:x=NaN", "iam:x=Inf", "iam:x=1/0", "iam:x=1/y"} {
		if _, got, err := parseRate(text); err == nil {
			t.Errorf("parseRate(%q) = %v", text, got)
		}
	}
	s := Settings{Limits: "aws", Rate: []string{"sts:*=7"}}
	got, err := s.rates()
	if err != nil || got["sts:*"].PerSecond != 7 || got["cloudtrail:LookupEvents"].PerSecond != 2 {
		t.Errorf("rates = %v, %v", got, err)
	}
}

func TestQuotas(t *testing.T) {
	s := Settings{Quota: []string{"123456789012/iam:users=7", "iam:Users=10", "iam:GroupsPerUser=3", "210987654321/iam:Roles=1", "organizations:accounts=50", "kms:keys=5"}}
	all, accounts, err := s.quotas()
	if err != nil {
		t.Fatal(err)
	}
	if want := (iam.Quotas{Users: 10, GroupsPerUser: 3}); all.IAM != want {
		t.Errorf("for all: %+v", all)
	}
	if want := (iam.Quotas{Users: 7, GroupsPerUser: 3}); accounts["123456789012"].IAM != want {
		t.Errorf("for one: %+v", accounts["123456789012"])
	}
	if want := (iam.Quotas{Users: 10, GroupsPerUser: 3, Roles: 1}); accounts["210987654321"].IAM != want {
		t.Errorf("for another: %+v", accounts["210987654321"])
	}
	if all.KMS.Keys != 5 {
		t.Errorf("of KMS, for all: %+v", all.KMS)
	}
	if all.Organizations.Accounts != 50 {
		t.Errorf("of organizations, for all: %+v", all.Organizations)
	}
	for _, text := range []string{"", "iam:Users", "iam:Users=0", "iam:Users=x", "iam:Cats=1", "kms:Users=1", "organizations:Users=1", "12/iam:Users=1", "123456789012/", "123456789012/iam:Cats=1"} {
		s := Settings{Quota: []string{text}}
		if _, _, err := s.quotas(); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
