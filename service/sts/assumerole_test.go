package sts_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
)

func TestAssumeRoleMakesASession(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	arn := p.role(home, "reader", trusts(alice.ARN, ""), allowAll)
	out := call(p, alice, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "work"})
	who := p.open(out.Credentials)
	if want := "arn:aws:sts::111122223333:assumed-role/reader/work"; out.AssumedRoleUser.Arn != want || who.ARN != want {
		t.Errorf("ARNs %s and %s, want %s", out.AssumedRoleUser.Arn, who.ARN, want)
	}
	if out.AssumedRoleUser.AssumedRoleId != who.ID || !strings.HasPrefix(who.ID, "AROA") || !strings.HasSuffix(who.ID, ":work") {
		t.Errorf("ids %s and %s", out.AssumedRoleUser.AssumedRoleId, who.ID)
	}
	if account, _ := aws.AccountOfID(out.Credentials.AccessKeyId); account != home || out.Credentials.AccessKeyId[:4] != "ASIA" {
		t.Errorf("access key id %s", out.Credentials.AccessKeyId)
	}
	if got := out.Credentials.Expiration.Sub(who.Session.IssuedAt); got != time.Hour {
		t.Errorf("the session lives %v", got)
	}
	if out.PackedPolicySize != nil {
		t.Errorf("PackedPolicySize %d without policies", *out.PackedPolicySize)
	}
	got := call(p, who, stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityInput{})
	if *got.Arn != who.ARN || *got.UserId != who.ID || *got.Account != home {
		t.Errorf("GetCallerIdentity = %s %s %s", *got.Arn, *got.UserId, *got.Account)
	}
	call(p, who, iamapi.GetUser, &iamapi.GetUserInput{UserName: new("alice")})
}

const noTrust = "because no role trust policy allows the sts:AssumeRole action"

func TestAssumeRoleRefuses(t *testing.T) {
	p := newPlane(t)
	alice, bob := p.user("alice", allowAssume), p.user("bob", "")
	p.role(home, "alices", trusts(alice.ARN, ""), "")
	p.role(home, "account", trusts(home, ""), "")
	p.role(home, "withid", trusts(rootOf(home), `,"Condition":{"StringEquals":{"sts:ExternalId":"secret-42"}}`), "")
	p.role(home, "named", trusts(rootOf(home), `,"Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`), "")
	p.role(home, "sourced", trusts(rootOf(home), `,"Condition":{"StringEquals":{"sts:SourceIdentity":"alice"}}`), "")
	p.role(home, "untagged", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+home+`"},"Action":"sts:AssumeRole"}}`, "")
	p.role(other, "foreign", trusts(rootOf(home), ""), "")
	p.role(other, "strict", trusts(rootOf(other), ""), "")
	for _, c := range []struct {
		name string
		who  *aws.Principal
		role string
		in   stsapi.AssumeRoleInput
		want string // a part of the error; "" = allowed
	}{
		{"nobody whom the trust policy names", alice, "alices", stsapi.AssumeRoleInput{}, ""},
		{"a user it does not name", bob, "alices", stsapi.AssumeRoleInput{}, "because no identity-based policy allows the sts:AssumeRole action"},
		{"nobody of the account who has the permission", alice, "account", stsapi.AssumeRoleInput{}, ""},
		{"a user of the account without", bob, "account", stsapi.AssumeRoleInput{}, "because no identity-based policy allows the sts:AssumeRole action"},
		{"a role that does not exist as one that trusts others", alice, "none", stsapi.AssumeRoleInput{}, noTrust},
		{"another case of the name", alice, "Alices", stsapi.AssumeRoleInput{}, noTrust},
		{"no external id", alice, "withid", stsapi.AssumeRoleInput{}, noTrust},
		{"a wrong external id", alice, "withid", stsapi.AssumeRoleInput{ExternalId: new("secret-43")}, noTrust},
		{"nobody with the external id", alice, "withid", stsapi.AssumeRoleInput{ExternalId: new("secret-42")}, ""},
		{"another session name", alice, "named", stsapi.AssumeRoleInput{RoleSessionName: "bob"}, noTrust},
		{"nobody with the session name", alice, "named", stsapi.AssumeRoleInput{RoleSessionName: "alice"}, ""},
		{"another source identity", alice, "sourced", stsapi.AssumeRoleInput{SourceIdentity: new("mallory")}, noTrust},
		{"nobody with the source identity", alice, "sourced", stsapi.AssumeRoleInput{SourceIdentity: new("alice")}, ""},
		{"tags without sts:TagSession", alice, "untagged", stsapi.AssumeRoleInput{Tags: []stsapi.Tag{{Key: "a", Value: "b"}}}, "sts:TagSession"},
		{"a source identity without sts:SetSourceIdentity", alice, "untagged", stsapi.AssumeRoleInput{SourceIdentity: new("alice")}, "sts:SetSourceIdentity"},
		{"the root user", p.root[home], "account", stsapi.AssumeRoleInput{}, "Roles may not be assumed by root accounts."},
		{"a policy that is none", alice, "alices", stsapi.AssumeRoleInput{Policy: new("{}")}, "MalformedPolicyDocumentException"},
		{"a managed policy that is none", alice, "alices", stsapi.AssumeRoleInput{PolicyArns: []stsapi.PolicyDescriptorType{{Arn: "arn:aws:iam::aws:policy/None"}}}, "does not exist"},
		{"longer than the role allows", alice, "alices", stsapi.AssumeRoleInput{DurationSeconds: new(int32(7200))}, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"a provided context", alice, "alices", stsapi.AssumeRoleInput{ProvidedContexts: []stsapi.ProvidedContext{{}}}, "Garrison does not implement sts:AssumeRole, parameter ProvidedContexts yet"},
		{"a tag twice", alice, "alices", stsapi.AssumeRoleInput{Tags: []stsapi.Tag{{Key: "a", Value: "b"}, {Key: "A", Value: "b"}}}, "InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"a transitive key without its tag", alice, "alices", stsapi.AssumeRoleInput{TransitiveTagKeys: []string{"a"}}, "InvalidParameterValue: The specified transitive tag key must be included in the requested tags."},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.RoleArn = "arn:aws:iam::" + home + ":role/" + c.role
			if c.in.RoleSessionName == "" {
				c.in.RoleSessionName = "session"
			}
			if got := try(p, c.who, stsapi.AssumeRole, &c.in); !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("AssumeRole = %s, want %s", got, c.want)
			}
		})
	}
	for _, arn := range []string{"nothing-valid-in-here", "arn:a:a::aaaaaaaaaa:", "arn:a::::something/test-role", "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/"} {
		if got := try(p, alice, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1"}); got != arn+" is invalid" {
			t.Errorf("AssumeRole of %s = %s", arn, got)
		}
	}
}

