package policy

import "github.com/garrison-security/garrison/aws"

// Request is one question: may this principal perform this action on this resource?
type Request struct {
	Action   string // "iam:CreateUser"
	Resource string // an ARN, or "*" where the action names no resource
	// ResourceAccount owns the resource. If empty it is the ARN's account; a
	// "*" is the caller's own.
	ResourceAccount string
	// Principal is who calls; nil is anonymous.
	Principal *aws.Principal
	// Provider is the identity provider that vouches for the caller of
	// AssumeRoleWithSAML (an ARN) and AssumeRoleWithWebIdentity (an ARN or a
	// host name); else empty. Principal is then anonymous.
	Provider string
	// CanonicalUser is the canonical user id of the caller's account, where the
	// service knows such (S3); else empty.
	CanonicalUser string
	Context       *Context // nil: no key has a value
}

// Policies are the policies that apply to a request, as whoever gathered them
// read them. A nil *Policy in a list is one that could not be read: the
// request is denied.
type Policies struct {
	Identity []*Policy // of the user, the user's groups, or the session's role

	Boundary    []*Policy
	HasBoundary bool // there is a boundary, even if Boundary is empty (then nothing is allowed)

	Session    []*Policy
	HasSession bool // session policies were passed, even if Session is empty

	// Resource is the resource's own policy or the role's trust policy; nil: none.
	Resource *Policy
	// Granted: the resource's own grants (KMS's) permit this very request. It
	// counts as an Allow of the resource's policy that names the caller itself.
	Granted bool

	// SCPs of the caller's account and RCPs of the resource's account, a list
	// a level, from the root of the organisation down to the account. Nil: none
	// apply (no organisation, or the management account).
	SCPs, RCPs [][]*Policy

	Endpoint    []*Policy
	HasEndpoint bool // the call came through a VPC endpoint that has a policy
}

// Decision is a request's verdict and what decided it.
type Decision struct {
	Allowed  bool
	Explicit bool // denied by a Deny statement
	// By is the type of policy that allowed, that denied, or whose lack of an
	// Allow denied.
	By Kind
	// PolicyID is the id that the deciding policy was compiled with; empty for
	// an implicit denial.
	PolicyID string
	// Statement is the deciding statement's index in its policy, -1 if none decided.
	Statement int
	// Barred: the caller's kind of credentials may not make this call,
	// whatever the policies (a federated user calling IAM).
	Barred bool
	// TooDear: the policies took more work than a decision may, so the request
	// is denied. Only policies made for it do.
	TooDear bool
}
