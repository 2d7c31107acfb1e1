package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/service/organizations"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/trail"
)

// guardrails measures, in process and on Pebble, what an organisation costs a
// decision, and an attachment to its root, with few accounts and with many.
func (b *bench) guardrails() error {
	fmt.Printf("## Guardrails: one account of the organisation, on seven levels with two policies each\n\n")
	fmt.Println("| accounts | find what binds a caller, ns | × | attach to the root and detach, µs | × |")
	fmt.Println("|---|---|---|---|---|")
	var small [2]time.Duration
	for _, n := range []int{10, max(10, b.entities/10)} {
		found, attached, err := b.estate(n)
		if err != nil {
			return err
		}
		if small[0] == 0 {
			small = [2]time.Duration{found, attached}
		}
		fmt.Printf("| %d | %d | %.2f | %.0f | %.2f |\n", n, found.Nanoseconds(), float64(found)/float64(small[0]),
			us(attached), float64(attached)/float64(small[1]))
	}
	fmt.Println()
	return nil
}

// estate makes an organisation of n members and measures it.
func (b *bench) estate(n int) (found, attached time.Duration, err error) {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	e := &estate{}
	if err := e.open(dir, n); err != nil {
		return 0, 0, err
	}
	defer e.engine.Close()
	root, member, policyID, err := e.furnish(n)
	if err != nil {
		return 0, 0, err
	}
	var limits [][]*policy.Policy
	found, err = timed(b.span, func() error {
		return e.engine.View(context.Background(), func(tx store.Tx) error {
			m, err := e.tree.Membership(tx, member)
			if err == nil {
				limits, err = e.tree.Limits(tx, m, policy.SCP, limits[:0])
			}
			return err
		})
	})
	if err != nil {
		return 0, 0, err
	}
	attached, err = timed(b.span, func() error {
		if err := do(e, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: policyID, TargetId: root}); err != nil {
			return err
		}
		return do(e, api.DetachPolicy, &api.DetachPolicyInput{PolicyId: policyID, TargetId: root})
	})
	return found, attached, err
}

// timed is how long f takes, on average over a span.
func timed(span time.Duration, f func() error) (time.Duration, error) {
	start, n := time.Now(), 0
	for ; time.Since(start) < span; n++ {
		if err := f(); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / time.Duration(n), nil
}

// estate is an organisation in a store of its own.
type estate struct {
	engine  store.Engine
	gateway *gateway.Gateway
	tree    *organizations.Service
	caller  *aws.Principal // the management account's root
}

func (e *estate) open(dir string, n int) error {
	const management = "123456789012"
	key, err := keyring.CreateRootFile(filepath.Join(dir, "root.key"))
	if err != nil {
		return err
	}
	ctx, keys := context.Background(), keyring.New()
	if e.engine, err = pebble.Open(filepath.Join(dir, "store"), store.Options{Sealer: keys, Journal: trail.NewJournal(keys)}); err != nil {
		return err
	}
	if err := keys.Load(ctx, e.engine, key); err != nil {
		return err
	}
	if err := keys.Ensure(ctx, management); err != nil {
		return err
	}
	identities := iam.New(iam.Options{})
	e.tree = organizations.New(organizations.Options{
		Accounts: identities, Keys: keys, NewAccountID: iam.NewAccountID, Quotas: organizations.Quotas{Accounts: n + 1},
	})
	e.caller = &aws.Principal{Kind: aws.Root, Partition: "aws", Account: management, ARN: "arn:aws:iam::" + management + ":root", ID: management}
	e.gateway, err = gateway.New(gateway.Config{
		Engine: e.engine, Directory: identities, Sessions: noSessions{}, Guardrails: e.tree, Services: []gateway.Service{identities, e.tree},
		Unattributed: &trail.Unattributed{Engine: e.engine}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	return e.engine.Update(ctx, func(tx store.Tx) error {
		if _, err := iam.CreateAccount(tx, time.Now(), iam.NewAccount{ID: management, Partition: "aws"}); err != nil {
			return err
		}
		return organizations.Admit(tx, management)
	})
}

// noSessions opens no token: nobody comes over the wire.
type noSessions struct{}

func (noSessions) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}

func do[In, Out any](e *estate, op aws.Op[In, Out], in *In) error {
	_, err := gateway.Invoke(context.Background(), e.gateway, e.caller, op, in)
	return err
}

// furnish makes members, five units one in another, and policies on every
// level above one member. It answers a policy more.
func (e *estate) furnish(n int) (root, member, policyID string, err error) {
	ask := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	ask(func() error { return do(e, api.CreateOrganization, &api.CreateOrganizationInput{}) })
	ask(func() error {
		out, err := gateway.Invoke(context.Background(), e.gateway, e.caller, api.ListRoots, &api.ListRootsInput{})
		if err == nil {
			root = *out.Roots[0].Id
		}
		return err
	})
	for i := range n {
		ask(func() error {
			out, err := gateway.Invoke(context.Background(), e.gateway, e.caller, api.CreateAccount, &api.CreateAccountInput{
				AccountName: fmt.Sprint("member ", i), Email: fmt.Sprintf("member-%d@example.com", i)})
			if err == nil {
				member = *out.CreateAccountStatus.AccountId
			}
			return err
		})
	}
	levels := []string{root}
	for i := range 5 {
		ask(func() error {
			out, err := gateway.Invoke(context.Background(), e.gateway, e.caller, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{
				ParentId: levels[i], Name: "unit"})
			if err == nil {
				levels = append(levels, *out.OrganizationalUnit.Id)
			}
			return err
		})
	}
	ask(func() error {
		return do(e, api.MoveAccount, &api.MoveAccountInput{AccountId: member, SourceParentId: root, DestinationParentId: levels[5]})
	})
	for i := range 2*7 + 1 {
		ask(func() error {
			out, err := gateway.Invoke(context.Background(), e.gateway, e.caller, api.CreatePolicy, &api.CreatePolicyInput{
				Type: api.PolicyTypeServiceControlPolicy, Name: fmt.Sprint("policy ", i),
				Content: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}}`})
			if err != nil {
				return err
			}
			policyID = *out.Policy.PolicySummary.Id
			if i == 2*7 {
				return nil
			}
			return do(e, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: policyID, TargetId: append(levels, member)[i/2]})
		})
	}
	return root, member, policyID, err
}
