package scenario

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestExplain holds what explanations say, a line a policy.
func TestExplain(t *testing.T) {
	const (
		twoWays = `{'Version':'2012-10-17','Statement':[
			{'Sid':'Far','Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::other/*','Condition':{'Bool':{'aws:SecureTransport':'true'}}},
			{'Sid':'Near','Effect':'Allow','Action':'s3:*','Resource':'*','Condition':{'StringEquals':{'aws:PrincipalTag/team':['${aws:ResourceTag/team}','x']}}},
			{'Sid':'None','Effect':'Allow','Action':'sqs:*','Resource':'*'},
			{'Sid':'Deny','Effect':'Deny','Action':'s3:*','Resource':'*','Condition':{'Null':{'aws:TagKeys':'false'}}}]}`
		linked = `'principal':'arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX','action':'s3:GetObject','resource':'arn:aws:s3:::bucket/a','resourceAccount':'111122223333'`
	)
	for _, c := range []struct{ name, line, want string }{
		{"the nearest Allow is the one to change", `{'request':{` + userGet + `,'context':{'aws:ResourceTag/team':'red','aws:PrincipalTag/team':'blue'}},'identityPolicies':[` + twoWays + `]}`,
			`identityPolicies/0 silent; change identityPolicies/0#1`},
		{"of two as near both are", `{'request':{` + userGet + `},'identityPolicies':[` + when(`'Bool':{'a:b':'true'}`) + `,` + when(`'Bool':{'c:d':'true'}`) + `]}`,
			`identityPolicies/0 silent; identityPolicies/1 silent; change identityPolicies/0#0 identityPolicies/1#0`},
		{"every Deny is to change", `{'request':{` + userGet + `,'context':{'aws:TagKeys':['a']}},'identityPolicies':[` + twoWays + `],'scps':[[` + denyAll + `]]}`,
			`scps/0/0 denies; identityPolicies/0 denies; change scps/0/0#0 identityPolicies/0#3`},
		{"no Allow names the action: nothing is near", `{'request':{` + userKey + `},'identityPolicies':[` + allowSome + `],'resourcePolicy':` + everyone + `}`,
			`resourcePolicy allows; identityPolicies/0 silent; `},
		{"policies that do not bear on a caller", `{'request':{'principal':'logs.amazonaws.com','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'identityPolicies':[` + denyAll + `],'permissionsBoundaries':[` + denyAll + `],'sessionPolicies':[` + denyAll + `],'scps':[[` + denyAll + `]],'resourcePolicy':` + everyone + `}`,
			`scps/0/0 does not apply; resourcePolicy allows; identityPolicies/0 does not apply; permissionsBoundaries/0 does not apply; sessionPolicies/0 does not apply; `},
		{"guardrails and a service-linked role", `{'request':{` + linked + `},'identityPolicies':[` + allowAll + `],'scps':[[` + denyAll + `]],'rcps':[[` + strings.Replace(everyone, "Allow", "Deny", 1) + `]]}`,
			`scps/0/0 does not apply; rcps/0/0 does not apply; identityPolicies/0 allows; `},
		{"a resource's policy that names the account", `{'request':{` + userGet + `},'resourcePolicy':` + lets(`{'AWS':'111122223333'}`) + `}`,
			`resourcePolicy allows by account; `},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := explained(t, c.line); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func explained(t *testing.T, line string) string {
	t.Helper()
	s, err := Parse(double(line))
	if err != nil {
		t.Fatal(err)
	}
	v, err := new(Judge).Explain(s)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range v.Policies {
		b.WriteString(p.Name + " " + p.Outcome)
		for _, s := range p.Statements {
			if s.Matched && s.ByAccount {
				b.WriteString(" by account")
			}
		}
		b.WriteString("; ")
	}
	if v.Change != nil {
		b.WriteString("change")
		for _, place := range v.Change {
			fmt.Fprintf(&b, " %s#%d", place.Policy, place.Statement)
		}
	}
	return b.String()
}

// TestExplainSaysWhy: each element that does not match is there, with what the policy and the request have.
func TestExplainSaysWhy(t *testing.T) {
	const doc = `{'Version':'2012-10-17','Statement':{'Effect':'Allow','Principal':{'AWS':'444455556666','Service':'ec2.amazonaws.com'},'NotAction':'s3:*','NotResource':'arn:aws:s3:::bucket/${aws:username}a*',
		'Condition':{'StringEquals':{'a:b':['${aws:username}','${no:value}']},'ForAllValues:StringLike':{'a:list':'x*'},'NumericLessThan':{'a:n':7},'Null':{'aws:username':'true'},'Bool':{'no:key':'true'},'StringLike':{'aws:username':'al*'}}}}`
	s, err := Parse(double(`{'request':{` + userGet + `,'context':{'a:b':'bob','a:list':['y','z'],'a:n':'8'}},'resourcePolicy':` + doc + `}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := new(Judge).Explain(s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(v.Policies[0].Statements[0].Because)
	if err != nil {
		t.Fatal(err)
	}
	want := double(`[{'element':'NotAction','policy':['s3:*'],'request':['s3:GetObject']},` +
		`{'element':'Principal','policy':['444455556666','Service:ec2.amazonaws.com'],'request':['arn:aws:iam::111122223333:user/alice']},` +
		`{'element':'Condition','operator':'StringEquals','key':'a:b','policy':['${aws:username}','${no:value}'],'resolved':['alice'],'request':['bob']},` +
		`{'element':'Condition','operator':'ForAllValues:StringLike','key':'a:list','policy':['x*'],'request':['y','z']},` +
		`{'element':'Condition','operator':'NumericLessThan','key':'a:n','policy':['7'],'request':['8']},` +
		`{'element':'Condition','operator':'Null','key':'aws:username','policy':['true'],'request':['alice']},` +
		`{'element':'Condition','operator':'Bool','key':'no:key','policy':['true'],'request':null}]`)
	if string(got) != string(want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestExercise: only statements of policies that bear on the request are exercised.
func TestExercise(t *testing.T) {
	s, err := Parse(double(`{'request':{'principal':'logs.amazonaws.com','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'identityPolicies':[` + allowAll + `],'resourcePolicy':` + everyone + `}`))
	if err != nil {
		t.Fatal(err)
	}
	var j Judge
	seen := Coverage{}
	for range 2 { // the second time everything that can be is covered
		v, err := j.Exercise(s, seen)
		if err != nil || v.Decision != Allowed {
			t.Fatalf("Exercise = %+v, %v", v, err)
		}
		if !seen.Has("resourcePolicy", 0) || seen.Has("identityPolicies/0", 0) || seen.Has("resourcePolicy", 1) {
			t.Errorf("exercised: %+v", seen)
		}
	}
}
