package trail

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Identity is p as a record names its caller.
func Identity(p *aws.Principal) UserIdentity {
	u := UserIdentity{
		Type: string(p.Kind), PrincipalID: p.ID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: p.AccessKeyID,
	}
	switch p.Kind {
	case aws.Anonymous: // as S3 records callers without a signature
		return UserIdentity{Type: string(aws.AccountCaller), PrincipalID: "ANONYMOUS_PRINCIPAL", AccountID: "anonymous"}
	case aws.ServiceCaller:
		return UserIdentity{Type: string(aws.ServiceCaller), InvokedBy: p.Name}
	case aws.AccountCaller:
		return UserIdentity{Type: string(aws.AccountCaller), PrincipalID: p.ID, AccountID: p.Account}
	case aws.User:
		u.UserName = p.Name
	}
	s := p.Session
	if s == nil {
		return u
	}
	u.SessionContext = &SessionContext{
		CreationDate: s.IssuedAt, MFAAuthenticated: !s.MFAAt.IsZero(), SourceIdentity: s.SourceIdentity, AssumedRoot: s.TaskPolicy != "",
	}
	switch {
	case s.RoleARN != "":
		u.SessionContext.SessionIssuer = &SessionIssuer{
			Type: "Role", PrincipalID: s.RoleID, ARN: s.RoleARN, AccountID: p.Account, UserName: s.RoleName,
		}
		if s.Provider != "" && !strings.Contains(s.Provider, ":saml-provider/") {
			u.SessionContext.WebIDFederationData = &WebIDFederationData{FederatedProvider: s.Provider}
		}
	case p.Kind == aws.FederatedUser && s.IssuerARN != "":
		u.SessionContext.SessionIssuer = issuerOf(s)
	}
	return u
}

// issuerOf is the user, or root, who made a federated session.
func issuerOf(s *aws.Session) *SessionIssuer {
	i := &SessionIssuer{ARN: s.IssuerARN, PrincipalID: s.IssuerID}
	a, err := aws.ParseARN(s.IssuerARN)
	if err != nil {
		return i
	}
	i.AccountID = a.Account
	kind, name, _ := cutLast(a.Resource)
	switch kind {
	case "root":
		i.Type = string(aws.Root)
	case "user":
		i.Type, i.UserName = string(aws.User), name
	}
	return i
}

// cutLast splits "user/a/b/name" into "user" and "name".
func cutLast(resource string) (kind, name string, found bool) {
	for i := len(resource) - 1; i >= 0; i-- {
		if resource[i] != '/' {
			continue
		}
		name = resource[i+1:]
		for j := range i + 1 {
			if resource[j] == '/' {
				return resource[:j], name, true
			}
		}
	}
	return resource, "", false
}
