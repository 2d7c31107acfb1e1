package policy

import (
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
)

func TestOrderAndCombination(t *testing.T) {
	run(t, "reference_policies_evaluation-logic_policy-eval-denyallow", []decideCase{
		objectGet("a request is denied by default", alice, "implicit: identity-based policy", nil),
		objectGet("an Allow grants", alice, "allow", on{Identity: {allowGet}}),
		objectGet("a Deny overrides an Allow", alice, "explicit: identity-based policy", on{Identity: {allowAll, denyGet}}),
		objectGet("a Deny in a resource's policy overrides", alice, "explicit: resource-based policy", on{Identity: {allowAll}, Resource: {noOneGet}}),
		objectGet("a Deny in a boundary overrides", alice, "explicit: permissions boundary", on{Identity: {allowAll}, Boundary: {allowAll + "," + denyGet}}),
		objectGet("a Deny in a session policy overrides", session, "explicit: session policy", on{Identity: {allowAll}, Session: {allowAll + "," + denyGet}}),
		objectGet("a Deny in an SCP overrides", alice, "explicit: service control policy", on{Identity: {allowAll}, SCP: {allowAll + "," + denyGet}}),
		objectGet("a Deny in an RCP overrides", alice, "explicit: resource control policy", on{Identity: {allowAll}, RCP: {noOneGet}}),
		objectGet("a Deny in an endpoint's policy overrides", alice, "explicit: VPC endpoint policy", on{Identity: {allowAll}, Endpoint: {anyoneGet + "," + noOneGet}}),
		objectGet("a Deny binds root too", rootUser, "explicit: resource-based policy", on{Resource: {noOneGet}}),
		objectGet("root has every right in its account", rootUser, "allow", nil),
		objectGet("root has no identity policies", rootUser, "allow", on{Identity: {denyAll}}),
		objectGet("nor a boundary", rootUser, "allow", on{Boundary: {allowList}}),
		objectGet("a session of root's, for a task, is limited to the task", rootUser, "implicit: session policy", on{Session: {allowList}}),
		objectGet("an SCP limits root", rootUser, "implicit: service control policy", on{SCP: {allowList}}),
		objectGet("a session policy limits a role's session", session, "implicit: session policy", on{Identity: {allowAll}, Session: {allowList}}),
		objectGet("a role's session without session policy has the role's rights", session, "allow", on{Identity: {allowAll}}),
		objectGet("a boundary limits", alice, "implicit: permissions boundary", on{Identity: {allowAll}, Boundary: {allowList}}),
		objectGet("a boundary grants nothing", alice, "implicit: identity-based policy", on{Boundary: {allowAll}}),
		objectGet("a session policy grants nothing", session, "implicit: identity-based policy", on{Session: {allowAll}}),
		objectGet("an SCP grants nothing", alice, "implicit: identity-based policy", on{SCP: {allowAll}}),
		objectGet("an endpoint's policy grants nothing", alice, "implicit: identity-based policy", on{Endpoint: {anyoneGet}}),
		objectGet("an endpoint's policy limits", alice, "implicit: VPC endpoint policy", on{Identity: {allowAll}, Endpoint: {allowList}}),
		objectGet("all limits at once leave it open", session, "allow", on{Identity: {allowGet}, Boundary: {allowGet}, Session: {allowGet}, SCP: {allowGet, allowAll}, RCP: {anyoneGet}, Endpoint: {anyoneGet}}),
	})
	run(t, "orgs_manage_policies_scps_evaluation", []decideCase{
		objectGet("every level must allow", alice, "implicit: service control policy", on{Identity: {allowAll}, SCP: {allowAll, allowList, allowAll}}),
		objectGet("statements of one level add up", alice, "allow", on{Identity: {allowAll}, SCP: {allowList + "," + allowGet}}),
		objectGet("a Deny at any level ends it", alice, "explicit: service control policy", on{Identity: {allowAll}, SCP: {allowAll, allowAll + "," + denyGet, allowAll}}),
		objectGet("no SCP is no limit", alice, "allow", on{Identity: {allowAll}}),
		objectGet("SCPs limit what a resource's policy grants in the account", alice, "implicit: service control policy", on{Resource: {lets(awsNamed(alice))}, SCP: {allowList}}),
		objectGet("SCPs do not bind service-linked roles", "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForLogs/x", "allow", on{Identity: {allowAll}, SCP: {denyAll}}),
		objectGet("SCPs do not bind services", "logs.amazonaws.com", "allow", on{Resource: {lets(`{'Service':'logs.amazonaws.com'}`)}, SCP: {denyAll}}),
	})
	run(t, "orgs_manage_policies_rcps", []decideCase{
		objectGet("an RCP binds anonymous callers", "", "explicit: resource control policy", on{Resource: {anyoneGet}, RCP: {noOneGet}}),
		objectGet("an RCP binds services", "logs.amazonaws.com", "explicit: resource control policy", on{Resource: {anyoneGet}, RCP: {noOneGet}}),
		objectGet("an RCP binds callers of other accounts", stranger, "explicit: resource control policy", on{Identity: {allowAll}, Resource: {anyoneGet}, RCP: {noOneGet}}),
		objectGet("an RCP does not bind service-linked roles", "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForLogs/x", "allow", on{Identity: {allowAll}, RCP: {noOneGet}}),
		objectGet("an RCP's levels need no Allow, the full one is always there", alice, "allow", on{Identity: {allowAll}, RCP: {`{'Effect':'Deny','Principal':'*','Action':'sqs:*','Resource':'*'}`}}),
		{name: "an RCP does not reach services that have none", who: alice, action: "ec2:RunInstances", resource: "*", want: "allow",
			on: on{Identity: {allowAll}, RCP: {`{'Effect':'Deny','Principal':'*','Action':'*','Resource':'*'}`}}},
		{name: "kms:RetireGrant is out of an RCP's reach", who: alice, action: "kms:RetireGrant", resource: "arn:aws:kms:eu-west-1:111122223333:key/k", want: "allow",
			on: on{Identity: {allowAll}, Resource: {`{'Effect':'Allow','Principal':{'AWS':'111122223333'},'Action':'kms:*','Resource':'*'}`}, RCP: {`{'Effect':'Deny','Principal':'*','Action':'kms:*','Resource':'*'}`}}},
	})
	run(t, "access_policies", []decideCase{
		objectGet("identity policies add up", alice, "allow", on{Identity: {allowList, allowGet}}),
		objectGet("session policies add up", session, "allow", on{Identity: {allowAll}, Session: {allowList, allowGet}}),
		objectGet("several session policies still limit", session, "implicit: session policy", on{Identity: {allowAll}, Session: {allowList, allowList}}),
	})
	run(t, "reference_policies_elements_principal", []decideCase{
		objectGet("an anonymous caller has the resource's policy alone", "", "allow", on{Resource: {anyoneGet}}),
		objectGet("an anonymous caller is no account's", "", "implicit: resource-based policy", on{Resource: {lets(awsNamed(home))}}),
		objectGet("without a policy an anonymous caller has nothing", "", "implicit: resource-based policy", nil),
		objectGet("a service has the resource's policy alone", "logs.amazonaws.com", "allow", on{Resource: {lets(`{'Service':['sns.amazonaws.com','logs.amazonaws.com']}`)}}),
		objectGet("a service has no identity policies", "logs.amazonaws.com", "allow", on{Identity: {denyAll}, Resource: {anyoneGet}}),
		objectGet("an empty name names nobody", session, "implicit: identity-based policy", on{Resource: {lets(`{'AWS':'','Service':'','Federated':'','CanonicalUser':''}`)}}),
		objectGet("another service is another caller", "logs.amazonaws.com", "implicit: resource-based policy", on{Resource: {lets(`{'Service':'sns.amazonaws.com'}`)}}),
	})
}

