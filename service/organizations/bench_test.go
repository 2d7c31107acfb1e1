package organizations_test

import (
	"fmt"
	"testing"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/organizations"
	"github.com/garrison-security/garrison/store"
)

// estate is an organisation of n members below five units, one in another,
// with two policies of each kind at each level.
func estate(b *testing.B, n int) (p *plane, root_, member string) {
	p = newPlane(b, func(o *organizations.Options) { o.Quotas.Accounts, o.Quotas.Units = 100_000, 100_000 })
	root_ = p.found()
	p.enable(root_, rcp)
	levels := []string{root_}
	for i := range 5 {
		levels = append(levels, p.unit(levels[i], fmt.Sprint(i)))
	}
	for i := range n {
		member = p.create(fmt.Sprintf("member-%d", i))
	}
	for i, level := range append(levels, member) {
		for j := range 2 {
			p.attach(scp, fmt.Sprint("s", i, j), denyUsers, level)
			p.attach(rcp, fmt.Sprint("r", i, j), `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}`, level)
		}
	}
	call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: member, SourceParentId: root_, DestinationParentId: levels[5]})
	return p, root_, member
}

// BenchmarkLimits finds what binds an account on seven levels.
func BenchmarkLimits(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, _, member := estate(b, n)
			var limits [][]*policy.Policy
			b.ReportAllocs()
			for b.Loop() {
				p.view(func(tx store.Tx) error {
					m, err := p.tree.Membership(tx, member)
					if err == nil {
						limits, err = p.tree.Limits(tx, m, policy.SCP, limits[:0])
					}
					return err
				})
			}
		})
	}
}

// view reads in a transaction of its own, as each call does.
func (p *plane) view(fn func(store.Tx) error) {
	if err := p.engine.View(p.Context(), fn); err != nil {
		p.Fatal(err)
	}
}

// BenchmarkNoOrganization is what the gateway pays for an account in none.
func BenchmarkNoOrganization(b *testing.B) {
	p := newPlane(b)
	b.ReportAllocs()
	for b.Loop() {
		p.view(func(tx store.Tx) error {
			_, err := p.tree.Membership(tx, stranger)
			return err
		})
	}
}

// BenchmarkCall is a whole call of a member's root, denied by no guardrail.
func BenchmarkCall(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, _, member := estate(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gateway.Invoke(b.Context(), p.Gateway, root(member), iamapi.ListAccountAliases, &iamapi.ListAccountAliasesInput{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAttach attaches a policy to the root, and detaches it.
func BenchmarkAttach(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, root_, _ := estate(b, n)
			id := p.policy(scp, "attached", denyUsers)
			for b.Loop() {
				call(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: root_})
				call(p, root(head), api.DetachPolicy, &api.DetachPolicyInput{PolicyId: id, TargetId: root_})
			}
		})
	}
}
