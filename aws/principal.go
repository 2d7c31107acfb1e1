package aws

import "time"

// PrincipalKind says what kind of caller a principal is; its text is
// CloudTrail's userIdentity.type.
type PrincipalKind string

// The kinds of caller.
const (
	Anonymous     PrincipalKind = "Anonymous"
	Root          PrincipalKind = "Root"
	User          PrincipalKind = "IAMUser"
	AssumedRole   PrincipalKind = "AssumedRole"
	FederatedUser PrincipalKind = "FederatedUser"
	ServiceCaller PrincipalKind = "AWSService"
	AccountCaller PrincipalKind = "AWSAccount" // of another account, as that account's record names it
)

// Principal is who makes a call. It is immutable once authentication made it.
type Principal struct {
	Kind      PrincipalKind
	Partition string // "aws"
	Account   string // 12 digits; empty for Anonymous and ServiceCaller
	ARN       string // arn:aws:iam::1:user/x, arn:aws:sts::1:assumed-role/r/s, arn:aws:iam::1:root …
	// ID is aws:userid: the account for Root, AIDA… for a user, AROA…:session for a role's session,
	// account:name for a federated user.
	ID          string
	Name        string // the user's name; the service's for ServiceCaller; else empty
	Path        string // the user's path
	AccessKeyID string
	Session     *Session // nil for long-term credentials
}

// Session is what temporary credentials carry besides their holder. It comes
// sealed in the session token, so that any node knows it without a lookup.
type Session struct {
	RoleARN        string // of the assumed role; empty for GetSessionToken and GetFederationToken
	RoleID         string // AROA…
	RoleName       string
	Name           string // the session's name
	IssuedAt       time.Time
	ExpiresAt      time.Time
	MFAAt          time.Time // zero: not authenticated by MFA
	SourceIdentity string
	Tags           map[string]string
	Transitive     []string // keys of Tags that a chained session inherits
	Policies       []string // inline session policies, JSON
	PolicyARNs     []string // managed session policies
	TaskPolicy     string   // AssumeRoot: the ARN of the policy that says what the session is for
	Provider       string   // federated provider, an ARN or a name
	IssuerARN      string   // whose long-term key the session was made with (GetSessionToken, GetFederationToken)
	IssuerID       string   // GetFederationToken: that user's unique id; of root the account
}