// sameAccount are the cells of the table of resource-based policies against
// implicit denials in other policy types.
func TestResourcePolicyInTheSameAccount(t *testing.T) {
	const yes, byIdentity, byBoundary, bySession = "allow", "implicit: identity-based policy", "implicit: permissions boundary", "implicit: session policy"
	for _, c := range []struct {
		name, principal, who, identity, boundary, session string
	}{
		{"a user's ARN, to the user", awsNamed(alice), alice, yes, yes, ""},
		{"a session's ARN, to the session", awsNamed(session), session, yes, yes, yes},
		{"a federated user's ARN, to the session", awsNamed(federated), federated, yes, yes, yes},
		{"a role's ARN, to its session", awsNamed(opsRole), session, yes, byBoundary, bySession},
		{"a user's ARN, to the user's federated session", awsNamed(issuer), federated, "", byBoundary, bySession},
		{"everyone, to a user", `'*'`, alice, yes, yes, ""},
		{"everyone, to a session", `{'AWS':'*'}`, session, yes, yes, yes},
		{"everyone, to a federated user", `'*'`, federated, yes, yes, yes},
		{"the account's id, to a user", awsNamed(home), alice, byIdentity, byBoundary, ""},
		{"the account's ARN, to a session", awsNamed(rootUser), session, byIdentity, byBoundary, bySession},
	} {
		var cases []decideCase
		if c.identity != "" {
			cases = append(cases, objectGet(c.name+", identity policies silent", c.who, c.identity, on{Resource: {lets(c.principal)}}))
		}
		cases = append(cases, objectGet(c.name+", boundary silent", c.who, c.boundary, on{Identity: {allowGet}, Boundary: {allowList}, Session: sessionIf(c.session), Resource: {lets(c.principal)}}))
		if c.session != "" {
			cases = append(cases, objectGet(c.name+", session policy silent", c.who, c.session, on{Identity: {allowGet}, Session: {allowList}, Resource: {lets(c.principal)}}))
		}
		run(t, "reference_policies_evaluation-logic_policy-eval-denyallow", cases)
	}
	run(t, "reference_policies_elements_principal", []decideCase{
		{name: "a role by aws:PrincipalArn under everyone is not limited", who: session, action: "s3:GetObject", resource: "arn:aws:s3:::bucket/a", owner: home, want: "allow",
			context: []string{"aws:PrincipalArn=" + opsRole}, on: on{Boundary: {allowList}, Session: {allowList},
				Resource: {`{'Effect':'Allow','Principal':'*','Action':'s3:*','Resource':'*','Condition':{'ArnEquals':{'aws:PrincipalArn':'` + opsRole + `'}}}`}}},
	})
	run(t, "access_policies_boundaries", []decideCase{
		objectGet("a Deny with NotPrincipal hits whoever has a boundary", alice, "explicit: resource-based policy",
			on{Identity: {allowAll}, Boundary: {allowAll}, Resource: {`{'Effect':'Deny','NotPrincipal':{'AWS':'` + alice + `'},'Action':'s3:*','Resource':'*'}`}}),
		objectGet("and spares the named without one", alice, "allow",
			on{Identity: {allowAll}, Resource: {`{'Effect':'Deny','NotPrincipal':{'AWS':'` + alice + `'},'Action':'s3:*','Resource':'*'}`}}),
		objectGet("whoever is not named is denied", alice, "explicit: resource-based policy",
			on{Identity: {allowAll}, Resource: {`{'Effect':'Deny','NotPrincipal':{'AWS':'` + opsRole + `'},'Action':'s3:*','Resource':'*'}`}}),
	})
}

