package scenario

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// setContext fills the request's condition keys: those given, then those that
// the request says itself.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (q *question) setContext(r *Request) {
	x := &q.context
	x.Reset()
	for i := range r.Context {
		k := &r.Context[i]
		if k.List {
			x.SetList(k.Name, k.Values...)
		} else {
			x.Set(k.Name, k.Values[0])
		}
	}
	q.derive("aws:ResourceAccount", q.ownerKey())
	p := q.Principal
	switch {
	case p == nil && q.Provider == "":
		q.derive("aws:PrincipalType", "Anonymous")
		q.derive("aws:PrincipalAccount", "anonymous")
		q.derive("aws:userid", "anonymous")
		return
	case p == nil:
		return
	case p.Kind == aws.ServiceCaller:
		if !strings.HasPrefix(strings.ToLower(q.Action), "sts:assumerolewith") {
			q.derive("aws:PrincipalIsAWSService", "true")
			q.derive("aws:PrincipalServiceName", p.Name)
		}
		return
	}
	q.derive("aws:PrincipalIsAWSService", "false")
	q.derive("aws:PrincipalAccount", p.Account)
	q.derive("aws:PrincipalArn", principalARN(p))
	q.derive("aws:userid", p.ID)
	switch p.Kind {
	case aws.Root:
		q.derive("aws:PrincipalType", "Account")
	case aws.User:
		q.derive("aws:PrincipalType", "User")
		q.derive("aws:username", p.Name)
	case aws.AssumedRole:
		q.derive("aws:PrincipalType", "AssumedRole")
	case aws.FederatedUser:
		q.derive("aws:PrincipalType", "FederatedUser")
	}
}

// derive sets a key that was not given, if there is something to set.
func (q *question) derive(key, value string) {
	if value != "" && !q.context.Has(key) {
		q.context.Set(key, value)
	}
}

// ownerKey is aws:ResourceAccount: of a call without resource the caller's account.
func (q *question) ownerKey() string {
	if q.ResourceAccount == "" && q.Principal != nil {
		return q.Principal.Account
	}
	return q.ResourceAccount
}

// principalARN is aws:PrincipalArn: of a session the role's, which has no path
// that a session's ARN would tell.
func principalARN(p *aws.Principal) string {
	if p.Kind != aws.AssumedRole {
		return p.ARN
	}
	if p.Session != nil {
		return p.Session.RoleARN
	}
	role, _, _ := strings.Cut(strings.TrimPrefix(p.ARN[strings.LastIndexByte(p.ARN, ':')+1:], "assumed-role/"), "/")
	return "arn:" + p.Partition + ":iam::" + p.Account + ":role/" + role
}
