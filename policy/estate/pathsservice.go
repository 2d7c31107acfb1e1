package estate

// A principal that makes a service run something as a role has that role's
// rights: either it passes the role to what it makes, or what it changes runs
// as the role already.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html

// runner is a service that runs things as roles.
type runner struct {
	principal string   // that roles trust
	passedTo  []string // values of iam:PassedToService; nil: the principal
}

var (
	lambdaRuns         = []runner{{principal: "lambda.amazonaws.com"}}
	ec2Runs            = []runner{{principal: "ec2.amazonaws.com"}}
	ecsRuns            = []runner{{principal: "ecs-tasks.amazonaws.com"}}
	glueRuns           = []runner{{principal: "glue.amazonaws.com"}}
	sagemakerRuns      = []runner{{principal: "sagemaker.amazonaws.com"}}
	cloudformationRuns = []runner{{principal: "cloudformation.amazonaws.com"}}
	codebuildRuns      = []runner{{principal: "codebuild.amazonaws.com"}}
	datapipelineRuns   = []runner{{principal: "datapipeline.amazonaws.com"}, {principal: "elasticmapreduce.amazonaws.com"}}
	bedrockRuns        = []runner{{principal: "bedrock-agentcore.amazonaws.com"}}
	// App Runner's guide and AWS's managed policy name the service itself as
	// whom the role is passed to, the trust policy the service's tasks.
	apprunnerRuns = []runner{{principal: "tasks.apprunner.amazonaws.com", passedTo: []string{"apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"}}}
)

// need is an action on a type of resource.
type need struct {
	action string
	types  []resourceType // every one must be allowed; none: the action names no resource
	keys   func(w *workloads) map[string]string
	ofRole bool // the keys tell the role
}

func on(action string, types ...resourceType) need { return need{action: action, types: types} }

func (n need) telling(keys func(w *workloads) map[string]string) need {
	n.keys = keys
	return n
}

// tellingRole is telling of the role that is passed.
func (n need) tellingRole(keys func(w *workloads) map[string]string) need {
	n.ofRole = true
	return n.telling(keys)
}

// serviceRoute is a path through a service.
type serviceRoute struct {
	runners []runner
	passes  bool         // the principal passes the role; else the subject runs as it already
	subject resourceType // what runs as the role
	needs   []need
	profile bool // the role needs an instance profile
	agent   bool // the role must let the instance register with Systems Manager
}

func passing(r []runner, subject resourceType, needs ...need) serviceRoute {
	return serviceRoute{runners: r, passes: true, subject: subject, needs: needs}
}

func existing(r []runner, subject resourceType, needs ...need) serviceRoute {
	return serviceRoute{runners: r, subject: subject, needs: needs}
}

func (x serviceRoute) profiled() serviceRoute { x.profile = true; return x }
func (x serviceRoute) managed() serviceRoute  { x.profile, x.agent = true, true; return x }

func roleArn(w *workloads) map[string]string {
	return map[string]string{"cloudformation:RoleArn": w.role.arn}
}

func functionArn(w *workloads) map[string]string {
	return map[string]string{"lambda:FunctionArn": w.at(function)}
}

func inCluster(w *workloads) map[string]string {
	return map[string]string{"ecs:cluster": w.at(ecsCluster)}
}

func serviceInCluster(w *workloads) map[string]string {
	return map[string]string{"ecs:cluster": w.at(ecsCluster), "ecs:task-definition": w.at(taskDefinition)}
}

func instanceProfile(w *workloads) map[string]string {
	return map[string]string{"ec2:InstanceProfile": w.profile}
}

