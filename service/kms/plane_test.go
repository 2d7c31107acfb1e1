package kms_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/kms"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

const (
	home   = "111122223333"
	other  = "444455556666"
	region = "us-east-1"
)

var _ kms.Identities = (*iam.Service)(nil)

// plane is a gateway that serves IAM and KMS from memory, with two accounts and a clock of its own.
type plane struct {
	testing.TB
	*gateway.Gateway
	iam    *iam.Service
	kms    *kms.Service
	engine store.Engine
	trail  *trail.Trail
	root   *aws.Principal // of home

	wrapping map[string]*api.GetParametersForImportOutput // by key

	mu  sync.Mutex
	now time.Time
}

func newPlane(t testing.TB, change ...func(*kms.Options)) *plane {
	t.Helper()
	options := storetest.Options()
	journal := trail.NewJournal(options.Sealer)
	options.Journal = journal
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	p := &plane{TB: t, engine: engine, trail: &trail.Trail{Engine: engine, Journal: journal}, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), wrapping: map[string]*api.GetParametersForImportOutput{}}
	p.iam = iam.New(iam.Options{Tokens: store.Tokens{Sealer: options.Sealer}})
	o := kms.Options{Sealer: options.Sealer, Identities: p.iam, Regions: []string{region, "eu-west-1", "eu-central-1"}}
	for _, change := range change {
		change(&o)
	}
	p.kms = kms.New(o)
	p.serve()
	for _, account := range []string{home, other} {
		p.update(func(tx store.Tx) error {
			_, err := iam.CreateAccount(tx, p.clock(), iam.NewAccount{
				ID: account, Partition: "aws", AccessKeyID: "root" + account, SecretAccessKey: "0123456789",
			})
			return err
		})
	}
	p.root = p.holder("root" + home)
	return p
}

// serve makes the gateway, with more services than IAM and KMS.
func (p *plane) serve(more ...gateway.Service) {
	p.Helper()
	var err error
	p.Gateway, err = gateway.New(gateway.Config{
		Engine: p.engine, Directory: p.iam, Sessions: noSessions{}, Services: append([]gateway.Service{p.iam, p.kms}, more...), Clock: p.clock,
		Unattributed: new(trail.Unattributed), Log: slog.New(slog.NewTextHandler(p.Output(), nil)),
	})
	if err != nil {
		p.Fatal(err)
	}
}

func (p *plane) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// pass lets time pass.
func (p *plane) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// noSessions opens no token.
type noSessions struct{}

func (noSessions) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}

func (p *plane) update(fn func(store.Tx) error) {
	p.Helper()
	if err := p.engine.Update(p.Context(), fn); err != nil {
		p.Fatal(err)
	}
}

// holder is who holds a long-term key.
func (p *plane) holder(key string) *aws.Principal {
	p.Helper()
	var c *gateway.Credential
	p.update(func(tx store.Tx) (err error) {
		c, err = p.iam.Credential(tx, key)
		return err
	})
	return c.Principal
}

// user makes a user of the home account with a policy of its own, "" for none.
func (p *plane) user(name, policy string) *aws.Principal {
	p.Helper()
	return p.userOf(p.root, name, policy)
}

// userOf makes a user of root's account.
func (p *plane) userOf(root *aws.Principal, name, policy string) *aws.Principal {
	p.Helper()
	call(p, root, iamapi.CreateUser, &iamapi.CreateUserInput{UserName: name})
	if policy != "" {
		call(p, root, iamapi.PutUserPolicy, &iamapi.PutUserPolicyInput{UserName: name, PolicyName: "own", PolicyDocument: policy})
	}
	return p.holder(call(p, root, iamapi.CreateAccessKey, &iamapi.CreateAccessKeyInput{UserName: &name}).AccessKey.AccessKeyId)
}

// session is a session of a role of the home account that is made for it.
func (p *plane) session(name, policy string) *aws.Principal {
	p.Helper()
	role := call(p, p.root, iamapi.CreateRole, &iamapi.CreateRoleInput{
		RoleName: name, AssumeRolePolicyDocument: `{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":"sts:AssumeRole"}}`,
	}).Role
	if policy != "" {
		call(p, p.root, iamapi.PutRolePolicy, &iamapi.PutRolePolicyInput{RoleName: name, PolicyName: "own", PolicyDocument: policy})
	}
	return &aws.Principal{
		Kind: aws.AssumedRole, Partition: "aws", Account: home, ARN: "arn:aws:sts::" + home + ":assumed-role/" + name + "/s",
		ID: role.RoleId + ":s", AccessKeyID: "ASIAIOSFODNN7EXAMPLE",
		Session: &aws.Session{RoleARN: role.Arn, RoleID: role.RoleId, RoleName: name, Name: "s", IssuedAt: p.clock(), ExpiresAt: p.clock().Add(time.Hour)},
	}
}

// key makes a key of the home account, symmetric unless change says otherwise.
func (p *plane) key(change ...func(*api.CreateKeyInput)) *api.KeyMetadata {
	p.Helper()
	in := new(api.CreateKeyInput)
	for _, change := range change {
		change(in)
	}
	return call(p, p.root, api.CreateKey, in).KeyMetadata
}

// of makes keys of a spec and a usage.
func of(spec api.KeySpec, usage api.KeyUsageType) func(*api.CreateKeyInput) {
	return func(in *api.CreateKeyInput) { in.KeySpec, in.KeyUsage = &spec, &usage }
}

// governed makes keys with a policy.
func governed(policy string) func(*api.CreateKeyInput) {
	return func(in *api.CreateKeyInput) { in.Policy, in.BypassPolicyLockoutSafetyCheck = &policy, new(true) }
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
	return tryIn(p, region, who, op, in)
}

func tryIn[In, Out any](p *plane, region string, who *aws.Principal, op aws.Op[In, Out], in *In) string {
	_, err := gateway.InvokeIn(context.WithoutCancel(p.Context()), p.Gateway, region, who, op, in)
	if err == nil {
		return ""
	}
	return err.Error()
}

// callIn calls in a Region and must succeed.
func callIn[In, Out any](p *plane, region string, who *aws.Principal, op aws.Op[In, Out], in *In) *Out {
	p.Helper()
	out, err := gateway.InvokeIn(p.Context(), p.Gateway, region, who, op, in)
	if err != nil {
		p.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// events are what the record holds.
func (p *plane) events() (all []*trail.Event) {
	p.Helper()
	streams, err := p.engine.Streams(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, stream := range streams {
		for row, err := range p.engine.Rows(p.Context(), stream.ID, 0) {
			if err != nil {
				p.Fatal(err)
			}
			records, err := p.trail.Journal.Open(stream.ID, row)
			if err != nil {
				p.Fatal(err)
			}
			for _, r := range records {
				all = append(all, r.Event)
			}
		}
	}
	return all
}
