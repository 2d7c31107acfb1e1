package policy

import (
	"strings"
	"testing"
)

// example is a policy that AWS publishes, with requests that its page says it
// allows or denies.
type example struct {
	page string
	kind Kind
	doc  string // statements, single quotes for double ones
	asks []ask
}

type ask struct {
	action, resource string
	context          string // key=value;key=[a,b]
	want             string
}

// TestPublishedExamples holds the IAM user guide's example policies (its code
// samples are under the MIT-0 licence), shortened where they repeat themselves.
// An identity policy is held by alice; what only denies stands beside one that
// allows everything.
func TestPublishedExamples(t *testing.T) {
	const (
		user = "arn:aws:iam::111122223333:user/alice"
		bob  = "arn:aws:iam::111122223333:user/bob"
		vm   = "arn:aws:ec2:us-east-2:111122223333:instance/i-1"
	)
	for _, e := range []example{
		{"reference_policies_examples_aws-dates", Identity, `{'Effect':'Allow','Action':'service:act','Resource':'*','Condition':{'DateGreaterThan':{'aws:CurrentTime':'2020-04-01T00:00:00Z'},'DateLessThan':{'aws:CurrentTime':'2020-06-30T23:59:59Z'}}}`, []ask{
			{"service:act", "*", "aws:CurrentTime=2020-05-01T12:00:00Z", "allow"},
			{"service:act", "*", "aws:CurrentTime=2020-03-31T23:59:59Z", "implicit"},
			{"service:act", "*", "aws:CurrentTime=2020-07-01T00:00:00Z", "implicit"},
		}},
		{"reference_policies_examples_aws_deny-ip", SCP, `{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'NotIpAddress':{'aws:SourceIp':['192.0.2.0/24','203.0.113.0/24']},'Bool':{'aws:ViaAWSService':'false'}}}`, []ask{
			{"s3:ListAllMyBuckets", "*", "aws:SourceIp=192.0.2.7;aws:ViaAWSService=false", "allow"},
			{"s3:ListAllMyBuckets", "*", "aws:SourceIp=198.51.100.7;aws:ViaAWSService=false", "explicit"},
			{"s3:ListAllMyBuckets", "*", "aws:SourceIp=198.51.100.7;aws:ViaAWSService=true", "allow"},
			{"s3:ListAllMyBuckets", "*", "aws:ViaAWSService=false", "explicit"},
		}},
		{"reference_policies_examples_aws_deny-requested-region", SCP, `{'Effect':'Deny','NotAction':['cloudfront:*','iam:*','route53:*','support:*'],'Resource':'*','Condition':{'StringNotEquals':{'aws:RequestedRegion':['eu-central-1','eu-west-1']}}}`, []ask{
			{"ec2:DescribeInstances", "*", "aws:RequestedRegion=eu-west-1", "allow"},
			{"ec2:DescribeInstances", "*", "aws:RequestedRegion=us-east-1", "explicit"},
			{"iam:ListUsers", "*", "aws:RequestedRegion=us-east-1", "allow"},
		}},
		{"reference_policies_examples_aws_my-sec-creds-self-manage-mfa-only", Identity, `{'Effect':'Allow','Action':['iam:CreateVirtualMFADevice'],'Resource':'arn:aws:iam::*:mfa/*'},
			{'Effect':'Allow','Action':['iam:EnableMFADevice','iam:GetUser'],'Resource':'arn:aws:iam::*:user/${aws:username}'},
			{'Effect':'Deny','NotAction':['iam:CreateVirtualMFADevice','iam:EnableMFADevice','iam:GetUser','sts:GetSessionToken'],'Resource':'*','Condition':{'BoolIfExists':{'aws:MultiFactorAuthPresent':'false'}}}`, []ask{
			{"iam:EnableMFADevice", user, "aws:username=alice", "allow"},
			{"iam:EnableMFADevice", bob, "aws:username=alice", "implicit"},
			{"iam:DeleteUser", user, "aws:username=alice", "explicit"},
			{"iam:DeleteUser", user, "aws:username=alice;aws:MultiFactorAuthPresent=true", "implicit"},
			{"iam:CreateVirtualMFADevice", "arn:aws:iam::111122223333:mfa/alice", "aws:username=alice;aws:MultiFactorAuthPresent=false", "allow"},
		}},
		{"reference_policies_examples_dynamodb_attributes", Identity, `{'Effect':'Allow','Action':['dynamodb:GetItem'],'Resource':['arn:aws:dynamodb:*:*:table/t'],'Condition':{'ForAllValues:StringEquals':{'dynamodb:Attributes':['c1','c2','c3']},'StringEqualsIfExists':{'dynamodb:Select':'SPECIFIC_ATTRIBUTES'}}}`, []ask{
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", "dynamodb:Attributes=[c1,c3]", "allow"},
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", "dynamodb:Attributes=[c1,c4]", "implicit"},
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", "dynamodb:Attributes=[c1];dynamodb:Select=ALL_ATTRIBUTES", "implicit"},
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t2", "dynamodb:Attributes=[c1]", "implicit"},
		}},
		{"reference_policies_examples_dynamodb_items", Identity, `{'Effect':'Allow','Action':['dynamodb:GetItem'],'Resource':['arn:aws:dynamodb:*:*:table/t'],'Condition':{'ForAllValues:StringEquals':{'dynamodb:LeadingKeys':['${cognito-identity.amazonaws.com:sub}']}}}`, []ask{
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", "dynamodb:LeadingKeys=[me];cognito-identity.amazonaws.com:sub=me", "allow"},
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", "dynamodb:LeadingKeys=[me,you];cognito-identity.amazonaws.com:sub=me", "implicit"},
			{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", "dynamodb:LeadingKeys=[me]", "implicit"},
		}},
		{"reference_policies_examples_ec2-start-stop-match-tags", Identity, `{'Effect':'Allow','Action':['ec2:startInstances','ec2:stopInstances'],'Resource':'*','Condition':{'StringEquals':{'aws:ResourceTag/CostCenter':'${aws:PrincipalTag/CostCenter}'}}}`, []ask{
			{"ec2:StartInstances", vm, "aws:ResourceTag/CostCenter=1;aws:PrincipalTag/CostCenter=1", "allow"},
			{"ec2:StartInstances", vm, "aws:ResourceTag/CostCenter=1;aws:PrincipalTag/CostCenter=2", "implicit"},
			{"ec2:StartInstances", vm, "aws:ResourceTag/CostCenter=1", "implicit"},
			{"ec2:StartInstances", vm, "", "implicit"},
		}},
		{"reference_policies_examples_ec2_require-mfa", Identity, `{'Effect':'Allow','Action':'ec2:*','Resource':'*'},{'Effect':'Deny','Action':['ec2:StopInstances','ec2:TerminateInstances'],'Resource':'*','Condition':{'BoolIfExists':{'aws:MultiFactorAuthPresent':false}}}`, []ask{
			{"ec2:StopInstances", vm, "", "explicit"},
			{"ec2:StopInstances", vm, "aws:MultiFactorAuthPresent=true", "allow"},
			{"ec2:DescribeInstances", "*", "", "allow"},
		}},
		{"reference_policies_examples_ec2_volumes-instance", Identity, `{'Effect':'Allow','Action':['ec2:AttachVolume'],'Resource':['arn:aws:ec2:*:*:volume/*','arn:aws:ec2:*:*:instance/*'],'Condition':{'ArnEquals':{'ec2:SourceInstanceARN':'arn:aws:ec2:*:*:instance/i-1'}}}`, []ask{
			{"ec2:AttachVolume", "arn:aws:ec2:us-east-2:111122223333:volume/v", "ec2:SourceInstanceArn=" + vm, "allow"},
			{"ec2:AttachVolume", "arn:aws:ec2:us-east-2:111122223333:volume/v", "ec2:SourceInstanceArn=" + vm + "2", "implicit"},
			{"ec2:AttachVolume", "arn:aws:ec2:us-east-2:111122223333:volume/v", "", "implicit"},
		}},
		{"reference_policies_examples_iam-add-tag", Identity, `{'Effect':'Allow','Action':'iam:TagUser','Resource':'*','Condition':{'StringEquals':{'iam:ResourceTag/JobFunction':'Manager','aws:RequestTag/Department':['Marketing','Development']},'ForAllValues:StringEquals':{'aws:TagKeys':'Department'}}}`, []ask{
			{"iam:TagUser", bob, "iam:ResourceTag/JobFunction=Manager;aws:RequestTag/Department=Marketing;aws:TagKeys=[Department]", "allow"},
			{"iam:TagUser", bob, "iam:ResourceTag/JobFunction=Manager;aws:RequestTag/Department=Sales;aws:TagKeys=[Department]", "implicit"},
			{"iam:TagUser", bob, "iam:ResourceTag/JobFunction=Manager;aws:RequestTag/Department=Marketing;aws:TagKeys=[Department,x]", "implicit"},
			{"iam:TagUser", bob, "aws:RequestTag/Department=Marketing;aws:TagKeys=[Department]", "implicit"},
		}},
		{"reference_policies_examples_iam-passrole-service", Identity, `{'Effect':'Allow','Action':'iam:PassRole','Resource':'*','Condition':{'StringEquals':{'iam:PassedToService':'cloudwatch.amazonaws.com'}}}`, []ask{
			{"iam:PassRole", opsRole, "iam:PassedToService=cloudwatch.amazonaws.com", "allow"},
			{"iam:PassRole", opsRole, "iam:PassedToService=ec2.amazonaws.com", "implicit"},
			{"iam:PassRole", opsRole, "", "implicit"},
		}},
		{"reference_policies_examples_iam_limit-managed", Identity, `{'Effect':'Allow','Action':['iam:AttachUserPolicy'],'Resource':'*','Condition':{'ArnEquals':{'iam:PolicyARN':['arn:aws:iam::*:policy/one','arn:aws:iam::*:policy/two']}}}`, []ask{
			{"iam:AttachUserPolicy", bob, "iam:PolicyARN=arn:aws:iam::111122223333:policy/two", "allow"},
			{"iam:AttachUserPolicy", bob, "iam:PolicyARN=arn:aws:iam::aws:policy/AdministratorAccess", "implicit"},
		}},
		{"reference_policies_examples_iam_policy-sim-path", Identity, `{'Effect':'Allow','Action':['iam:SimulatePrincipalPolicy'],'Resource':'arn:aws:iam::*:user/Department/Development/*'}`, []ask{
			{"iam:SimulatePrincipalPolicy", "arn:aws:iam::111122223333:user/Department/Development/x", "", "allow"},
			{"iam:SimulatePrincipalPolicy", "arn:aws:iam::111122223333:user/Department/x", "", "implicit"},
		}},
		{"reference_policies_examples_iam_users-manage-group", Identity, `{'Effect':'Allow','Action':'iam:*Group*','Resource':'arn:aws:iam::*:group/AllUsers'},{'Effect':'Deny','Action':['iam:AddUserToGroup'],'Resource':'arn:aws:iam::*:group/AllUsers','Condition':{'StringNotEquals':{'aws:username':['srodriguez','mjackson']}}}`, []ask{
			{"iam:AddUserToGroup", "arn:aws:iam::111122223333:group/AllUsers", "aws:username=mjackson", "allow"},
			{"iam:AddUserToGroup", "arn:aws:iam::111122223333:group/AllUsers", "aws:username=alice", "explicit"},
			{"iam:GetGroup", "arn:aws:iam::111122223333:group/AllUsers", "aws:username=alice", "allow"},
		}},
		{"reference_policies_examples_rds_tag-owner", Identity, `{'Effect':'Allow','Action':['rds:DeleteDBInstance'],'Resource':'*','Condition':{'StringEqualsIgnoreCase':{'rds:db-tag/Owner':'${aws:username}'}}}`, []ask{
			{"rds:DeleteDBInstance", "arn:aws:rds:us-east-2:111122223333:db:d", "rds:db-tag/Owner=ALICE;aws:username=alice", "allow"},
			{"rds:DeleteDBInstance", "arn:aws:rds:us-east-2:111122223333:db:d", "rds:db-tag/Owner=bob;aws:username=alice", "implicit"},
		}},
		{"reference_policies_examples_resource_account_data_exch", SCP, `{'Effect':'Deny','NotAction':['s3:GetObject'],'Resource':'*','Condition':{'StringNotEquals':{'aws:ResourceAccount':['111122223333']}}},
			{'Effect':'Deny','Action':['s3:GetObject'],'Resource':'*','Condition':{'StringNotEquals':{'aws:ResourceAccount':['111122223333']},'ForAllValues:StringNotEquals':{'aws:CalledVia':['dataexchange.amazonaws.com']}}}`, []ask{
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:ResourceAccount=444455556666", "explicit"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:ResourceAccount=444455556666;aws:CalledVia=[dataexchange.amazonaws.com]", "allow"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:ResourceAccount=111122223333", "allow"},
			{"sqs:SendMessage", "arn:aws:sqs:us-east-2:111122223333:q", "aws:ResourceAccount=444455556666;aws:CalledVia=[dataexchange.amazonaws.com]", "explicit"},
		}},
		{"reference_policies_examples_s3_deny-except-bucket", Identity, `{'Effect':'Allow','Action':'s3:*','Resource':['arn:aws:s3:::b','arn:aws:s3:::b/*']},{'Effect':'Deny','NotAction':'s3:*','NotResource':['arn:aws:s3:::b','arn:aws:s3:::b/*']}`, []ask{
			{"s3:PutObject", "arn:aws:s3:::b/a", "", "allow"},
			{"s3:PutObject", "arn:aws:s3:::c/a", "", "implicit"},
			{"ec2:DescribeInstances", "*", "", "explicit"},
		}},
		{"reference_policies_examples_s3_full-access-except-production", Identity, `{'Effect':'Allow','Action':['s3:GetObject'],'Resource':'arn:aws:s3:::*/*'},{'Effect':'Deny','Action':'s3:*','Resource':['arn:aws:s3:::Production/*','arn:aws:s3:::Production'],'Condition':{'NumericGreaterThanIfExists':{'aws:MultiFactorAuthAge':'1800'}}}`, []ask{
			{"s3:GetObject", "arn:aws:s3:::Test/a", "", "allow"},
			{"s3:GetObject", "arn:aws:s3:::Production/a", "", "explicit"},
			{"s3:GetObject", "arn:aws:s3:::Production/a", "aws:MultiFactorAuthAge=1801", "explicit"},
			{"s3:GetObject", "arn:aws:s3:::Production/a", "aws:MultiFactorAuthAge=1800", "allow"},
		}},
		{"reference_policies_examples_s3_home-directory-console", Identity, `{'Effect':'Allow','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b','Condition':{'StringLike':{'s3:prefix':['','home/','home/${aws:username}/*']}}},{'Effect':'Allow','Action':'s3:*','Resource':['arn:aws:s3:::b/home/${aws:username}','arn:aws:s3:::b/home/${aws:username}/*']}`, []ask{
			{"s3:ListBucket", "arn:aws:s3:::b", "s3:prefix=;aws:username=alice", "allow"},
			{"s3:ListBucket", "arn:aws:s3:::b", "s3:prefix=home/alice/x;aws:username=alice", "allow"},
			{"s3:ListBucket", "arn:aws:s3:::b", "s3:prefix=home/bob/x;aws:username=alice", "implicit"},
			{"s3:ListBucket", "arn:aws:s3:::b", "aws:username=alice", "implicit"},
			{"s3:PutObject", "arn:aws:s3:::b/home/alice/x", "aws:username=alice", "allow"},
			{"s3:PutObject", "arn:aws:s3:::b/home/alice2/x", "aws:username=alice", "implicit"},
		}},
		{"reference_policies_condition-keys", Identity, `{'Effect':'Allow','Action':['kms:ReEncrypt*','kms:DescribeKey'],'Resource':'arn:aws:kms:us-east-2:111122223333:alias/k','Condition':{'ForAnyValue:StringEquals':{'aws:CalledVia':['dynamodb.amazonaws.com']}}}`, []ask{
			{"kms:DescribeKey", "arn:aws:kms:us-east-2:111122223333:alias/k", "aws:CalledVia=[cloudformation.amazonaws.com,dynamodb.amazonaws.com]", "allow"},
			{"kms:DescribeKey", "arn:aws:kms:us-east-2:111122223333:alias/k", "aws:CalledVia=[athena.amazonaws.com]", "implicit"},
			{"kms:DescribeKey", "arn:aws:kms:us-east-2:111122223333:alias/k", "", "implicit"},
		}},
		{"reference_policies_condition_examples-multi-valued-context-keys", SCP, `{'Effect':'Deny','Action':['iam:Tag*','iam:UnTag*'],'Resource':['*'],'Condition':{'ForAllValues:StringNotLike':{'aws:TagKeys':'key1*'}}}`, []ask{
			{"iam:TagUser", bob, "aws:TagKeys=[key1:legal]", "allow"},
			{"iam:TagUser", bob, "aws:TagKeys=[key1:hr,key1:personnel]", "allow"},
			{"iam:TagUser", bob, "aws:TagKeys=[key1:hr,key2:audit]", "allow"},
			{"iam:TagUser", bob, "aws:TagKeys=[key2:audit]", "explicit"},
			{"iam:TagUser", bob, "", "explicit"},
		}},
		{"reference_policies_condition_examples-multi-valued-context-keys", SCP, `{'Effect':'Deny','Action':['iam:Tag*'],'Resource':['*'],'Condition':{'ForAllValues:StringNotLike':{'aws:TagKeys':['key1*','key2*']}}}`, []ask{
			{"iam:TagUser", bob, "aws:TagKeys=[key1:legal,key3:x]", "allow"},
			{"iam:TagUser", bob, "aws:TagKeys=[key3:x,key4:y]", "explicit"},
		}},
		{"reference_policies_condition_examples-multi-valued-context-keys", SCP, `{'Effect':'Deny','Action':['ec2:CreateSnapshot'],'Resource':['*'],'Condition':{'ForAnyValue:StringNotLike':{'aws:TagKeys':'environment'}}}`, []ask{
			{"ec2:CreateSnapshot", "*", "aws:TagKeys=[environment]", "allow"},
			{"ec2:CreateSnapshot", "*", "aws:TagKeys=[environment,cost]", "explicit"},
			{"ec2:CreateSnapshot", "*", "", "allow"},
		}},
		{"reference_policies_condition_examples-multi-valued-context-keys", Resource, `{'Effect':'Allow','Principal':'*','Action':'s3:ListBucket','Resource':'arn:aws:s3:::b','Condition':{'ForAllValues:StringLike':{'aws:PrincipalArn':'arn:aws:iam::444455556666:user/admin'},'Null':{'aws:PrincipalArn':'false'}}},{'Effect':'Deny','Principal':'*','NotAction':'s3:ListBucket','Resource':'arn:aws:s3:::b'}`, []ask{
			{"s3:GetBucketAcl", "arn:aws:s3:::b", "", "explicit"},
			{"s3:ListBucket", "arn:aws:s3:::b", "aws:PrincipalArn=arn:aws:iam::444455556666:user/admin", "allow"},
		}},
		{"reference_policies_evaluation-logic", Identity, `{'Effect':'Allow','Action':'s3:*','Resource':['arn:aws:s3:::carlossalazar/*','arn:aws:s3:::carlossalazar']},{'Effect':'Deny','Action':'s3:*','Resource':'arn:aws:s3:::*log*'}`, []ask{
			{"s3:PutObject", "arn:aws:s3:::carlossalazar-logs/f", "", "explicit"},
			{"s3:PutObject", "arn:aws:s3:::carlossalazar/f", "", "allow"},
		}},
		{"reference_policies_elements_notaction", Identity, `{'Effect':'Allow','NotAction':'iam:*','Resource':'*'}`, []ask{
			{"s3:PutObject", "arn:aws:s3:::b/a", "", "allow"},
			{"IAM:GetUser", user, "", "implicit"},
		}},
		{"reference_policies_elements_principal", Resource, `{'Effect':'Deny','Action':'s3:*','Principal':'*','Resource':['arn:aws:s3:::b/*','arn:aws:s3:::b'],'Condition':{'ArnNotEquals':{'aws:PrincipalArn':'` + user + `'}}}`, []ask{
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:PrincipalArn=" + user, "allow"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:PrincipalArn=" + bob, "explicit"},
		}},
		{"reference_policies_elements_notprincipal", Resource, `{'Effect':'Deny','NotPrincipal':{'AWS':['` + user + `','arn:aws:iam::111122223333:root']},'Action':'s3:*','Resource':['arn:aws:s3:::b','arn:aws:s3:::b/*']}`, []ask{
			{"s3:GetObject", "arn:aws:s3:::b/a", "", "allow"},
		}},
		{"reference_policies_elements_notprincipal", Resource, `{'Effect':'Deny','NotPrincipal':{'AWS':['` + bob + `','arn:aws:iam::444455556666:root']},'Action':'s3:*','Resource':['arn:aws:s3:::b','arn:aws:s3:::b/*']}`, []ask{
			{"s3:GetObject", "arn:aws:s3:::b/a", "", "explicit"},
		}},
		{"access_policies_boundaries", Boundary, `{'Effect':'Allow','Action':['s3:*','cloudwatch:*','ec2:*'],'Resource':'*'}`, []ask{
			{"iam:CreateUser", bob, "", "implicit"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "", "allow"},
		}},
		{"access_policies_boundaries", Identity, `{'Effect':'Allow','Action':['iam:CreateUser','iam:AttachUserPolicy'],'Resource':'*','Condition':{'StringEquals':{'iam:PermissionsBoundary':'arn:aws:iam::111122223333:policy/XCompanyBoundaries'}}},
			{'Effect':'Allow','Action':['iam:GetUser'],'NotResource':'arn:aws:iam::111122223333:user/Maria'},{'Effect':'Deny','Action':'iam:DeleteUserPermissionsBoundary','Resource':'*'}`, []ask{
			{"iam:CreateUser", bob, "iam:PermissionsBoundary=arn:aws:iam::111122223333:policy/XCompanyBoundaries", "allow"},
			{"iam:CreateUser", bob, "iam:PermissionsBoundary=arn:aws:iam::111122223333:policy/Other", "implicit"},
			{"iam:CreateUser", bob, "", "implicit"},
			{"iam:GetUser", "arn:aws:iam::111122223333:user/Maria", "", "implicit"},
			{"iam:GetUser", bob, "", "allow"},
			{"iam:DeleteUserPermissionsBoundary", bob, "", "explicit"},
		}},
		{"orgs_manage_policies_scps_examples_general", SCP, `{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'StringLike':{'aws:PrincipalArn':['arn:aws:iam::*:root']}}}`, []ask{
			{"ec2:RunInstances", "*", "aws:PrincipalArn=arn:aws:iam::111122223333:root", "explicit"},
			{"ec2:RunInstances", "*", "aws:PrincipalArn=" + user, "allow"},
		}},
		{"orgs_manage_policies_rcps_examples", RCP, `{'Effect':'Deny','Principal':'*','Action':['s3:*','sqs:*'],'Resource':'*','Condition':{'StringNotEqualsIfExists':{'aws:PrincipalOrgID':'o-1'},'BoolIfExists':{'aws:PrincipalIsAWSService':'false'}}}`, []ask{
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:PrincipalOrgID=o-1;aws:PrincipalIsAWSService=false", "allow"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:PrincipalOrgID=o-2;aws:PrincipalIsAWSService=false", "explicit"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:PrincipalIsAWSService=false", "explicit"},
			{"s3:GetObject", "arn:aws:s3:::b/a", "aws:PrincipalIsAWSService=true", "allow"},
		}},
	} {
		t.Run(e.page, func(t *testing.T) {
			strict(t, e.kind, e.doc)
			for _, a := range e.asks {
				if got := e.decide(t, a); got != a.want {
					t.Errorf("%s on %s with %s = %s, want %s", a.action, a.resource, a.context, got, a.want)
				}
			}
		})
	}
}

// strict checks that a published policy could be stored.
func strict(t *testing.T, kind Kind, doc string) {
	t.Helper()
	if _, err := Parse([]byte(strings.ReplaceAll(version2012Doc(doc), "'", `"`)), kind); err != nil {
		t.Errorf("Parse = %v", err)
	}
}

func (e *example) decide(t *testing.T, a ask) string {
	t.Helper()
	policies := on{e.kind: {e.doc}}
	switch e.kind {
	case SCP:
		policies[SCP] = []string{allowAll + "," + e.doc}
		policies[Identity] = []string{allowAll}
	case Resource, RCP, Boundary:
		policies[Identity] = []string{allowAll}
	}
	c := decideCase{who: alice, action: a.action, resource: a.resource, owner: home, on: policies}
	if a.context != "" {
		c.context = strings.Split(a.context, ";")
	}
	got, _, _ := strings.Cut(c.decide(t), ":")
	return got
}
