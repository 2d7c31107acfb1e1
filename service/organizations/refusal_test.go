package organizations_test

import (
	"strings"
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/service/organizations"
)

func TestOrganizationRefuses(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.invite(stranger)
	unit := p.unit(r, "unit")
	p.unit(unit, "inner")
	deep := r
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		deep = p.unit(deep, name)
	}
	id := p.policy(scp, "no users", denyUsers)
	call(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: unit})
	party := func(id string, kind api.HandshakePartyType) *api.InviteAccountToOrganizationInput {
		return &api.InviteAccountToOrganizationInput{Target: &api.HandshakeParty{Id: id, Type: kind}}
	}
	h := root(head)
	for _, c := range []struct{ what, got, want string }{
		{"a second organisation", try(p, h, api.CreateOrganization, &api.CreateOrganizationInput{}), "AlreadyInOrganization"},
		{"a member's own", try(p, root(stranger), api.CreateOrganization, &api.CreateOrganizationInput{}), "AlreadyInOrganization"},
		{"what is none's", try(p, root(other), api.DescribeOrganization, &api.DescribeOrganizationInput{}), "AWSOrganizationsNotInUse"},
		{"to end while there are members", try(p, h, api.DeleteOrganization, &api.DeleteOrganizationInput{}), "OrganizationNotEmpty"},
		{"all features twice", try(p, h, api.EnableAllFeatures, &api.EnableAllFeaturesInput{}), "HandshakeConstraintViolation"},

		{"a unit below nothing", try(p, h, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: "r-none", Name: "u"}), "ParentNotFound"},
		{"two of a name", try(p, h, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: r, Name: "unit"}), "DuplicateOrganizationalUnit"},
		{"a sixth level", try(p, h, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: deep, Name: "6"}), "ConstraintViolation"},
		{"another's name", try(p, h, api.UpdateOrganizationalUnit, &api.UpdateOrganizationalUnitInput{OrganizationalUnitId: unit, Name: new("1")}), "DuplicateOrganizationalUnit"},
		{"to delete what holds a unit", try(p, h, api.DeleteOrganizationalUnit, &api.DeleteOrganizationalUnitInput{OrganizationalUnitId: unit}), "OrganizationalUnitNotEmpty"},
		{"an unknown unit", try(p, h, api.DescribeOrganizationalUnit, &api.DescribeOrganizationalUnitInput{OrganizationalUnitId: "ou-abcd-12345678"}), "OrganizationalUnitNotFound"},
		{"an unknown child", try(p, h, api.ListParents, &api.ListParentsInput{ChildId: other}), "ChildNotFound"},
		{"an unknown account", try(p, h, api.DescribeAccount, &api.DescribeAccountInput{AccountId: other}), "AccountNotFound"},
		{"a move from elsewhere", try(p, h, api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: unit, DestinationParentId: r}), "SourceParentNotFound"},
		{"a move to nowhere", try(p, h, api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: "ou-abcd-12345678"}), "DestinationParentNotFound"},
		{"a move in place", try(p, h, api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: r}), "DuplicateAccount"},
		{"an unknown request", try(p, h, api.DescribeCreateAccountStatus, &api.DescribeCreateAccountStatusInput{CreateAccountRequestId: "car-12345678"}), "CreateAccountStatusNotFound"},
		{"a role of AWS's", try(p, h, api.CreateAccount, &api.CreateAccountInput{AccountName: "a", Email: "a@example.com", RoleName: new("AWSServiceRoleForX")}), "InvalidInput"},
		{"to close the management account", try(p, h, api.CloseAccount, &api.CloseAccountInput{AccountId: head}), "ConstraintViolation"},
		{"to remove the management account", try(p, h, api.RemoveAccountFromOrganization, &api.RemoveAccountFromOrganizationInput{AccountId: head}), "MasterCannotLeaveOrganization"},
		{"the management account's leave", try(p, h, api.LeaveOrganization, &api.LeaveOrganizationInput{}), "MasterCannotLeaveOrganization"},

		{"to invite a member", try(p, h, api.InviteAccountToOrganization, party(stranger, api.HandshakePartyTypeAccount)), "HandshakeConstraintViolation"},
		{"to invite nobody", try(p, h, api.InviteAccountToOrganization, party("999999999999", api.HandshakePartyTypeAccount)), "InvalidInput"},
		{"to invite no id", try(p, h, api.InviteAccountToOrganization, party("12", api.HandshakePartyTypeAccount)), "InvalidInput"},
		{"to invite an unknown address", try(p, h, api.InviteAccountToOrganization, party("no@example.com", api.HandshakePartyTypeEmail)), "InvalidInput"},
		{"to invite an organisation", try(p, h, api.InviteAccountToOrganization, party("o-abcdefghij", api.HandshakePartyTypeOrganization)), "InvalidInput"},
		{"an unknown handshake", try(p, h, api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: "h-12345678"}), "HandshakeNotFound"},

		{"an unknown policy", try(p, h, api.DescribePolicy, &api.DescribePolicyInput{PolicyId: "p-12345678"}), "PolicyNotFound"},
		{"two policies of a name", try(p, h, api.CreatePolicy, &api.CreatePolicyInput{Type: scp, Name: "no users", Content: denyAll}), "DuplicatePolicy"},
		{"AWS's name", try(p, h, api.CreatePolicy, &api.CreatePolicyInput{Type: scp, Name: "FullAWSAccess", Content: denyAll}), "DuplicatePolicy"},
		{"to change AWS's own", try(p, h, api.UpdatePolicy, &api.UpdatePolicyInput{PolicyId: "p-FullAWSAccess", Content: new(denyAll)}), "InvalidInput"},
		{"to delete AWS's own", try(p, h, api.DeletePolicy, &api.DeletePolicyInput{PolicyId: "p-FullAWSAccess"}), "InvalidInput"},
		{"to delete what is attached", try(p, h, api.DeletePolicy, &api.DeletePolicyInput{PolicyId: id}), "PolicyInUse"},
		{"to attach twice", try(p, h, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: unit}), "DuplicatePolicyAttachment"},
		{"to attach AWS's own twice", try(p, h, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: "p-FullAWSAccess", TargetId: unit}), "DuplicatePolicyAttachment"},
		{"to attach to nothing", try(p, h, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: other}), "TargetNotFound"},
		{"to detach what isn't", try(p, h, api.DetachPolicy, &api.DetachPolicyInput{PolicyId: id, TargetId: r}), "PolicyNotAttached"},
		{"to detach the last", try(p, h, api.DetachPolicy, &api.DetachPolicyInput{PolicyId: "p-FullAWSAccess", TargetId: r}), "ConstraintViolation"},
		{"a type that is not enabled", try(p, h, api.AttachPolicy, &api.AttachPolicyInput{PolicyId: "p-RCPFullAWSAccess", TargetId: r}), "PolicyTypeNotEnabled"},
		{"to enable twice", try(p, h, api.EnablePolicyType, &api.EnablePolicyTypeInput{RootId: r, PolicyType: scp}), "PolicyTypeAlreadyEnabled"},
		{"to disable what isn't", try(p, h, api.DisablePolicyType, &api.DisablePolicyTypeInput{RootId: r, PolicyType: rcp}), "PolicyTypeNotEnabled"},
		{"another root", try(p, h, api.EnablePolicyType, &api.EnablePolicyTypeInput{RootId: "r-none", PolicyType: rcp}), "RootNotFound"},
		{"no effective policy", try(p, h, api.DescribeEffectivePolicy, &api.DescribeEffectivePolicyInput{PolicyType: api.EffectivePolicyTypeTagPolicy}), "EffectivePolicyNotFound"},

		{"trust in a stranger", try(p, h, api.EnableAWSServiceAccess, &api.EnableAWSServiceAccessInput{ServicePrincipal: "evil.example.com"}), "InvalidInput"},
		{"an administrator of what isn't trusted", try(p, h, api.RegisterDelegatedAdministrator, &api.RegisterDelegatedAdministratorInput{AccountId: stranger, ServicePrincipal: "config.amazonaws.com"}), "ConstraintViolation"},
		{"the management account as one", try(p, h, api.RegisterDelegatedAdministrator, &api.RegisterDelegatedAdministratorInput{AccountId: head, ServicePrincipal: "config.amazonaws.com"}), "ConstraintViolation"},
		{"services of none", try(p, h, api.ListDelegatedServicesForAccount, &api.ListDelegatedServicesForAccountInput{AccountId: stranger}), "AccountNotRegistered"},
		{"no delegation policy", try(p, h, api.DescribeResourcePolicy, &api.DescribeResourcePolicyInput{}), "ResourcePolicyNotFound"},

		{"a system tag", try(p, h, api.TagResource, &api.TagResourceInput{ResourceId: r, Tags: []api.Tag{{Key: "aws:x"}}}), "InvalidInput"},
		{"a key twice", try(p, h, api.TagResource, &api.TagResourceInput{ResourceId: r, Tags: []api.Tag{{Key: "x"}, {Key: "x"}}}), "InvalidInput"},
		{"tags of nothing", try(p, h, api.ListTagsForResource, &api.ListTagsForResourceInput{ResourceId: other}), "TargetNotFound"},
		{"tags of AWS's own", try(p, h, api.TagResource, &api.TagResourceInput{ResourceId: "p-FullAWSAccess", Tags: []api.Tag{{Key: "x"}}}), "TargetNotFound"},
		{"another's token", try(p, h, api.ListAccounts, &api.ListAccountsInput{NextToken: new("AAAA")}), "InvalidInput"},
	} {
		want(t, c.what, c.got, c.want)
	}
}

