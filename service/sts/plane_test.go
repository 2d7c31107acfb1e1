package sts_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/sts"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

const (
	home  = "111122223333"
	other = "444455556666"
)

var _ sts.Sealer = (*keyring.Keyring)(nil)

// plane is a gateway that serves IAM and STS from memory, with two accounts.
type plane struct {
	testing.TB
	*gateway.Gateway
	iam    *iam.Service
	sts    *sts.Service
	engine store.Engine
	root   map[string]*aws.Principal
	wrong  bool // the clock is
}

// sealer seals tokens as the keyring does.
type sealer struct{ *storetest.Sealer }

func (s sealer) SealToken(purpose string, aad, plaintext []byte) ([]byte, error) {
	return s.Seal(nil, purpose, aad, plaintext)
}

func (s sealer) OpenToken(purpose string, aad, token []byte) ([]byte, error) {
	return s.Open(nil, purpose, aad, token)
}

func newPlane(t testing.TB, change ...func(*plane, *gateway.Config)) *plane {
	t.Helper()
	options := storetest.Options()
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	p := &plane{TB: t, engine: engine, root: map[string]*aws.Principal{}}
	p.iam = iam.New(iam.Options{Tokens: store.Tokens{Sealer: options.Sealer}})
	p.sts = sts.New(sealer{storetest.NewSealer()}, p.iam, func() bool { return !p.wrong })
	config := gateway.Config{
		Engine: engine, Directory: p.iam, Sessions: p.sts, Services: []gateway.Service{p.iam, p.sts},
		Unattributed: new(trail.Unattributed), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, change := range change {
		change(p, &config)
	}
	p.Gateway, err = gateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{home, other} {
		p.update(func(tx store.Tx) error {
			_, err := iam.CreateAccount(tx, time.Now(), iam.NewAccount{
				ID: account, Partition: "aws", AccessKeyID: "root" + account, SecretAccessKey: "0123456789",
			})
			return err
		})
		p.root[account] = p.holder("root" + account)
	}
	return p
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
	call(p, p.root[home], iamapi.CreateUser, &iamapi.CreateUserInput{UserName: name})
	if policy != "" {
		call(p, p.root[home], iamapi.PutUserPolicy, &iamapi.PutUserPolicyInput{UserName: name, PolicyName: "own", PolicyDocument: policy})
	}
	key := call(p, p.root[home], iamapi.CreateAccessKey, &iamapi.CreateAccessKeyInput{UserName: &name}).AccessKey
	return p.holder(key.AccessKeyId)
}

// role makes a role of an account.
func (p *plane) role(account, name, trust, policy string) string {
	p.Helper()
	made := call(p, p.root[account], iamapi.CreateRole, &iamapi.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trust}).Role
	if policy != "" {
		call(p, p.root[account], iamapi.PutRolePolicy, &iamapi.PutRolePolicyInput{RoleName: name, PolicyName: "own", PolicyDocument: policy})
	}
	return made.Arn
}

// assume assumes a role and is its session.
func (p *plane) assume(who *aws.Principal, in stsapi.AssumeRoleInput) *aws.Principal {
	p.Helper()
	if in.RoleSessionName == "" {
		in.RoleSessionName = "session"
	}
	return p.open(call(p, who, stsapi.AssumeRole, &in).Credentials)
}

// open is who holds a session's credentials.
func (p *plane) open(c *stsapi.Credentials) *aws.Principal {
	p.Helper()
	opened, err := p.sts.Open(c.SessionToken, c.AccessKeyId)
	if err != nil {
		p.Fatal(err)
	}
	if opened.Secret != c.SecretAccessKey {
		p.Fatal("the token holds another secret")
	}
	return opened.Principal
}

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

// Documents.
const (
	allowAll    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	allowAssume = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"*"}}`
)

// trusts is a trust policy that lets a principal in, with further members of its statement.
func trusts(principal, more string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]` + more + `}}`
}

func rootOf(account string) string { return "arn:aws:iam::" + account + ":root" }