func sessionIf(column string) []string {
	if column == "" {
		return nil
	}
	return []string{allowGet}
}

func TestAcrossAccounts(t *testing.T) {
	run(t, "reference_policies_evaluation-logic-cross-account", []decideCase{
		objectGet("both sides must allow", stranger, "allow", on{Identity: {allowGet}, Resource: {lets(awsNamed(stranger))}}),
		objectGet("the identity side alone does not do", stranger, "implicit: resource-based policy", on{Identity: {allowAll}}),
		objectGet("a policy that names another does not do", stranger, "implicit: resource-based policy", on{Identity: {allowAll}, Resource: {lets(awsNamed(alice))}}),
		objectGet("the resource side alone does not do", stranger, "implicit: identity-based policy", on{Resource: {lets(awsNamed(stranger))}}),
		objectGet("nor for everyone", stranger, "implicit: identity-based policy", on{Resource: {anyoneGet}}),
		objectGet("the account suffices on the resource side", stranger, "allow", on{Identity: {allowGet}, Resource: {lets(awsNamed(other))}}),
		objectGet("a boundary limits", stranger, "implicit: permissions boundary", on{Identity: {allowAll}, Boundary: {allowList}, Resource: {lets(awsNamed(stranger))}}),
		objectGet("the caller's SCPs limit", stranger, "implicit: service control policy", on{Identity: {allowAll}, SCP: {allowList}, Resource: {lets(awsNamed(stranger))}}),
		objectGet("root of another account needs the resource side", "arn:aws:iam::444455556666:root", "implicit: resource-based policy", nil),
		objectGet("and has the identity side", "arn:aws:iam::444455556666:root", "allow", on{Resource: {lets(awsNamed(other))}}),
		objectGet("naming a session does not spare the identity side", "arn:aws:sts::444455556666:assumed-role/r/s", "implicit: identity-based policy",
			on{Resource: {lets(awsNamed("arn:aws:sts::444455556666:assumed-role/r/s"))}}),
		objectGet("a session policy limits", "arn:aws:sts::444455556666:assumed-role/r/s", "implicit: session policy",
			on{Identity: {allowAll}, Session: {allowList}, Resource: {lets(awsNamed("arn:aws:sts::444455556666:assumed-role/r/s"))}}),
		{name: "a resource without an owner is another's", who: alice, action: "s3:GetObject", resource: "arn:aws:s3:::bucket/a", want: "implicit: resource-based policy", on: on{Identity: {allowAll}}},
		{name: "the ARN's account owns, if none is given", who: alice, action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111122223333:q", want: "allow", on: on{Identity: {allowAll}}},
		{name: "what names no resource is the caller's own", who: alice, action: "s3:ListAllMyBuckets", resource: "*", want: "allow", on: on{Identity: {allowAll}}},
		{name: "a managed policy of AWS is everyone's", who: alice, action: "iam:GetPolicy", resource: "arn:aws:iam::aws:policy/ReadOnlyAccess", want: "allow", on: on{Identity: {allowAll}}},
	})
}

func TestRolesAndKeysNeedTheirOwnPolicy(t *testing.T) {
	assume := func(name, who, want string, policies on) decideCase {
		return decideCase{name: name, who: who, action: "sts:AssumeRole", resource: opsRole, on: policies, want: want}
	}
	trusts := func(principal string) []string {
		return []string{`{'Effect':'Allow','Principal':` + principal + `,'Action':'sts:AssumeRole'}`}
	}
	mayAssume := []string{`{'Effect':'Allow','Action':'sts:AssumeRole','Resource':'` + opsRole + `'}`}
	run(t, "id_roles_terms-and-concepts", []decideCase{
		assume("the trust policy must allow, even for an administrator", alice, "implicit: role trust policy", on{Identity: {allowAll}, Trust: trusts(awsNamed(issuer))}),
		assume("a role without trust policy admits nobody", alice, "implicit: role trust policy", on{Identity: {allowAll}}),
		assume("nor root", rootUser, "implicit: role trust policy", on{Trust: trusts(awsNamed(issuer))}),
		assume("a user named directly needs no identity policy", alice, "allow", on{Trust: trusts(awsNamed(alice))}),
		assume("a user named by unique id needs none either", alice, "allow", on{Trust: trusts(awsNamed("AIDAUSER000000000001"))}),
		assume("the ids of others name nobody", alice, "implicit: identity-based policy", on{Trust: trusts(awsNamed("AIDAUSER000000000002"))}),
		assume("a role named by its ARN needs none", session, "allow", on{Trust: trusts(awsNamed(opsRole))}),
		assume("a role named by unique id needs none", session, "allow", on{Trust: trusts(awsNamed("AROAROLE000000000001"))}),
		assume("but a boundary limits a role", session, "implicit: permissions boundary", on{Boundary: {allowGet}, Trust: trusts(awsNamed(opsRole))}),
		assume("an account needs an identity policy besides", alice, "implicit: identity-based policy", on{Trust: trusts(awsNamed(home))}),
		assume("and has it", alice, "allow", on{Identity: mayAssume, Trust: trusts(awsNamed(home))}),
		assume("a Deny in the trust policy ends it", alice, "explicit: role trust policy", on{Identity: mayAssume,
			Trust: {`{'Effect':'Allow','Principal':{'AWS':'111122223333'},'Action':'sts:AssumeRole'},{'Effect':'Deny','Principal':'*','Action':'sts:AssumeRole'}`}}),
		assume("across accounts both sides must allow", stranger, "implicit: identity-based policy", on{Trust: trusts(awsNamed(stranger))}),
		assume("across accounts both sides do", stranger, "allow", on{Identity: mayAssume, Trust: trusts(awsNamed(other))}),
		assume("a service needs the trust policy alone", "ec2.amazonaws.com", "allow", on{Trust: trusts(`{'Service':'ec2.amazonaws.com'}`)}),
		{name: "tags on the session need the trust policy too", who: alice, action: "sts:TagSession", resource: opsRole, on: on{Identity: {allowAll}, Trust: trusts(awsNamed(alice))}, want: "implicit: role trust policy"},
		{name: "a web identity needs the trust policy alone", provider: "accounts.google.com", action: "sts:AssumeRoleWithWebIdentity", resource: opsRole, want: "allow",
			on: on{Trust: {`{'Effect':'Allow','Principal':{'Federated':'accounts.google.com'},'Action':'sts:AssumeRoleWithWebIdentity'}`}}},
		{name: "another provider is another caller", provider: "www.amazon.com", action: "sts:AssumeRoleWithWebIdentity", resource: opsRole, want: "implicit: role trust policy",
			on: on{Trust: {`{'Effect':'Allow','Principal':{'Federated':'accounts.google.com'},'Action':'sts:AssumeRoleWithWebIdentity'}`}}},
		{name: "a SAML provider is named by ARN", provider: "arn:aws:iam::111122223333:saml-provider/corp", action: "sts:AssumeRoleWithSAML", resource: opsRole, want: "allow",
			on: on{Trust: {`{'Effect':'Allow','Principal':{'Federated':'arn:aws:iam::111122223333:saml-provider/corp'},'Action':'sts:AssumeRoleWithSAML'}`}}},
	})
	decrypt := func(name, who, want string, policies on) decideCase {
		return decideCase{name: name, who: who, action: "kms:Decrypt", resource: "arn:aws:kms:eu-west-1:111122223333:key/k", on: policies, want: want}
	}
	keyLets := func(principal string) []string {
		return []string{`{'Effect':'Allow','Principal':` + principal + `,'Action':'kms:*','Resource':'*'}`}
	}
	run(t, "kms key-policy-default", []decideCase{
		decrypt("a key that does not name the account admits no administrator", alice, "implicit: resource-based policy", on{Identity: {allowAll}, Resource: keyLets(awsNamed(session))}),
		decrypt("nor root", rootUser, "implicit: resource-based policy", on{Resource: keyLets(awsNamed(session))}),
		decrypt("a key without policy admits nobody", alice, "implicit: resource-based policy", on{Identity: {allowAll}}),
		decrypt("the account in the key's policy makes identity policies count", alice, "allow", on{Identity: {allowAll}, Resource: keyLets(awsNamed(rootUser))}),
		decrypt("the account grants nothing itself", alice, "implicit: identity-based policy", on{Resource: keyLets(awsNamed(rootUser))}),
		decrypt("a key's policy grants to whom it names", alice, "allow", on{Resource: keyLets(awsNamed(alice))}),
		decrypt("across accounts both sides", stranger, "allow", on{Identity: {allowAll}, Resource: keyLets(awsNamed(other))}),
		{name: "aliases go by identity policies", who: alice, action: "kms:CreateAlias", resource: "arn:aws:kms:eu-west-1:111122223333:alias/a", on: on{Identity: {allowAll}}, want: "allow"},
		{name: "calls that name no key go by identity policies", who: alice, action: "kms:ListKeys", resource: "*", on: on{Identity: {allowAll}}, want: "allow"},
	})
}

func TestTemporaryCredentials(t *testing.T) {
	run(t, "id_credentials_temp_control-access_getfederationtoken", []decideCase{
		objectGet("a federated user without session policy may nothing", federated, "implicit: session policy", on{Identity: {allowAll}}),
		objectGet("with one, what both allow", federated, "allow", on{Identity: {allowAll}, Session: {allowGet}}),
		objectGet("a resource's policy that names the session does without", federated, "allow", on{Resource: {lets(awsNamed(federated))}}),
		{name: "no call of IAM", who: federated, action: "iam:GetUser", resource: alice, on: on{Identity: {allowAll}, Session: {allowAll}}, want: "implicit"},
		{name: "no call of STS", who: federated, action: "sts:AssumeRole", resource: opsRole, on: on{Identity: {allowAll}, Session: {allowAll}}, want: "implicit"},
		{name: "but GetCallerIdentity", who: federated, action: "sts:GetCallerIdentity", resource: "*", on: on{Session: {denyAll}}, want: "allow"},
	})
	run(t, "API_GetCallerIdentity", []decideCase{
		{name: "no permission is needed", who: alice, action: "sts:GetCallerIdentity", resource: "*", want: "allow"},
		{name: "a Deny does not stop it", who: alice, action: "sts:GetCallerIdentity", resource: "*", on: on{Identity: {denyAll}, SCP: {denyAll}}, want: "allow"},
		{name: "an anonymous caller has no identity", action: "sts:GetCallerIdentity", resource: "*", want: "implicit: resource-based policy"},
	})
	run(t, "id_credentials_temp_control-access_getsessiontoken", []decideCase{
		{name: "no permission is needed", who: alice, action: "sts:GetSessionToken", resource: "*", want: "allow"},
		{name: "a Deny stops it", who: alice, action: "sts:GetSessionToken", resource: "*", on: on{Identity: {denyAll}}, want: "explicit: identity-based policy"},
		{name: "an anonymous caller has no session", action: "sts:GetSessionToken", resource: "*", want: "implicit: resource-based policy"},
	})
	mfa := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, action string
		mfaAt        time.Time
		role         bool
		want         string
	}{
		{"a session token calls other services", "s3:ListAllMyBuckets", time.Time{}, false, "allow"},
		{"a session token without MFA does not call IAM", "iam:ListUsers", time.Time{}, false, "implicit"},
		{"with MFA it does", "iam:ListUsers", mfa, false, "allow"},
		{"of STS it calls AssumeRole alone", "sts:GetFederationToken", mfa, false, "implicit"},
		{"a role's session gets no federation token", "sts:GetFederationToken", mfa, true, "implicit"},
		{"a role's session gets no session token", "sts:GetSessionToken", mfa, true, "implicit"},
		{"a role's session calls IAM", "iam:ListUsers", time.Time{}, true, "allow"},
	} {
		t.Run("id_credentials_temp_request/"+c.name, func(t *testing.T) {
			p := principalOf(alice)
			if p.Session = (&aws.Session{MFAAt: c.mfaAt}); c.role {
				p = principalOf(session)
			}
			d := Decide(&Request{Action: c.action, Resource: "*", Principal: p}, &Policies{Identity: []*Policy{statements(t, Identity, allowAll)}})
			if got := verdict(d); got != c.want || d.Barred == d.Allowed {
				t.Errorf("Decide = %s, barred %v, want %s", got, d.Barred, c.want)
			}
		})
	}
}

