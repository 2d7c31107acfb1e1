package scenario

import (
	"encoding/json"
	"strings"
	"testing"
)

// Documents that many lines share. Single quotes stand for double ones.
const (
	allowAll  = `{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'*','Resource':'*'}}`
	denyAll   = `{'Version':'2012-10-17','Statement':{'Effect':'Deny','Action':'*','Resource':'*'}}`
	allowSome = `{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'s3:List*','Resource':'*'}}`
	userGet   = `'principal':'arn:aws:iam::111122223333:user/alice','action':'s3:GetObject','resource':'arn:aws:s3:::bucket/a','resourceAccount':'111122223333'`
	userKey   = `'principal':'arn:aws:iam::111122223333:user/alice','action':'kms:Decrypt','resource':'arn:aws:kms:eu-west-1:111122223333:key/k'`
	everyone  = `{'Version':'2012-10-17','Statement':{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*'}}`
)

func lets(principal string) string {
	return `{'Version':'2012-10-17','Statement':{'Effect':'Allow','Principal':` + principal + `,'Action':'*'}}`
}

func when(condition string) string {
	return `{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'*','Resource':'*','Condition':{` + condition + `}}}`
}

func double(s string) []byte { return []byte(strings.ReplaceAll(s, "'", `"`)) }

// decide is a line's decision, and what decided, or the error.
func decide(t *testing.T, j *Judge, line string) string {
	t.Helper()
	s, err := Parse(double(line))
	if err != nil {
		return "error: " + err.Error()
	}
	v, err := j.Decide(s)
	if err != nil {
		return "error: " + err.Error()
	}
	x, err := j.Explain(s)
	if err != nil || x.Decision != v.Decision || x.DecidedBy != v.DecidedBy || x.Policy != v.Policy {
		t.Errorf("Explain = %+v, %v; Decide = %+v", x, err, v)
	}
	return v.Decision + ": " + v.DecidedBy
}

