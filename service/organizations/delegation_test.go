package organizations_test

import (
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/service/organizations"
)

// A delegated administrator may read; what it may change the delegation policy
// says, and its own policies.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
func TestDelegation(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	h := root(head)
	p.invite(stranger)
	org := *call(p, h, api.DescribeOrganization, &api.DescribeOrganizationInput{}).Organization.Id
	admin, reader := p.user(stranger, "admin", allowAll), p.user(stranger, "reader", strings.Replace(allowAll, `"*"`, `"organizations:List*"`, 1))
	list := func() string { return try(p, admin, api.ListAccounts, &api.ListAccountsInput{}) }
	want(t, "a member", list(), "no resource-based policy")
	call(p, h, api.EnableAWSServiceAccess, &api.EnableAWSServiceAccessInput{ServicePrincipal: "config.amazonaws.com"})
	call(p, h, api.RegisterDelegatedAdministrator, &api.RegisterDelegatedAdministratorInput{AccountId: stranger, ServicePrincipal: "config.amazonaws.com"})
	want(t, "registered twice", try(p, h, api.RegisterDelegatedAdministrator, &api.RegisterDelegatedAdministratorInput{AccountId: stranger, ServicePrincipal: "config.amazonaws.com"}), "AccountAlreadyRegistered")
	want(t, "a delegated administrator", list(), "")
	want(t, "what it may not by its own policy", try(p, reader, api.DescribeAccount, &api.DescribeAccountInput{AccountId: head}), "no identity-based policy")
	named := p.user(stranger, "named", "")
	call(p, h, api.PutResourcePolicy, &api.PutResourcePolicyInput{Content: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"` + named.ARN + `"},"Action":"organizations:List*","Resource":"*"},
		{"Effect":"Deny","Principal":{"AWS":"` + stranger + `"},"Action":"organizations:ListRoots","Resource":"*"}]}`})
	want(t, "a user that the delegation policy names, without an own", try(p, named, api.ListAccounts, &api.ListAccountsInput{}), "no identity-based policy")
	want(t, "what the delegation policy denies", try(p, admin, api.ListRoots, &api.ListRootsInput{}), "explicit deny")
	want(t, "what it does not deny", list(), "")
	call(p, h, api.DeleteResourcePolicy, &api.DeleteResourcePolicyInput{})
	want(t, "a delegated administrator's change", try(p, admin, api.CreatePolicy, &api.CreatePolicyInput{Type: scp, Name: "x", Content: denyUsers}), "no resource-based policy")
	want(t, "a delegated administrator's leave", try(p, root(stranger), api.LeaveOrganization, &api.LeaveOrganizationInput{}), "ConstraintViolation")
	want(t, "an administrator's unit", try(p, admin, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: r, Name: "u"}), "AccessDenied")
	call(p, h, api.DisableAWSServiceAccess, &api.DisableAWSServiceAccessInput{ServicePrincipal: "config.amazonaws.com"})
	want(t, "once trust is taken away", list(), "no resource-based policy")

	statement := func(action, resource string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + stranger + `"},"Action":` + action + `,"Resource":` + resource + `}}`
	}
	tags := `["arn:aws:organizations::` + head + `:policy/` + org + `/tag_policy/*","arn:aws:organizations::` + head + `:root/` + org + `/*"]`
	call(p, h, api.PutResourcePolicy, &api.PutResourcePolicyInput{Content: statement(`["organizations:CreatePolicy","organizations:AttachPolicy"]`, tags)})
	p.enable(r, api.PolicyTypeTagPolicy)
	want(t, "a service control policy", try(p, admin, api.CreatePolicy, &api.CreatePolicyInput{Type: scp, Name: "x", Content: denyUsers}), "no resource-based policy")
	id := *call(p, admin, api.CreatePolicy, &api.CreatePolicyInput{Type: api.PolicyTypeTagPolicy, Name: "x", Content: `{"tags":{}}`}).Policy.PolicySummary.Id
	want(t, "to what is not delegated", try(p, admin, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: stranger}), "no resource-based policy")
	want(t, "to the root", try(p, admin, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: r}), "")
	want(t, "a user without rights", try(p, p.user(stranger, "nobody", ""), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: r}), "not authorized")
	want(t, "another account", try(p, root(other), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: r}), "AWSOrganizationsNotInUse")

	for what, content := range map[string]string{
		"accounts":          statement(`"organizations:CreateAccount"`, `"*"`),
		"everything":        statement(`"organizations:*"`, `"*"`),
		"another service":   statement(`"iam:CreateUser"`, `"*"`),
		"all but something": strings.Replace(statement(`"organizations:ListAccounts"`, `"*"`), `"Action"`, `"NotAction"`, 1),
		"a service's":       strings.Replace(statement(`"organizations:ListAccounts"`, `"*"`), `"AWS":"`+stranger, `"Service":"config.amazonaws.com`, 1),
		"a bucket":          statement(`"organizations:ListAccounts"`, `"arn:aws:s3:::b"`),
		"no policy":         `{"Version":`,
	} {
		want(t, what, try(p, h, api.PutResourcePolicy, &api.PutResourcePolicyInput{Content: content}), "InvalidInput")
	}
	call(p, h, api.DeleteResourcePolicy, &api.DeleteResourcePolicyInput{})
	want(t, "once the policy is gone", try(p, admin, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: r}), "no resource-based policy")
}

