package iam

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

func TestLastUseComesFromTheTrail(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	key := call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("u")}).AccessKey.AccessKeyId
	roleID := call(p, p.root, iam.GetRole, &iam.GetRoleInput{RoleName: "r"}).Role.RoleId
	lastUsed := func() (string, iam.AccessKeyLastUsed) {
		out := call(p, p.root, iam.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key})
		return *out.UserName, *out.AccessKeyLastUsed
	}
	if name, got := lastUsed(); name != "u" || got != (iam.AccessKeyLastUsed{ServiceName: "N/A", Region: "N/A"}) {
		t.Errorf("never used: %s %+v", name, got)
	}
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	event := func(after time.Duration, source, key string) trail.Record {
		return trail.Record{Scope: testAccount, Event: &trail.Event{
			EventTime: start.Add(after), EventSource: source + ".amazonaws.com", AWSRegion: "eu-west-1",
			UserIdentity: trail.UserIdentity{AccountID: testAccount, AccessKeyID: key},
		}}
	}
	session := event(time.Hour, "s3", "ASIAAAAAAAAAAAAAAAAA")
	session.Event.UserIdentity.SessionContext = &trail.SessionContext{SessionIssuer: &trail.SessionIssuer{PrincipalID: roleID}}
	foreign := event(24*time.Hour, "kms", key)
	foreign.Scope = "444455556666"
	p.update(func(tx store.Tx) error {
		return p.service.RecordUse(tx, []trail.Record{
			event(time.Minute, "sqs", key), event(0, "kms", key), session, foreign, {Scope: testAccount}, event(0, "kms", "AKIAAAAAAAAAAAAAAAAA"),
		})
	})
	if _, got := lastUsed(); got.ServiceName != "sqs" || got.Region != "eu-west-1" || !got.LastUsedDate.Equal(start.Add(time.Minute)) {
		t.Errorf("last used %+v", got)
	}
	if got := call(p, p.root, iam.GetRole, &iam.GetRoleInput{RoleName: "r"}).Role.RoleLastUsed; got.LastUsedDate == nil || !got.LastUsedDate.Equal(start.Add(time.Hour)) {
		t.Errorf("role last used %+v", got)
	}
	// A use shortly after is not worth a write.
	p.update(func(tx store.Tx) error {
		return p.service.RecordUse(tx, []trail.Record{event(90*time.Second, "sqs", key)})
	})
	if _, got := lastUsed(); !got.LastUsedDate.Equal(start.Add(time.Minute)) {
		t.Errorf("last used %+v", got)
	}
	p.update(func(tx store.Tx) error {
		return p.service.RecordUse(tx, []trail.Record{event(3*time.Minute, "sqs", key)})
	})
	if _, got := lastUsed(); !got.LastUsedDate.Equal(start.Add(3 * time.Minute)) {
		t.Errorf("last used %+v", got)
	}
	call(p, p.root, iam.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: new("u"), AccessKeyId: key})
	p.update(func(tx store.Tx) error {
		if found, err := lastUses.Has(tx, testAccount, key); found || err != nil {
			t.Errorf("the use of a deleted key is known: %t %v", found, err)
		}
		return nil
	})
}

// The whole way: a call, its record, and what is told of the key that signed it.
func TestRunFollowsTheRecord(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`)
	call(p, who, iam.ListUsers, &iam.ListUsersInput{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.service.Run(ctx, p.trail) }()
	for range 1000 {
		used := call(p, p.root, iam.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: who.AccessKeyID}).AccessKeyLastUsed
		if used.LastUsedDate != nil {
			if used.ServiceName != "iam" || used.Region != "us-east-1" {
				t.Errorf("last used %+v", used)
			}
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("Run = %v", err)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	t.Fatal("the use was not written down")
}
