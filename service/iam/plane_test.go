package iam

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

const testAccount = "111122223333"

// plane is a gateway that serves IAM from memory, with one account.
type plane struct {
	testing.TB
	*gateway.Gateway
	service *Service
	engine  store.Engine
	trail   *trail.Trail
	root    *aws.Principal
}

func newPlane(t testing.TB, change ...func(*Options)) *plane {
	t.Helper()
	options := storetest.Options()
	journal := trail.NewJournal(options.Sealer)
	options.Journal = journal
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	o := Options{Tokens: store.Tokens{Sealer: options.Sealer}}
	for _, change := range change {
		change(&o)
	}
	p := &plane{TB: t, engine: engine, trail: &trail.Trail{Engine: engine, Journal: journal}, service: New(o)}
	p.Gateway, err = gateway.New(gateway.Config{
		Engine: engine, Directory: p.service, Sessions: noSessions{}, Services: []gateway.Service{p.service},
		Unattributed: new(trail.Unattributed), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.account(testAccount)
	p.root = p.principal(testAccount, "root"+testAccount)
	return p
}

// noSessions opens no token.
type noSessions struct{}

func (noSessions) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}

// account makes a further account, whose root's key is "root" and the id.
func (p *plane) account(id string) {
	p.Helper()
	p.update(func(tx store.Tx) error {
		_, err := CreateAccount(tx, time.Now(), NewAccount{
			ID: id, Partition: "aws", AccessKeyID: "root" + id, SecretAccessKey: "a secret of no use"[2:8] + "-12345678",
		})
		return err
	})
}

func (p *plane) update(fn func(store.Tx) error) {
	p.Helper()
	if err := p.engine.Update(p.Context(), fn); err != nil {
		p.Fatal(err)
	}
}

// principal is who holds an access key.
func (p *plane) principal(account, key string) *aws.Principal {
	p.Helper()
	var found *aws.Principal
	p.update(func(tx store.Tx) error {
		c, err := p.service.Credential(tx, key)
		if err == nil {
			found = c.Principal
		}
		return err
	})
	if found.Account != account {
		p.Fatalf("key %s is of account %s", key, found.Account)
	}
	return found
}

// call calls as a principal and must succeed.
func call[In, Out any](p *plane, who *aws.Principal, op aws.Op[In, Out], in *In) *Out {
	p.Helper()
	out, err := gateway.Invoke(p.Context(), p.Gateway, who, op, in)
	if err != nil {
		p.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// try calls and answers the error's text, "" for a success.
func try[In, Out any](p *plane, who *aws.Principal, op aws.Op[In, Out], in *In) string {
	_, err := gateway.Invoke(context.WithoutCancel(p.Context()), p.Gateway, who, op, in)
	if err == nil {
		return ""
	}
	return err.Error()
}