func TestDecideFailsClosed(t *testing.T) {
	all := statements(t, Identity, allowAll)
	r := &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/a", ResourceAccount: home, Principal: principalOf(alice)}
	for _, c := range []struct {
		name string
		r    *Request
		p    Policies
		want Kind
	}{
		{"a policy that could not be read denies", r, Policies{Identity: []*Policy{all, nil}}, Identity},
		{"a boundary that could not be read denies", r, Policies{Identity: []*Policy{all}, Boundary: []*Policy{nil}}, Boundary},
		{"a boundary that has gone denies", r, Policies{Identity: []*Policy{all}, HasBoundary: true}, Boundary},
		{"session policies that have gone deny", r, Policies{Identity: []*Policy{all}, HasSession: true}, Session},
		{"an endpoint's policy that has gone denies", r, Policies{Identity: []*Policy{all}, HasEndpoint: true}, Endpoint},
		{"a level without a policy denies", r, Policies{Identity: []*Policy{all}, SCPs: [][]*Policy{{}}}, SCP},
		{"an SCP that could not be read denies", r, Policies{Identity: []*Policy{all}, SCPs: [][]*Policy{{all, nil}}}, SCP},
		{"an RCP that could not be read denies", r, Policies{Identity: []*Policy{all}, RCPs: [][]*Policy{{nil}}}, RCP},
		{"no action denies", &Request{Resource: "*", Principal: r.Principal}, Policies{Identity: []*Policy{all}}, Identity},
		{"half an action denies", &Request{Action: "s3:", Resource: "*", Principal: r.Principal}, Policies{Identity: []*Policy{all}}, Identity},
		{"a principal of no known kind is anonymous", &Request{Action: "s3:GetObject", Resource: "*", Principal: &aws.Principal{Kind: "SAMLUser", Account: home}}, Policies{Identity: []*Policy{all}}, Resource},
		{"a user of no account is anonymous", &Request{Action: "s3:GetObject", Resource: "*", Principal: &aws.Principal{Kind: aws.User}}, Policies{Identity: []*Policy{all}}, Resource},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := Decide(c.r, &c.p); d.Allowed || d.Explicit || d.By != c.want {
				t.Errorf("Decide = %+v, want an implicit denial by %v", d, c.want)
			}
		})
	}
}