func init() {
	run := []resourceType{instance, image, networkInterface, securityGroup, subnet}
	for id, r := range map[string]serviceRoute{
		"apprunner-001": passing(apprunnerRuns, apprunnerService, on("apprunner:CreateService", apprunnerService)),
		"apprunner-002": existing(apprunnerRuns, apprunnerService, on("apprunner:UpdateService", apprunnerService)),

		"bedrock-001": passing(bedrockRuns, codeInterpreter, on("bedrock-agentcore:CreateCodeInterpreter"),
			on("bedrock-agentcore:StartCodeInterpreterSession", codeInterpreter), on("bedrock-agentcore:InvokeCodeInterpreter", codeInterpreter)),
		"bedrock-002": existing(bedrockRuns, codeInterpreter,
			on("bedrock-agentcore:StartCodeInterpreterSession", codeInterpreter), on("bedrock-agentcore:InvokeCodeInterpreter", codeInterpreter)),

		"cloudformation-001": passing(cloudformationRuns, stack, on("cloudformation:CreateStack", stack).tellingRole(roleArn)),
		"cloudformation-002": existing(cloudformationRuns, stack, on("cloudformation:UpdateStack", stack)),
		"cloudformation-003": passing(cloudformationRuns, stackSet, on("cloudformation:CreateStackSet").tellingRole(roleArn), on("cloudformation:CreateStackInstances", stackSet)),
		"cloudformation-004": passing(cloudformationRuns, stackSet, on("cloudformation:UpdateStackSet", stackSet).tellingRole(roleArn)),
		"cloudformation-005": existing(cloudformationRuns, stack, on("cloudformation:CreateChangeSet", stack), on("cloudformation:ExecuteChangeSet", stack)),

		"codebuild-001": passing(codebuildRuns, buildProject, on("codebuild:CreateProject", buildProject), on("codebuild:StartBuild", buildProject)),
		"codebuild-002": existing(codebuildRuns, buildProject, on("codebuild:StartBuild", buildProject)),
		"codebuild-003": existing(codebuildRuns, buildProject, on("codebuild:StartBuildBatch", buildProject)),
		"codebuild-004": passing(codebuildRuns, buildProject, on("codebuild:CreateProject", buildProject), on("codebuild:StartBuildBatch", buildProject)),

		"datapipeline-001": passing(datapipelineRuns, pipeline, on("datapipeline:CreatePipeline"),
			on("datapipeline:PutPipelineDefinition", pipeline), on("datapipeline:ActivatePipeline", pipeline)),

		"ec2-001":                passing(ec2Runs, instance, on("ec2:RunInstances", run...).tellingRole(instanceProfile)).profiled(),
		"ec2-002":                existing(ec2Runs, instance, on("ec2:ModifyInstanceAttribute", instance), on("ec2:StopInstances", instance), on("ec2:StartInstances", instance)).profiled(),
		"ec2-003":                passing(ec2Runs, spotRequest, on("ec2:RequestSpotInstances", spotRequest)).profiled(),
		"ec2-004":                existing(ec2Runs, launchTemplate, on("ec2:CreateLaunchTemplateVersion", launchTemplate), on("ec2:ModifyLaunchTemplate", launchTemplate)).profiled(),
		"ec2instanceconnect-003": existing(ec2Runs, instance, on("ec2-instance-connect:SendSSHPublicKey", instance), on("ec2:DescribeInstances")).profiled(),

		"ecs-001": passing(ecsRuns, taskDefinition, on("ecs:CreateCluster", ecsCluster), on("ecs:RegisterTaskDefinition", taskDefinition), on("ecs:CreateService", ecsService).telling(serviceInCluster)),
		"ecs-002": passing(ecsRuns, taskDefinition, on("ecs:CreateCluster", ecsCluster), on("ecs:RegisterTaskDefinition", taskDefinition), on("ecs:RunTask", taskDefinition).telling(inCluster)),
		"ecs-003": passing(ecsRuns, taskDefinition, on("ecs:RegisterTaskDefinition", taskDefinition), on("ecs:CreateService", ecsService).telling(serviceInCluster)),
		"ecs-004": passing(ecsRuns, taskDefinition, on("ecs:RegisterTaskDefinition", taskDefinition), on("ecs:RunTask", taskDefinition).telling(inCluster)),
		"ecs-005": passing(ecsRuns, taskDefinition, on("ecs:RegisterTaskDefinition", taskDefinition), on("ecs:StartTask", taskDefinition).telling(inCluster)),

		"glue-001": passing(glueRuns, devEndpoint, on("glue:CreateDevEndpoint")),
		"glue-002": existing(glueRuns, devEndpoint, on("glue:UpdateDevEndpoint", devEndpoint)),
		"glue-003": passing(glueRuns, glueJob, on("glue:CreateJob", glueJob), on("glue:StartJobRun", glueJob)),
		"glue-004": passing(glueRuns, glueJob, on("glue:CreateJob", glueJob), on("glue:CreateTrigger", glueTrigger)),
		"glue-005": passing(glueRuns, glueJob, on("glue:UpdateJob", glueJob), on("glue:StartJobRun", glueJob)),
		"glue-006": passing(glueRuns, glueJob, on("glue:UpdateJob", glueJob), on("glue:CreateTrigger", glueTrigger)),

		"lambda-001": passing(lambdaRuns, function, on("lambda:CreateFunction", function), on("lambda:InvokeFunction", function)),
		"lambda-002": passing(lambdaRuns, function, on("lambda:CreateFunction", function), on("lambda:CreateEventSourceMapping").telling(functionArn)),
		"lambda-003": existing(lambdaRuns, function, on("lambda:UpdateFunctionCode", function)),
		"lambda-004": existing(lambdaRuns, function, on("lambda:UpdateFunctionCode", function), on("lambda:InvokeFunction", function)),
		"lambda-005": existing(lambdaRuns, function, on("lambda:UpdateFunctionCode", function), on("lambda:AddPermission", function)),
		"lambda-006": passing(lambdaRuns, function, on("lambda:CreateFunction", function), on("lambda:AddPermission", function)),

		"sagemaker-001": passing(sagemakerRuns, notebook, on("sagemaker:CreateNotebookInstance", notebook)),
		"sagemaker-002": passing(sagemakerRuns, trainingJob, on("sagemaker:CreateTrainingJob", trainingJob)),
		"sagemaker-003": passing(sagemakerRuns, processingJob, on("sagemaker:CreateProcessingJob", processingJob)),
		"sagemaker-004": existing(sagemakerRuns, notebook, on("sagemaker:CreatePresignedNotebookInstanceUrl", notebook)),
		"sagemaker-005": existing(sagemakerRuns, notebook, on("sagemaker:CreateNotebookInstanceLifecycleConfig", notebookConfig),
			on("sagemaker:StopNotebookInstance", notebook), on("sagemaker:UpdateNotebookInstance", notebook), on("sagemaker:StartNotebookInstance", notebook)),

		"ssm-001": existing(ec2Runs, instance, on("ssm:StartSession", instance)).managed(),
		"ssm-002": existing(ec2Runs, instance, on("ssm:SendCommand", commandDocument, instance)).managed(),
	} {
		routes[id] = r
	}
}
