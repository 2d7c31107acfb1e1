package organizations_test

import (
	"testing"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
)

func (p *plane) offer(account string) string {
	p.Helper()
	return *call(p, root(head), api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{
		Target: &api.HandshakeParty{Id: account, Type: api.HandshakePartyTypeAccount}, Notes: new("join us"), Tags: []api.Tag{{Key: "team", Value: "blue"}}}).Handshake.Id
}

// An invitation is the invited account's to answer, once, within fifteen days.
func TestInvitations(t *testing.T) {
	p := newPlane(t)
	p.found()
	h := p.offer(stranger)
	accept := func(account, id string) string {
		return try(p, root(account), api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: id})
	}
	decline := func(account, id string) string {
		return try(p, root(account), api.DeclineHandshake, &api.DeclineHandshakeInput{HandshakeId: id})
	}
	cancel := func(account, id string) string {
		return try(p, root(account), api.CancelHandshake, &api.CancelHandshakeInput{HandshakeId: id})
	}
	want(t, "a second invitation", try(p, root(head), api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{
		Target: &api.HandshakeParty{Id: stranger + "@EXAMPLE.com", Type: api.HandshakePartyTypeEmail}}), "DuplicateHandshake")
	want(t, "a third account accepts", accept(other, h), "HandshakeNotFound")
	want(t, "a third account looks", try(p, root(other), api.DescribeHandshake, &api.DescribeHandshakeInput{HandshakeId: h}), "HandshakeNotFound")
	want(t, "the sender accepts", accept(head, h), "AccessDenied")
	want(t, "the sender declines", decline(head, h), "AccessDenied")
	want(t, "the recipient cancels", cancel(stranger, h), "AccessDenied")
	shown := call(p, root(stranger), api.ListHandshakesForAccount, &api.ListHandshakesForAccountInput{}).Handshakes
	if len(shown) != 1 || *shown[0].Id != h || *shown[0].State != api.HandshakeStateOpen || len(shown[0].Parties) != 2 || shown[0].Parties[1].Id != stranger {
		t.Errorf("the recipient sees %+v", shown)
	}
	want(t, "decline", decline(stranger, h), "")
	want(t, "decline again", decline(stranger, h), "HandshakeAlreadyInState")
	want(t, "accept what is declined", accept(stranger, h), "InvalidHandshakeTransition")
	want(t, "cancel what is declined", cancel(head, h), "InvalidHandshakeTransition")

	late := p.offer(stranger)
	p.now = p.now.Add(15*24*time.Hour + time.Second)
	want(t, "accept too late", accept(stranger, late), "InvalidHandshakeTransition")
	if state := *call(p, root(head), api.DescribeHandshake, &api.DescribeHandshakeInput{HandshakeId: late}).Handshake.State; state != api.HandshakeStateExpired {
		t.Errorf("after fifteen days: %s", state)
	}
	again := p.offer(stranger)
	want(t, "accept", accept(stranger, again), "")
	want(t, "accept twice", accept(stranger, again), "HandshakeAlreadyInState")
	a := call(p, root(head), api.DescribeAccount, &api.DescribeAccountInput{AccountId: stranger}).Account
	if *a.JoinedMethod != api.AccountJoinedMethodInvited {
		t.Errorf("joined by %s", *a.JoinedMethod)
	}
	if tags := call(p, root(head), api.ListTagsForResource, &api.ListTagsForResourceInput{ResourceId: stranger}).Tags; len(tags) != 1 || tags[0].Value != "blue" {
		t.Errorf("tags of the invitation: %v", tags)
	}
	p.now = p.now.Add(31 * 24 * time.Hour)
	want(t, "what ended a month ago", try(p, root(head), api.DescribeHandshake, &api.DescribeHandshakeInput{HandshakeId: again}), "HandshakeNotFound")
	if all := call(p, root(head), api.ListHandshakesForOrganization, &api.ListHandshakesForOrganizationInput{}).Handshakes; len(all) != 0 {
		t.Errorf("shown after a month: %v", all)
	}
}