func TestLines(t *testing.T) {
	const identity, resource, trust = "identity-based policy", "resource-based policy", "role trust policy"
	var j Judge // one for all: what one line leaves behind must not count for the next
	for _, c := range []struct{ name, line, want string }{
		{"an identity policy allows", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `]}`, "Allowed: " + identity},
		{"nothing allows", `{'request':{` + userGet + `},'identityPolicies':[]}`, "ImplicitlyDenied: " + identity},
		{"a Deny wins", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `,` + denyAll + `]}`, "ExplicitlyDenied: " + identity},
		{"all but the request may be absent", `{'request':{` + userGet + `}}`, "ImplicitlyDenied: " + identity},
		{"null is absent", `{'request':{` + userGet + `,'context':null},'identityPolicies':null,'resourcePolicy':null,'scps':null}`, "ImplicitlyDenied: " + identity},
		{"a boundary limits", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'permissionsBoundaries':[` + allowSome + `]}`, "ImplicitlyDenied: permissions boundary"},
		{"an empty list of boundaries is none", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'permissionsBoundaries':[],'sessionPolicies':[],'scps':[],'rcps':[],'endpointPolicies':[]}`, "Allowed: " + identity},
		{"session policies limit, together", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'sessionPolicies':[` + allowSome + `,` + allowSome + `]}`, "ImplicitlyDenied: session policy"},
		{"each level of SCPs must allow", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'scps':[[` + allowAll + `],[` + allowSome + `]]}`, "ImplicitlyDenied: service control policy"},
		{"a level without SCP allows nothing", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'scps':[[` + allowAll + `],[]]}`, "ImplicitlyDenied: service control policy"},
		{"RCPFullAWSAccess is implied", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'rcps':[[],[]]}`, "Allowed: " + identity},
		{"an RCP denies", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'rcps':[[` + strings.Replace(everyone, "Allow", "Deny", 1) + `]]}`, "ExplicitlyDenied: resource control policy"},
		{"an endpoint's policy limits", `{'request':{` + userGet + `},'identityPolicies':[` + allowAll + `],'endpointPolicies':[` + allowSome + `]}`, "ImplicitlyDenied: VPC endpoint policy"},

		{"a key without policy admits nobody", `{'request':{` + userKey + `},'identityPolicies':[` + allowAll + `]}`, "ImplicitlyDenied: " + resource},
		{"a key that names the account lets identity policies decide", `{'request':{` + userKey + `},'identityPolicies':[` + allowAll + `],'resourcePolicy':` + lets(`{'AWS':'111122223333'}`) + `}`, "Allowed: " + identity},
		{"an alias goes by identity policies", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'kms:CreateAlias','resource':'arn:aws:kms:eu-west-1:111122223333:alias/a'},'identityPolicies':[` + allowAll + `]}`, "Allowed: " + identity},
		{"so do calls of KMS that name no resource", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'kms:ListKeys','resource':'*'},'identityPolicies':[` + allowAll + `]}`, "Allowed: " + identity},
		{"a role without trust policy is assumed by nobody", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'sts:AssumeRole','resource':'arn:aws:iam::111122223333:role/r'},'identityPolicies':[` + allowAll + `]}`, "ImplicitlyDenied: " + trust},
		{"a role trusts a web identity provider", `{'request':{'principal':'accounts.google.com','action':'sts:AssumeRoleWithWebIdentity','resource':'arn:aws:iam::111122223333:role/r'},'resourcePolicy':` + lets(`{'Federated':'accounts.google.com'}`) + `}`, "Allowed: " + trust},
		{"a role trusts Cognito, which is a service's name too", `{'request':{'principal':'cognito-identity.amazonaws.com','action':'sts:AssumeRoleWithWebIdentity','resource':'arn:aws:iam::111122223333:role/r'},'resourcePolicy':` + lets(`{'Federated':'cognito-identity.amazonaws.com'}`) + `}`, "Allowed: " + trust},
		{"a role trusts an OIDC provider", `{'request':{'principal':'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com','action':'sts:AssumeRoleWithWebIdentity','resource':'arn:aws:iam::111122223333:role/r'},'resourcePolicy':` + lets(`{'Federated':'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com'}`) + `}`, "Allowed: " + trust},
		{"a role trusts a SAML provider", `{'request':{'principal':'arn:aws:iam::111122223333:saml-provider/corp','action':'sts:AssumeRoleWithSAML','resource':'arn:aws:iam::111122223333:role/r'},'resourcePolicy':` + lets(`{'Federated':'arn:aws:iam::111122223333:saml-provider/corp'}`) + `}`, "Allowed: " + trust},
		{"a service has the resource's policy", `{'request':{'principal':'logs.amazonaws.com','action':'s3:PutObject','resource':'arn:aws:s3:::b/a','resourceAccount':'111122223333'},'resourcePolicy':` + lets(`{'Service':'logs.amazonaws.com'}`) + `}`, "Allowed: " + resource},
		{"a service has no identity policies", `{'request':{'principal':'logs.amazonaws.com','action':'s3:PutObject','resource':'arn:aws:s3:::b/a','resourceAccount':'111122223333'},'identityPolicies':[` + allowAll + `]}`, "ImplicitlyDenied: " + resource},
		{"anonymous has the resource's policy", `{'request':{'principal':'anonymous','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','resourceAccount':'111122223333'},'resourcePolicy':` + lets(`'*'`) + `}`, "Allowed: " + resource},
		{"anonymous has the keys that it has", `{'request':{'principal':'anonymous','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','resourceAccount':'111122223333'},'resourcePolicy':{'Version':'2012-10-17','Statement':{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*','Condition':{'StringEquals':{'aws:PrincipalType':'Anonymous','aws:PrincipalAccount':'anonymous','aws:userid':'anonymous'},'Null':{'aws:PrincipalArn':'true','aws:username':'true','aws:PrincipalIsAWSService':'true'}}}}}`, "Allowed: " + resource},
		{"a service has the keys that it has", `{'request':{'principal':'logs.amazonaws.com','action':'s3:PutObject','resource':'arn:aws:s3:::b/a','resourceAccount':'111122223333'},'resourcePolicy':{'Version':'2012-10-17','Statement':{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*','Condition':{'StringEquals':{'aws:PrincipalServiceName':'logs.amazonaws.com'},'Bool':{'aws:PrincipalIsAWSService':'true'},'Null':{'aws:PrincipalArn':'true'}}}}}`, "Allowed: " + resource},
		{"root has every right in its account", `{'request':{'principal':'arn:aws:iam::111122223333:root','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','resourceAccount':'111122223333'}}`, "Allowed: root user"},
		{"a bucket of no known account is the caller's", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'identityPolicies':[` + allowAll + `]}`, "Allowed: " + identity},
		{"an ARN's account is the owner", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'sqs:SendMessage','resource':'arn:aws:sqs:eu-west-1:444455556666:q'},'identityPolicies':[` + allowAll + `]}`, "ImplicitlyDenied: " + resource},
		{"a role stands for a session of it", `{'request':{'principal':'arn:aws:iam::111122223333:role/team/ops','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'resourcePolicy':` + lets(`{'AWS':'arn:aws:iam::111122223333:role/team/ops'}`) + `,'permissionsBoundaries':[` + allowSome + `]}`, "ImplicitlyDenied: permissions boundary"},
		{"a session is its role's, under any path", `{'request':{'principal':'arn:aws:sts::111122223333:assumed-role/ops/x','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'resourcePolicy':` + lets(`{'AWS':'arn:aws:iam::111122223333:role/team/ops'}`) + `}`, "Allowed: " + resource},
		{"aws:PrincipalArn gives the path", `{'request':{'principal':'arn:aws:sts::111122223333:assumed-role/ops/x','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','context':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/team/ops'}},'resourcePolicy':` + lets(`{'AWS':'arn:aws:iam::111122223333:role/ops'}`) + `}`, "ImplicitlyDenied: " + identity},
		{"aws:PrincipalArn of another role does not", `{'request':{'principal':'arn:aws:sts::111122223333:assumed-role/ops/x','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','context':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/admin'}},'resourcePolicy':` + lets(`{'AWS':'arn:aws:iam::111122223333:role/admin'}`) + `}`, "ImplicitlyDenied: " + identity},
		{"aws:userid gives the unique id", `{'request':{'principal':'arn:aws:sts::111122223333:assumed-role/ops/x','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','context':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/ops','aws:userid':'AROAROLE000000000001:x'}},'resourcePolicy':` + lets(`{'AWS':'AROAROLE000000000001'}`) + `}`, "Allowed: " + resource},
		{"service-linked roles are free of SCPs", `{'request':{'principal':'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForSupport/x','action':'s3:GetObject','resource':'arn:aws:s3:::b/a','context':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport'}},'identityPolicies':[` + allowAll + `],'scps':[[` + denyAll + `]]}`, "Allowed: " + identity},
		{"a federated user is the user's of its name", `{'request':{'principal':'arn:aws:sts::111122223333:federated-user/fred','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'resourcePolicy':` + lets(`{'AWS':'arn:aws:iam::111122223333:user/fred'}`) + `,'sessionPolicies':[` + allowAll + `]}`, "Allowed: " + resource},
		{"a federated user calls no IAM", `{'request':{'principal':'arn:aws:sts::111122223333:federated-user/fred','action':'iam:GetUser','resource':'arn:aws:iam::111122223333:user/fred'},'identityPolicies':[` + allowAll + `],'sessionPolicies':[` + allowAll + `]}`, "ImplicitlyDenied: kind of credentials"},
		{"GetCallerIdentity needs no permission", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'sts:GetCallerIdentity','resource':'*'},'identityPolicies':[` + denyAll + `]}`, "Allowed: no permission needed"},
		{"an action of no service there is", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'nosuch:DoIt','resource':'*'},'identityPolicies':[` + allowAll + `]}`, "Allowed: " + identity},
		{"AWS's managed policies are AWS's", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'iam:DeletePolicy','resource':'arn:aws:iam::aws:policy/ReadOnlyAccess'},'identityPolicies':[` + allowAll + `]}`, "ImplicitlyDenied: protected by AWS"},
		{"they may be read", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'iam:GetPolicy','resource':'arn:aws:iam::aws:policy/ReadOnlyAccess'},'identityPolicies':[` + allowAll + `]}`, "Allowed: " + identity},

		{"a string is a single-valued key", `{'request':{` + userGet + `,'context':{'a:b':'x'}},'identityPolicies':[` + when(`'StringEquals':{'a:b':'x'}`) + `]}`, "Allowed: " + identity},
		{"an array is a multivalued key", `{'request':{` + userGet + `,'context':{'a:b':['x']}},'identityPolicies':[` + when(`'StringEquals':{'a:b':'x'}`) + `]}`, "ImplicitlyDenied: " + identity},
		{"which needs a set operator", `{'request':{` + userGet + `,'context':{'a:b':['y','x']}},'identityPolicies':[` + when(`'ForAnyValue:StringEquals':{'a:b':'x'}`) + `]}`, "Allowed: " + identity},
		{"an empty array is a key without values", `{'request':{` + userGet + `,'context':{'a:b':[]}},'identityPolicies':[` + when(`'Null':{'a:b':'true'}`) + `]}`, "Allowed: " + identity},
		{"keys ignore case", `{'request':{` + userGet + `,'context':{'AWS:requestedregion':'eu-west-1'}},'identityPolicies':[` + when(`'StringEquals':{'aws:RequestedRegion':'eu-west-1'}`) + `]}`, "Allowed: " + identity},
		{"the operator gives the type", `{'request':{` + userGet + `,'context':{'x:n':'10','x:t':'2026-11-24T09:00:00Z'}},'identityPolicies':[` + when(`'NumericLessThan':{'x:n':'11'},'DateGreaterThan':{'x:t':'2026-01-01T00:00:00Z'}`) + `]}`, "Allowed: " + identity},
		{"aws:ResourceAccount is the owner", `{'request':{` + userGet + `},'identityPolicies':[` + when(`'StringEquals':{'aws:ResourceAccount':'111122223333'}`) + `]}`, "Allowed: " + identity},
		{"of a call without resource, the caller", `{'request':{'principal':'arn:aws:iam::111122223333:user/alice','action':'s3:ListAllMyBuckets','resource':'*'},'identityPolicies':[` + when(`'StringEquals':{'aws:ResourceAccount':'${aws:PrincipalAccount}'}`) + `]}`, "Allowed: " + identity},
		{"a given key is not replaced", `{'request':{` + userGet + `,'context':{'aws:ResourceAccount':'999999999999'}},'identityPolicies':[` + when(`'StringEquals':{'aws:ResourceAccount':'111122223333'}`) + `]}`, "ImplicitlyDenied: " + identity},
		{"aws:username is the user's name without path", `{'request':{'principal':'arn:aws:iam::111122223333:user/team/alice','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'identityPolicies':[` + when(`'StringEquals':{'aws:username':'alice'}`) + `]}`, "Allowed: " + identity},
		{"aws:PrincipalArn of a session is the role's", `{'request':{'principal':'arn:aws:sts::111122223333:assumed-role/ops/x','action':'s3:GetObject','resource':'arn:aws:s3:::b/a'},'identityPolicies':[` + when(`'ArnEquals':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/ops'},'Null':{'aws:username':'true'}`) + `]}`, "Allowed: " + identity},
		{"MFA is absent unless given", `{'request':{` + userGet + `},'identityPolicies':[` + when(`'BoolIfExists':{'aws:MultiFactorAuthPresent':'true'}`) + `]}`, "Allowed: " + identity},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decide(t, &j, c.line); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestLinesThatAreNone: what can't be decided is an error, and nothing of it is decided.
