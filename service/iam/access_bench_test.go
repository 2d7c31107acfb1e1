package iam

import (
	"fmt"
	"testing"
	"time"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// Which services ten of AWS's largest managed policies reach: the dear part of a report.
func BenchmarkReachable(b *testing.B) {
	var policies []*policy.Policy
	for _, name := range []string{"ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess", "PowerUserAccess", "job-function/SupportUser",
		"AmazonEC2FullAccess", "IAMFullAccess", "job-function/SystemAdministrator", "job-function/DataScientist", "AWSCloudTrail_FullAccess"} {
		p := managed.Get("aws", "arn:aws:iam::aws:policy/"+name)
		if p == nil {
			b.Fatal(name)
		}
		policies = append(policies, p.Compiled("aws"))
	}
	for b.Loop() {
		reachable(policy.NewReach(64), policies)
	}
}

// A batch of 1,000 records of ten users, as the consumer takes it.
func BenchmarkRecordAccesses(b *testing.B) {
	p := newPlane(b)
	p.service.Calls = CallsOf([]gateway.Service{p.service})
	var records []trail.Record
	now := time.Now()
	p.update(func(tx store.Tx) error {
		for i := range 10 {
			id := fmt.Sprintf("AIDA%d", i)
			if err := users.Put(tx, testAccount, &User{Entity: Entity{Name: id, ID: id}}, id); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range 1000 {
		records = append(records, trail.Record{Scope: testAccount, Event: &trail.Event{EventTime: now, EventSource: "iam.amazonaws.com", EventName: []string{"ListUsers", "GetUser"}[i%2],
			UserIdentity: trail.UserIdentity{Type: "IAMUser", PrincipalID: fmt.Sprintf("AIDA%d", i%10), AccountID: testAccount}}})
	}
	for b.Loop() {
		p.update(func(tx store.Tx) error { return recordAccesses(tx, p.service.accesses(records)) })
	}
}