// Two organisations invite an account; it can join one.
func TestAnAccountJoinsOneOrganization(t *testing.T) {
	p := newPlane(t)
	p.found()
	first := p.offer(stranger)
	call(p, root(other), api.CreateOrganization, &api.CreateOrganizationInput{})
	second := *call(p, root(other), api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{
		Target: &api.HandshakeParty{Id: stranger, Type: api.HandshakePartyTypeAccount}}).Handshake.Id
	call(p, root(stranger), api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: first})
	want(t, "the second", try(p, root(stranger), api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: second}), "HandshakeConstraintViolation")
	want(t, "its own", try(p, root(stranger), api.CreateOrganization, &api.CreateOrganizationInput{}), "AlreadyInOrganization")
	want(t, "another's member", try(p, root(other), api.DescribeAccount, &api.DescribeAccountInput{AccountId: stranger}), "AccountNotFound")
	want(t, "another's handshake", try(p, root(other), api.CancelHandshake, &api.CancelHandshakeInput{HandshakeId: first}), "HandshakeNotFound")
}

// All features are enabled once every invited account and the management account agree.
func TestEnableAllFeatures(t *testing.T) {
	p := newPlane(t)
	h := root(head)
	call(p, h, api.CreateOrganization, &api.CreateOrganizationInput{FeatureSet: new(api.OrganizationFeatureSetConsolidatedBilling)})
	r := *call(p, h, api.ListRoots, &api.ListRootsInput{}).Roots[0].Id
	p.invite(stranger)
	p.create("created")
	want(t, "policies without all features", try(p, h, api.EnablePolicyType, &api.EnablePolicyTypeInput{RootId: r, PolicyType: scp}), "PolicyTypeNotAvailableForOrganization")
	want(t, "trust without all features", try(p, h, api.EnableAWSServiceAccess, &api.EnableAWSServiceAccessInput{ServicePrincipal: "config.amazonaws.com"}), "ConstraintViolation")
	want(t, "a closure without all features", try(p, h, api.CloseAccount, &api.CloseAccountInput{AccountId: stranger}), "ConstraintViolation")
	whole := call(p, h, api.EnableAllFeatures, &api.EnableAllFeaturesInput{}).Handshake
	if *whole.State != api.HandshakeStateRequested {
		t.Errorf("the request: %s", *whole.State)
	}
	want(t, "twice", try(p, h, api.EnableAllFeatures, &api.EnableAllFeaturesInput{}), "HandshakeConstraintViolation")
	want(t, "an invitation meanwhile", try(p, h, api.InviteAccountToOrganization, &api.InviteAccountToOrganizationInput{
		Target: &api.HandshakeParty{Id: other, Type: api.HandshakePartyTypeAccount}}), "HandshakeConstraintViolation")
	asked := call(p, root(stranger), api.ListHandshakesForAccount, &api.ListHandshakesForAccountInput{Filter: &api.HandshakeFilter{ActionType: new(api.ActionTypeEnableAllFeatures)}}).Handshakes
	if len(asked) != 1 {
		t.Fatalf("the member is asked %d times", len(asked))
	}
	if own := call(p, h, api.ListHandshakesForAccount, &api.ListHandshakesForAccountInput{}).Handshakes; len(own) != 0 {
		t.Errorf("the management account is asked before the member has agreed: %v", own)
	}
	call(p, root(stranger), api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: *asked[0].Id})
	last := call(p, h, api.ListHandshakesForAccount, &api.ListHandshakesForAccountInput{}).Handshakes
	if len(last) != 1 || *last[0].Action != api.ActionTypeApproveAllFeatures {
		t.Fatalf("the management account is asked %v", last)
	}
	call(p, h, api.AcceptHandshake, &api.AcceptHandshakeInput{HandshakeId: *last[0].Id})
	if o := call(p, h, api.DescribeOrganization, &api.DescribeOrganizationInput{}).Organization; *o.FeatureSet != api.OrganizationFeatureSetAll {
		t.Errorf("the features are %s", *o.FeatureSet)
	}
	p.attach(scp, "s", denyUsers, r)
	parts := call(p, h, api.ListHandshakesForOrganization, &api.ListHandshakesForOrganizationInput{Filter: &api.HandshakeFilter{ParentHandshakeId: whole.Id}}).Handshakes
	if len(parts) != 2 {
		t.Errorf("%d parts", len(parts))
	}
}