// TestUnknownOperatorFailsClosed: Read refuses such a document; one that was
// made without Read denies what it would deny, and allows nothing.
func TestUnknownOperatorFailsClosed(t *testing.T) {
	odd := []Condition{{Operator: "StringMatches", Key: "aws:a", Values: []string{"x"}}}
	doc := &Document{Kind: Identity, Version: version2012, Statements: []Statement{{Actions: []string{"*"}, Resources: []string{"*"}, Conditions: odd}}}
	r := &Request{Action: "s3:GetObject", Resource: "*", Principal: principalOf(alice)}
	if got := verdict(Decide(r, &Policies{Identity: []*Policy{Compile(doc, "")}})); got != "implicit" {
		t.Errorf("an Allow under an unknown operator decides %s", got)
	}
	doc.Statements[0].Deny = true
	if got := verdict(Decide(r, &Policies{Identity: []*Policy{statements(t, Identity, allowAll), Compile(doc, "")}})); got != "explicit" {
		t.Errorf("a Deny under an unknown operator decides %s", got)
	}
}

// TestRoleOfUnknownPath: a session of which only the ARN is known is its
// role's by name, under whatever path a policy gives.
func TestRoleOfUnknownPath(t *testing.T) {
	for principal, want := range map[string]string{
		opsRole:                                   "allow",
		"arn:aws:iam::111122223333:role/a/b/ops":  "allow",
		"arn:aws:iam::111122223333:role/a/b/ops2": "implicit",
		"arn:aws:iam::111122223333:role/ops/a":    "implicit",
		"arn:aws:iam::444455556666:role/ops":      "implicit",
		"arn:aws-cn:iam::111122223333:role/ops":   "implicit",
		"arn:aws:iam::111122223333:user/ops":      "implicit",
		"AROAROLE000000000001":                    "implicit",
	} {
		p := principalOf(session)
		p.Session = nil
		r := &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/a", ResourceAccount: home, Principal: p}
		if got := verdict(Decide(r, &Policies{Resource: statements(t, Resource, lets(awsNamed(principal)))})); got != want {
			t.Errorf("%s decides %s, want %s", principal, got, want)
		}
	}
}

