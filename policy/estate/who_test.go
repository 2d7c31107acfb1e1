package estate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/policy/scenario"
)

const (
	prod = "111122223333"
	dev  = "444455556666"
)

func allow(action, resource string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}}`
}

func trust(principal string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}}`
}

func arn(account, name string) string { return "arn:aws:iam::" + account + ":" + name }

// user is a user of an export; rest are further members.
func user(account, name, document, rest string) string {
	return fmt.Sprintf(`{"Arn":%q,"UserId":"AIDA%s","UserName":%q,"UserPolicyList":[{"PolicyName":"own","PolicyDocument":%s}]%s}`, arn(account, "user/"+name), name, name, document, rest)
}

func role(account, name, trust, document, rest string) string {
	return fmt.Sprintf(`{"Arn":%q,"RoleId":"AROA%s","AssumeRolePolicyDocument":%s,"RolePolicyList":[{"PolicyName":"own","PolicyDocument":%s}]%s}`, arn(account, "role/"+name), name, trust, document, rest)
}

func exported(users, groups, roles, policies []string) []byte {
	list := func(all []string) string { return "[" + strings.Join(all, ",") + "]" }
	return []byte(`{"UserDetailList":` + list(users) + `,"GroupDetailList":` + list(groups) + `,"RoleDetailList":` + list(roles) + `,"Policies":` + list(policies) + `}`)
}

const reports = "arn:aws:s3:::reports"

// sample is two accounts: prod has a bucket, dev a chain of roles to it.
func sample() map[string][]byte {
	boundary := `{"Arn":"` + arn(prod, "policy/limit") + `","PolicyVersionList":[{"IsDefaultVersion":false,"Document":` + allow("*", "*") + `},{"IsDefaultVersion":true,"Document":"` + "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22ec2%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D" + `"}]}`
	return map[string][]byte{
		"accounts/prod.json": exported([]string{
			user(prod, "alice", allow("s3:Get*", reports+"/*"), ""),
			user(prod, "bound", allow("s3:Get*", "*"), `,"PermissionsBoundary":{"PermissionsBoundaryArn":"`+arn(prod, "policy/limit")+`"}`),
			user(prod, "grouped", allow("ec2:*", "*"), `,"GroupList":["readers"]`),
			user(prod, "tagged", strings.Replace(allow("s3:Get*", "*"), `"Resource"`, `"Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}},"Resource"`, 1), `,"Tags":[{"Key":"team","Value":"red"}]`),
			user(prod, "remote", strings.Replace(allow("s3:Get*", "*"), `"Resource"`, `"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}},"Resource"`, 1), ""),
			user(prod, "nobody", allow("ec2:*", "*"), ""),
		}, []string{
			`{"Arn":"` + arn(prod, "group/readers") + `","GroupName":"readers","GroupPolicyList":[{"PolicyName":"read","PolicyDocument":` + allow("s3:GetObject", "*") + `}]}`,
		}, []string{
			role(prod, "reader", trust(`{"AWS":"`+dev+`"}`), allow("s3:GetObject", "*"), ""),
			role(prod, "runner", trust(`{"Service":"lambda.amazonaws.com"}`), allow("s3:GetObject", "*"), ""),
		}, []string{boundary}),
		"accounts/dev.json": exported([]string{
			user(dev, "carol", allow("sts:AssumeRole", arn(dev, "role/hop")), ""),
			user(dev, "dave", allow("sts:AssumeRole", arn(prod, "role/reader")), ""),
			user(dev, "erin", allow("sts:AssumeRole", arn(prod, "role/runner")), ""),
		}, nil, []string{role(dev, "hop", trust(`{"AWS":"`+dev+`"}`), allow("sts:AssumeRole", "*"), "")}, nil),
		"resources/reports.json": []byte(`{"arn":"` + reports + `","account":"` + prod + `","policy":` +
			`"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::999988887777:role/partner\"},\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}}"}`),
	}
}

// told are the answers, "who→role→role" each.
func told(t *testing.T, files map[string][]byte, q *Question) string {
	t.Helper()
	e, err := New(files)
	if err != nil {
		return err.Error()
	}
	found, err := e.Who(q)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, a := range found {
		line := strings.Join(append([]string{a.Principal}, a.Through...), "→")
		if a.IfItsAccountAllows {
			line += "?"
		}
		lines = append(lines, strings.NewReplacer("arn:aws:iam::", "", prod, "prod", dev, "dev").Replace(line))
	}
	return strings.Join(lines, " ")
}

const everyone = "prod:role/reader prod:role/runner prod:root prod:user/alice prod:user/grouped prod:user/tagged " +
	"dev:role/hop→prod:role/reader dev:user/carol→dev:role/hop→prod:role/reader dev:user/dave→prod:role/reader " +
	"999988887777:role/partner? lambda.amazonaws.com→prod:role/runner"