func TestAssumeRoleAcrossAccountsAsksBothSides(t *testing.T) {
	p := newPlane(t)
	alice, bob := p.user("alice", allowAssume), p.user("bob", "")
	foreign := p.role(other, "foreign", trusts(rootOf(home), ""), "")
	byName := p.role(other, "byname", trusts(bob.ARN, ""), "")
	strict := p.role(other, "strict", trusts(rootOf(other), ""), "")
	if who := p.assume(alice, stsapi.AssumeRoleInput{RoleArn: foreign}); who.Account != other {
		t.Errorf("the session is of account %s", who.Account)
	}
	for name, c := range map[string]struct {
		who *aws.Principal
		arn string
	}{"trusted, not permitted": {bob, foreign}, "named, not permitted": {bob, byName}, "permitted, not trusted": {alice, strict}} {
		if got := try(p, c.who, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: c.arn, RoleSessionName: "s1"}); !strings.Contains(got, "is not authorized to perform: sts:AssumeRole") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSessionPoliciesLimitASession(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	arn := p.role(home, "admin", trusts(alice.ARN, ""), allowAll)
	onlyGet := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}`
	get, list := &iamapi.GetUserInput{UserName: new("alice")}, &iamapi.ListUsersInput{}
	managed := []stsapi.PolicyDescriptorType{{Arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}}
	for _, c := range []struct {
		name         string
		in           stsapi.AssumeRoleInput
		lists, makes bool
	}{
		{"none", stsapi.AssumeRoleInput{}, true, true},
		{"an inline one", stsapi.AssumeRoleInput{Policy: &onlyGet}, false, false},
		{"a managed one", stsapi.AssumeRoleInput{PolicyArns: managed}, true, false},
		{"both", stsapi.AssumeRoleInput{Policy: &onlyGet, PolicyArns: managed}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.RoleArn = arn
			who := p.assume(alice, c.in)
			call(p, who, iamapi.GetUser, get)
			if got := try(p, who, iamapi.ListUsers, list); (got == "") != c.lists {
				t.Errorf("ListUsers = %s", got)
			}
			got := try(p, who, iamapi.CreateUser, &iamapi.CreateUserInput{UserName: "x"})
			if (got == "") != c.makes || !c.makes && !strings.HasSuffix(got, "because no session policy allows the iam:CreateUser action") {
				t.Errorf("CreateUser = %s", got)
			}
		})
	}
	if out := call(p, alice, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1", Policy: &onlyGet}); *out.PackedPolicySize < 1 || *out.PackedPolicySize > 20 {
		t.Errorf("PackedPolicySize %d", *out.PackedPolicySize)
	}
}

func TestChainedSessionsInheritAndAreShort(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	first := p.role(home, "first", trusts(alice.ARN, ""), allowAssume)
	second := p.role(home, "second", trusts(rootOf(home), ""), allowAssume)
	call(p, p.root[home], iamapi.UpdateRole, &iamapi.UpdateRoleInput{RoleName: "second", MaxSessionDuration: new(int32(43200))})
	one := p.assume(alice, stsapi.AssumeRoleInput{
		RoleArn: first, SourceIdentity: new("alice"), TransitiveTagKeys: []string{"team"},
		Tags: []stsapi.Tag{{Key: "team", Value: "blue"}, {Key: "task", Value: "x"}},
	})
	two := p.assume(one, stsapi.AssumeRoleInput{RoleArn: second, Tags: []stsapi.Tag{{Key: "own", Value: "y"}}})
	if want := map[string]string{"team": "blue", "own": "y"}; !maps.Equal(two.Session.Tags, want) || two.Session.SourceIdentity != "alice" {
		t.Errorf("tags %v, source identity %s", two.Session.Tags, two.Session.SourceIdentity)
	}
	third := p.assume(two, stsapi.AssumeRoleInput{RoleArn: second})
	if want := map[string]string{"team": "blue"}; !maps.Equal(third.Session.Tags, want) {
		t.Errorf("tags %v two sessions on", third.Session.Tags)
	}
	const conflict = "InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
	for name, c := range map[string]struct {
		in   stsapi.AssumeRoleInput
		want string
	}{
		"a longer session":        {stsapi.AssumeRoleInput{DurationSeconds: new(int32(3601))}, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		"an inherited tag":        {stsapi.AssumeRoleInput{Tags: []stsapi.Tag{{Key: "Team", Value: "red"}}}, conflict},
		"another source identity": {stsapi.AssumeRoleInput{SourceIdentity: new("bob")}, "is not authorized to perform: sts:SetSourceIdentity"},
	} {
		c.in.RoleArn, c.in.RoleSessionName = second, "s1"
		if got := try(p, one, stsapi.AssumeRole, &c.in); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Sizes that AWS was seen to answer.
func TestPackedSizes(t *testing.T) {
	p := newPlane(t)
	alice := p.user("alice", allowAssume)
	arn := p.role(home, "r", trusts(alice.ARN, ""), "")
	tags := func(n, key, value int) (all []stsapi.Tag) {
		for i := range n {
			all = append(all, stsapi.Tag{Key: strings.Repeat("k", key-1) + string(rune('0'+i)), Value: strings.Repeat("a", value)})
		}
		return all
	}
	recorded := "{\n\t\t\"Version\": \"2012-10-17\",\n\t\t\"Statement\": [\n\t\t\t{\n\t\t\t\t\"Effect\": \"Allow\",\n\t\t\t\t\"Action\": \"*\",\n\t\t\t\t\"Resource\": \"*\"\n\t\t\t}\n\t\t]\n\t}"
	long := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"` + strings.Repeat(" ", 1952) + `}]}`
	dense := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + randomText(1800) + `"}]}`
	for _, c := range []struct {
		name string
		in   stsapi.AssumeRoleInput
		size int32
		want string // the error
	}{
		{"AWS's record of a policy", stsapi.AssumeRoleInput{Policy: &recorded}, 4, ""},
		{"AWS's refusal of tags", stsapi.AssumeRoleInput{Tags: tags(9, 2, 250)}, 0, "PackedPolicyTooLargeException: Packed size of session tags consumes 498% of allotted space."},
		{"tags that just fit", stsapi.AssumeRoleInput{Tags: tags(5, 1, 90)}, 100, ""},
		{"tags that just do not fit", stsapi.AssumeRoleInput{Tags: append(tags(5, 1, 90), stsapi.Tag{Key: "five5"})}, 0, "PackedPolicyTooLargeException: Packed size of session tags consumes 101% of allotted space."},
		{"a policy of 2,048 characters, most of them space", stsapi.AssumeRoleInput{Policy: &long}, 4, ""},
		{"a policy of 2,049 characters", stsapi.AssumeRoleInput{Policy: new(long + "\n")}, 0, "PackedPolicyTooLargeException: Packed policy consumes 101% of allotted space, please use smaller policy."},
		{"a policy and tags that do not fit together", stsapi.AssumeRoleInput{Policy: &dense, Tags: tags(4, 10, 90)}, 0, "PackedPolicyTooLargeException: Packed policy consumes "},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.RoleArn, c.in.RoleSessionName = arn, "s1"
			if c.want != "" {
				if got := try(p, alice, stsapi.AssumeRole, &c.in); !strings.HasPrefix(got, c.want) {
					t.Errorf("AssumeRole = %s, want %s", got, c.want)
				}
				return
			}
			if out := call(p, alice, stsapi.AssumeRole, &c.in); *out.PackedPolicySize != c.size {
				t.Errorf("PackedPolicySize %d, want %d", *out.PackedPolicySize, c.size)
			}
		})
	}
}
