package scenario

import (
	"errors"
	"fmt"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

// Request is a request as it is written down.
type Request struct {
	// Principal is an ARN (user, role, role session, federated user, root,
	// SAML or OIDC provider), a service principal, the host name of a web
	// identity provider, or "anonymous". A role's ARN stands for a session of it.
	Principal string
	Action    string // "s3:GetObject"
	Resource  string // an ARN; "*" for an action that names none
	// ResourceAccount owns the resource. Empty: the ARN's account, or where it
	// has none the caller's own.
	ResourceAccount string
	// Context are the condition keys, taken as they are given. What the
	// request itself says (aws:PrincipalArn, aws:ResourceAccount …) is added
	// unless it is there.
	Context []Key
}

// Key is a condition key of a request.
type Key struct {
	Name   string
	Values []string
	List   bool // multivalued; else there is one value
}

// Bounds on a request.
const (
	maxText = 4096
	maxKeys = 512
)

// question is a request ready to be decided. Its memory is used again.
type question struct {
	policy.Request
	context   policy.Context
	principal aws.Principal
	session   aws.Session
}

// ask prepares the request.
func (q *question) ask(r *Request) error {
	if err := r.Check(); err != nil {
		return err
	}
	q.Request = policy.Request{Action: r.Action, Resource: r.Resource, ResourceAccount: r.ResourceAccount, Context: &q.context}
	if err := q.setPrincipal(r); err != nil {
		return err
	}
	q.setOwner()
	q.setContext(r)
	return nil
}

// Check refuses what is no request, whoever the principal is.
func (r *Request) Check() error {
	service, name, ok := strings.Cut(r.Action, ":")
	switch {
	case !ok || service == "" || name == "" || strings.ContainsAny(r.Action, "*? \t\r\n") || strings.Contains(name, ":"):
		return fmt.Errorf("%q is no action", shorten(r.Action))
	case len(r.Action) > maxText || len(r.Resource) > maxText || len(r.Principal) > maxText:
		return fmt.Errorf("action, resource and principal have at most %d bytes", maxText)
	case len(r.Context) > maxKeys:
		return fmt.Errorf("a context has at most %d keys", maxKeys)
	case r.ResourceAccount != "" && r.ResourceAccount != "aws" && !aws.IsAccount(r.ResourceAccount):
		return fmt.Errorf("%q is no account", shorten(r.ResourceAccount))
	}
	if r.Resource == "*" {
		return nil
	}
	if _, err := aws.ParseARN(r.Resource); err != nil {
		return fmt.Errorf("%q is neither an ARN nor *", shorten(r.Resource))
	}
	return nil
}

// setOwner finds the resource's account: AWS leaves it out of S3's ARNs.
func (q *question) setOwner() {
	if q.ResourceAccount != "" || q.Resource == "*" {
		return
	}
	if arn, err := aws.ParseARN(q.Resource); err == nil && arn.Account != "" {
		q.ResourceAccount = arn.Account
	} else if q.Principal != nil {
		q.ResourceAccount = q.Principal.Account
	}
}

// Caller is who a principal's name stands for, and the identity provider that
// it may be besides or instead; of anonymous callers there is neither.
func Caller(name string) (*aws.Principal, string, error) {
	var q question
	err := q.setPrincipal(&Request{Principal: name})
	return q.Principal, q.Provider, err
}

var errPrincipal = errors.New("it is no user, role, session, federated user, root or identity provider")

// setPrincipal finds who the principal's name stands for.
func (q *question) setPrincipal(r *Request) error {
	name := r.Principal
	if name == "anonymous" {
		return nil
	}
	if !strings.HasPrefix(name, "arn:") {
		return q.setNamed(name)
	}
	arn, err := aws.ParseARN(name)
	if err == nil {
		err = q.setARN(&arn, r)
	}
	if err != nil {
		return fmt.Errorf("principal %q: %w", shorten(name), err)
	}
	return nil
}

// setNamed takes the name of a service or of a web identity provider. Some are
// both (cognito-identity.amazonaws.com): a policy's Service and Federated each
// name such a caller.
func (q *question) setNamed(name string) error {
	if !strings.Contains(name, ".") || strings.ContainsAny(name, "*? :\t\r\n") {
		return fmt.Errorf("%q is no principal", shorten(name))
	}
	q.Provider = name
	if !strings.Contains(name, "/") {
		q.principal = aws.Principal{Kind: aws.ServiceCaller, Name: name}
		q.Principal = &q.principal
	}
	return nil
}

func (q *question) setARN(arn *aws.ARN, r *Request) error {
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	if arn.Service == "iam" && (kind == "saml-provider" || kind == "oidc-provider") && rest != "" {
		q.Provider = r.Principal
		return nil
	}
	p := &q.principal
	*p = aws.Principal{Partition: arn.Partition, Account: arn.Account, ARN: r.Principal, ID: r.value("aws:userid")}
	q.Principal = p
	switch {
	case arn.Account == "" || arn.Region != "" || strings.ContainsAny(r.Principal, "*? \t\r\n"):
		return errPrincipal
	case arn.Service == "iam" && arn.Resource == "root":
		p.Kind, p.ID = aws.Root, arn.Account
	case rest == "" || strings.HasSuffix(rest, "/"):
		return errPrincipal
	case arn.Service == "iam" && kind == "user":
		p.Kind, p.Name = aws.User, lastName(rest)
	case arn.Service == "iam" && kind == "role":
		p.Kind, p.ARN = aws.AssumedRole, ""
		q.session = aws.Session{RoleARN: r.Principal, RoleID: roleID(p.ID)}
		p.Session = &q.session
	case arn.Service == "sts" && kind == "assumed-role":
		role, session, ok := strings.Cut(rest, "/")
		if !ok || role == "" || session == "" {
			return errPrincipal
		}
		p.Kind = aws.AssumedRole
		if given := r.value("aws:PrincipalArn"); isRole(given, arn, role) {
			q.session = aws.Session{RoleARN: given, RoleID: roleID(p.ID), RoleName: role, Name: session}
			p.Session = &q.session
		}
	case arn.Service == "sts" && kind == "federated-user":
		p.Kind = aws.FederatedUser
		q.session = aws.Session{IssuerARN: "arn:" + arn.Partition + ":iam::" + arn.Account + ":user/" + rest}
		p.Session = &q.session
	default:
		return errPrincipal
	}
	return nil
}

// isRole tells whether text is the ARN, under any path, of the role that a session's ARN names.
func isRole(text string, session *aws.ARN, role string) bool {
	arn, err := aws.ParseARN(text)
	return err == nil && arn.Service == "iam" && arn.Partition == session.Partition && arn.Account == session.Account &&
		strings.HasPrefix(arn.Resource, "role/") && lastName(arn.Resource) == role
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// roleID is the part of aws:userid that is the role's, where it has one.
func roleID(userID string) string {
	id, _, _ := strings.Cut(userID, ":")
	return id
}

// value is a single-valued key's value, "" if it has none.
func (r *Request) value(key string) string {
	for i := range r.Context {
		if k := &r.Context[i]; !k.List && strings.EqualFold(k.Name, key) {
			return k.Values[0]
		}
	}
	return ""
}

// shorten keeps what a message repeats short.
func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
