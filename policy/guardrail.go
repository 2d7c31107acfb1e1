package policy

import "strings"

// RCPReaches says whether resource control policies reach a service's actions,
// by its prefix.
func RCPReaches(service string) bool { return rcpServices[service] }

// rcpServices are the action prefixes that resource control policies reach.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
var rcpServices = map[string]bool{
	"aoss": true, "appconfig": true, "appstream": true, "autoscaling": true, "autoscaling-plans": true,
	"budgets": true, "clouddirectory": true, "cloudfront": true, "cloudsearch": true, "cloudtrail-data": true,
	"codeartifact": true, "codebuild": true, "codecommit": true, "codepipeline": true, "cognito-identity": true,
	"cognito-idp": true, "comprehend": true, "comprehendmedical": true, "compute-optimizer": true,
	"cost-optimization-hub": true, "dax": true, "dsql": true, "dynamodb": true, "ecr": true, "ecr-public": true,
	"events": true, "firehose": true, "fis": true, "fms": true, "gamelift": true, "health": true,
	"inspector-scan": true, "kendra": true, "kinesisvideo": true, "kms": true, "logs": true, "memorydb": true,
	"networkmonitor": true, "notifications": true, "opensearch": true, "pca-connector-ad": true,
	"personalize": true, "polly": true, "pricing": true, "resource-groups": true, "rolesanywhere": true,
	"s3": true, "secretsmanager": true, "servicediscovery": true, "signin": true, "sqs": true, "sts": true,
	"support": true, "swf": true, "textract": true, "timestream-influxdb": true, "transcribe": true,
	"transfer": true, "translate": true, "wafv2": true, "workspaces": true, "xray": true,
}

// boundBySCP tells whether service control policies limit the caller: they do
// so for the account's users, sessions and root, but not for service-linked
// roles, and have nothing to say of other callers.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
func (e *evaluation) boundBySCP() bool { return e.who.identity && !e.who.serviceLinked() }

// boundByRCP tells whether resource control policies apply to the call.
func (e *evaluation) boundByRCP() bool {
	return rcpServices[string(e.action.prefix())] && !e.action.is("kms:retiregrant") && !e.who.serviceLinked()
}

// serviceLinked tells a service-linked role's session.
func (c *caller) serviceLinked() bool {
	return strings.Contains(c.entity, ":role/aws-service-role/")
}