// A created account is refused its leave for a week, and an address is one account's.
func TestCreatedAccounts(t *testing.T) {
	p := newPlane(t)
	p.found()
	member := p.create("payments")
	h := root(head)
	again := call(p, h, api.CreateAccount, &api.CreateAccountInput{AccountName: "again", Email: "PAYMENTS@example.com"}).CreateAccountStatus
	if *again.State != api.CreateAccountStateFailed || *again.FailureReason != api.CreateAccountFailureReasonEmailAlreadyExists || again.AccountId != nil {
		t.Errorf("an address twice: %+v", again)
	}
	states := call(p, h, api.ListCreateAccountStatus, &api.ListCreateAccountStatusInput{States: []api.CreateAccountState{api.CreateAccountStateFailed}}).CreateAccountStatuses
	if len(states) != 1 || *states[0].Id != *again.Id {
		t.Errorf("requests that failed: %+v", states)
	}
	a := call(p, h, api.DescribeAccount, &api.DescribeAccountInput{AccountId: member}).Account
	if *a.Name != "payments" || *a.Email != "payments@example.com" || *a.JoinedMethod != api.AccountJoinedMethodCreated || *a.Status != api.AccountStatusActive {
		t.Errorf("the account: %+v", a)
	}
	want(t, "to leave at once", try(p, h, api.RemoveAccountFromOrganization, &api.RemoveAccountFromOrganizationInput{AccountId: member}), "wait period")
	p.now = p.now.Add(7*24*time.Hour - time.Second)
	want(t, "to leave a second early", try(p, h, api.RemoveAccountFromOrganization, &api.RemoveAccountFromOrganizationInput{AccountId: member}), "wait period")
	p.now = p.now.Add(time.Second)
	call(p, h, api.RemoveAccountFromOrganization, &api.RemoveAccountFromOrganizationInput{AccountId: member})
	call(p, h, api.DeleteOrganization, &api.DeleteOrganizationInput{})
	want(t, "what is gone", try(p, h, api.DescribeOrganization, &api.DescribeOrganizationInput{}), "AWSOrganizationsNotInUse")
	call(p, h, api.CreateOrganization, &api.CreateOrganizationInput{})
}

