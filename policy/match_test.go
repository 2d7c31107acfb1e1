package policy

import (
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestActionMatching(t *testing.T) {
	for _, c := range []struct {
		page, pattern, action string
		want                  bool
	}{
		{"reference_policies_elements_action", "*", "s3:GetObject", true},
		{"reference_policies_elements_action", "s3:*", "s3:GetObject", true},
		{"reference_policies_elements_action", "s3:*", "s3-outposts:GetObject", false},
		{"reference_policies_elements_action", "iam:*AccessKey*", "iam:CreateAccessKey", true},
		{"reference_policies_elements_action", "iam:*AccessKey*", "iam:ListAccessKeys", true},
		{"reference_policies_elements_action", "iam:*AccessKey*", "iam:GetUser", false},
		{"reference_policies_elements_action", "iam:listaccesskeys", "IAM:ListAccessKeys", true},
		{"reference_policies_elements_action", "IAM:LISTACCESSKEYS", "iam:ListAccessKeys", true},
		{"reference_policies_elements_action", "S3:GET*", "s3:getobject", true},
		{"reference_policies_elements_action", "s3:Get?bject", "s3:GetObject", true},
		{"reference_policies_elements_action", "s3:Get?bject", "s3:Getbject", false},
		{"reference_policies_elements_action", "s3:GetObject", "s3:GetObjectAcl", false},
		{"reference_policies_elements_action", "s3:GetObject*", "s3:GetObject", true},
		{"reference_policies_elements_action", "s3:*Object", "s3:GetObjectAcl", false},
		{"reference_policies_elements_action", "s3:*b*j*t", "s3:GetObject", true},
		{"reference_policies_elements_action", "*:*", "s3:GetObject", true},
		{"reference_policies_elements_action", "s3:GetObject ", "s3:GetObject", false},
		{"reference_policies_elements_action", "s3:", "s3:GetObject", false},
		{"reference_policies_elements_action", "s3", "s3:GetObject", false},
		{"reference_policies_elements_action", "s3:Get:Object", "s3:GetObject", false},
		{"reference_policies_elements_action", "\u212Ams:*", "kms:Decrypt", false}, // the Kelvin sign is no k
		{"reference_policies_elements_action", "s3:${*}", "s3:GetObject", false},   // no variables in actions
	} {
		for _, element := range []string{"Action", "NotAction"} {
			p := &Policies{Identity: []*Policy{statements(t, Identity, `{'Effect':'Allow','`+element+`':['ec2:Run','`+c.pattern+`'],'Resource':'*'}`)}}
			got := Decide(&Request{Action: c.action, Resource: "*", Principal: principalOf(alice)}, p).Allowed
			if want := c.want == (element == "Action"); got != want {
				t.Errorf("%s: %s %q on %s = %v, want %v", c.page, element, c.pattern, c.action, got, want)
			}
		}
	}
}

func TestResourceMatching(t *testing.T) {
	const page, arns = "reference_policies_elements_resource", "reference-arns"
	long := "arn:aws:sqs:eu-west-1:111122223333:q"
	for _, c := range []struct {
		page, pattern, resource string
		want                    bool
	}{
		{page, "*", "arn:aws:s3:::bucket", true},
		{page, "arn:aws:iam::111122223333:user/Bob", "arn:aws:iam::111122223333:user/Bob", true},
		{page, "arn:aws:iam::111122223333:user/Bob", "arn:aws:iam::111122223333:user/bob", false},
		{page, "arn:aws:iam::111122223333:user/accounting/*", "arn:aws:iam::111122223333:user/accounting/x/y", true},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1/test/object.jpg", true},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1/2/test/3/object.jpg", true},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1///test///object.jpg", true},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket//test/object.jpg", true},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1/test/", true},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1-test/object.jpg", false},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/test/object.jpg", false},
		{page, "arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1/2/test.jpg", false},
		{page, "arn:aws:s3:::buck?t", "arn:aws:s3:::bucket", true},
		{page, "arn:aws:s3:::bucket?", "arn:aws:s3:::bucket", false},
		{page, "arn:aws:s3:::b/?", "arn:aws:s3:::b/é", true},
		{page, "arn:aws:s3:::b/??", "arn:aws:s3:::b/é", false},
		{page, "arn:aws:s3:::b/*?", "arn:aws:s3:::b/€", true},
		{page, "arn:aws:s3:::b/*??", "arn:aws:s3:::b/€", false},
		{page, "arn:aws:s3:::b/*??xz", "arn:aws:s3:::b/€xz", false},
		{page, "arn:aws:s3:::bucket*", "arn:aws:s3:::bucket/a:b:c", true},
		{page, "arn:aws:s3:::bucket", "*", false},
		{page, "arn:aws:*:*:*:*", "*", false},
		{page, "arn:aws:s3:::", "arn:aws:s3:::", true},
		{arns, "arn:aws:sqs:*:111122223333:*", long, true},
		{arns, "arn:aws:sqs:us-*:111122223333:*", long, false},
		{arns, "arn:aws:sqs:eu-?est-1:*:q", long, true},
		{arns, "arn:*:sqs:*:*:q", long, true},
		{arns, "arn:aws-cn:sqs:*:*:q", long, false},
		{arns, "arn:aws:SQS:EU-WEST-1:111122223333:q", long, true},
		{arns, "arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:SQS:EU-west-1:111122223333:q", true},
		{arns, "arn:aws:sqs:eu-west-1:111122223333:Q", long, false},
		{arns, "arn:aws:ec2:*:*:*/*", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", true},
		{arns, "arn:aws:ec2:*:*:inst*/i-1", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", true},
		// A wildcard that ends a part may run across colons; one inside a part does not.
		{page, "arn:aws:sqs:*:q", long, true},
		{page, "arn:aws:sns:*:444455556666:t", "arn:aws:sns:eu-west-1:111122223333:x:444455556666:t", true},
		{page, "arn:aws:sns:eu*1:444455556666:t", "arn:aws:sns:eu-west-1:111122223333:x1:444455556666:t", false},
		{page, "arn:aws:sns:eu*:444455556666:t", "arn:aws:sns:eu-west-1:111122223333:x:444455556666:t", true},
		{page, "arn:aws:sns:?:444455556666:t", "arn:aws:sns:::444455556666:t", false},
		{page, "arn:aws:sns:*:*:b*d", "arn:aws:sns:eu:1:b:c:d", true},
		{page, "arn:aws:s*:*:1:c", "arn:aws:sns:eu:2:a:1:b:1:c", true},
		{page, "arn:aws:s*:*:1:c", "arn:aws:sns:eu:2:a:1:b:1:d", false},
		// Fewer than six parts stand for all that begin so.
		{"iam-simulate", "arn:aws:s3", "arn:aws:s3:::bucket", true},
		{"iam-simulate", "arn:aws:sqs:eu-west-1", long, true},
		{"iam-simulate", "arn:aws:sqs:us-east-1", long, false},
		{"iam-simulate", "arn:*", long, true},
		{"iam-simulate", "arn:aws:iam::*", long, false},
	} {
		t.Run(c.page+"/"+c.pattern+" "+c.resource, func(t *testing.T) {
			for _, element := range []string{"Resource", "NotResource"} {
				p := &Policies{Identity: []*Policy{statements(t, Identity, `{'Effect':'Allow','Action':'*','`+element+`':['arn:aws:x:::none','`+c.pattern+`']}`)}}
				got := Decide(&Request{Action: "x:Do", Resource: c.resource, ResourceAccount: home, Principal: principalOf(alice)}, p).Allowed
				if want := c.want == (element == "Resource"); got != want {
					t.Errorf("%s = %v, want %v", element, got, want)
				}
			}
		})
	}
}

// TestShortARNByKind: only policies of the caller's side take an ARN of fewer
// than six parts as it is; in others it needs a wildcard.
func TestShortARNByKind(t *testing.T) {
	for _, c := range []struct {
		kind                Kind
		short, star, inside bool
	}{{Identity, true, true, true}, {Boundary, true, true, true}, {Session, true, true, true}, {Resource, false, true, true}, {Endpoint, false, true, true}, {SCP, false, true, false}, {RCP, false, true, false}} {
		for pattern, want := range map[string]bool{"arn:aws:s3": c.short, "arn:aws:s3*": c.star, "arn:*:s3": c.inside} {
			p := statements(t, c.kind, `{'Effect':'Deny',`+principalFor(c.kind)+`'Action':'*','Resource':'`+pattern+`'}`)
			e := evaluation{resource: cutResource("arn:aws:s3:::bucket"), work: maxWork}
			if got := e.matchesResource(&p.statements[0]); got != want {
				t.Errorf("%v: %s matches = %v, want %v", c.kind, pattern, got, want)
			}
		}
	}
}

func principalFor(k Kind) string {
	if k == Resource || k == RCP {
		return `'Principal':'*',`
	}
	return ""
}

// TestHashesOnlyChooseCandidates: an action or a key of the same hash is still another.
func TestHashesOnlyChooseCandidates(t *testing.T) {
	p := statements(t, Identity, `{'Effect':'Allow','Action':['s3:GetObject'],'Resource':'*'}`)
	var a actionName
	a.set("s3:PutObject")
	for i := range p.allows.slots {
		if s := &p.allows.slots[i]; s.start != s.end {
			moved := *s
			*s = indexSlot{}
			moved.hash = a.whole
			p.allows.slots[a.whole&uint64(len(p.allows.slots)-1)] = moved
			break
		}
	}
	if len(p.allows.find(a.whole)) != 1 || p.allows.matches(&a, new(work)) {
		t.Error("an action is taken for another of the same hash")
	}
	x := contextOf("aws:PrincipalTag/a=1")
	k := keyRef{hash: x.others[0].hash, name: "aws:principaltag/b"}
	if x.lookup(&k) != nil {
		t.Error("a key is taken for another of the same hash")
	}
}

// TestPoliciesShareStrings: what two policies have in common is held once.
func TestPoliciesShareStrings(t *testing.T) {
	a, b := statements(t, Identity, allowGet), statements(t, Identity, allowList+","+allowGet)
	find := func(p *Policy) string {
		for i := range p.allows.refs {
			if p.allows.refs[i].pattern == "s3:getobject" {
				return p.allows.refs[i].pattern
			}
		}
		return ""
	}
	if x, y := find(a), find(b); x == "" || unsafe.StringData(x) != unsafe.StringData(y) {
		t.Error("two policies hold the same action twice")
	}
}

// TestMatchingIsBounded: no pattern makes matching explode. Each of these
// would take longer than the age of the universe to a matcher that tries every
// way to share text among wildcards.
func TestMatchingIsBounded(t *testing.T) {
	text := strings.Repeat("a", 4000)
	start := time.Now()
	for _, pattern := range []string{strings.Repeat("*a", 1000) + "b", strings.Repeat("a*", 1000) + "b", strings.Repeat("?*", 1000) + "b"} {
		w := maxWork
		if glob(string(appendPattern(nil, pattern, true)), text, false, &w) {
			t.Error("a pattern that ends in b matches no b")
		}
	}
	p := statements(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'arn:aws*:s*:e*:1*:`+strings.Repeat("*:a", 600)+`b'}`)
	r := &Request{Action: "x:Do", Resource: "arn:aws:s:e:1:" + strings.Repeat("a:a", 1000), ResourceAccount: home, Principal: principalOf(alice)}
	if Decide(r, &Policies{Identity: []*Policy{p}}).Allowed {
		t.Error("a resource that ends otherwise is allowed")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestDearPoliciesDeny: what policies may cost has a bound, beyond which the
// request is denied, whatever they say; a Deny that was found stands.
func TestDearPoliciesDeny(t *testing.T) {
	dear := func(kind Kind) *Policy {
		var patterns []string
		for range 40 {
			patterns = append(patterns, `'arn:aws:s3:::*`+strings.Repeat("a?", 250)+`b'`)
		}
		return statements(t, kind, `{'Effect':'Deny',`+principalFor(kind)+`'Action':'*','Resource':[`+strings.Join(patterns, ",")+`]}`)
	}
	r := &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + strings.Repeat("a", 1024), ResourceAccount: home, Principal: principalOf(alice)}
	all, none := statements(t, Identity, allowAll), statements(t, SCP, allowAll+","+denyAll)
	if d := Decide(r, &Policies{Identity: []*Policy{dear(Identity), all}}); d.Allowed || !d.TooDear {
		t.Errorf("dear identity policies decide %+v", d)
	}
	if d := Decide(r, &Policies{Identity: []*Policy{all}, Resource: dear(Resource)}); d.Allowed || !d.TooDear {
		t.Errorf("a dear resource's policy decides %+v", d)
	}
	if d := Decide(r, &Policies{Identity: []*Policy{dear(Identity)}, SCPs: [][]*Policy{{none}}}); !d.Explicit || d.TooDear {
		t.Errorf("a Deny before them decides %+v", d)
	}
	r.Resource = "arn:aws:s3:::bucket/a"
	if d := Decide(r, &Policies{Identity: []*Policy{dear(Identity), all}}); !d.Allowed {
		t.Errorf("the same policies on another resource decide %+v", d)
	}
}

func TestVariables(t *testing.T) {
	const page = "reference_policies_variables"
	for _, c := range []struct {
		name, pattern, resource string
		context                 []string
		want                    bool
	}{
		{"a variable is its key's value", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/alice/x", []string{"aws:username=alice"}, true},
		{"its name ignores case", "arn:aws:s3:::b/${AWS:UserName}/*", "arn:aws:s3:::b/alice/x", []string{"aws:username=alice"}, true},
		{"a tag is one too", "arn:aws:s3:::b/${aws:PrincipalTag/Team}", "arn:aws:s3:::b/blue", []string{"aws:PrincipalTag/team=blue"}, true},
		{"two variables", "arn:aws:s3:::${aws:a}-${aws:b}", "arn:aws:s3:::x-y", []string{"aws:a=x", "aws:b=y"}, true},
		{"without a value it matches nothing", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/", nil, false},
		{"not even itself", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/${aws:username}", nil, false},
		{"an empty string is no value", "arn:aws:s3:::b/${aws:username}*", "arn:aws:s3:::b/x", []string{"aws:username="}, false},
		{"a default stands in for an empty string", "arn:aws:s3:::b/${aws:username, 'x'}", "arn:aws:s3:::b/x", []string{"aws:username="}, true},
		{"a wildcard in a value is no wildcard", "arn:aws:s3:::b/${aws:username}/x", "arn:aws:s3:::b/alice/x", []string{"aws:username=*"}, false},
		{"but itself", "arn:aws:s3:::b/${aws:username}/x", "arn:aws:s3:::b/*/x", []string{"aws:username=*"}, true},
		{"a question mark in a value is none either", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/a", []string{"aws:username=?"}, false},
		{"a variable in a value is not looked up", "arn:aws:s3:::b/${aws:a}", "arn:aws:s3:::b/y", []string{"aws:a=${aws:b}", "aws:b=y"}, false},
		{"a byte that marks wildcards inside a value matches nothing", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/alice", []string{"aws:username=\x00"}, false},
		{"a multivalued key is no variable", "arn:aws:s3:::b/${aws:TagKeys}", "arn:aws:s3:::b/a", []string{"aws:TagKeys=[a]"}, false},
		{"a default stands in", "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}", "arn:aws:s3:::b-company-wide", nil, true},
		{"a default gives way", "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}", "arn:aws:s3:::b-company-wide", []string{"aws:PrincipalTag/team=yellow"}, false},
		{"a wildcard in a default is none", "arn:aws:s3:::b-${aws:PrincipalTag/team, '*'}", "arn:aws:s3:::b-x", nil, false},
		{"a default needs its quotes", "arn:aws:s3:::b-${aws:PrincipalTag/team, x}", "arn:aws:s3:::b-x", nil, false},
		{"a star as such", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", nil, true},
		{"a star as such is no wildcard", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", nil, false},
		{"a question mark as such", "arn:aws:s3:::b/${?}", "arn:aws:s3:::b/?", nil, true},
		{"a dollar as such", "arn:aws:s3:::b/${$}{x}", "arn:aws:s3:::b/${x}", nil, true},
		{"no variable before the fifth colon", "arn:aws:iam::${aws:PrincipalAccount}:user/a", "arn:aws:iam::111122223333:user/a", []string{"aws:PrincipalAccount=111122223333"}, false},
		{"nor in an ARN of fewer parts", "arn:aws:sqs:${region}*", "arn:aws:sqs:eu-west-1:111122223333:q", []string{"region=eu"}, false},
		{"what is not closed is text", "arn:aws:s3:::b/${aws:username", "arn:aws:s3:::b/${aws:username", nil, true},
	} {
		t.Run(page+"/"+c.name, func(t *testing.T) {
			for _, element := range []string{"Resource", "NotResource"} {
				p := &Policies{Identity: []*Policy{compile(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","`+element+`":["`+strings.ReplaceAll(c.pattern, "'", "\\u0027")+`"]}}`, "")}}
				got := Decide(&Request{Action: "x:Do", Resource: c.resource, ResourceAccount: home, Principal: principalOf(alice), Context: contextOf(c.context...)}, p).Allowed
				if want := c.want == (element == "Resource"); got != want {
					t.Errorf("%s = %v, want %v", element, got, want)
				}
			}
		})
	}
	for _, version := range []string{"'Version':'2008-10-17',", ""} {
		t.Run("reference_policies_elements_version/older documents have no variables: "+version, func(t *testing.T) {
			p := &Policies{Identity: []*Policy{compile(t, Identity, "{"+version+"'Statement':{'Effect':'Allow','Action':'*','Resource':'arn:aws:s3:::b/${aws:username}*'}}", "")}}
			for resource, want := range map[string]bool{"arn:aws:s3:::b/alice": false, "arn:aws:s3:::b/${aws:username}/x": true} {
				r := &Request{Action: "x:Do", Resource: resource, ResourceAccount: home, Principal: principalOf(alice), Context: contextOf("aws:username=alice")}
				if got := Decide(r, p).Allowed; got != want {
					t.Errorf("%s = %v, want %v", resource, got, want)
				}
			}
		})
	}
}
