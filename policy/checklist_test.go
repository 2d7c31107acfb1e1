package policy

import "testing"

// TestPrincipalElement holds what the pages on Principal say of names.
func TestPrincipalElement(t *testing.T) {
	run(t, "reference_policies_elements_principal", []decideCase{
		objectGet("an account's id and its root ARN are one", stranger, "allow", on{Identity: {allowGet}, Resource: {lets(awsNamed("arn:aws:iam::444455556666:root"))}}),
		objectGet("a wildcard inside an ARN names nobody", alice, "implicit: identity-based policy", on{Resource: {lets(awsNamed("arn:aws:iam::111122223333:user/*"))}}),
		objectGet("nor does a Deny with one hit anybody", alice, "allow", on{Identity: {allowGet}, Resource: {`{'Effect':'Deny','Principal':{'AWS':'arn:aws:iam::111122223333:*'},'Action':'*','Resource':'*'}`}}),
		objectGet("names are case-sensitive", alice, "implicit: identity-based policy", on{Resource: {lets(awsNamed("arn:aws:iam::111122223333:user/Alice"))}}),
		objectGet("a star in a list is everyone", alice, "allow", on{Resource: {lets(`{'AWS':['arn:aws:iam::111122223333:user/bob','*']}`)}}),
		objectGet("everyone under AWS is anonymous, too", "", "allow", on{Resource: {lets(`{'AWS':'*'}`)}}),
		objectGet("a session is not its role's name in another account", session, "implicit: identity-based policy", on{Resource: {lets(awsNamed("arn:aws:iam::444455556666:role/ops"))}}),
		objectGet("a Deny that names the role hits its sessions", session, "explicit: resource-based policy", on{Identity: {allowAll}, Resource: {`{'Effect':'Deny','Principal':` + awsNamed(opsRole) + `,'Action':'*','Resource':'*'}`}}),
		objectGet("a Deny that names the account hits everyone in it", session, "explicit: resource-based policy", on{Identity: {allowAll}, Resource: {`{'Effect':'Deny','Principal':` + awsNamed(home) + `,'Action':'*','Resource':'*'}`}}),
		objectGet("and no service", "logs.amazonaws.com", "allow", on{Resource: {anyoneGet + `,{'Effect':'Deny','Principal':` + awsNamed(home) + `,'Action':'*','Resource':'*'}`}}),
	})
	run(t, "reference_policies_elements_notprincipal", []decideCase{
		objectGet("with Deny it spares who is named", session, "allow", on{Identity: {allowAll}, Resource: {`{'Effect':'Deny','NotPrincipal':{'AWS':['` + session + `','` + opsRole + `','` + home + `']},'Action':'*','Resource':'*'}`}}),
		objectGet("and anonymous callers are not", "", "explicit: resource-based policy", on{Resource: {anyoneGet + `,{'Effect':'Deny','NotPrincipal':{'AWS':'` + home + `'},'Action':'*','Resource':'*'}`}}),
		objectGet("nor services, unless named", "logs.amazonaws.com", "explicit: resource-based policy", on{Resource: {anyoneGet + `,{'Effect':'Deny','NotPrincipal':{'AWS':'` + home + `'},'Action':'*','Resource':'*'}`}}),
		objectGet("a service that is named", "logs.amazonaws.com", "allow", on{Resource: {anyoneGet + `,{'Effect':'Deny','NotPrincipal':{'Service':'logs.amazonaws.com'},'Action':'*','Resource':'*'}`}}),
	})
}

