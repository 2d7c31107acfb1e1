package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// s3List is the rest of a statement that lists a bucket.
const s3List = `'Effect':'Allow','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b'`

// statement wraps one statement's members in a document.
func statementDoc(members string) string {
	return "{'Version':'2012-10-17','Statement':{" + members + "}}"
}

// TestParseRefuses holds IAM's MalformedPolicyDocument texts.
func TestParseRefuses(t *testing.T) {
	const (
		syntax = "Syntax errors in policy."
		legacy = "The policy failed legacy parsing"
	)
	trust := func(members string) string {
		return statementDoc(`'Effect':'Allow','Action':'sts:AssumeRole',` + members)
	}
	for _, c := range []struct {
		name string
		kind Kind
		doc  string
		want string // "" is no error
	}{
		{"no JSON", Identity, "policy", syntax},
		{"no JSON as trust policy", Trust, "policy", "This policy contains invalid Json"},
		{"nothing", Identity, "", syntax},
		{"a list", Identity, "[]", syntax},
		{"text after the document", Identity, statementDoc(s3List) + "x", syntax},
		{"no statement", Identity, "{'Version':'2012-10-17'}", syntax},
		{"no statement in the list", Identity, "{'Version':'2012-10-17','Statement':[]}", syntax},
		{"a statement that is text", Identity, "{'Version':'2012-10-17','Statement':['x']}", syntax},
		{"an unknown version", Identity, "{'Version':'2013-10-17','Statement':[{" + s3List + "}]}", syntax},
		{"a version that is a number", Identity, "{'Version':2012,'Statement':[{" + s3List + "}]}", syntax},
		{"an Id that is a list", Identity, "{'Id':['x'],'Statement':[{" + s3List + "}]}", syntax},
		{"an unknown element", Identity, "{'Statement':[{" + s3List + "}],'Comment':'x'}", syntax},
		{"an unknown element of a statement", Identity, statementDoc(s3List + ",'Comment':'x'"), syntax},
		{"an element in another case", Identity, statementDoc(s3List + ",'sid':'x'"), syntax},
		{"an element twice", Identity, statementDoc(s3List + ",'Effect':'Deny'"), syntax},
		{"an element twice in two spellings", Identity, statementDoc(s3List + ",'\\u0045ffect':'Deny'"), syntax},
		{"a condition key twice", Identity, statementDoc(s3List + ",'Condition':{'StringEquals':{'aws:a':'x','aws:a':'y'}}"), syntax},
		{"no effect", Identity, statementDoc("'Action':'s3:*','Resource':'*'"), syntax},
		{"another effect", Identity, statementDoc("'Effect':'Perhaps','Action':'s3:*','Resource':'*'"), syntax},
		{"an effect in another case", Identity, statementDoc("'Effect':'allow','Action':'s3:*','Resource':'*'"), legacy},
		{"Action and NotAction", Identity, statementDoc(s3List + ",'NotAction':'s3:*'"), syntax},
		{"Resource and NotResource", Identity, statementDoc(s3List + ",'NotResource':'*'"), syntax},
		{"an action that is a number", Identity, statementDoc("'Effect':'Allow','Action':3,'Resource':'*'"), syntax},
		{"an action that is a list", Identity, statementDoc("'Effect':'Allow','Action':[['s3:*']],'Resource':'*'"), syntax},
		{"an action that is null", Identity, statementDoc("'Effect':'Allow','Action':[null],'Resource':'*'"), syntax},
		{"a resource that is a number", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':[3]"), syntax},
		{"a Sid that is a list", Identity, statementDoc(s3List + ",'Sid':['x']"), syntax},
		{"a condition that is text", Identity, statementDoc(s3List + ",'Condition':'x'"), syntax},
		{"an operator that is text", Identity, statementDoc(s3List + ",'Condition':{'StringEquals':'x'}"), syntax},
		{"an unknown operator", Identity, statementDoc(s3List + ",'Condition':{'StringMatches':{'aws:a':'x'}}"), syntax},
		{"an operator in another case", Identity, statementDoc(s3List + ",'Condition':{'stringequals':{'aws:a':'x'}}"), syntax},
		{"an unknown set operator", Identity, statementDoc(s3List + ",'Condition':{'ForSomeValues:StringEquals':{'aws:a':'x'}}"), syntax},
		{"IfExists after Null", Identity, statementDoc(s3List + ",'Condition':{'NullIfExists':{'aws:a':'true'}}"), syntax},
		{"a value that is null", Identity, statementDoc(s3List + ",'Condition':{'StringEquals':{'aws:a':null}}"), syntax},
		{"a value that is an object", Identity, statementDoc(s3List + ",'Condition':{'StringEquals':{'aws:a':{}}}"), syntax},
		{"a date that is none", Identity, statementDoc(s3List + ",'Condition':{'DateLessThan':{'aws:CurrentTime':'tomorrow'}}"), legacy},
		{"no actions", Identity, statementDoc("'Effect':'Allow','Resource':'*'"), "Policy statement must contain actions."},
		{"an empty list of actions", Identity, statementDoc("'Effect':'Allow','Action':[],'Resource':'*'"), "Policy statement must contain actions."},
		{"no resources", Identity, statementDoc("'Effect':'Allow','Action':'s3:*'"), "Policy statement must contain resources."},
		{"an empty list of resources", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':[]"), "Policy statement must contain resources."},
		{"an action without vendor", Identity, statementDoc("'Effect':'Allow','Action':'ListBucket','Resource':'*'"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"an action with two colons", Identity, statementDoc("'Effect':'Allow','Action':'a:b:c','Resource':'*'"), "Actions/Condition can contain only one colon."},
		{"a vendor with a wildcard", Identity, statementDoc("'Effect':'Allow','Action':'s3*:Get','Resource':'*'"), "Vendor s3* is not valid"},
		{"a resource that is no ARN", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'bucket'"), `Resource bucket must be in ARN format or "*".`},
		{"a partition that is none", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'arn:awz:s3:::b'"), `Partition "awz" is not valid for resource "arn:awz:s3:::b".`},
		{"a resource's vendor with a wildcard", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s*:::b'"), "Resource vendor must be fully qualified and cannot contain regexes."},
		{"a resource without vendor", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws'"), "Resource vendor must be fully qualified and cannot contain regexes."},
		{"too few parts", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3::b'"), legacy},
		{"IAM in a Region", Identity, statementDoc("'Effect':'Allow','Action':'iam:*','Resource':'arn:aws:iam:eu-west-1:1:user/a'"), "IAM resource arn:aws:iam:eu-west-1:1:user/a cannot contain region information."},
		{"a bucket in a Region", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:eu-west-1::b'"), "Resource arn:aws:s3:eu-west-1::b can not contain region information."},
		{"an IAM resource that is none", Identity, statementDoc("'Effect':'Allow','Action':'iam:*','Resource':'arn:aws:iam::1:u*'"), `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`},
		{"a Sid twice", Identity, "{'Version':'2012-10-17','Statement':[{'Sid':'a'," + s3List + "},{'Sid':'a'," + s3List + "}]}", "Statement IDs (SID) in a single policy must be unique."},
		{"a Sid with a blank", Identity, statementDoc("'Sid':'a b'," + s3List), "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{"a principal in an identity policy", Identity, statementDoc("'Principal':'*'," + s3List), "Policy document should not specify a principal."},
		{"a principal in a boundary", Boundary, statementDoc("'NotPrincipal':'*'," + s3List), "Policy document should not specify a principal."},
		{"a principal in an SCP", SCP, statementDoc("'Principal':'*'," + s3List), "Policy document should not specify a principal."},

		{"a resource in a trust policy", Trust, trust("'Principal':'*','Resource':'*'"), "Has prohibited field Resource"},
		{"NotPrincipal in a trust policy", Trust, trust("'NotPrincipal':{'AWS':'111122223333'}"), "Has prohibited field NotPrincipal"},
		{"a trust policy without principal", Trust, statementDoc("'Effect':'Allow','Action':'sts:AssumeRole'"), "Missing required field Principal"},
		{"a trust policy with an empty principal", Trust, trust("'Principal':{}"), "Missing required field Principal"},
		{"another action in a trust policy", Trust, statementDoc("'Effect':'Allow','Principal':'*','Action':['sts:AssumeRole','s3:*']"), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"every action in a trust policy", Trust, statementDoc("'Effect':'Allow','Principal':'*','Action':'*'"), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"NotAction in a trust policy", Trust, statementDoc("'Effect':'Allow','Principal':'*','NotAction':'sts:AssumeRole'"), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"a wildcard in a principal's name", Trust, trust("'Principal':{'AWS':'arn:aws:iam::111122223333:user/*'}"), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`},
		{"a group as principal", Trust, trust("'Principal':{'AWS':'arn:aws:iam::111122223333:group/a'}"), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/a"`},
		{"half an account as principal", Trust, trust("'Principal':{'AWS':'1111'}"), `Invalid principal in policy: "AWS":"1111"`},
		{"a service with a wildcard", Trust, trust("'Principal':{'Service':'*.amazonaws.com'}"), `Invalid principal in policy: "SERVICE":"*.amazonaws.com"`},
		{"an unknown kind of principal", Trust, trust("'Principal':{'Group':'a'}"), syntax},
		{"a principal that is no map", Trust, trust("'Principal':'arn:aws:iam::111122223333:user/a'"), syntax},
		{"a resource's policy without principal", Resource, statementDoc(s3List), "Missing required field Principal"},
		{"Allow with NotPrincipal", Resource, statementDoc("'NotPrincipal':{'AWS':'111122223333'}," + s3List), "Allow with NotPrincipal is not allowed."},

		{"one statement without its list", Identity, statementDoc(s3List), ""},
		{"no version", Identity, "{'Statement':[{" + s3List + "}]}", ""},
		{"the older version", Identity, "{'Version':'2008-10-17','Id':'x','Statement':[{" + s3List + "}]}", ""},
		{"null among resources", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':['*',null]"), ""},
		{"an operator without keys", Identity, statementDoc(s3List + ",'Condition':{'StringMatches':{}}"), ""},
		{"numbers and booleans as values", Identity, statementDoc(s3List + ",'Condition':{'NumericLessThan':{'s3:max-keys':10},'Bool':{'aws:SecureTransport':[true,'false']}}"), ""},
		{"dates in every form", Identity, statementDoc(s3List + ",'Condition':{'DateLessThan':{'aws:CurrentTime':['2026-11-24T09:00:00Z','2026-11-24','2026-11','1795510800','2026-11-24t9:00:00.5+01:00','2026-11-24T09:00Z']}}"), ""},
		{"everyone of a trust policy", Trust, trust("'Principal':{'AWS':'*'}"), ""},
		{"every principal there is", Trust, trust("'Principal':{'AWS':['111122223333','" + rootUser + "','" + alice + "','" + opsRole + "','" + session + "','" + federated + "','AIDAUSER000000000001','AROAROLE000000000001'],'Service':'ec2.amazonaws.com','Federated':['accounts.google.com','arn:aws:iam::111122223333:saml-provider/corp']}"), ""},
		{"a statement without resource in a resource's policy", Resource, statementDoc("'Effect':'Allow','Principal':'*','Action':'sns:*'"), ""},
		{"a Sid with a blank in a resource's policy", Resource, statementDoc("'Sid':'a b','Principal':'*'," + s3List), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(strings.ReplaceAll(c.doc, "'", `"`)), c.kind)
			if got := text(err); got != c.want {
				t.Errorf("Parse = %q, want %q", got, c.want)
			}
			if bad, ok := errors.AsType[*Malformed](err); err != nil && (!ok || bad == nil) {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestRead: what IAM would not store, but has one meaning, is read; what can't be evaluated is not.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		name string
		kind Kind
		doc  string
		ok   bool
	}{
		{"an action that matches nothing", Identity, statementDoc("'Effect':'Allow','Action':'s3: ','Resource':'*'"), true},
		{"an ARN of fewer parts", Identity, statementDoc("'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3'"), true},
		{"no statement", SCP, "{'Version':'2012-10-17','Statement':[]}", true},
		{"a principal without its map", Resource, statementDoc("'Principal':'" + alice + "'," + s3List), true},
		{"a resource's policy without principal", Resource, statementDoc(s3List), true},
		{"an unknown operator", Identity, statementDoc(s3List + ",'Condition':{'StringMatches':{'aws:a':'x'}}"), false},
		{"an unknown element", Identity, statementDoc(s3List + ",'Comment':'x'"), false},
		{"an identity policy with a principal", Identity, statementDoc("'Principal':'*'," + s3List), true},
		{"no resource", Identity, statementDoc("'Effect':'Deny','Action':'s3:*'"), false},
		{"no action", Resource, statementDoc("'Effect':'Deny','Principal':'*','Resource':'*'"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read([]byte(strings.ReplaceAll(c.doc, "'", `"`)), c.kind); (err == nil) != c.ok {
				t.Errorf("Read = %v, want an error: %v", err, !c.ok)
			}
		})
	}
}

// TestParseIsBounded: size, depth and count are refused before anything is built of them.
func TestParseIsBounded(t *testing.T) {
	for name, doc := range map[string]string{
		"10 MB":             `{"Statement":"` + strings.Repeat("a", 10<<20) + `"}`,
		"10,000 deep":       strings.Repeat(`{"Statement":[`, 5000) + strings.Repeat("]}", 5000),
		"100,000 values":    `{"Statement":[` + strings.Repeat("0,", 100_000) + `0]}`,
		"30,000 names":      `{` + manyNames(30_000) + `"Statement":0}`,
		"a million stars":   strings.ReplaceAll(statementDoc("'Effect':'Allow','Action':'s3:"+strings.Repeat("*", 1<<20)+"','Resource':'*'"), "'", `"`),
		"half a document":   `{"Statement":[{"Effect"`,
		"half a string":     `{"Statement":["` + strings.Repeat("a", 1000),
		"nested conditions": statementDoc(s3List + ",'Condition':" + strings.Repeat("{'a':", 100) + "1" + strings.Repeat("}", 100)),
	} {
		if _, err := Parse([]byte(doc), Identity); text(err) != "Syntax errors in policy." {
			t.Errorf("%s: Parse = %v, want it refused", name, err)
		}
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"n%d":0,`, i)
	}
	return b.String()
}

func TestSizeCountsNoWhiteSpace(t *testing.T) {
	for doc, want := range map[string]int{"": 0, " {\n\t\"a\": \"b c\"\r\n}": 10, `"é"`: 3} {
		if got := Size([]byte(doc)); got != want {
			t.Errorf("Size(%q) = %d, want %d", doc, got, want)
		}
	}
}

// TestVersionOfManagedPolicies: the version is refused before all but the syntax.
func TestVersionOfManagedPolicies(t *testing.T) {
	const twice = "{'Sid':'a'," + s3List + "},{'Sid':'a'," + s3List + "}"
	for doc, want := range map[string]string{
		"{'Version':'2012-10-17','Statement':[{" + s3List + "}]}":                                  "",
		"{'Version':'2008-10-17','Statement':[{" + s3List + "}]}":                                  errVersion.Message,
		"{'Statement':[{" + s3List + "}]}":                                                         errVersion.Message,
		"{'Statement':[" + twice + "]}":                                                            errVersion.Message,
		"{'Statement':[{'Effect':'deny','Action':'*','Resource':'*'}]}":                            errVersion.Message,
		"{'Statement':[{" + s3List + ",'Condition':{'DateLessThan':{'aws:CurrentTime':'soon'}}}]}": errVersion.Message,
		"{'Statement':[{" + s3List + ",'Comment':'x'}]}":                                           syntaxError,
		"{'Version':'2012-10-17','Statement':[" + twice + "]}":                                     errSidUnique.Message,
	} {
		if _, err := ParseCurrent([]byte(strings.ReplaceAll(doc, "'", `"`)), Identity); text(err) != want {
			t.Errorf("ParseCurrent(%s) = %v, want %q", doc, err, want)
		}
	}
}

// TestPrincipalsAreRewrittenInPlace: IAM stores unique ids for the ARNs of a
// trust policy, and shows it as it was written.
func TestPrincipalsAreRewrittenInPlace(t *testing.T) {
	doc := `{ "Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com", "AWS": ["` + alice + `", "*", "111122223333"]}, "Action": "sts:AssumeRole"},
  {"Effect": "Deny", "Principal": {"AWS": "` + `\u0061` + opsRole[1:] + `"}, "Action": "sts:AssumeRole"} ] }`
	d, err := Parse([]byte(doc), Trust)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Collect(d.AWSPrincipals()), []string{alice, "111122223333", opsRole}; !slices.Equal(got, want) {
		t.Errorf("AWSPrincipals = %v, want %v", got, want)
	}
	ids := map[string]string{alice: "AIDAUSER000000000001", opsRole: `AROA"x`, "111122223333": "111122223333"}
	stored, err := d.RewritePrincipals(func(p string) (string, error) { return ids[p], nil })
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(strings.ReplaceAll(doc, alice, "AIDAUSER000000000001"), `\u0061`+opsRole[1:], `AROA\"x`)
	if string(stored) != want {
		t.Errorf("RewritePrincipals = %s\nwant %s", stored, want)
	}
	if again, err := Read(stored, Trust); err != nil || !slices.Equal(slices.Collect(again.AWSPrincipals()), []string{"AIDAUSER000000000001", "111122223333", `AROA"x`}) {
		t.Errorf("read again: %v", err)
	}
	if _, err := d.RewritePrincipals(func(string) (string, error) { return "", errLegacy }); err != errLegacy {
		t.Errorf("RewritePrincipals = %v, want the error of replace", err)
	}
	same, err := d.RewritePrincipals(func(p string) (string, error) { return p, nil })
	if err != nil || string(same) != doc {
		t.Errorf("nothing to rewrite gives %s, %v", same, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(statementDoc(s3List+",'Condition':{'ForAnyValue:StringLikeIfExists':{'aws:TagKeys':['${aws:username, \\u0027x\\u0027}',3,true]},'DateLessThan':{'a':'2026-11-24T09:00:00.1+01:00'}}"), "'", `"`)))
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","NotPrincipal":{"AWS":["*","111122223333"]},"NotAction":["*:*","s?:*"],"NotResource":["arn:aws:s3","arn:aws:s*:*:x","?"]}]}`))
	x := contextOf("aws:username=alice", "aws:TagKeys=[a,b]", "a=2026-11-24")
	f.Fuzz(func(t *testing.T, doc []byte) {
		for kind := Identity; kind <= Endpoint; kind++ {
			d, err := Read(doc, kind)
			_, strict := Parse(doc, kind)
			if err != nil {
				if strict == nil {
					t.Fatalf("%v: Parse takes what Read refuses: %v", kind, err)
				}
				continue
			}
			p := Compile(d, "")
			for _, r := range []*Request{
				{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x:y", ResourceAccount: home, Principal: principalOf(alice), Context: x},
				{Action: "sts:AssumeRole", Resource: "*", Principal: principalOf(session), Context: x},
			} {
				Decide(r, &Policies{Identity: []*Policy{p}, Resource: p, Boundary: []*Policy{p}})
			}
			rewritten, err := d.RewritePrincipals(func(p string) (string, error) { return p + `"\`, nil })
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Read(rewritten, kind); err != nil || len(again.principals) != len(d.principals) {
				t.Fatalf("%v: %q rewritten is %q: %v", kind, doc, rewritten, err)
			}
		}
	})
}
