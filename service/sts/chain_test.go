package sts_test

import (
	"strings"
	"testing"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
)

// statement is a statement of a trust policy.
func statement(principal, action, conditions string) string {
	return `{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"` + action + `","Condition":{` + conditions + `}}`
}

func trustOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// The example of AWS's page on session tags, with its three required tags.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
func TestTrustPolicyAsksForTags(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	arn := p.role(home, "tagged", trustOf(
		statement(alice.ARN, "sts:AssumeRole", `"StringLike":{"aws:RequestTag/Project":"*","aws:RequestTag/CostCenter":"*","aws:RequestTag/Department":"*"},"StringEquals":{"sts:ExternalId":"Example987"}`),
		statement(alice.ARN, "sts:TagSession", `"StringLike":{"aws:RequestTag/Project":"*","aws:RequestTag/CostCenter":"*"},
			"StringEquals":{"aws:RequestTag/Department":["Engineering","Marketing"]},"ForAllValues:StringEquals":{"sts:TransitiveTagKeys":["Project","Department"]}`),
	), "")
	tags := func(department string) []stsapi.Tag {
		return []stsapi.Tag{{Key: "Project", Value: "Automation"}, {Key: "CostCenter", Value: "12345"}, {Key: "Department", Value: department}}
	}
	id := new("Example987")
	const notTagged, notAssumed = "because no role trust policy allows the sts:TagSession action", noTrust
	for _, c := range []struct {
		name string
		in   stsapi.AssumeRoleInput
		want string
	}{
		{"nobody with all of it", stsapi.AssumeRoleInput{ExternalId: id, Tags: tags("Engineering"), TransitiveTagKeys: []string{"Project", "Department"}}, ""},
		{"nobody without transitive keys", stsapi.AssumeRoleInput{ExternalId: id, Tags: tags("Marketing")}, ""},
		{"another department", stsapi.AssumeRoleInput{ExternalId: id, Tags: tags("Sales")}, notTagged},
		{"another transitive key", stsapi.AssumeRoleInput{ExternalId: id, Tags: tags("Engineering"), TransitiveTagKeys: []string{"CostCenter"}}, notTagged},
		{"a tag too few", stsapi.AssumeRoleInput{ExternalId: id, Tags: tags("Engineering")[:2]}, notAssumed},
		{"no tags", stsapi.AssumeRoleInput{ExternalId: id}, notAssumed},
		{"no external id", stsapi.AssumeRoleInput{Tags: tags("Engineering")}, notAssumed},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.RoleArn, c.in.RoleSessionName = arn, "session"
			if got := try(p, alice, stsapi.AssumeRole, &c.in); !strings.HasSuffix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("AssumeRole = %s, want %s", got, c.want)
			}
		})
	}
}

// The three roles of AWS's page on chaining: a transitive tag outlives its
// session, is the next session's aws:PrincipalTag, can't be set anew, and
// stands in for the next role's own tag.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
func TestTransitiveTagsAreTrusted(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	first := p.role(home, "Role1", trusts(alice.ARN, ""), allowAssume)
	second := p.role(home, "Role2", trusts(rootOf(home), `,"Condition":{"StringEquals":{"aws:PrincipalTag/star":"1"}}`), allowAssume)
	third := p.role(home, "Role3", trusts(rootOf(home), `,"Condition":{"StringEquals":{"aws:ResourceTag/Star":"1"}}`), "")
	call(p, p.root[home], iamapi.TagRole, &iamapi.TagRoleInput{RoleName: "Role3", Tags: []iamapi.Tag{{Key: "Star", Value: "3"}, {Key: "Moon", Value: "3"}}})
	star := stsapi.AssumeRoleInput{RoleArn: first, Tags: []stsapi.Tag{{Key: "Star", Value: "1"}}, TransitiveTagKeys: []string{"star", "Star"}}
	one := p.assume(alice, star)
	if len(one.Session.Transitive) != 1 {
		t.Errorf("transitive keys %q", one.Session.Transitive)
	}
	star.TransitiveTagKeys = nil
	plain := p.assume(alice, star)
	two := p.assume(one, stsapi.AssumeRoleInput{RoleArn: second})
	p.assume(two, stsapi.AssumeRoleInput{RoleArn: third})
	for _, c := range []struct {
		name string
		who  *aws.Principal
		in   stsapi.AssumeRoleInput
		want string
	}{
		{"a session without the tag", p.assume(alice, stsapi.AssumeRoleInput{RoleArn: first}), stsapi.AssumeRoleInput{RoleArn: second}, noTrust},
		{"whose tag is not transitive, for the role's own tag stands", plain, stsapi.AssumeRoleInput{RoleArn: third}, noTrust},
		{"the tag set anew", two, stsapi.AssumeRoleInput{RoleArn: third, Tags: []stsapi.Tag{{Key: "STAR", Value: "3"}}}, "conflicts with a transitive tag key from the calling session."},
		{"the key made transitive anew", two, stsapi.AssumeRoleInput{RoleArn: third, TransitiveTagKeys: []string{"Star"}}, "conflicts with a transitive tag key from the calling session."},
	} {
		c.in.RoleSessionName = "s1"
		if got := try(p, c.who, stsapi.AssumeRole, &c.in); !strings.HasSuffix(got, c.want) {
			t.Errorf("AssumeRole by %s = %s", c.name, got)
		}
	}
}

// A source identity is set once, needs the trust of every role on its way, and stays.
func TestSourceIdentityStaysThroughChains(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	first := p.role(home, "first", trusts(alice.ARN, ""), allowAssume)
	second := p.role(home, "second", trusts(rootOf(home), ""), allowAssume)
	unaware := p.role(home, "unaware", trustOf(statement(rootOf(home), "sts:AssumeRole", "")), "")
	one := p.assume(alice, stsapi.AssumeRoleInput{RoleArn: first, SourceIdentity: new("alice")})
	two := p.assume(one, stsapi.AssumeRoleInput{RoleArn: second})
	out := call(p, two, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: second, RoleSessionName: "s3", SourceIdentity: new("alice")})
	if *out.SourceIdentity != "alice" || two.Session.SourceIdentity != "alice" {
		t.Errorf("source identities %s and %s", two.Session.SourceIdentity, *out.SourceIdentity)
	}
	if got := try(p, two, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: unaware, RoleSessionName: "s4"}); !strings.HasSuffix(got, "because no role trust policy allows the sts:SetSourceIdentity action") {
		t.Errorf("AssumeRole of a role that does not trust to set it = %s", got)
	}
	for _, name := range []string{"mallory", "Alice"} {
		if got := try(p, two, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: second, RoleSessionName: "s4", SourceIdentity: &name}); !strings.Contains(got, "is not authorized to perform: sts:SetSourceIdentity") {
			t.Errorf("AssumeRole with another = %s", got)
		}
	}
}