func TestWhoFindsEveryoneAndTheWay(t *testing.T) {
	get := Question{Action: "s3:GetObject", Resource: reports + "/2026"}
	guard := func(scp string) map[string][]byte {
		files := sample()
		files["guardrails/full.json"] = []byte(allow("*", "*"))
		files["guardrails/scp.json"] = []byte(scp)
		files["organization.json"] = []byte(`{"id":"o-a1b2c3d4e5","management":"123456789012","accounts":{"` + dev + `":{"scps":[["guardrails/full.json"],["guardrails/full.json","guardrails/scp.json"]]}}}`)
		return files
	}
	closed := sample()
	closed["resources/reports.json"] = []byte(`{"arn":"` + reports + `","account":"` + prod + `","policy":{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}}`)
	public := sample()
	public["resources/reports.json"] = []byte(`{"arn":"` + reports + `","account":"` + prod + `","policy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}}}`)
	for _, c := range []struct {
		name  string
		files map[string][]byte
		q     Question
		want  string
	}{
		{"identities, groups, tags, chains, services and partners", sample(), get, everyone},
		{"a condition that is given to hold", sample(), Question{Action: get.Action, Resource: get.Resource, Context: []scenario.Key{{Name: "aws:SourceIp", Values: []string{"10.1.2.3"}}}},
			strings.Replace(everyone, "prod:user/tagged", "prod:user/remote prod:user/tagged", 1)},
		{"a resource that denies all", closed, get, ""},
		{"a bucket that is public but for a condition", public, get, "prod:role/reader prod:role/runner prod:root prod:user/alice prod:user/grouped prod:user/tagged " +
			"dev:role/hop→prod:role/reader dev:user/carol→dev:role/hop→prod:role/reader dev:user/dave→prod:role/reader lambda.amazonaws.com→prod:role/runner"},
		{"a guardrail that closes the chain", guard(`{"Statement":{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"` + arn(prod, "role/*") + `"}}`), get,
			"prod:role/reader prod:role/runner prod:root prod:user/alice prod:user/grouped prod:user/tagged 999988887777:role/partner? lambda.amazonaws.com→prod:role/runner"},
		{"assuming itself", sample(), Question{Action: "sts:AssumeRole", Resource: arn(dev, "role/hop")}, "dev:role/hop dev:user/carol"},
		{"another's bucket", sample(), Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::x/y"}, "neither the ARN nor resources/ tells whose arn:aws:s3:::x/y is"},
		{"a key whose policy is not there", sample(), Question{Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:" + prod + ":key/1"}, "resources/ has no policy of arn:aws:kms:us-east-1:prod:key/1"},
		{"a role that is not there", sample(), Question{Action: "sts:AssumeRole", Resource: arn(dev, "role/x")}, "accounts/ has no dev:role/x"},
		{"no ARN", sample(), Question{Action: "s3:GetObject", Resource: "reports"}, `"reports" is neither an ARN nor *`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := told(t, c.files, &c.q)
			if got = strings.NewReplacer("arn:aws:iam::", "", prod, "prod", dev, "dev").Replace(got); got != c.want {
				t.Errorf("\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// What is missing or out of place is an error, for an answer without it would be wrong.
func TestEstatesAreWholeOrRefused(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"a policy that is not exported", "accounts/x.json", string(exported([]string{user(dev, "x", allow("a:b", "*"), `,"AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}]`)}, nil, nil, nil)),
			"accounts/: arn:aws:iam::444455556666:user/x has arn:aws:iam::aws:policy/AdministratorAccess, which is not exported"},
		{"a group that is not exported", "accounts/x.json", string(exported([]string{user(dev, "x", allow("a:b", "*"), `,"GroupList":["g"]`)}, nil, nil, nil)),
			"accounts/: arn:aws:iam::444455556666:user/x is in group g, which is not exported"},
		{"a user twice", "accounts/x.json", string(exported([]string{user(dev, "dave", allow("a:b", "*"), "")}, nil, nil, nil)), "accounts/ has arn:aws:iam::444455556666:user/dave twice"},
		{"a file that has no place", "policies/x.json", "{}", "policies/x.json: has no place there"},
		{"a guardrail that nothing names", "guardrails/x.json", "{}", "guardrails/x.json: organization.json does not name it"},
		{"a guardrail that is not there", "organization.json", `{"management":"` + prod + `","accounts":{"` + dev + `":{"scps":[["guardrails/x.json"]]}}}`, `organization.json: there is no "guardrails/x.json"`},
		{"an unknown member", "organization.json", `{"management":"` + prod + `","policies":[]}`, `organization.json: json: unknown field "policies"`},
		{"a resource of no account", "resources/x.json", `{"arn":"arn:aws:s3:::x","policy":{}}`, `resources/x.json: "" is not the account of arn:aws:s3:::x`},
		{"a resource without its policy", "resources/x.json", `{"arn":"arn:aws:s3:::x","account":"` + prod + `"}`, "resources/x.json: there is no policy document"},
		{"a document that ends in an escape", "resources/x.json", `{"arn":"arn:aws:s3:::x","account":"` + prod + `","policy":"%7B%7"}`, "resources/x.json: a policy document is not percent-encoded as it should be"},
		{"a policy that can't be read", "accounts/x.json", string(exported([]string{user(dev, "x", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","When":"now"}}`, "")}, nil, nil, nil)),
			"arn:aws:iam::444455556666:user/x own: Syntax errors in policy. (a statement has no element When)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := sample()
			files[c.file] = []byte(c.text)
			e, err := New(files)
			if err == nil {
				_, err = e.Who(&Question{Action: "s3:GetObject", Resource: reports + "/2026"})
			}
			if err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if _, err := New(nil); err == nil {
		t.Error("an empty folder was taken")
	}
}