func TestQuotas(t *testing.T) {
	p := newPlane(t, func(o *organizations.Options) {
		o.PerAccount = map[string]organizations.Quotas{head: {Accounts: 3, Units: 1, ServicePolicies: 1, Policies: 1}}
	})
	r := p.found()
	h := root(head)
	p.create("one")
	invitation := call(p, h, api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{Target: &api.HandshakeParty{Id: stranger, Type: api.HandshakePartyTypeAccount}}).Handshake
	want(t, "an account beside an open invitation", try(p, h, api.CreateAccount, &api.CreateAccountInput{AccountName: "two", Email: "two@example.com"}), "exceeded the allowed number of AWS accounts")
	want(t, "an invitation too many", try(p, h, api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{Target: &api.HandshakeParty{Id: other, Type: api.HandshakePartyTypeAccount}}), "HandshakeConstraintViolation")
	call(p, h, api.CancelHandshake, &api.CancelHandshakeInput{HandshakeId: *invitation.Id})
	p.create("two")
	want(t, "a fourth account", try(p, h, api.CreateAccount, &api.CreateAccountInput{AccountName: "three", Email: "three@example.com"}), "ConstraintViolation")
	p.unit(r, "u")
	want(t, "a second unit", try(p, h, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: r, Name: "v"}), "ConstraintViolation")
	p.policy(scp, "p", denyAll)
	want(t, "a second policy", try(p, h, api.CreatePolicy, &api.CreatePolicyInput{Type: scp, Name: "q", Content: denyAll}), "ConstraintViolation")
	p.policy(api.PolicyTypeTagPolicy, "p", `{"tags":{}}`)
	want(t, "a policy beyond its size", try(p, h, api.CreatePolicy, &api.CreatePolicyInput{Type: rcp, Name: "big", Content: strings.Repeat(" ", 5121)}), "exceeded the maximum policy size")
}