// TestTrustConditions holds the keys that trust policies rest on.
func TestTrustConditions(t *testing.T) {
	assume := func(name, action, want string, trust string, context ...string) decideCase {
		return decideCase{name: name, who: stranger, action: action, resource: opsRole, context: context, want: want, on: on{Identity: {allowAll}, Trust: {trust}}}
	}
	const (
		external = `{'Effect':'Allow','Principal':{'AWS':'444455556666'},'Action':'sts:AssumeRole','Condition':{'StringEquals':{'sts:ExternalId':'12345'}}}`
		source   = `{'Effect':'Allow','Principal':{'AWS':'444455556666'},'Action':['sts:AssumeRole','sts:SetSourceIdentity'],'Condition':{'StringLike':{'sts:SourceIdentity':'DiegoRamirez'}}}`
		named    = `{'Effect':'Allow','Principal':{'AWS':'444455556666'},'Action':'sts:AssumeRole','Condition':{'StringLike':{'sts:RoleSessionName':'${aws:username}'}}}`
		tagged   = `{'Effect':'Allow','Principal':{'AWS':'444455556666'},'Action':['sts:AssumeRole','sts:TagSession'],'Condition':{'StringEquals':{'aws:RequestTag/project':'x'},'ForAllValues:StringEquals':{'sts:TransitiveTagKeys':['project','dept']}}}`
	)
	run(t, "id_roles_create_for-user_externalid", []decideCase{
		assume("the external id", "sts:AssumeRole", "allow", external, "sts:ExternalId=12345"),
		assume("another one", "sts:AssumeRole", "implicit: role trust policy", external, "sts:ExternalId=54321"),
		assume("none", "sts:AssumeRole", "implicit: role trust policy", external),
	})
	run(t, "id_credentials_temp_control-access_monitor", []decideCase{
		assume("a source identity needs its own permission", "sts:SetSourceIdentity", "implicit: role trust policy", external, "sts:ExternalId=12345"),
		assume("and has it", "sts:SetSourceIdentity", "allow", source, "sts:SourceIdentity=DiegoRamirez"),
		assume("another one has not", "sts:SetSourceIdentity", "implicit: role trust policy", source, "sts:SourceIdentity=other"),
	})
	run(t, "reference_policies_iam-condition-keys", []decideCase{
		assume("the session's name is the user's", "sts:AssumeRole", "allow", named, "sts:RoleSessionName=mallory", "aws:username=mallory"),
		assume("or not", "sts:AssumeRole", "implicit: role trust policy", named, "sts:RoleSessionName=alice", "aws:username=mallory"),
		assume("tags of the session", "sts:TagSession", "allow", tagged, "aws:RequestTag/project=x", "sts:TransitiveTagKeys=[project]"),
		assume("no transitive tags", "sts:TagSession", "allow", tagged, "aws:RequestTag/project=x"),
		assume("others", "sts:TagSession", "implicit: role trust policy", tagged, "aws:RequestTag/project=x", "sts:TransitiveTagKeys=[project,other]"),
	})
}

// TestGuardrailLanguage holds what SCPs and endpoint policies may say.
func TestGuardrailLanguage(t *testing.T) {
	run(t, "orgs_manage_policies_scps_syntax", []decideCase{
		objectGet("Allow with NotAction", alice, "allow", on{Identity: {allowAll}, SCP: {`{'Effect':'Allow','NotAction':'sqs:*','Resource':'*'}`}}),
		objectGet("Allow with NotAction, of what it leaves out", alice, "implicit: service control policy", on{Identity: {allowAll}, SCP: {`{'Effect':'Allow','NotAction':'s3:*','Resource':'*'}`}}),
		objectGet("Allow on a resource", alice, "allow", on{Identity: {allowAll}, SCP: {`{'Effect':'Allow','Action':'*','Resource':'arn:aws:s3:::bucket/*'}`}}),
		objectGet("Allow on another resource", alice, "implicit: service control policy", on{Identity: {allowAll}, SCP: {`{'Effect':'Allow','Action':'*','Resource':'arn:aws:s3:::other/*'}`}}),
		objectGet("Deny with NotResource", alice, "explicit: service control policy", on{Identity: {allowAll}, SCP: {allowAll + `,{'Effect':'Deny','Action':'s3:*','NotResource':'arn:aws:s3:::other/*'}`}}),
		objectGet("Allow under a condition that does not hold", alice, "implicit: service control policy", on{Identity: {allowAll}, SCP: {`{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'StringEquals':{'aws:RequestedRegion':'eu-west-1'}}}`}}),
		objectGet("SCPs have nothing to say of another organisation's caller on the resource's side", stranger, "allow", on{Identity: {allowAll}, Resource: {lets(awsNamed(other))}}),
	})
	run(t, "vpc-endpoints-access", []decideCase{
		objectGet("an endpoint's policy is asked who calls", alice, "implicit: VPC endpoint policy", on{Identity: {allowAll}, Endpoint: {lets(awsNamed(stranger))}}),
		objectGet("and knows the account", alice, "allow", on{Identity: {allowAll}, Endpoint: {lets(awsNamed(home))}}),
		objectGet("anonymous callers pass it, too", "", "implicit: VPC endpoint policy", on{Resource: {anyoneGet}, Endpoint: {lets(awsNamed(home))}}),
		objectGet("it limits what the resource's policy grants", alice, "implicit: VPC endpoint policy", on{Resource: {lets(awsNamed(alice))}, Endpoint: {allowList}}),
	})
}