// TestCanonicalUser: the id is another name of an account.
func TestCanonicalUser(t *testing.T) {
	p := &Policies{Identity: []*Policy{statements(t, Identity, allowAll)}, Resource: statements(t, Resource, lets(`{'CanonicalUser':'79a59df900b949e5'}`))}
	for _, c := range []struct {
		name, who, id string
		want          bool
	}{
		{"an account by its canonical id", stranger, "79a59df900b949e5", true},
		{"another account", stranger, "79a59df900b949e6", false},
		{"no account", "", "79a59df900b949e5", false},
		{"a service, which has none either", "logs.amazonaws.com", "79a59df900b949e5", false},
	} {
		r := &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/a", ResourceAccount: home, Principal: principalOf(c.who), CanonicalUser: c.id}
		if got := Decide(r, p).Allowed; got != c.want {
			t.Errorf("%s: allowed = %v, want %v", c.name, got, c.want)
		}
		// Found by the second evaluator: a Deny hit a service by the id of an account it is not of.
		deny := &Policies{Resource: statements(t, Resource, `{'Effect':'Deny','Principal':{'CanonicalUser':'79a59df900b949e5'},'Action':'*','Resource':'*'}`)}
		if got := Decide(r, deny).Explicit; got != c.want {
			t.Errorf("%s: denied = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDecisionNamesItsPolicy(t *testing.T) {
	allow := compile(t, Identity, version2012Doc(allowList+","+allowGet), "arn:aws:iam::aws:policy/Get")
	deny := compile(t, Identity, version2012Doc(allowList+","+denyGet), "arn:aws:iam::111122223333:policy/NoGet")
	r := &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/a", ResourceAccount: home, Principal: principalOf(alice)}
	want := Decision{Allowed: true, By: Identity, PolicyID: allow.ID, Statement: 1}
	if got := Decide(r, &Policies{Identity: []*Policy{allow}}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
	want = Decision{Explicit: true, By: Identity, PolicyID: deny.ID, Statement: 1}
	if got := Decide(r, &Policies{Identity: []*Policy{allow, deny}}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	p := &Policies{
		Identity: []*Policy{statements(t, Identity, `{'Effect':'Allow','Action':'s3:Get*','Resource':'arn:aws:s3:::${aws:PrincipalTag/team}/*','Condition':{
			'StringLike':{'aws:PrincipalArn':'arn:aws:iam::${aws:PrincipalAccount}:user/*'},'IpAddress':{'aws:SourceIp':'203.0.113.0/24'},
			'DateLessThan':{'aws:CurrentTime':'2027-01-01T00:00:00Z'},'NumericLessThan':{'s3:max-keys':'10'},'Bool':{'aws:SecureTransport':'true'},
			'ForAllValues:StringEquals':{'aws:TagKeys':['a','b']},'StringEqualsIgnoreCase':{'aws:username':'ALICE'},'BinaryEquals':{'kms:b':'YQ=='},'Null':{'aws:TokenIssueTime':'true'}}}`)},
		Resource: statements(t, Resource, `{'Effect':'Deny','Principal':'*','Action':'*','Resource':'*','Condition':{'ArnNotLike':{'aws:PrincipalArn':'arn:aws:iam::*:user/*'}}}`),
	}
	x := contextOf("aws:PrincipalArn="+alice, "aws:PrincipalAccount="+home, "aws:SourceIp=203.0.113.9", "s3:max-keys=9", "aws:TagKeys=[a,b]", "aws:username=alice", "kms:b=YQ==", "aws:PrincipalTag/Team=blue")
	x.SetTime("aws:CurrentTime", time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	x.SetBool("aws:SecureTransport", true)
	r := &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::blue/a", ResourceAccount: home, Principal: principalOf(alice), Context: x}
	if d := Decide(r, p); !d.Allowed {
		t.Fatalf("Decide = %+v, want it allowed", d)
	}
	if n := testing.AllocsPerRun(100, func() { Decide(r, p) }); n != 0 {
		t.Errorf("Decide allocates %v times", n)
	}
	fill := func() {
		x.Reset()
		x.Set("aws:username", "alice")
		x.SetTag("aws:PrincipalTag/", "team", "blue")
		x.Set("s3:max-keys", "9")
	}
	if n := testing.AllocsPerRun(100, fill); n != 0 {
		t.Errorf("filling a context again allocates %v times", n)
	}
}