// Attachments are bounded per type and level, AWS's own among them.
func TestAttachmentsAreBounded(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	p.enable(r, rcp)
	for of, most := range map[api.PolicyType]int{scp: 9, rcp: 4} {
		content := denyUsers
		if of == rcp {
			content = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*"}}`
		}
		for i := range most {
			p.attach(of, string(rune('a'+i)), content, r)
		}
		id := p.policy(of, "more", content)
		want(t, string(of), try(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: id, TargetId: r}), "ConstraintViolation")
	}
	want(t, "AWS's own", try(p, root(head), api.DetachPolicy, &api.DetachPolicyInput{PolicyId: "p-RCPFullAWSAccess", TargetId: r}), "InvalidInput")
}

// Operations ask for their own permission, on what they act on.
func TestPermissions(t *testing.T) {
	p := newPlane(t)
	r := p.found()
	unit := p.unit(r, "unit")
	org := *call(p, root(head), api.DescribeOrganization, &api.DescribeOrganizationInput{}).Organization.Id
	p.invite(stranger)
	nobody := p.user(head, "nobody", "")
	want(t, "nobody", try(p, nobody, api.DescribeOrganization, &api.DescribeOrganizationInput{}), "not authorized to perform: organizations:DescribeOrganization")
	want(t, "nobody, of what does not exist", try(p, nobody, api.DescribeAccount, &api.DescribeAccountInput{AccountId: other}), "not authorized to perform: organizations:DescribeAccount on resource: arn:aws:organizations::"+head+":account/"+org+"/"+other)
	mover := p.user(head, "mover", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:MoveAccount","Resource":["arn:aws:organizations::*:account/*","arn:aws:organizations::*:root/*"]}}`)
	want(t, "a move to where the caller may not", try(p, mover, api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: unit}), "organizations:MoveAccount on resource: arn:aws:organizations::"+head+":ou/"+org+"/"+unit)
	tagger := p.user(head, "tagger", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:CreateOrganizationalUnit","Resource":"*"}}`)
	want(t, "tags without the right to tag", try(p, tagger, api.CreateOrganizationalUnit, &api.CreateOrganizationalUnitInput{ParentId: r, Name: "t", Tags: []api.Tag{{Key: "k", Value: "v"}}}), "organizations:TagResource")
	typed := p.user(head, "typed", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:*","Resource":"*","Condition":{"StringEquals":{"organizations:PolicyType":"TAG_POLICY"}}}}`)
	want(t, "another type", try(p, typed, api.CreatePolicy, &api.CreatePolicyInput{Type: scp, Name: "s", Content: denyAll}), "not authorized")
	want(t, "the type", try(p, typed, api.CreatePolicy, &api.CreatePolicyInput{Type: api.PolicyTypeTagPolicy, Name: "t", Content: `{"tags":{}}`}), "")
}
