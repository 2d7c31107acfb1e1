package iam

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

const (
	simulatedUser = "arn:aws:iam::111122223333:user/u"
	bucketARN     = "arn:aws:s3:::reports"
)

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// told is what a simulation says of its first case: decision, matched
// statements as "policy@column", keys that are missing.
func told(out *iam.SimulatePolicyResponse) string {
	r := out.EvaluationResults[0]
	text := string(r.EvalDecision)
	missing := r.MissingContextValues
	for _, s := range r.ResourceSpecificResults {
		missing = append(missing, s.MissingContextValues...)
	}
	for _, s := range r.MatchedStatements {
		text += fmt.Sprintf(" %s@%d", *s.SourcePolicyId, *s.StartPosition.Column)
	}
	for _, key := range missing {
		text += " -" + key
	}
	if r.OrganizationsDecisionDetail != nil {
		text += fmt.Sprint(" organization:", *r.OrganizationsDecisionDetail.AllowedByOrganizations)
	}
	if r.PermissionsBoundaryDecisionDetail != nil {
		text += fmt.Sprint(" boundary:", *r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
	}
	return text
}

func entry(kind iam.ContextKeyTypeEnum, key string, values ...string) iam.ContextEntry {
	return iam.ContextEntry{ContextKeyName: &key, ContextKeyType: &kind, ContextKeyValues: values}
}

func TestSimulateCustomPolicyTells(t *testing.T) {
	p := newPlane(t)
	const (
		allow  = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
		deny   = `{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`
		tagged = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/${aws:username}","Condition":{"StringEquals":{"s3:prefix":"a"}}}`
		mfa    = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`
		number = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"ForAnyValue:NumericLessThan":{"s3:max-keys":"5"}}}`
	)
	for _, c := range []struct {
		name string
		in   iam.SimulateCustomPolicyInput
		want string
	}{
		{"nothing that allows", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(`{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}`)}}, "implicitDeny"},
		{"each statement that allows", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow, allow), document(allow)}},
			"allowed PolicyInputList.1@38 PolicyInputList.1@87 PolicyInputList.2@38"},
		{"the denying statements alone", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow), document(allow, deny)}},
			"explicitDeny PolicyInputList.2@87"},
		{"keys that are missing", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(mfa)}}, "implicitDeny -aws:MultiFactorAuthPresent"},
		{"keys of a resource's variables", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(tagged)}, ResourceArns: []string{bucketARN + "/u"}},
			"implicitDeny -aws:username -s3:prefix"},
		{"no key of a statement about something else", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(tagged)}, ResourceArns: []string{"arn:aws:s3:::other/u"},
			ContextEntries: []iam.ContextEntry{entry("string", "aws:username", "u")}}, "implicitDeny"},
		{"a key that is given", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(mfa)},
			ContextEntries: []iam.ContextEntry{entry("boolean", "AWS:multifactorauthpresent", "true")}}, "allowed PolicyInputList.1@38"},
		{"a caller's name", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(tagged)}, ResourceArns: []string{bucketARN + "/u"}, CallerArn: new(simulatedUser),
			ContextEntries: []iam.ContextEntry{entry("string", "s3:prefix", "a")}}, "allowed PolicyInputList.1@38"},
		{"a list's values", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(number)},
			ContextEntries: []iam.ContextEntry{entry("numericList", "s3:max-keys", "9", "3")}}, "allowed PolicyInputList.1@38"},
		{"a boundary that is silent", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow)},
			PermissionsBoundaryPolicyInputList: []string{document(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)}}, "implicitDeny boundary:false"},
		{"a boundary that lets pass", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow)},
			PermissionsBoundaryPolicyInputList: []string{document(allow)}}, "allowed PolicyInputList.1@38 boundary:true"},
		{"a boundary that denies", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow)},
			PermissionsBoundaryPolicyInputList: []string{document(allow, deny)}}, "explicitDeny PermissionsBoundaryPolicyInputList.1@87 boundary:false"},
		{"a resource's policy that names the caller", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)},
			ResourceArns: []string{bucketARN + "/a"}, CallerArn: new(simulatedUser),
			ResourcePolicy: new(document(`{"Effect":"Allow","Principal":{"AWS":"` + simulatedUser + `"},"Action":"s3:GetObject","Resource":"` + bucketARN + `/*"}`))}, "allowed ResourcePolicy@38"},
		{"a resource's policy that denies", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow)},
			ResourceArns: []string{bucketARN + "/a"}, CallerArn: new(simulatedUser),
			ResourcePolicy: new(document(`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + bucketARN + `/*"}`))}, "explicitDeny ResourcePolicy@38"},
		{"another account's resource, whose policy is silent", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(allow)},
			ResourceArns: []string{bucketARN + "/a"}, CallerArn: new(simulatedUser), ResourceOwner: new("arn:aws:iam::444455556666:root"),
			ResourcePolicy: new(document(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"` + bucketARN + `/*"}`))}, "implicitDeny"},
		{"a key without its policy, on the caller's side alone", iam.SimulateCustomPolicyInput{PolicyInputList: []string{document(`{"Effect":"Allow","Action":"*","Resource":"*"}`)},
			ResourceArns: []string{"arn:aws:kms:us-east-1:444455556666:key/1"}}, "allowed PolicyInputList.1@38"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.ActionNames = []string{"s3:GetObject"}
			if got := told(call(&plane{TB: t, Gateway: p.Gateway}, p.root, iam.SimulateCustomPolicy, &c.in)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// LocalStack's record of AWS, 2025-04-21, field by field.
func TestSimulatePrincipalPolicyAnswersAsAWSWasSeenTo(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "put", PolicyDocument: `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`})
	put := "arn:aws:iam::111122223333:policy/put"
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: put})
	call(p, p.root, iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: "g", PolicyArn: put})
	call(p, p.root, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: "r", PolicyArn: put})
	matched := []iam.Statement{{SourcePolicyId: new("put"), SourcePolicyType: new(iam.PolicySourceType("IAM Policy")),
		StartPosition: &iam.Position{Line: new(int32(1)), Column: new(int32(41))}, EndPosition: &iam.Position{Line: new(int32(1)), Column: new(int32(113))}}}
	result := func(action string, d iam.PolicyEvaluationDecisionType, matched []iam.Statement) iam.EvaluationResult {
		return iam.EvaluationResult{EvalActionName: action, EvalResourceName: new(bucketARN), EvalDecision: d, MatchedStatements: matched, MissingContextValues: []string{},
			EvalDecisionDetails: map[string]iam.PolicyEvaluationDecisionType{},
			ResourceSpecificResults: []iam.ResourceSpecificResult{
				{EvalResourceName: bucketARN, EvalResourceDecision: d, MatchedStatements: matched, MissingContextValues: []string{}}}}
	}
	want := &iam.SimulatePolicyResponse{IsTruncated: new(false), EvaluationResults: []iam.EvaluationResult{
		result("s3:PutObject", "allowed", matched), result("s3:GetObjectVersion", "implicitDeny", []iam.Statement{})}}
	for _, source := range []string{"user/u", "group/g", "role/r"} {
		got := call(p, p.root, iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: "arn:aws:iam::111122223333:" + source,
			ActionNames: []string{"s3:PutObject", "s3:GetObjectVersion"}, ResourceArns: []string{bucketARN}})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", source, got)
		}
	}
}

// A simulation finds all that bears on the principal, and decides as calls are.
func TestSimulatePrincipalPolicyTakesWhatBearsOnIt(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "mine", PolicyDocument: document(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red","aws:username":"u"}}}`)})
	call(p, p.root, iam.TagUser, &iam.TagUserInput{UserName: "u", Tags: []iam.Tag{{Key: "team", Value: "red"}}})
	call(p, p.root, iam.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: "g", PolicyName: "ours", PolicyDocument: document(`{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}`)})
	call(p, p.root, iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: "g", UserName: "u"})
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"})
	simulate := func(change func(*iam.SimulatePrincipalPolicyInput)) string {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: simulatedUser, ActionNames: []string{"s3:GetObject"}}
		change(in)
		return told(call(p, p.root, iam.SimulatePrincipalPolicy, in))
	}
	as := func(want, got string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	as("allowed user_u_mine@38 AmazonS3ReadOnlyAccess@15 group_g_ours@38", simulate(func(*iam.SimulatePrincipalPolicyInput) {}))
	as("allowed AmazonS3ReadOnlyAccess@15 group_g_ours@38", simulate(func(in *iam.SimulatePrincipalPolicyInput) {
		in.CallerArn = new("arn:aws:iam::111122223333:user/other") // with u's policies, not with u's tags
		in.ContextEntries = []iam.ContextEntry{entry("string", "aws:PrincipalTag/team", "blue")}
	}))
	as("explicitDeny PolicyInputList.1@38", simulate(func(in *iam.SimulatePrincipalPolicyInput) {
		in.PolicyInputList = []string{document(`{"Effect":"Deny","Action":"*","Resource":"*"}`)}
	}))
	call(p, p.root, iam.PutUserPermissionsBoundary, &iam.PutUserPermissionsBoundaryInput{UserName: "u", PermissionsBoundary: readOnly})
	as("implicitDeny boundary:false", simulate(func(*iam.SimulatePrincipalPolicyInput) {}))
	as("allowed user_u_mine@38 AmazonS3ReadOnlyAccess@15 group_g_ours@38 boundary:true", simulate(func(in *iam.SimulatePrincipalPolicyInput) {
		in.PermissionsBoundaryPolicyInputList = []string{allowAll}
	}))
}

// members is an organisation whose only level has one service control policy.
type members struct{ scp *policy.Policy }

func (g members) Membership(_ store.Tx, account string) (*gateway.Membership, error) {
	return &gateway.Membership{Account: account, Organization: "o-a1b2c3d4e5", Management: "999988887777", Levels: []string{account}}, nil
}

func (g members) Limits(_ store.Tx, _ *gateway.Membership, kind policy.Kind, to [][]*policy.Policy) ([][]*policy.Policy, error) {
	if kind == policy.SCP {
		to = append(to, []*policy.Policy{g.scp})
	}
	return to, nil
}

// Service control policies count, their conditions too, which AWS's simulator does not look at.
func TestSimulationsHoldToTheOrganisation(t *testing.T) {
	doc, err := policy.Read([]byte(document(`{"Effect":"Allow","Action":"*","Resource":"*"}`,
		`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)), policy.SCP)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlane(t)
	furnish(p)
	p.Guardrails = members{policy.Compile(doc, "")}
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "u", PolicyName: "all", PolicyDocument: allowAll})
	for region, want := range map[string]string{"eu-west-1": "allowed user_u_all@38 organization:true", "us-east-1": "explicitDeny organization:false"} {
		got := told(call(p, p.root, iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: simulatedUser, ActionNames: []string{"s3:GetObject"},
			ContextEntries: []iam.ContextEntry{entry("string", "aws:RequestedRegion", region)}}))
		if got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

func TestSimulationsTellEachSideAcrossAccounts(t *testing.T) {
	p := newPlane(t)
	in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{allowAll}, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{bucketARN + "/a"},
		CallerArn: new(simulatedUser), ResourceOwner: new("arn:aws:iam::444455556666:root"),
		ResourcePolicy: new(document(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"}`))}
	want := map[string]iam.PolicyEvaluationDecisionType{"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
	r := call(p, p.root, iam.SimulateCustomPolicy, in).EvaluationResults[0]
	if !reflect.DeepEqual(r.EvalDecisionDetails, want) || !reflect.DeepEqual(r.ResourceSpecificResults[0].EvalDecisionDetails, want) {
		t.Errorf("%v", r.EvalDecisionDetails)
	}
}

func TestSimulationsPage(t *testing.T) {
	p := newPlane(t)
	in := iam.SimulateCustomPolicyInput{PolicyInputList: []string{allowAll}, ActionNames: []string{"a:a", "a:b", "a:c"}, ResourceArns: []string{bucketARN, "arn:aws:s3:::b"}}
	var want []string
	for _, action := range in.ActionNames {
		want = append(want, action+" "+bucketARN, action+" arn:aws:s3:::b")
	}
	got := pages(p, func(marker *string, two *int32) (names []string, _ *bool, _ *string) {
		in.Marker, in.MaxItems = marker, two
		out := call(p, p.root, iam.SimulateCustomPolicy, &in)
		for _, r := range out.EvaluationResults {
			names = append(names, r.EvalActionName+" "+*r.EvalResourceName)
		}
		return names, out.IsTruncated, out.Marker
	})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	in.Marker, in.MaxItems = nil, new(int32(1))
	in.Marker = call(p, p.root, iam.SimulateCustomPolicy, &in).Marker
	in.ActionNames = in.ActionNames[:2]
	if got := try(p, p.root, iam.SimulateCustomPolicy, &in); got != "Invalid Marker." {
		t.Errorf("another request's marker: %q", got)
	}
}

// Policies that are made to be dear end a page, or the simulation, early: a
// thousand of them cost no more than a few.
func TestSimulationsAreBounded(t *testing.T) {
	p := newPlane(t)
	pattern := "arn:aws:s3:::" + strings.Repeat("*a", 900) + "*b"
	dear := document(`{"Effect":"Allow","Action":"s3:*","Resource":["` + pattern + `"]}`)
	in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{dear}, ResourceArns: []string{"arn:aws:s3:::" + strings.Repeat("a", 2000)}}
	for i := range 1000 {
		in.ActionNames = append(in.ActionNames, fmt.Sprint("s3:A", i))
	}
	in.MaxItems = new(int32(1000))
	began := time.Now()
	out := call(p, p.root, iam.SimulateCustomPolicy, in)
	if took := time.Since(began); took > 5*time.Second || !*out.IsTruncated || len(out.EvaluationResults) == 0 {
		t.Errorf("%d results in %v", len(out.EvaluationResults), took)
	}
	dear = document(strings.Repeat(`{"Effect":"Allow","Action":"s3:*","Resource":"`+pattern+`"},`, 60) + `{"Effect":"Allow","Action":"a:b","Resource":"*"}`)
	in.PolicyInputList = slices.Repeat([]string{dear}, 30)
	if got := try(p, p.root, iam.SimulateCustomPolicy, in); !strings.HasPrefix(got, "PolicyEvaluationException: ") {
		t.Errorf("%.200s", got)
	}
}

func TestSimulationsRefuse(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	custom := func(change func(*iam.SimulateCustomPolicyInput)) string {
		in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{allowAll}, ActionNames: []string{"s3:GetObject"}}
		change(in)
		return try(p, p.root, iam.SimulateCustomPolicy, in)
	}
	source := func(arn string) string {
		return try(p, p.root, iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: arn, ActionNames: []string{"s3:GetObject"}})
	}
	keys := func(arn string) string {
		return try(p, p.root, iam.GetContextKeysForPrincipalPolicy, &iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: arn})
	}
	const bad = "InvalidInputException: "
	unclear := func(arn string) string {
		return bad + "Invalid Entity Arn: " + arn + " does not clearly define entity type and name."
	}
	for _, c := range []struct{ name, got, want string }{
		{"a session", source("arn:aws:sts::111122223333:assumed-role/r/session"), unclear("arn:aws:sts::111122223333:assumed-role/r/session")},
		{"root", source("arn:aws:iam::111122223333:root"), unclear("arn:aws:iam::111122223333:root")},
		{"keys of a policy", keys("arn:aws:iam::111122223333:policy/own"), unclear("arn:aws:iam::111122223333:policy/own")},
		{"a user that is none", source("arn:aws:iam::111122223333:user/x"), "NoSuchEntityException: The user with name x cannot be found."},
		{"a role of another path", keys("arn:aws:iam::111122223333:role/x/r"), "NoSuchEntityException: The role with name r cannot be found."},
		{"another account's user", source("arn:aws:iam::444455556666:user/u"),
			"User: arn:aws:iam::111122223333:root is not authorized to perform: iam:SimulatePrincipalPolicy on resource: arn:aws:iam::444455556666:user/u because no resource-based policy allows the iam:SimulatePrincipalPolicy action"},
		{"a policy that is none", custom(func(in *iam.SimulateCustomPolicyInput) { in.PolicyInputList = []string{allowAll, "{"} }), bad + "PolicyInputList.2: Syntax errors in policy."},
		{"a policy with a principal", custom(func(in *iam.SimulateCustomPolicyInput) { in.PolicyInputList = []string{trustRoot} }), bad + "PolicyInputList.1: Policy document should not specify a principal."},
		{"two boundaries", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.PermissionsBoundaryPolicyInputList = []string{allowAll, allowAll}
		}), bad + "Only one permissions boundary policy can be simulated."},
		{"a wildcard", custom(func(in *iam.SimulateCustomPolicyInput) { in.ActionNames = []string{"s3:Get*"} }), bad + "Invalid Action Name: s3:Get*"},
		{"an action without a service", custom(func(in *iam.SimulateCustomPolicyInput) { in.ActionNames = []string{"GetObject"} }), bad + "Invalid Action Name: GetObject"},
		{"a resource's id", custom(func(in *iam.SimulateCustomPolicyInput) { in.ResourceArns = []string{"14a050d4"} }), bad + "ResourceNames are not in a valid ARN format: 14a050d4."},
		{"an owner's id", custom(func(in *iam.SimulateCustomPolicyInput) { in.ResourceOwner = new("123456789012") }), bad + "'123456789012' is not a valid as a Resource Owner."},
		{"a role as caller", custom(func(in *iam.SimulateCustomPolicyInput) { in.CallerArn = new("arn:aws:iam::111122223333:role/r") }), unclear("arn:aws:iam::111122223333:role/r")},
		{"a resource policy without a caller", custom(func(in *iam.SimulateCustomPolicyInput) { in.ResourcePolicy = new(allowAll) }), bad + "CallerArn is required if a ResourcePolicy is given."},
		{"a trust policy", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ActionNames, in.ResourceArns = []string{"sts:AssumeRole"}, []string{"arn:aws:iam::111122223333:role/r"}
			in.CallerArn, in.ResourcePolicy = new(simulatedUser), new(trustRoot)
		}), bad + "Simulation of resource-based policies isn't supported for IAM roles."},
		{"a handling that is none", custom(func(in *iam.SimulateCustomPolicyInput) { in.ResourceHandlingOption = new("all") }), bad + "Invalid ResourceHandlingOption: all"},
		{"a handling without its resources", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ResourceHandlingOption, in.ResourceArns = new("EC2-VPC-EBS"), []string{"arn:aws:ec2:us-east-1:111122223333:instance/*"}
		}), bad + "The ResourceHandlingOption EC2-VPC-EBS requires a resource of type image."},
		{"a number that is none", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = []iam.ContextEntry{entry("numeric", "s3:max-keys", "many")}
		}), bad + "The context key s3:max-keys has a value that is no numeric."},
		{"a date that is none", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = []iam.ContextEntry{entry("dateList", "aws:CurrentTime", "2026-13-01")}
		}), bad + "The context key aws:CurrentTime has a value that is no date."},
		{"an address that is none", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = []iam.ContextEntry{entry("ip", "aws:SourceIp", "10.0.0.0/8")}
		}), bad + "The context key aws:SourceIp has a value that is no ip."},
		{"a key twice", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = []iam.ContextEntry{entry("string", "aws:userid", "a"), entry("string", "aws:UserId", "b")}
		}), bad + "The context key aws:UserId is given twice."},
		{"a key without a value", custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = []iam.ContextEntry{entry("string", "aws:userid")}
		}), bad + "The context key aws:userid has no value."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

// Who may not simulate a user learns neither that there is one nor what it may do.
func TestSimulationsNeedPermission(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	stranger(p)
	key := call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: new("mallory")}).AccessKey
	mallory := p.principal(testAccount, key.AccessKeyId)
	there := try(p, mallory, iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: simulatedUser, ActionNames: []string{"s3:GetObject"}})
	none := try(p, mallory, iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: simulatedUser + "x", ActionNames: []string{"s3:GetObject"}})
	for _, got := range []string{there, none, try(p, mallory, iam.GetContextKeysForCustomPolicy, &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{allowAll}})} {
		if !strings.Contains(got, "is not authorized to perform: iam:") {
			t.Errorf("%q", got)
		}
	}
	call(p, p.root, iam.PutUserPolicy, &iam.PutUserPolicyInput{UserName: "mallory", PolicyName: "one", PolicyDocument: document(`{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"` + simulatedUser + `"}`)})
	if got := try(p, mallory, iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: simulatedUser, ActionNames: []string{"s3:GetObject"}}); got != "" {
		t.Errorf("%q", got)
	}
}

// AWS CLI, get-context-keys-for-custom-policy.
func TestContextKeysAreThoseThatPoliciesRead(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}`
	custom := call(p, p.root, iam.GetContextKeysForCustomPolicy, &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{text, text}})
	if want := []string{"aws:username", "aws:CurrentTime"}; !reflect.DeepEqual(custom.ContextKeyNames, want) {
		t.Errorf("%q", custom.ContextKeyNames)
	}
	call(p, p.root, iam.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: "g", PolicyName: "ours", PolicyDocument: text})
	call(p, p.root, iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: "g", UserName: "u"})
	principal := call(p, p.root, iam.GetContextKeysForPrincipalPolicy, &iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: simulatedUser,
		PolicyInputList: []string{document(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"S3:Prefix":"${AWS:username}"}}}`)}})
	if want := []string{"aws:username", "aws:CurrentTime", "S3:Prefix"}; !reflect.DeepEqual(principal.ContextKeyNames, want) {
		t.Errorf("%q", principal.ContextKeyNames)
	}
}

// With a ResourceHandlingOption an action is decided on all resources at once, as RunInstances is.
func TestSimulationsOfInstancesTakeAllResources(t *testing.T) {
	p := newPlane(t)
	in := &iam.SimulateCustomPolicyInput{ActionNames: []string{"ec2:RunInstances"}, ResourceHandlingOption: new("EC2-VPC-InstanceStore"),
		PolicyInputList: []string{document(`{"Effect":"Allow","Action":"ec2:*","NotResource":"arn:aws:ec2:*:*:image/*"}`)}}
	for _, kind := range []string{"instance/*", "image/ami-1", "security-group/*", "network-interface/*"} {
		in.ResourceArns = append(in.ResourceArns, "arn:aws:ec2:us-east-1:111122223333:"+kind)
	}
	out := call(p, p.root, iam.SimulateCustomPolicy, in)
	if len(out.EvaluationResults) != 1 || len(out.EvaluationResults[0].ResourceSpecificResults) != 4 {
		t.Fatalf("%+v", out)
	}
	r := out.EvaluationResults[0]
	if r.EvalDecision != "implicitDeny" || *r.EvalResourceName != in.ResourceArns[1] || r.ResourceSpecificResults[0].EvalResourceDecision != "allowed" {
		t.Errorf("%+v", r)
	}
}
