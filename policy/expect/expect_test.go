package expect

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// store is where the documents of these tests lie.
var store = map[string]string{
	"developer.json": `{"Version":"2012-10-17","Statement":[
		{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"},
		{"Sid":"Team","Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
		{"Sid":"NoDelete","Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`,
	"full.json":   `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
	"region.json": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}}`,
	"bucket.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"}}`,
	"trust.json":  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`,
	"broken.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","When":"now"}}`,
}

func open(path string) ([]byte, error) {
	if text, ok := store[path]; ok {
		return []byte(text), nil
	}
	return nil, errors.New("there is no such file")
}

const head = `
policies:
  developer: developer.json
  guardrail: region.json
principals:
  alice:
    arn: arn:aws:iam::111122223333:user/alice
    identity: developer
    scps: [[full.json], [full.json, guardrail]]
    context: {aws:PrincipalTag/team: red, aws:RequestedRegion: eu-west-1}
  guest:
    arn: arn:aws:iam::444455556666:user/guest
    identity: [full.json]
resources:
  report:
    arn: arn:aws:s3:::reports/a
    account: "111122223333"
    policy: bucket.json
    context: {aws:ResourceTag/team: red}
  role:
    arn: arn:aws:iam::111122223333:role/r
    policy: trust.json
tests:
`

func TestRun(t *testing.T) {
	for _, c := range []struct{ name, tests, want string }{
		{"what is expected", `
  - {name: read, principal: [alice, guest], action: s3:GetObject, resource: report, expect: allowed}
  - {name: write, principal: alice, action: s3:PutObject, resource: report, expect: allowed, by: developer.json}
  - {name: write, principal: alice, action: s3:PutObject, resource: report, expect: allowed, by: developer}
  - {name: foreign region, principal: alice, action: s3:GetObject, resource: report, context: {aws:RequestedRegion: us-east-1}, expect: explicitly denied, by: service control policy}
  - {name: delete, principal: alice, action: s3:DeleteObject, resource: report, expect: explicitly denied, by: identity-based policy}
  - {name: role, principal: ec2.amazonaws.com, action: sts:AssumeRole, resource: role, expect: allowed, by: role trust policy}
  - {name: list, principal: alice, action: "s3:ListAllMyBuckets", expect: implicitly denied}
  - {name: anonymous, principal: anonymous, action: s3:GetObject, resource: [report, "arn:aws:sqs:eu-west-1:111122223333:q"], expect: denied}`, "10 cases, 0 failed, 0 of 7 unexercised"},
		{"what is not", `
  - {name: read, principal: alice, action: [s3:GetObject, s3:ListBucket], resource: report, expect: denied}`,
			"2 cases, 2 failed, 5 of 7 unexercised; read: s3:GetObject allowed; read: s3:ListBucket allowed"},
		{"the right answer for the wrong reason", `
  - {name: delete, principal: alice, action: s3:DeleteObject, resource: report, expect: explicitly denied, by: service control policy}`,
			"1 cases, 1 failed, 5 of 7 unexercised; delete: s3:DeleteObject denied"},
		{"the other denial", `
  - {name: delete, principal: alice, action: s3:DeleteObject, resource: report, expect: implicitly denied}`,
			"1 cases, 1 failed, 5 of 7 unexercised; delete: s3:DeleteObject denied"},
		{"what can't be decided fails", `
  - {name: half, principal: alice, action: GetObject, resource: report, expect: denied}`,
			`1 cases, 1 failed, 7 of 7 unexercised; half: "GetObject" is no action`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Read([]byte(head+c.tests), open)
			if err != nil {
				t.Fatal(err)
			}
			for _, workers := range []int{1, 3} {
				if got := summary(s.Run(workers)); got != c.want {
					t.Errorf("%s\nwant %s", got, c.want)
				}
			}
		})
	}
}

func summary(r *Report) string {
	s := fmt.Sprintf("%d cases, %d failed, %d of %d unexercised", r.Cases, r.Failed, len(r.Unexercised), r.Statements)
	for _, f := range r.Failures {
		switch {
		case f.Error != "":
			s += "; " + f.Test + ": " + f.Error
		case f.Verdict.Decision == "Allowed":
			s += "; " + f.Test + ": " + f.Action + " allowed"
		default:
			s += "; " + f.Test + ": " + f.Action + " denied"
		}
	}
	return s
}

// TestUnexercised: a statement is named by file, place, Sid and line.
func TestUnexercised(t *testing.T) {
	s, err := Read([]byte(head+`
  - {principal: alice, action: s3:GetObject, resource: report, expect: allowed}`), open)
	if err != nil {
		t.Fatal(err)
	}
	want := Statement{"developer.json", 1, "Team", 3}
	for _, got := range s.Run(1).Unexercised {
		if got == want {
			return
		}
	}
	t.Errorf("%+v is not among %+v", want, s.Run(1).Unexercised)
}

// TestFailuresAreBounded: all failures are counted, the first are kept, in the file's order.
func TestFailuresAreBounded(t *testing.T) {
	s, err := Read([]byte("tests:\n  - {principal: anonymous, action: ["+strings.Repeat("a:b,", 5000)+"a:b], expect: allowed}\n  - {name: last, principal: anonymous, action: a:b, expect: allowed}"), open)
	if err != nil {
		t.Fatal(err)
	}
	r := s.Run(3)
	if r.Cases != 5002 || r.Failed != 5002 || len(r.Failures) != maxFailures {
		t.Errorf("%d of %d cases failed, %d are kept", r.Failed, r.Cases, len(r.Failures))
	}
	for i := range r.Failures {
		if r.Failures[i].index != i {
			t.Fatalf("failure %d is that of case %d", i, r.Failures[i].index)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"nothing", ``, "there are no tests"},
		{"no YAML", `tests: [`, "line 1: did not find expected node content"},
		{"an unknown field", "testz: []", "line 1: field testz not found"},
		{"an unknown field of a test", head + `
  - {principal: alice, action: s3:GetObject, expected: allowed}`, `line 25: there is no "expected"`},
		{"an unknown field of a principal", "principals: {a: {arn: x, identities: []}}\ntests: [{}]", "line 1: field identities not found"},
		{"no expectation", head + `
  - {principal: alice, action: s3:GetObject}`, `line 25: expect is allowed, denied`},
		{"a type of policy that is none", head + `
  - {principal: alice, action: s3:GetObject, resource: report, expect: denied, by: scp}`, `line 25: "scp" is neither a policy nor a type of policy`},
		{"no principal", head + `
  - {action: s3:GetObject, expect: allowed}`, `line 25: a test has a principal and an action`},
		{"an unknown principal", head + `
  - {principal: bob, action: s3:GetObject, expect: allowed}`, `line 25: there is no principal "bob"`},
		{"an unknown resource", head + `
  - {principal: alice, action: s3:GetObject, resource: reports, expect: allowed}`, `line 25: there is no resource "reports"`},
		{"a bucket of nobody's", head + `
  - {principal: alice, action: s3:GetObject, resource: "arn:aws:s3:::x/a", expect: allowed}`, `line 25: resource "arn:aws:s3:::x/a": its ARN has no account`},
		{"a bucket of nobody's, with an entry", "resources: {b: {arn: 'arn:aws:s3:::x/a'}}\ntests: [{principal: anonymous, action: s3:GetObject, expect: denied}]", `resource "b": its ARN has no account`},
		{"a policy that is not there", "policies: {a: none.json}\ntests: [{principal: anonymous, action: s3:GetObject, expect: denied}]", `policy "a": there is no such file`},
		{"a policy that can't be read", "policies: {a: broken.json}\ntests: [{principal: anonymous, action: s3:GetObject, expect: denied}]", `policy "a": Syntax errors in policy.`},
		{"a context key that is a map", head + `
  - {principal: alice, action: s3:GetObject, expect: allowed, context: {a:b: {c: d}}}`, `line 25: context key "a:b" is neither a value nor a list`},
		{"two documents", "tests: [{principal: anonymous, action: s3:GetObject, expect: denied}]\n---\ntests: []", "there is more than one document"},
		{"too many cases", "tests: [{principal: [" + strings.Repeat("anonymous,", 4000) + "anonymous], action: [" + strings.Repeat("a:b,", 4000) + "a:b], expect: denied}]", "line 1: there are more than 10000000 cases"},
		{"too much", strings.Repeat(" ", MaxFile+1), "the file has more than"},
		{"a bomb of aliases", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ntests: [*d]", "line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read([]byte(c.file), open); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Read = %v, want %s", err, c.want)
			}
		})
	}
}

// BenchmarkRun measures decisions: a hundred principals, actions and resources.
func BenchmarkRun(b *testing.B) {
	var f strings.Builder
	f.WriteString("principals:\n")
	for i := range 100 {
		fmt.Fprintf(&f, "  p%d: {arn: 'arn:aws:iam::111122223333:user/u%d', identity: developer.json, scps: [[full.json], [full.json, region.json]], context: {aws:PrincipalTag/team: t%d, aws:RequestedRegion: eu-west-1}}\n", i, i, i)
	}
	f.WriteString("tests:\n  - principal: [p0")
	for i := range 99 {
		fmt.Fprintf(&f, ",p%d", i+1)
	}
	f.WriteString("]\n    action: [s3:GetObject")
	for i := range 49 {
		fmt.Fprintf(&f, ",s3:Get%d", i)
	}
	f.WriteString("]\n    resource: ['*'")
	for i := range 49 {
		fmt.Fprintf(&f, ",'arn:aws:sqs:eu-west-1:111122223333:q%d'", i)
	}
	f.WriteString("]\n    expect: allowed\n")
	s, err := Read([]byte(f.String()), open)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Run(2)
	}
	b.ReportMetric(float64(b.N)*float64(s.Run(2).Cases)/b.Elapsed().Seconds(), "decisions/s")
}
