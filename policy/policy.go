// Package policy is AWS's policy language: it parses documents, compiles them,
// and decides requests. It is pure (no I/O, no clock, no chance) and knows no
// service: whoever calls it gathers the policies and the request's context.
//
// A document is parsed once (Parse), compiled once (Compile) and then decides
// any number of requests on any number of goroutines (Decide), without
// allocating and looking only at statements whose action can match.
//
// What is not here: which policies apply to whom (service/iam, gateway), and
// what a service checks before it stores a policy beyond the language itself.
package policy

// Kind is a type of policy. It decides what a document may hold and what part
// its verdict plays.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html
type Kind uint8

// The kinds. The zero Kind is none.
const (
	Identity Kind = iota + 1 // of a user, group or role
	Trust                    // a role's trust policy
	Resource                 // a bucket's, key's, queue's …
	Boundary                 // permissions boundary
	Session                  // passed when a session was made
	SCP                      // service control policy
	RCP                      // resource control policy
	Endpoint                 // of a VPC endpoint
)

// String is the kind as AWS's access-denied messages name it.
func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity-based policy"
	case Trust:
		return "role trust policy"
	case Resource:
		return "resource-based policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case SCP:
		return "service control policy"
	case RCP:
		return "resource control policy"
	case Endpoint:
		return "VPC endpoint policy"
	}
	return "policy"
}
