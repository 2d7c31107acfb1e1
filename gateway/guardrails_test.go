package gateway_test

import (
	"context"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// tree is a test's organisations: places by account, and the one policy of
// each kind that binds a member.
type tree struct {
	places map[string]*gateway.Membership
	limits map[policy.Kind]*policy.Policy
}

func (g *tree) Membership(_ store.Tx, account string) (*gateway.Membership, error) {
	return g.places[account], nil
}

func (g *tree) Limits(_ store.Tx, m *gateway.Membership, kind policy.Kind, to [][]*policy.Policy) ([][]*policy.Policy, error) {
	if g.limits[kind] == nil {
		return to, nil
	}
	return append(to, []*policy.Policy{g.limits[kind]}), nil
}

// queue is a resource of an account with a policy.
type queue struct {
	account string
	policy  *policy.Policy
}

func (q *queue) ARN() string                    { return "arn:aws:sqs:us-east-1:" + q.account + ":q" }
func (q *queue) ResourceAccount() string        { return q.account }
func (q *queue) ResourcePolicy() *policy.Policy { return q.policy }

func compiled(t *testing.T, kind policy.Kind, id, text string) *policy.Policy {
	t.Helper()
	doc, err := policy.Parse([]byte(text), kind)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Compile(doc, id)
}

func TestGuardrails(t *testing.T) {
	const mine, theirs = account, "999999999999"
	place := func(account, organization string) *gateway.Membership {
		return &gateway.Membership{Account: account, Organization: organization, Management: "000000000000", Paths: []string{organization + "/r-root/"}}
	}
	const denyOthers = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}}}`
	rcp := map[policy.Kind]*policy.Policy{policy.RCP: compiled(t, policy.RCP, "arn:aws:organizations::1:policy/x", denyOthers)}
	scp := map[policy.Kind]*policy.Policy{policy.SCP: compiled(t, policy.SCP, "arn:aws:organizations::1:policy/x", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`)}
	sns := &aws.Principal{Kind: aws.ServiceCaller, Name: "sns.amazonaws.com"}
	fromOrg := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sts:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceOrgID":"o-mine"},"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-mine/*"}}}}`
	everyone := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*","Resource":"*"}}`
	closed := place(theirs, "o-mine")
	closed.Closed = true
	for _, c := range []struct {
		name     string
		who      *aws.Principal
		places   []*gateway.Membership
		limits   map[policy.Kind]*policy.Policy
		resource string
		source   string
		want     string // "" = allowed
		not      string
	}{
		{name: "no organisation", who: user("ALICE"), resource: everyone},
		{name: "the resource's organisation is another", who: user("ALICE"), places: []*gateway.Membership{place(mine, "o-mine"), place(theirs, "o-theirs")}, limits: rcp,
			resource: everyone, want: "explicit deny in a resource control policy", not: "arn:aws:organizations"},
		{name: "the caller is of none", who: user("ALICE"), places: []*gateway.Membership{place(theirs, "o-theirs")}, limits: rcp, resource: everyone,
			want: "explicit deny in a resource control policy", not: "arn:aws:organizations"},
		{name: "the same organisation", who: user("ALICE"), places: []*gateway.Membership{place(mine, "o-mine"), place(theirs, "o-mine")}, limits: rcp, resource: everyone},
		{name: "no level allows", who: user("ALICE"), places: []*gateway.Membership{place(mine, "o-mine")}, limits: scp, resource: everyone, want: "no service control policy allows"},
		{name: "a service of one's own", who: sns, places: []*gateway.Membership{place(mine, "o-mine")}, resource: fromOrg, source: mine},
		{name: "a service of another's", who: sns, places: []*gateway.Membership{place(mine, "o-theirs")}, resource: fromOrg, source: mine, want: "not authorized"},
		{name: "a service of nobody's", who: sns, resource: fromOrg, source: mine, want: "not authorized"},
		{name: "a closed account's resource", who: user("ALICE"), places: []*gateway.Membership{place(mine, "o-mine"), closed}, resource: everyone, want: "not authorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := &queue{account: theirs, policy: compiled(t, policy.Resource, "", c.resource)}
			g := &tree{places: map[string]*gateway.Membership{}, limits: c.limits}
			for _, m := range c.places {
				g.places[m.Account] = m
			}
			target := func(call *gateway.Call, _ *sts.GetAccessKeyInfoInput) (*queue, error) {
				if c.source != "" {
					call.Condition("aws:SourceAccount", c.source)
				}
				return q, nil
			}
			handle := func(context.Context, *gateway.Call, *queue, *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
				return nil, nil
			}
			p := newPlane(t, service{gateway.Op(sts.GetAccessKeyInfo, target, handle)}, func(config *gateway.Config) { config.Guardrails = g })
			_, err := gateway.Invoke(t.Context(), p.Gateway, c.who, sts.GetAccessKeyInfo, &sts.GetAccessKeyInfoInput{AccessKeyId: "AKIAIOSFODNN7EXAMPLE"})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) || c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("%q, want %q without %q", got, c.want, c.not)
			}
		})
	}
}
