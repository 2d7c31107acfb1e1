package organizations_test

import (
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/organizations"
)

// The examples of the guide, policies attached to the root, to a unit and to
// the account as given.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/inheritance-examples.html
func TestEffectivePolicies(t *testing.T) {
	const a = `{"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@assign":["Development","Support"]}}}}`
	const c = `{"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@append":["Marketing"]},"enforced_for":{"@@append":["redshift:*","dynamodb:table"]}}}}`
	for _, x := range []struct {
		what                string
		root, unit, account []string
		want                string
	}{
		{"1, a child overwrites", []string{a},
			[]string{`{"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@assign":["Sandbox"]},"enforced_for":{"@@assign":["redshift:*","dynamodb:table"]}}}}`}, nil,
			`{"tags":{"costcenter":{"tag_key":"CostCenter","tag_value":["Sandbox"],"enforced_for":["redshift:*","dynamodb:table"]}}}`},
		{"2, a child appends", []string{a}, []string{c}, nil,
			`{"tags":{"costcenter":{"tag_key":"CostCenter","tag_value":["Development","Support","Marketing"],"enforced_for":["redshift:*","dynamodb:table"]}}}`},
		{"3, a child removes", []string{a}, []string{c},
			[]string{`{"tags":{"costcenter":{"tag_value":{"@@remove":["Development","Marketing"]},"enforced_for":{"@@remove":["redshift:*","dynamodb:table"]}}}}`},
			`{"tags":{"costcenter":{"tag_key":"CostCenter","tag_value":["Support"]}}}`},
		{"4, a parent restricts",
			[]string{`{"tags":{"project":{"tag_key":{"@@operators_allowed_for_child_policies":["@@none"],"@@assign":"Project"},"tag_value":{"@@operators_allowed_for_child_policies":["@@append"],"@@assign":["Maintenance","Escalations"]}}}}`},
			[]string{`{"tags":{"project":{"tag_key":{"@@assign":"PROJECT"},"tag_value":{"@@append":["Escalations - research"]}}}}`}, nil,
			`{"tags":{"project":{"tag_key":"Project","tag_value":["Maintenance","Escalations","Escalations - research"]}}}`},
		{"5, restrictions at one level intersect",
			[]string{
				`{"tags":{"project":{"tag_value":{"@@operators_allowed_for_child_policies":["@@append"],"@@assign":["Maintenance"]}}}}`,
				`{"tags":{"project":{"tag_value":{"@@operators_allowed_for_child_policies":["@@append","@@remove"]}}}}`},
			[]string{`{"tags":{"project":{"tag_value":{"@@remove":["Maintenance"],"@@append":["More"]}}}}`}, nil,
			`{"tags":{"project":{"tag_value":["Maintenance","More"]}}}`},
		{"6, at one level the first wins",
			[]string{`{"tags":{"project":{"tag_key":{"@@assign":"PROJECT"},"tag_value":{"@@append":["Maintenance"]}}}}`, `{"tags":{"project":{"tag_key":{"@@assign":"project"}}}}`}, nil, nil,
			`{"tags":{"project":{"tag_key":"PROJECT","tag_value":["Maintenance"]}}}`},
		{"what a parent forbids no child allows again",
			[]string{`{"tags":{"p":{"tag_value":{"@@operators_allowed_for_child_policies":["@@append"],"@@assign":["a"]}}}}`},
			[]string{`{"tags":{"p":{"tag_value":{"@@operators_allowed_for_child_policies":["@@all"]}}}}`},
			[]string{`{"tags":{"p":{"tag_value":{"@@assign":["b"]}}}}`},
			`{"tags":{"p":{"tag_value":["a"]}}}`},
		{"no new section below one that is locked",
			[]string{`{"tags":{"@@operators_allowed_for_child_policies":["@@none"],"p":{"tag_key":{"@@assign":"P"}}}}`},
			[]string{`{"tags":{"q":{"tag_key":{"@@assign":"Q"}}}}`}, nil,
			`{"tags":{"p":{"tag_key":"P"}}}`},
		{"nothing set", []string{`{"tags":{}}`}, nil, nil, `{}`},
	} {
		t.Run(x.what, func(t *testing.T) {
			p := newPlane(t)
			r := p.found()
			p.enable(r, api.PolicyTypeTagPolicy)
			p.invite(stranger)
			unit := p.unit(r, "unit")
			call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: stranger, SourceParentId: r, DestinationParentId: unit})
			for target, contents := range map[string][]string{r: x.root, unit: x.unit, stranger: x.account} {
				for i, content := range contents {
					p.attach(api.PolicyTypeTagPolicy, target+string(rune('a'+i)), content, target)
				}
			}
			got := call(p, root(stranger), api.DescribeEffectivePolicy, &api.DescribeEffectivePolicyInput{PolicyType: api.EffectivePolicyTypeTagPolicy}).EffectivePolicy
			if *got.PolicyContent != x.want {
				t.Errorf("%s\nwant %s", *got.PolicyContent, x.want)
			}
			want(t, "a member of another", try(p, root(stranger), api.DescribeEffectivePolicy, &api.DescribeEffectivePolicyInput{PolicyType: api.EffectivePolicyTypeTagPolicy, TargetId: new(head)}), "not authorized")
			call(p, root(head), api.DisablePolicyType, &api.DisablePolicyTypeInput{RootId: r, PolicyType: api.PolicyTypeTagPolicy})
			want(t, "once disabled", try(p, root(stranger), api.DescribeEffectivePolicy, &api.DescribeEffectivePolicyInput{PolicyType: api.EffectivePolicyTypeTagPolicy}), "EffectivePolicyNotFound")
		})
	}
}

