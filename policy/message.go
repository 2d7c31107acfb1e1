package policy

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Message is the text of AWS's access-denied error for a denied request. It
// names the kind of policy that denied, and for an explicit Deny the policy if
// its id is an ARN; PolicyID must be empty where the caller may not know it (a
// guardrail of another organisation).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (d Decision) Message(r *Request) string {
	if r.Provider != "" && strings.HasPrefix(lowerASCII(r.Action), "sts:assumerolewith") {
		return "Not authorized to perform " + r.Action
	}
	var b strings.Builder
	b.WriteString("User: " + who(r) + " is not authorized to perform: " + r.Action)
	if d.hidesKey(r) {
		b.WriteString(" on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access")
		return b.String()
	}
	if r.Resource != "" && r.Resource != "*" {
		b.WriteString(" on resource: " + r.Resource)
	}
	switch {
	case d.Barred || d.TooDear:
	case d.Explicit:
		b.WriteString(" with an explicit deny in " + article(d.By) + d.By.String())
		if strings.HasPrefix(d.PolicyID, "arn:") && d.By != Resource && d.By != Trust && d.By != Endpoint {
			b.WriteString(": " + d.PolicyID)
		}
	default:
		b.WriteString(" because no " + d.By.String() + " allows the " + r.Action + " action")
	}
	return b.String()
}

// hidesKey tells where KMS does not say why: another account's key.
func (d Decision) hidesKey(r *Request) bool {
	arn, err := aws.ParseARN(r.Resource)
	return err == nil && d.By == Resource && arn.Service == "kms" && r.Principal != nil && arn.Account != r.Principal.Account
}

func who(r *Request) string {
	switch p := r.Principal; {
	case p == nil || p.Kind == aws.Anonymous:
		return "anonymous"
	case p.ARN != "":
		return p.ARN
	default:
		return p.Name
	}
}

func article(k Kind) string {
	switch k {
	case Identity:
		return "an "
	case Trust:
		return "the "
	}
	return "a "
}
