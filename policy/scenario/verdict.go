package scenario

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

// The decisions, as iam:SimulateCustomPolicy would spell them in capitals.
const (
	Allowed          = "Allowed"
	ImplicitlyDenied = "ImplicitlyDenied"
	ExplicitlyDenied = "ExplicitlyDenied"
)

// Verdict is a scenario's answer. Its JSON is what `policy decide` writes.
type Verdict struct {
	Decision string `json:"decision"`
	// DecidedBy is the type of policy that allowed, that denied, or whose lack
	// of an Allow denied, as AWS's messages name it; or what else decided.
	DecidedBy string `json:"decidedBy"`
	Policy    string `json:"policy,omitempty"`    // the deciding policy's name
	Statement *int   `json:"statement,omitempty"` // the deciding statement, from 0

	// The rest is there if an explanation was asked for.

	Message  string            `json:"message,omitempty"`  // of AWS's access-denied error
	Policies []ExplainedPolicy `json:"policies,omitempty"` // in the order they are asked
	// Change are the statements to change for the other answer: those that
	// deny, or those of the kind that lacks an Allow which come nearest to one.
	Change []Place `json:"change,omitempty"`
}

// What decides where no policy's statement does.
const (
	byRoot        = "root user"
	byNobody      = "no permission needed"
	byCredentials = "kind of credentials"
	byWork        = "too much work"
	byAWS         = "protected by AWS"
)

// Decides tells the words that DecidedBy may be.
func Decides(word string) bool {
	for kind := policy.Identity; kind <= policy.Endpoint; kind++ {
		if word == kind.String() {
			return true
		}
	}
	return slices.Contains([]string{byRoot, byNobody, byCredentials, byWork, byAWS}, word)
}

// verdict puts a decision in words.
func (j *Judge) verdict(d policy.Decision) *Verdict { return VerdictOn(&j.question.Request, d) }

// VerdictOn puts a decision on a request in words.
func VerdictOn(r *policy.Request, d policy.Decision) *Verdict {
	v := &Verdict{Decision: ImplicitlyDenied, DecidedBy: d.By.String(), Policy: d.PolicyID}
	switch {
	case d.Allowed && Protected(r.Action, r.Resource):
		return &Verdict{Decision: ImplicitlyDenied, DecidedBy: byAWS}
	case d.Allowed:
		v.Decision = Allowed
	case d.Explicit:
		v.Decision = ExplicitlyDenied
	}
	switch {
	case d.Barred:
		v.DecidedBy = byCredentials
	case d.TooDear:
		v.DecidedBy = byWork
	case d.By == 0 && strings.HasPrefix(strings.ToLower(r.Action), "sts:get"):
		v.DecidedBy = byNobody
	case d.By == 0:
		v.DecidedBy = byRoot
	}
	if d.Statement >= 0 {
		v.Statement = &d.Statement
	}
	return v
}

// Protected tells what AWS lets no customer change, whatever the policies say:
// its own managed policies, the roles of IAM Identity Center, the aliases of
// its own keys. The services check that after the policies.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
// https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html
func Protected(action, on string) bool {
	arn, err := aws.ParseARN(on)
	if err != nil {
		return false
	}
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	resource := arn.Resource
	switch service {
	case "iam":
		if arn.Account == "aws" && strings.HasPrefix(resource, "policy/") {
			return changesPolicy[name]
		}
		return strings.HasPrefix(strings.ToLower(resource), "role/aws-reserved/") && changesRole[name]
	case "kms":
		return strings.HasPrefix(strings.ToLower(resource), "alias/aws/") && changesAlias[name]
	}
	return false
}

var (
	changesPolicy = set("createpolicy createpolicyversion deletepolicy deletepolicyversion setdefaultpolicyversion tagpolicy untagpolicy")
	changesRole   = set("attachrolepolicy createrole createservicelinkedrole deleterole deleterolepermissionsboundary " +
		"deleterolepolicy deleteservicelinkedrole detachrolepolicy passrole putrolepermissionsboundary putrolepolicy tagrole " +
		"untagrole updateassumerolepolicy updaterole updateroledescription")
	changesAlias = set("createalias deletealias updatealias")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}