// What is no policy of its type is not stored, hostile documents among it.
func TestContentIsChecked(t *testing.T) {
	p := newPlane(t)
	p.found()
	const tag = api.PolicyTypeTagPolicy
	deny := func(rest string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Deny",` + rest + `,"Resource":"*"}}`
	}
	for i, c := range []struct {
		of      api.PolicyType
		content string
		sound   bool
	}{
		{scp, denyUsers, true},
		{scp, deny(`"NotAction":"iam:*"`), true},
		{scp, deny(`"Principal":"*","Action":"iam:*"`), false},
		{scp, denyUsers + denyUsers, false},
		{scp, `{"tags":{}}`, false},
		{scp, strings.Repeat(`{"Statement":`, 500), false},
		{rcp, deny(`"Principal":"*","Action":"s3:*"`), true},
		{rcp, deny(`"Action":"s3:*"`), false},
		{rcp, deny(`"Principal":"*","Action":"*"`), false},
		{rcp, deny(`"Principal":"*","NotAction":"s3:*"`), false},
		{rcp, deny(`"NotPrincipal":{"AWS":"111122223333"},"Action":"s3:*"`), false},
		{rcp, deny(`"Principal":{"AWS":"111122223333"},"Action":"s3:*"`), false},
		{rcp, strings.Replace(deny(`"Principal":"*","Action":"s3:*"`), "Deny", "Allow", 1), false},
		{tag, `{"tags":{"a":{"tag_key":{"@@assign":"A"}}}}`, true},
		{tag, `{"plans":{}}`, false},
		{tag, `{"tags":{},"plans":{}}`, false},
		{tag, `{}`, false},
		{tag, `[]`, false},
		{tag, `{"tags":{}} x`, false},
		{tag, `{"tags":{"a":"A"}}`, false},
		{tag, `{"tags":{"a":{"tag_key":{"@@assign":{"x":1}}}}}`, false},
		{tag, `{"tags":{"a":{"tag_key":{"@@assign":null}}}}`, false},
		{tag, `{"tags":{"a":{"tag_key":{"@@assign":[["x"]]}}}}`, false},
		{tag, `{"tags":{"a":{"tag_key":{"@@append":"x"}}}}`, false},
		{tag, `{"tags":{"a":{"tag_key":{"@@become":"x"}}}}`, false},
		{tag, `{"tags":{"a":{"tag_key":{"@@all":"x"}}}}`, false},
		{tag, `{"tags":{"a":{},"a":{}}}`, false},
		{tag, `{"tags":{"a":{"@@assign":"x","@@assign":"y"}}}`, false},
		{tag, `{"tags":{"@@operators_allowed_for_child_policies":["@@all","@@none"]}}`, false},
		{tag, `{"tags":{"@@operators_allowed_for_child_policies":["@@anything"]}}`, false},
		{tag, `{"tags":{"@@operators_allowed_for_child_policies":[]}}`, false},
		{tag, `{"tags":{"@@operators_allowed_for_child_policies":"@@none"}}`, false},
		{tag, strings.Repeat(`{"tags":`, 1200), false},
		{tag, strings.Repeat(`{"a":`, 200) + strings.Repeat("}", 200), false},
		{tag, `{"tags":{"a":{"@@assign":` + strings.Repeat("[", 5000), false},
		{api.PolicyTypeSecurityhubPolicy, `{"securityhub":{"enable_in_regions":{"@@append":["ALL_SUPPORTED"]},"disable_in_regions":{"@@append":[]}}}`, true},
		{api.PolicyTypeDeclarativePolicyEc2, `{"ec2_attributes":{"serial_console_access":{"status":{"@@assign":"disabled"}}}}`, true},
	} {
		got := try(p, root(head), api.CreatePolicy, &api.CreatePolicyInput{Type: c.of, Name: "policy " + string(rune('A'+i)), Content: c.content})
		if c.sound && got != "" || !c.sound && !strings.Contains(got, "MalformedPolicyDocument") {
			t.Errorf("%s %.80s: %q", c.of, c.content, got)
		}
	}
}
