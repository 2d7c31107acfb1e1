package cloudtrail

import (
	"encoding/json"
	"strings"

	"github.com/garrison-security/garrison/trail"
)

// resource is one that look-ups show beside an event.
type resource struct{ kind, name string }

// maxResources bounds what is shown and indexed of one event, so that a batch
// of the consumer stays within a transaction. AWS documents no bound.
const maxResources = 16

// rule says that a text of the record's parameters or answer names a resource.
type rule struct {
	path string // of members, "user.arn"
	kind string
}

// rules are, per event source, what names resources besides the record's own
// resources: most records have none, and look-ups show what parameters and
// answer name.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-supported-resource-types.html
var rules = map[string]struct{ request, response []rule }{
	"iam.amazonaws.com": {
		request: []rule{
			{"userName", "AWS::IAM::User"},
			{"newUserName", "AWS::IAM::User"},
			{"groupName", "AWS::IAM::Group"},
			{"newGroupName", "AWS::IAM::Group"},
			{"roleName", "AWS::IAM::Role"},
			{"policyArn", "AWS::IAM::Policy"},
			{"policyName", "AWS::IAM::Policy"},
			{"accessKeyId", "AWS::IAM::AccessKey"},
			{"instanceProfileName", "AWS::IAM::InstanceProfile"},
		},
		response: []rule{
			{"user.arn", "AWS::IAM::User"},
			{"user.userId", "AWS::IAM::User"},
			{"group.arn", "AWS::IAM::Group"},
			{"group.groupId", "AWS::IAM::Group"},
			{"role.arn", "AWS::IAM::Role"},
			{"role.roleId", "AWS::IAM::Role"},
			{"policy.arn", "AWS::IAM::Policy"},
			{"policy.policyId", "AWS::IAM::Policy"},
			{"accessKey.accessKeyId", "AWS::IAM::AccessKey"},
			{"accessKey.userName", "AWS::IAM::User"},
			{"instanceProfile.arn", "AWS::IAM::InstanceProfile"},
		},
	},
	"sts.amazonaws.com": {
		request: []rule{
			{"roleSessionName", "AWS::STS::AssumedRole"},
			{"roleArn", "AWS::IAM::Role"},
		},
		response: []rule{
			{"credentials.accessKeyId", "AWS::IAM::AccessKey"},
			{"assumedRoleUser.assumedRoleId", "AWS::STS::AssumedRole"},
			{"assumedRoleUser.arn", "AWS::STS::AssumedRole"},
		},
	},
}

// resources are those that e names, each once.
func resources(e *trail.Event) []resource {
	var found []resource
	add := func(r resource) {
		if r.name == "" || len(found) == maxResources {
			return
		}
		for _, have := range found {
			if have == r {
				return
			}
		}
		found = append(found, r)
	}
	for i := range e.Resources {
		add(resource{e.Resources[i].Type, e.Resources[i].ARN})
	}
	if of, ok := rules[e.EventSource]; ok {
		named(e.RequestParameters, of.request, add)
		named(e.ResponseElements, of.response, add)
	}
	return found
}

// named adds what rules find in a JSON object.
func named(object []byte, by []rule, add func(resource)) {
	if len(object) < len(`{"a":"b"}`) {
		return
	}
	var members map[string]any
	if json.Unmarshal(object, &members) != nil {
		return
	}
	for _, r := range by {
		if name, ok := textAt(members, r.path); ok {
			add(resource{r.kind, name})
		}
	}
}

func textAt(members map[string]any, path string) (string, bool) {
	for {
		first, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			text, ok := members[first].(string)
			return text, ok
		}
		inner, ok := members[first].(map[string]any)
		if !ok {
			return "", false
		}
		members, path = inner, rest
	}
}