func TestLinesThatAreNone(t *testing.T) {
	asked := `{'request':{` + userGet + `}`
	var j Judge
	for _, c := range []struct{ name, line, want string }{
		{"nothing", ``, "the text ends too early, at byte 0"},
		{"no JSON", `{'request'`, "the text ends too early, at byte 10"},
		{"a list", `[]`, "a line is an object"},
		{"no request", `{}`, "there is no request"},
		{"an unknown member", asked + `,'policies':[]}`, `there is no member "policies"`},
		{"a member twice", asked + `,'scps':[],'scps':[]}`, "a name stands twice, at byte 166"},
		{"a member in another case", asked + `,'SCPs':[]}`, `there is no member "SCPs"`},
		{"an unknown member of the request", `{'request':{` + userGet + `,'when':'now'}}`, `a request has no member "when"`},
		{"a request without action", `{'request':{'principal':'anonymous','resource':'*'}}`, "a request has a principal, an action and a resource"},
		{"an action without service", `{'request':{'principal':'anonymous','action':'GetObject','resource':'*'}}`, `"GetObject" is no action`},
		{"an action with a wildcard", `{'request':{'principal':'anonymous','action':'s3:Get*','resource':'*'}}`, `"s3:Get*" is no action`},
		{"a resource that is no ARN", `{'request':{'principal':'anonymous','action':'s3:GetObject','resource':'bucket/a'}}`, `"bucket/a" is neither an ARN nor *`},
		{"a principal that is none", `{'request':{'principal':'alice','action':'s3:GetObject','resource':'*'}}`, `"alice" is no principal`},
		{"a group", `{'request':{'principal':'arn:aws:iam::111122223333:group/g','action':'s3:GetObject','resource':'*'}}`, `principal "arn:aws:iam::111122223333:group/g": it is no user, role, session, federated user, root or identity provider`},
		{"everyone", `{'request':{'principal':'*','action':'s3:GetObject','resource':'*'}}`, `"*" is no principal`},
		{"an account that is none", `{'request':{'principal':'anonymous','action':'s3:GetObject','resource':'*','resourceAccount':'12'}}`, `"12" is no account`},
		{"a context key that is null", `{'request':{` + userGet + `,'context':{'a:b':null}}}`, `context key "a:b" is neither a string nor a list of them`},
		{"a context key that is an object", `{'request':{` + userGet + `,'context':{'a:b':['x',{}]}}}`, `context key "a:b" has a value that is no string`},
		{"identity policies that are no list", asked + `,'identityPolicies':{}}`, "identityPolicies is a list"},
		{"an identity policy that is text", asked + `,'identityPolicies':['x']}`, "identityPolicies/0 is no policy document"},
		{"SCPs without levels", asked + `,'scps':[{}]}`, "scps/0 is a list"},
		{"a policy with an unknown element", asked + `,'identityPolicies':[{'Statement':[],'Comment':'x'}]}`, "identityPolicies/0: Syntax errors in policy. (a policy has no element Comment)"},
		{"a policy with an unknown operator", asked + `,'scps':[[` + allowAll + `],[` + when(`'StringMatches':{'a:b':'x'}`) + `]]}`, "scps/1/0: Syntax errors in policy. (there is no operator StringMatches)"},
		{"a policy without resource", asked + `,'identityPolicies':[{'Statement':{'Effect':'Allow','Action':'s3:*'}}]}`, "identityPolicies/0: Policy statement must contain resources."},
		{"control characters", asked + `,'identityPolicies':[{'Id':'\u0001'}]}`, "this is not JSON, at byte"},
		{"invalid UTF-8", asked + `,'identityPolicies':[{'Id':'` + "\xff" + `'}]}`, "this is not JSON, at byte"},
		{"ten megabytes", asked + `,'identityPolicies':[{'Id':'` + strings.Repeat("a", 10<<20) + `'}]}`, "the text is too long"},
		{"ten thousand levels", asked + `,'identityPolicies':` + strings.Repeat("[", 10_000), "the text is nested too deep or holds too many values"},
		{"a million values", asked + `,'identityPolicies':[` + strings.Repeat("0,", 1_000_000) + `0]}`, "the text is nested too deep or holds too many values"},
		{"a policy of half a megabyte", asked + `,'identityPolicies':[{'Id':'` + strings.Repeat("a", 1<<19) + `','Statement':[]}]}`, "identityPolicies/0: Syntax errors in policy. (the text is too long)"},
		{"a thousand and one policies", asked + `,'identityPolicies':[` + strings.Repeat(allowAll+",", 1000) + allowAll + `]}`, "there are at most 1000 policies"},
		{"seventeen levels", asked + `,'scps':[` + strings.Repeat("[],", 16) + `[]]}`, "there are at most 1000 policies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decide(t, &j, c.line); !strings.HasPrefix(got, "error: "+c.want) {
				t.Errorf("%s, want an error: %s", got, c.want)
			}
		})
	}
}

// FuzzParse: whatever the line, there is a verdict or an error, and no panic.
func FuzzParse(f *testing.F) {
	f.Add(double(`{'request':{` + userGet + `,'context':{'a:b':['x'],'c:d':1}},'identityPolicies':[` + allowAll + `],'resourcePolicy':` + everyone + `,'scps':[[` + allowAll + `]],'rcps':[[]]}`))
	f.Add(double(`{'request':{` + userKey + `},'permissionsBoundaries':[` + when(`'Null':{'a:b':'true'}`) + `]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := Parse(line)
		if err != nil {
			return
		}
		var j Judge
		v, err := j.Explain(s)
		if (v == nil) == (err == nil) {
			t.Errorf("Explain = %v, %v", v, err)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Error(err)
		}
	})
}
