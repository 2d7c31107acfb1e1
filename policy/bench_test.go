package policy

import (
	"fmt"
	"strings"
	"testing"
)

// tenManaged are large policies of AWS that people attach together.
var tenManaged = []string{
	"ReadOnlyAccess", "SecurityAudit", "PowerUserAccess", "ViewOnlyAccess", "SystemAdministrator",
	"DatabaseAdministrator", "NetworkAdministrator", "DataScientist", "AWSSupportServiceRolePolicy", "AmazonSageMakerFullAccess",
}

// report decides once and checks the verdict, then measures.
func report(b *testing.B, r *Request, p *Policies, want string) {
	b.Helper()
	if got := verdict(Decide(r, p)); got != want {
		b.Fatalf("Decide = %s, want %s", got, want)
	}
	b.ReportAllocs()
	for b.Loop() {
		Decide(r, p)
	}
}

func requestContext() *Context {
	return contextOf("aws:SourceIp=203.0.113.9", "aws:SecureTransport=true", "aws:PrincipalArn="+alice, "aws:username=alice",
		"aws:PrincipalAccount="+home, "aws:ResourceAccount="+home, "aws:RequestedRegion=eu-west-1", "aws:PrincipalTag/team=blue",
		"aws:ResourceTag/team=blue", "aws:PrincipalOrgID=o-1234567890")
}

func BenchmarkDecideSmall(b *testing.B) {
	p := &Policies{Identity: []*Policy{statements(b, Identity, `
		{'Effect':'Allow','Action':['iam:GetUser','iam:CreateAccessKey'],'Resource':'arn:aws:iam::*:user/${aws:username}',
		 'Condition':{'IpAddress':{'aws:SourceIp':'203.0.113.0/24'}}},
		{'Effect':'Deny','Action':'iam:*','Resource':'*','Condition':{'Bool':{'aws:SecureTransport':'false'}}}`)}}
	for _, c := range []struct{ name, action, want string }{
		{"allow", "iam:GetUser", "allow"},
		{"no match", "iam:DeleteUser", "implicit"},
	} {
		b.Run(c.name, func(b *testing.B) {
			report(b, &Request{Action: c.action, Resource: alice, ResourceAccount: home, Principal: principalOf(alice), Context: requestContext()}, p, c.want)
		})
	}
}

func managedPolicies(b *testing.B, names []string) []*Policy {
	all := managed(b)
	var list []*Policy
	for _, name := range names {
		list = append(list, compile(b, Identity, strings.ReplaceAll(string(all[name].Document), "'", "’"), all[name].ARN))
	}
	return list
}

func BenchmarkDecideTenManaged(b *testing.B) {
	p := &Policies{Identity: managedPolicies(b, tenManaged)}
	for _, c := range []struct{ name, action, resource, want string }{
		{"first", "ec2:DescribeInstances", "*", "allow"},
		{"none", "iam:CreateUser", alice, "implicit"},
		{"conditions", "iam:PassRole", "arn:aws:iam::111122223333:role/x", "implicit"},
	} {
		b.Run(c.name, func(b *testing.B) {
			report(b, &Request{Action: c.action, Resource: c.resource, ResourceAccount: home, Principal: principalOf(alice), Context: requestContext()}, p, c.want)
		})
	}
}

// BenchmarkDecideGuardrails is a principal with 20 managed policies, 10 service
// control policies at each of 5 levels, and a resource policy of 20 KB.
func BenchmarkDecideGuardrails(b *testing.B) {
	var names []string
	for name := range managed(b) {
		names = append(names, name)
	}
	p := &Policies{Identity: managedPolicies(b, append(tenManaged, firstSorted(names, 10)...))}
	for level := range 5 {
		var scps []*Policy
		for i := range 9 {
			scps = append(scps, statements(b, SCP, fmt.Sprintf(`
				{'Effect':'Deny','Action':['s3:Delete*','s3:PutBucketPolicy','ec2:Run%d*'],'Resource':'*','Condition':{'StringNotEquals':{'aws:PrincipalTag/team':'blue'}}},
				{'Effect':'Deny','NotAction':['iam:*','sts:*','s3:*','organizations:*'],'Resource':'*','Condition':{'StringNotEquals':{'aws:RequestedRegion':['eu-west-1','eu-west-%d']}}}`, i, level+2)))
		}
		p.SCPs = append(p.SCPs, append(scps, statements(b, SCP, `{'Effect':'Allow','Action':'*','Resource':'*'}`)))
	}
	var doc []string
	for i := range 80 {
		doc = append(doc, fmt.Sprintf(`{'Sid':'s%d','Effect':'Allow','Principal':{'AWS':['arn:aws:iam::444455556666:role/reader-%d','arn:aws:iam::444455556666:role/writer-%d']},
			'Action':['s3:GetObject','s3:PutObject'],'Resource':'arn:aws:s3:::bucket/team-%d/*'}`, i, i, i, i))
	}
	doc = append(doc, `{'Effect':'Deny','Principal':'*','Action':'s3:*','Resource':['arn:aws:s3:::bucket','arn:aws:s3:::bucket/*'],'Condition':{'Bool':{'aws:SecureTransport':'false'}}}`)
	p.Resource = statements(b, Resource, strings.Join(doc, ","))
	for _, c := range []struct{ name, action, resource, want string }{
		{"object", "s3:GetObject", "arn:aws:s3:::bucket/team-7/report.csv", "allow"},
		{"denied", "iam:CreateUser", alice, "implicit"},
		{"region", "ec2:DescribeInstances", "*", "allow"},
	} {
		b.Run(c.name, func(b *testing.B) {
			report(b, &Request{Action: c.action, Resource: c.resource, ResourceAccount: home, Principal: principalOf(alice), Context: requestContext()}, p, c.want)
		})
	}
}

// BenchmarkDecideHostile is the dearest request that quotas leave: twenty
// managed policies of 6,144 characters, all of them patterns that nearly match a
// resource of 1,024 characters at every place. It ends where maxWork does.
func BenchmarkDecideHostile(b *testing.B) {
	var patterns []string
	for range 10 {
		patterns = append(patterns, `'arn:aws:s3:::*`+strings.Repeat("a", 500)+`b'`)
	}
	p := new(Policies)
	for range 20 {
		p.Identity = append(p.Identity, statements(b, Identity, `{'Effect':'Allow','Action':'*','Resource':[`+strings.Join(patterns, ",")+`]}`))
	}
	report(b, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + strings.Repeat("a", 1024), ResourceAccount: home, Principal: principalOf(alice)}, p, "implicit")
}

// BenchmarkDecideWildcards doubles a pattern of (*a)*b and the resource that it
// nearly matches everywhere: time grows with their product, and no faster.
func BenchmarkDecideWildcards(b *testing.B) {
	for _, n := range []int{64, 128, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := &Policies{Identity: []*Policy{statements(b, Identity, `{'Effect':'Allow','Action':'*','Resource':'arn:aws:s3:::`+strings.Repeat("*a", n)+`b'}`)}}
			report(b, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + strings.Repeat("a", 4*n), ResourceAccount: home, Principal: principalOf(alice)}, p, "implicit")
		})
	}
}
