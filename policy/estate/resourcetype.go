package estate

import (
	"regexp"
	"strings"
	"sync"
)

// resourceType is a type of resource as ARNs have it: partition, Region and
// account stand between braces, what names the resource is {}. A path's own
// resource is one that it makes or picks, so its name is any that a policy takes.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
type resourceType string

const (
	apprunnerService resourceType = "arn:{partition}:apprunner:{region}:{account}:service/{}/{}"
	codeInterpreter  resourceType = "arn:{partition}:bedrock-agentcore:{region}:{account}:code-interpreter-custom/{}"
	stack            resourceType = "arn:{partition}:cloudformation:{region}:{account}:stack/{}/{}"
	stackSet         resourceType = "arn:{partition}:cloudformation:{region}:{account}:stackset/{}:{}"
	buildProject     resourceType = "arn:{partition}:codebuild:{region}:{account}:project/{}"
	pipeline         resourceType = "arn:{partition}:datapipeline:{region}:{account}:pipeline/{}"
	instance         resourceType = "arn:{partition}:ec2:{region}:{account}:instance/{}"
	image            resourceType = "arn:{partition}:ec2:{region}::image/{}"
	networkInterface resourceType = "arn:{partition}:ec2:{region}:{account}:network-interface/{}"
	securityGroup    resourceType = "arn:{partition}:ec2:{region}:{account}:security-group/{}"
	subnet           resourceType = "arn:{partition}:ec2:{region}:{account}:subnet/{}"
	spotRequest      resourceType = "arn:{partition}:ec2:{region}:{account}:spot-instances-request/{}"
	launchTemplate   resourceType = "arn:{partition}:ec2:{region}:{account}:launch-template/{}"
	ecsCluster       resourceType = "arn:{partition}:ecs:{region}:{account}:cluster/{}"
	taskDefinition   resourceType = "arn:{partition}:ecs:{region}:{account}:task-definition/{}:{}"
	ecsService       resourceType = "arn:{partition}:ecs:{region}:{account}:service/{}/{}"
	devEndpoint      resourceType = "arn:{partition}:glue:{region}:{account}:devEndpoint/{}"
	glueJob          resourceType = "arn:{partition}:glue:{region}:{account}:job/{}"
	glueTrigger      resourceType = "arn:{partition}:glue:{region}:{account}:trigger/{}"
	function         resourceType = "arn:{partition}:lambda:{region}:{account}:function:{}"
	notebook         resourceType = "arn:{partition}:sagemaker:{region}:{account}:notebook-instance/{}"
	notebookConfig   resourceType = "arn:{partition}:sagemaker:{region}:{account}:notebook-instance-lifecycle-config/{}"
	trainingJob      resourceType = "arn:{partition}:sagemaker:{region}:{account}:training-job/{}"
	processingJob    resourceType = "arn:{partition}:sagemaker:{region}:{account}:processing-job/{}"
	commandDocument  resourceType = "arn:{partition}:ssm:{region}::document/AWS-RunShellScript" // AWS's own
)

// maxName bounds what names a resource in a pattern that is tried.
const maxName = 512

// anyName is a name that a resource may have, and that no policy names.
const anyName = "any-name"

// in fills in where a resource is.
func (r resourceType) in(partition, region, account string) string {
	text := strings.Replace(string(r), "{partition}", partition, 1)
	text = strings.Replace(text, "{region}", region, 1)
	return strings.Replace(text, "{account}", account, 1)
}

// named is a resource of the type with a name that no policy has.
func (r resourceType) named(partition, region, account string) string {
	return strings.ReplaceAll(r.in(partition, region, account), "{}", anyName)
}

var typeForms sync.Map // of resourceType: *regexp.Regexp for what stands after the fifth colon

func (r resourceType) form() *regexp.Regexp {
	if form, ok := typeForms.Load(r); ok {
		return form.(*regexp.Regexp)
	}
	rest := strings.SplitN(string(r), ":", 6)[5]
	form := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(rest), `\{\}`, `[^/:*?]+`) + "$")
	typeForms.Store(r, form)
	return form
}

// match makes, of a pattern in a policy, a resource of the type that it
// covers; "" if it covers none in that place, or none whose name can be told.
func (r resourceType) match(pattern, partition, region, account string) string {
	want := strings.SplitN(r.in(partition, region, account), ":", 6)
	have := strings.SplitN(pattern, ":", 6)
	if len(have) < 6 {
		return ""
	}
	for i := range 5 {
		if !covers(have[i], want[i]) {
			return ""
		}
	}
	if len(have[5]) > maxName {
		return ""
	}
	for _, filling := range [...]string{"x", "x/x", "x:x", "", "x/x/x"} {
		rest := strings.ReplaceAll(strings.ReplaceAll(have[5], "*", filling), "?", "x")
		if r.form().MatchString(rest) {
			return strings.Join(append(want[:5:5], rest), ":")
		}
	}
	return ""
}

// covers tells whether a pattern with * and ? covers a text.
func covers(pattern, text string) bool {
	p, t, star, back := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || strings.EqualFold(pattern[p:p+1], text[t:t+1])):
			p++
			t++
		case star >= 0:
			back++
			p, t = star+1, back
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
