package estate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/policy/scenario"
)

// ways are escalations, "who: path target, path target → to" each.
func ways(list []*Escalation) []string {
	short := strings.NewReplacer("arn:aws:iam::", "", prod, "prod", dev, "dev")
	var lines []string
	for _, f := range list {
		var steps []string
		for _, s := range f.Steps {
			steps = append(steps, s.Path+" "+s.Target)
		}
		to := f.To
		if to == Administrator {
			to += " of " + f.Account
		}
		lines = append(lines, short.Replace(f.Principal+": "+strings.Join(steps, ", ")+" → "+to))
	}
	return lines
}

// TestEscalationsLeadOnInSteps: chains, rings, other accounts, and what stands in their way.
func TestEscalationsLeadOnInSteps(t *testing.T) {
	all := allow("*", "*")
	named := func(account, name string) string { return trust(fmt.Sprintf(`{"AWS":%q}`, arn(account, name))) }
	chain := exported(
		[]string{user(prod, "ann", allow("s3:*", "*"), "")}, nil,
		[]string{
			role(prod, "one", named(prod, "user/ann"), allow("s3:*", "*"), ""),
			role(prod, "two", named(prod, "role/one"), allow("iam:UpdateLoginProfile", "*"), ""),
			role(prod, "three", trust(`{"AWS":["`+arn(prod, "role/two")+`","`+arn(prod, "role/four")+`"]}`), allow("iam:GetUser", "*"), ""),
			role(prod, "four", named(prod, "role/three"), allow("iam:GetUser", "*"), ""),
		}, nil)
	boss := exported([]string{user(prod, "boss", all, "")}, nil, nil, nil)
	accounts := map[string][]byte{
		"accounts/dev.json":  exported([]string{user(dev, "chief", all, ""), user(dev, "temp", allow("sts:AssumeRole", "*"), "")}, nil, nil, nil),
		"accounts/prod.json": exported(nil, nil, []string{role(prod, "break-glass", trust(`{"AWS":"`+dev+`"}`), all, "")}, nil),
	}
	with := func(files map[string][]byte, more ...string) map[string][]byte {
		to := map[string][]byte{}
		for name, text := range files {
			to[name] = text
		}
		for i := 0; i < len(more); i += 2 {
			to[more[i]] = []byte(more[i+1])
		}
		return to
	}
	guarded := func(kind, account, document string) map[string][]byte {
		return with(accounts, "guardrails/full.json", all, "guardrails/x.json", document,
			"organization.json", `{"id":"o-a1b2c3d4e5","management":"123456789012","accounts":{"`+account+`":{"scps":[["guardrails/full.json"]],"`+kind+`":[["guardrails/full.json","guardrails/x.json"]]}}}`)
	}
	denyAssume := deny("sts:AssumeRole")
	denyOutside := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"` + prod + `"}}}}`
	for _, c := range []struct {
		name  string
		files map[string][]byte
		ask   Hunt
		want  []string
	}{
		{"a chain, and a ring that ends", map[string][]byte{"accounts/a.json": chain, "accounts/b.json": boss}, Hunt{}, []string{
			"prod:role/four: sts-001 prod:role/three → prod:role/three",
			"prod:role/one: sts-001 prod:role/two, iam-006 prod:user/boss → administrator of prod",
			"prod:role/one: sts-001 prod:role/two → prod:role/two",
			"prod:role/one: sts-001 prod:role/two, sts-001 prod:role/three → prod:role/three",
			"prod:role/one: sts-001 prod:role/two, iam-006 prod:user/ann → prod:user/ann",
			"prod:role/one: sts-001 prod:role/two, sts-001 prod:role/three, sts-001 prod:role/four → prod:role/four",
			"prod:role/three: sts-001 prod:role/four → prod:role/four",
			"prod:role/two: iam-006 prod:user/boss → administrator of prod",
			"prod:role/two: iam-006 prod:user/ann → prod:user/ann",
			"prod:role/two: sts-001 prod:role/three → prod:role/three",
			"prod:role/two: iam-006 prod:user/ann, sts-001 prod:role/one → prod:role/one",
			"prod:role/two: sts-001 prod:role/three, sts-001 prod:role/four → prod:role/four",
			"prod:user/ann: sts-001 prod:role/one, sts-001 prod:role/two, iam-006 prod:user/boss → administrator of prod",
			"prod:user/ann: sts-001 prod:role/one → prod:role/one",
			"prod:user/ann: sts-001 prod:role/one, sts-001 prod:role/two → prod:role/two",
			"prod:user/ann: sts-001 prod:role/one, sts-001 prod:role/two, sts-001 prod:role/three → prod:role/three",
			"prod:user/ann: sts-001 prod:role/one, sts-001 prod:role/two, sts-001 prod:role/three, sts-001 prod:role/four → prod:role/four",
		}},
		{"administrators alone, of one principal", map[string][]byte{"accounts/a.json": chain, "accounts/b.json": boss}, Hunt{AdministratorsOnly: true, Principals: []string{arn(prod, "user/ann")}}, []string{
			"prod:user/ann: sts-001 prod:role/one, sts-001 prod:role/two, iam-006 prod:user/boss → administrator of prod",
		}},
		{"another account, for its administrators too", accounts, Hunt{}, []string{
			"dev:user/chief: sts-001 prod:role/break-glass → administrator of prod",
			"dev:user/temp: sts-001 prod:role/break-glass → administrator of prod",
		}},
		{"a guardrail of the caller's account", guarded("scps", dev, denyAssume), Hunt{}, nil},
		{"a guardrail of the role's account", guarded("rcps", prod, denyOutside), Hunt{}, nil},
		{"which its own do not mind", guarded("rcps", dev, denyOutside), Hunt{AdministratorsOnly: true, Principals: []string{arn(dev, "user/temp")}}, []string{"dev:user/temp: sts-001 prod:role/break-glass → administrator of prod"}},
		{"guardrails do not bind the management account", with(guarded("scps", dev, denyAssume), "organization.json", `{"id":"o-a1b2c3d4e5","management":"`+dev+`","accounts":{"`+dev+`":{"scps":[["guardrails/x.json","guardrails/full.json"]]}}}`),
			Hunt{AdministratorsOnly: true, Principals: []string{arn(dev, "user/temp")}}, []string{"dev:user/temp: sts-001 prod:role/break-glass → administrator of prod"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ways(found(t, c.files, &c.ask)); !slices.Equal(got, c.want) {
				t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestEscalationsHangOn: what opens and what closes a path beside what it needs.
func TestEscalationsHangOn(t *testing.T) {
	statement := func(effect, action, resource, condition string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"` + condition + `}`
	}
	when := func(operator, key, value string) string {
		return `,"Condition":{"` + operator + `":{"` + key + `":"` + value + `"}}`
	}
	policies := func(list ...string) string { return strings.Join(list, ",") }
	managed := func(name, document string) string {
		return `{"Arn":"` + arn(prod, "policy/"+name) + `","PolicyVersionList":[{"IsDefaultVersion":true,"Document":` + document + `}]}`
	}
	type estate struct {
		own, rest string   // the attacker's statements, and members of its
		roles     []string // name, trust, document, rest
		policies  []string
		resources map[string]string
		scp       string
		context   []scenario.Key
	}
	lambda := role(prod, "fn", trust(`{"Service":"lambda.amazonaws.com"}`), allow("*", "*"), "")
	pass := func(condition string) string { return statement("Allow", "iam:PassRole", "*", condition) }
	onlyFor := func(arns string) string {
		return role(prod, "fn", strings.Replace(trust(`{"Service":"lambda.amazonaws.com"}`), `"Action"`, `"Condition":{"ArnLike":{"aws:SourceArn":"`+arns+`"}},"Action"`, 1), allow("*", "*"), "")
	}
	function := func(region, name string) string { return "arn:aws:lambda:" + region + ":" + prod + ":function:" + name }
	for _, c := range []struct {
		name   string
		estate estate
		path   string
		open   bool
	}{
		{"a policy that only administrators make", estate{own: statement("Allow", "iam:AttachUserPolicy", "*", when("ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/AdministratorAccess"))}, "iam-008", true},
		{"a policy that makes none", estate{own: statement("Allow", "iam:AttachUserPolicy", "*", when("ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/ReadOnlyAccess"))}, "iam-008", false},
		{"the account's own policy that does", estate{own: statement("Allow", "iam:AttachUserPolicy", "*", when("ArnLike", "iam:PolicyARN", arn(prod, "policy/team-*"))),
			policies: []string{managed("team-boss", allow("*", "*"))}}, "iam-008", true},
		{"and one that does not", estate{own: statement("Allow", "iam:AttachUserPolicy", "*", when("ArnLike", "iam:PolicyARN", arn(prod, "policy/team-*"))),
			policies: []string{managed("team-mate", allow("s3:*", "*"))}}, "iam-008", false},
		{"itself by its name", estate{own: statement("Allow", "iam:PutUserPolicy", arn(prod, "user/${aws:username}"), "")}, "iam-007", true},
		{"another by name", estate{own: statement("Allow", "iam:PutUserPolicy", arn(prod, "user/other"), "")}, "iam-007", false},
		{"a deny of its own that stays", estate{own: policies(statement("Allow", "iam:PutUserPolicy", "*", ""), statement("Deny", "iam:*Role", "*", ""))}, "iam-007", false},
		{"its boundary", estate{own: statement("Allow", "iam:*", "*", ""), rest: `,"PermissionsBoundary":{"PermissionsBoundaryArn":"` + arn(prod, "policy/limit") + `"}`,
			policies: []string{managed("limit", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:CreatePolicyVersion","Resource":"*"}}`)}}, "iam-007", false},
		{"its boundary's text", estate{own: statement("Allow", "*", "*", ""), rest: `,"PermissionsBoundary":{"PermissionsBoundaryArn":"` + arn(prod, "policy/limit") + `"}`,
			policies: []string{managed("limit", allow("iam:CreatePolicyVersion", "*"))}}, "iam-001", true},
		{"a boundary that must be there", estate{own: statement("Allow", "iam:PutUserPolicy", "*", when("StringEquals", "iam:PermissionsBoundary", arn(prod, "policy/limit")))}, "iam-007", false},
		{"a team's tag", estate{own: statement("Allow", "iam:PutUserPolicy", "*", when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}")), rest: `,"Tags":[{"Key":"team","Value":"red"}]`}, "iam-007", true},
		{"no MFA", estate{own: statement("Allow", "iam:PutUserPolicy", "*", when("Bool", "aws:MultiFactorAuthPresent", "true"))}, "iam-007", false},
		{"MFA", estate{own: statement("Allow", "iam:PutUserPolicy", "*", when("Bool", "aws:MultiFactorAuthPresent", "true")), context: []scenario.Key{key("aws:MultiFactorAuthPresent", "true")}}, "iam-007", true},

		{"a function's name that the policy takes", estate{own: policies(pass(""), statement("Allow", "lambda:*", function("eu-west-1", "team-*"), "")), roles: []string{lambda}}, "lambda-001", true},
		{"names that do not meet", estate{own: policies(pass(""), statement("Allow", "lambda:CreateFunction", function("*", "a-*"), ""), statement("Allow", "lambda:InvokeFunction", function("*", "b-*"), "")), roles: []string{lambda}}, "lambda-001", false},
		{"a Region that the policy takes", estate{own: policies(pass(""), statement("Allow", "lambda:*", "*", when("StringEquals", "aws:RequestedRegion", "ap-south-1"))), roles: []string{lambda}}, "lambda-001", true},
		{"a Region that the guardrails take", estate{own: policies(pass(""), statement("Allow", "lambda:*", "*", "")), roles: []string{lambda},
			scp: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-north-1"]}}}}`}, "lambda-001", true},
		{"no Region that both take", estate{own: policies(pass(""), statement("Allow", "lambda:*", function("eu-west-1", "*"), "")), roles: []string{lambda},
			scp: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-north-1"]}}}}`}, "lambda-001", false},
		{"a tag that it must give", estate{own: policies(pass(""), statement("Allow", "lambda:*", "*", when("StringEquals", "aws:RequestTag/team", "red"))), roles: []string{lambda}}, "lambda-001", true},
		{"a network that it must be in", estate{own: policies(pass(""), statement("Allow", "lambda:*", "*", when("StringEquals", "aws:SourceVpc", "vpc-1"))), roles: []string{lambda}}, "lambda-001", false},
		{"a role for another function", estate{own: policies(pass(""), statement("Allow", "lambda:*", function("*", "team-*"), "")), roles: []string{onlyFor(function("eu-west-1", "other"))}}, "lambda-001", false},
		{"a role for a function that it may make", estate{own: policies(pass(""), statement("Allow", "lambda:*", function("*", "team-*"), "")), roles: []string{onlyFor(function("eu-central-1", "team-a"))}}, "lambda-001", true},

		{"a function that runs as the role", estate{own: statement("Allow", "lambda:UpdateFunctionCode", function("ap-south-1", "report"), ""), roles: []string{lambda},
			resources: map[string]string{"report": function("ap-south-1", "report")}}, "lambda-003", true},
		{"another Region's, by a policy that names none", estate{own: statement("Allow", "lambda:UpdateFunctionCode", "*", ""), roles: []string{lambda},
			resources: map[string]string{"report": function("ap-south-1", "report")}}, "lambda-003", true},
		{"another function than that which runs as the role", estate{own: statement("Allow", "lambda:UpdateFunctionCode", function("*", "team-*"), ""), roles: []string{lambda},
			resources: map[string]string{"report": function("eu-west-1", "report")}}, "lambda-003", false},
		{"a role without an instance profile", estate{own: policies(pass(""), statement("Allow", "ec2:RunInstances", "*", "")), roles: []string{role(prod, "i", trust(`{"Service":"ec2.amazonaws.com"}`), allow("*", "*"), "")}}, "ec2-001", false},
		{"a role that is a service's own", estate{own: statement("Allow", "sts:AssumeRole", "*", ""), roles: []string{role(prod, "aws-service-role/x.amazonaws.com/AWSServiceRoleForX", trust(`{"Service":"x.amazonaws.com"}`), allow("*", "*"), "")}}, "sts-001", false},
		{"a role of IAM Identity Center, which nobody changes", estate{own: statement("Allow", "iam:UpdateAssumeRolePolicy", "*", ""),
			roles: []string{role(prod, "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", trust(`{"Service":"x.amazonaws.com"}`), allow("*", "*"), "")}}, "iam-012", false},
		{"an external id", estate{own: statement("Allow", "sts:AssumeRole", "*", ""),
			roles: []string{role(prod, "r", strings.Replace(trust(`{"AWS":"`+prod+`"}`), `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"secret"}},"Action"`, 1), allow("*", "*"), "")}}, "sts-001", false},
		{"a session's name that is its own", estate{own: statement("Allow", "sts:AssumeRole", "*", ""),
			roles: []string{role(prod, "r", strings.Replace(trust(`{"AWS":"`+prod+`"}`), `"Action"`, `"Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}-*"}},"Action"`, 1), allow("*", "*"), "")}}, "sts-001", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := `{"Version":"2012-10-17","Statement":[` + c.estate.own + `]}`
			files := map[string][]byte{"accounts/a.json": exported([]string{user(prod, attacker, doc, c.estate.rest)}, nil, c.estate.roles, c.estate.policies)}
			for name, arn := range c.estate.resources {
				files["resources/"+name+".json"] = fmt.Appendf(nil, `{"arn":%q,"role":"arn:aws:iam::%s:role/fn"}`, arn, prod)
			}
			if c.estate.scp != "" {
				files["guardrails/full.json"], files["guardrails/x.json"] = []byte(allow("*", "*")), []byte(c.estate.scp)
				files["organization.json"] = []byte(`{"management":"123456789012","accounts":{"` + prod + `":{"scps":[["guardrails/full.json","guardrails/x.json"]]}}}`)
			}
			list := found(t, files, &Hunt{AdministratorsOnly: true, Context: c.estate.context})
			open := slices.ContainsFunc(list, func(f *Escalation) bool { return f.Steps[0].Path == c.path })
			if open != c.open {
				t.Errorf("%s open: %t\n%s", c.path, open, strings.Join(ways(list), "\n"))
			}
		})
	}
}

// TestChangesCloseWhatIsRedundant: every statement that grants is named, those that AWS owns last.
func TestChangesCloseWhatIsRedundant(t *testing.T) {
	twice := `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"},{"Effect":"Allow","Action":"iam:Pass*","Resource":"*"},` +
		`{"Effect":"Allow","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:a-*"},{"Effect":"Allow","Action":"lambda:Create*","Resource":"arn:aws:lambda:*:*:function:*"},` +
		`{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}]}`
	full := "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
	managed := `{"Arn":"` + full + `","PolicyVersionList":[{"IsDefaultVersion":true,"Document":` + allow("lambda:*", "*") + `}]}`
	fn := role(prod, "fn", trust(`{"Service":"lambda.amazonaws.com"}`), allow("*", "*"), "")
	for _, c := range []struct{ name, document, rest, want string }{
		{"the permission with the fewest statements", twice, "", "iam:PassRole 0 1"},
		{"another's if AWS owns the policy", allow("iam:PassRole", "*"), `,"AttachedManagedPolicies":[{"PolicyArn":"` + full + `"}]`, "iam:PassRole 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string][]byte{"accounts/a.json": exported([]string{user(prod, attacker, c.document, c.rest)}, nil, []string{fn}, []string{managed})}
			list := found(t, files, &Hunt{AdministratorsOnly: true})
			i := slices.IndexFunc(list, func(f *Escalation) bool { return f.Steps[0].Path == "lambda-001" })
			if i < 0 || list[i].Change == nil {
				t.Fatalf("no change: %v", ways(list))
			}
			got := list[i].Change.Action
			for _, p := range list[i].Change.Statements {
				got += fmt.Sprint(" ", p.Statement)
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestHuntsAreRefused that can't be meant.
func TestHuntsAreRefused(t *testing.T) {
	e, err := New(world{grants: []string{"iam:GetUser"}}.files())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{arn(prod, "user/nobody"), arn(prod, "root"), "x"} {
		var unknown unknownPrincipal
		if _, err := e.Escalations(&Hunt{Principals: []string{name}}); !errors.As(err, &unknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.Escalations(&Hunt{Context: make([]scenario.Key, 600)}); err == nil {
		t.Error("600 keys were taken")
	}
}
