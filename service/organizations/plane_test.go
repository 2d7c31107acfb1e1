package organizations_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/organizations"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

// Accounts of the tests.
const (
	head     = "111122223333" // the management account
	stranger = "444455556666"
	other    = "777788889999"
)

// plane is a gateway that serves IAM and Organizations from memory.
type plane struct {
	testing.TB
	*gateway.Gateway
	iam    *iam.Service
	tree   *organizations.Service
	engine store.Engine
	trail  *trail.Trail
	now    time.Time
	next   int // account ids given out
}

// noKeys makes no keys: the tests' engine seals under one.
type noKeys struct{}

func (noKeys) Ensure(context.Context, string) error { return nil }

// noSessions opens no token.
type noSessions struct{}

func (noSessions) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}

func newPlane(t testing.TB, change ...func(*organizations.Options)) *plane {
	t.Helper()
	options := storetest.Options()
	journal := trail.NewJournal(options.Sealer)
	options.Journal = journal
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	p := &plane{TB: t, engine: engine, trail: &trail.Trail{Engine: engine, Journal: journal}, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	tokens := store.Tokens{Sealer: options.Sealer}
	p.iam = iam.New(iam.Options{Tokens: tokens})
	o := organizations.Options{Accounts: p.iam, Keys: noKeys{}, Tokens: tokens, NewAccountID: func() (string, error) {
		p.next++
		return fmt.Sprintf("%012d", 200000000000+p.next), nil
	}}
	for _, change := range change {
		change(&o)
	}
	p.tree = organizations.New(o)
	p.iam.Organizations = p.tree
	p.Gateway, err = gateway.New(gateway.Config{
		Engine: engine, Directory: p.iam, Sessions: noSessions{}, Guardrails: p.tree, Services: []gateway.Service{p.iam, p.tree},
		Clock: func() time.Time { return p.now }, Unattributed: new(trail.Unattributed), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{head, stranger, other} {
		p.update(func(tx store.Tx) error {
			_, err := iam.CreateAccount(tx, p.now, iam.NewAccount{ID: id, Name: "name " + id, Email: id + "@example.com", Partition: "aws",
				AccessKeyID: "root" + id, SecretAccessKey: "0123456789"})
			if err != nil {
				return err
			}
			return organizations.Admit(tx, id)
		})
	}
	return p
}

func (p *plane) update(fn func(store.Tx) error) {
	p.Helper()
	if err := p.engine.Update(p.Context(), fn); err != nil {
		p.Fatal(err)
	}
}

// root is an account's root.
func root(account string) *aws.Principal {
	return &aws.Principal{Kind: aws.Root, Partition: "aws", Account: account, ARN: "arn:aws:iam::" + account + ":root", ID: account}
}

// user makes a user with a policy of its own, "" for none.
func (p *plane) user(account, name, policy string) *aws.Principal {
	p.Helper()
	u := call(p, root(account), iamapi.CreateUser, &iamapi.CreateUserInput{UserName: name}).User
	if policy != "" {
		call(p, root(account), iamapi.PutUserPolicy, &iamapi.PutUserPolicyInput{UserName: name, PolicyName: "own", PolicyDocument: policy})
	}
	return &aws.Principal{Kind: aws.User, Partition: "aws", Account: account, ARN: u.Arn, ID: u.UserId, Name: name, Path: "/"}
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
	if e, ok := err.(interface{ ErrorShape() string }); ok {
		return strings.TrimSuffix(e.ErrorShape(), "Exception") + " " + err.Error()
	}
	return err.Error()
}

// want holds that a call is refused so.
func want(t testing.TB, what, got, wanted string) {
	t.Helper()
	if wanted == "" && got != "" || !strings.Contains(got, wanted) {
		t.Errorf("%s: %q, want %q", what, got, wanted)
	}
}

// found makes the management account's organisation and answers its root's id.
func (p *plane) found() string {
	p.Helper()
	call(p, root(head), api.CreateOrganization, &api.CreateOrganizationInput{})
	return *call(p, root(head), api.ListRoots, &api.ListRootsInput{}).Roots[0].Id
}

// invite makes an account a member by invitation.
func (p *plane) invite(account string) {
	p.Helper()
	h := call(p, root(head), api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{
		Target: &api.HandshakeParty{Id: account, Type: api.HandshakePartyTypeAccount}}).Handshake
	call(p, root(account), api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: *h.Id})
}

// create makes a member and answers its id.
func (p *plane) create(name string) string {
	p.Helper()
	st := call(p, root(head), api.CreateAccount, &api.CreateAccountInput{AccountName: name, Email: name + "@example.com"}).CreateAccountStatus
	if st.AccountId == nil {
		p.Fatalf("%s: %s", name, *st.FailureReason)
	}
	return *st.AccountId
}

// unit makes a unit and answers its id.
func (p *plane) unit(parent, name string) string {
	p.Helper()
	return *call(p, root(head), api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: parent, Name: name}).OrganizationalUnit.Id
}

// policy makes a policy and answers its id.
func (p *plane) policy(of api.PolicyType, name, content string) string {
	p.Helper()
	return *call(p, root(head), api.CreatePolicy, &api.CreatePolicyInput{Type: of, Name: name, Content: content}).Policy.PolicySummary.Id
}

// attach makes a policy and attaches it.
func (p *plane) attach(of api.PolicyType, name, content, target string) string {
	p.Helper()
	id := p.policy(of, name, content)
	call(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: target})
	return id
}

// enable enables a policy type.
func (p *plane) enable(root_ string, of api.PolicyType) {
	p.Helper()
	call(p, root(head), api.EnablePolicyType, &api.EnablePolicyTypeInput{RootId: root_, PolicyType: of})
}

// Documents.
const (
	allowAll  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	denyUsers = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}}`
	denyAll   = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
)