// TestWhatOtherToolsMiss: cases that people report against other evaluators.
func TestWhatOtherToolsMiss(t *testing.T) {
	const (
		perimeter = `{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'StringNotEquals':{'aws:ResourceAccount':'${aws:PrincipalAccount}'}}}`
		bootstrap = `{'Effect':'Allow','Action':'sts:AssumeRole','Resource':'arn:aws:iam::*:role/cdk-*','Condition':{'StringEquals':{'aws:ResourceAccount':'${aws:PrincipalAccount}'}}}`
	)
	cdk := func(name, role, owner, want string) decideCase {
		return decideCase{name: name, who: alice, action: "sts:AssumeRole", resource: "arn:aws:iam::" + owner + ":role/" + role, want: want,
			context: []string{"aws:ResourceAccount=" + owner, "aws:PrincipalAccount=" + home}, on: on{Identity: {bootstrap}, Trust: {`{'Effect':'Allow','Principal':{'AWS':'111122223333'},'Action':'sts:AssumeRole'}`}}}
	}
	run(t, "reference_policies_condition-keys#condition-keys-resourceaccount", []decideCase{
		cdk("CDK's bootstrap roles in the account", "cdk-hnb659fds-deploy-role", home, "allow"),
		cdk("not in another", "cdk-hnb659fds-deploy-role", other, "implicit: identity-based policy"),
		cdk("nor other roles", "admin", home, "implicit: identity-based policy"),
		{name: "an S3 ARN has no account, the object has", who: alice, action: "s3:GetObject", resource: "arn:aws:s3:::b/a", owner: home, want: "allow",
			context: []string{"aws:ResourceAccount=" + home, "aws:PrincipalAccount=" + home}, on: on{Identity: {allowAll}, SCP: {allowAll + "," + perimeter}}},
		{name: "another account's object", who: alice, action: "s3:GetObject", resource: "arn:aws:s3:::b/a", owner: other, want: "explicit: service control policy",
			context: []string{"aws:ResourceAccount=" + other, "aws:PrincipalAccount=" + home}, on: on{Identity: {allowAll}, Resource: {anyoneGet}, SCP: {allowAll + "," + perimeter}}},
	})
	run(t, "reference_policies_condition-keys#condition-keys-viaawsservice", []decideCase{
		{name: "an execution role binds a service that calls another", who: session, action: "s3:GetObject", resource: "arn:aws:s3:::b/a", owner: home, want: "implicit: identity-based policy",
			context: []string{"aws:ViaAWSService=true", "aws:CalledVia=[athena.amazonaws.com]"}, on: on{Identity: {allowList}}},
		{name: "forward access is told by the last service", who: session, action: "s3:GetObject", resource: "arn:aws:s3:::b/a", owner: home, want: "allow",
			context: []string{"aws:ViaAWSService=true", "aws:CalledVia=[cloudformation.amazonaws.com,athena.amazonaws.com]", "aws:CalledViaLast=athena.amazonaws.com"},
			on:      on{Identity: {`{'Effect':'Allow','Action':'s3:*','Resource':'*','Condition':{'StringEquals':{'aws:CalledViaLast':'athena.amazonaws.com'},'ForAnyValue:StringEquals':{'aws:CalledVia':'cloudformation.amazonaws.com'},'Bool':{'aws:ViaAWSService':'true'}}}`}}},
	})
	run(t, "access_policies_boundaries", []decideCase{
		objectGet("a boundary does not touch what a resource's policy grants the user", alice, "allow", on{Boundary: {allowList}, Resource: {lets(awsNamed(alice))}}),
	})
	noResource := func(name, statement, want string) decideCase {
		return decideCase{name: name, who: alice, action: "s3:ListAllMyBuckets", resource: "*", want: want, on: on{Identity: {statement}}}
	}
	run(t, "reference_policies_actions-resources-contextkeys", []decideCase{
		noResource("an action without resource matches a star", `{'Effect':'Allow','Action':'s3:*','Resource':'*'}`, "allow"),
		noResource("and no ARN", `{'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:::*'}`, "implicit: identity-based policy"),
		noResource("not even all of them", `{'Effect':'Allow','Action':'s3:*','Resource':'arn:*:*:*:*:*'}`, "implicit: identity-based policy"),
		noResource("so NotResource with an ARN matches it", `{'Effect':'Allow','Action':'s3:*','NotResource':'arn:aws:s3:::*'}`, "allow"),
		noResource("and with a star never", `{'Effect':'Allow','Action':'s3:*','NotResource':'*'}`, "implicit: identity-based policy"),
	})
}