func TestListings(t *testing.T) {
	p := newPlane(t, func(o *organizations.Options) { o.Quotas.Accounts = 100 })
	r := p.found()
	h := root(head)
	for i := range 25 {
		name := string(rune('a' + i))
		p.create(name + "-account")
		p.unit(r, name)
		p.policy(scp, name, denyUsers)
	}
	count := func(page func(token *string) (int, *string)) (n, pages int) {
		for token := (*string)(nil); ; {
			more, next := page(token)
			n, pages = n+more, pages+1
			if next == nil {
				return n, pages
			}
			token = next
		}
	}
	for _, c := range []struct {
		what     string
		page     func(*string) (int, *string)
		n, pages int
	}{
		{"accounts", func(t *string) (int, *string) {
			out := call(p, h, api.ListAccounts, &api.ListAccountsInput{NextToken: t})
			return len(out.Accounts), out.NextToken
		}, 26, 2},
		{"accounts of the root", func(t *string) (int, *string) {
			out := call(p, h, api.ListAccountsForParent, &api.ListAccountsForParentInput{ParentId: r, NextToken: t, MaxResults: new(int32(7))})
			return len(out.Accounts), out.NextToken
		}, 26, 4},
		{"units", func(t *string) (int, *string) {
			out := call(p, h, api.ListOrganizationalUnitsForParent, &api.ListOrganizationalUnitsForParentInput{ParentId: r, NextToken: t})
			return len(out.OrganizationalUnits), out.NextToken
		}, 25, 2},
		{"children", func(t *string) (int, *string) {
			out := call(p, h, api.ListChildren, &api.ListChildrenInput{ParentId: r, ChildType: api.ChildTypeOrganizationalUnit, NextToken: t, MaxResults: new(int32(5))})
			return len(out.Children), out.NextToken
		}, 25, 5},
		{"policies, AWS's own among them", func(t *string) (int, *string) {
			out := call(p, h, api.ListPolicies, &api.ListPoliciesInput{Filter: scp, NextToken: t, MaxResults: new(int32(1))})
			return len(out.Policies), out.NextToken
		}, 26, 26},
		{"what FullAWSAccess is attached to", func(t *string) (int, *string) {
			out := call(p, h, api.ListTargetsForPolicy, &api.ListTargetsForPolicyInput{PolicyId: "p-FullAWSAccess", NextToken: t, MaxResults: new(int32(4))})
			return len(out.Targets), out.NextToken
		}, 52, 13},
		{"requests", func(t *string) (int, *string) {
			out := call(p, h, api.ListCreateAccountStatus, &api.ListCreateAccountStatusInput{NextToken: t})
			return len(out.CreateAccountStatuses), out.NextToken
		}, 25, 2},
	} {
		if n, pages := count(c.page); n != c.n || pages != c.pages {
			t.Errorf("%s: %d on %d pages, want %d on %d", c.what, n, pages, c.n, c.pages)
		}
	}
}
