package estate

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy/scenario"
)

// export is what get-account-authorization-details writes, of any number of
// accounts and pages. Members that bear on no decision are passed over.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
type export struct {
	UserDetailList  []exportedUser
	GroupDetailList []exportedEntity
	RoleDetailList  []exportedRole
	Policies        []exportedPolicy
}

type exportedEntity struct {
	Arn, GroupName          string
	GroupPolicyList         []inlinePolicy
	AttachedManagedPolicies []attachedPolicy
}

type exportedUser struct {
	Arn, UserId             string
	UserPolicyList          []inlinePolicy
	AttachedManagedPolicies []attachedPolicy
	GroupList               []string
	PermissionsBoundary     *boundary
	Tags                    []tag
}

type exportedRole struct {
	Arn, RoleId              string
	AssumeRolePolicyDocument json.RawMessage
	RolePolicyList           []inlinePolicy
	AttachedManagedPolicies  []attachedPolicy
	PermissionsBoundary      *boundary
	Tags                     []tag
}

type inlinePolicy struct {
	PolicyName     string
	PolicyDocument json.RawMessage
}

type attachedPolicy struct{ PolicyArn string }

type boundary struct{ PermissionsBoundaryArn string }

type exportedPolicy struct {
	Arn               string
	PolicyVersionList []struct {
		Document         json.RawMessage
		IsDefaultVersion bool
	}
}

// read adds a file's to those that were read.
func (x *export) read(text []byte) error {
	var page export
	if err := json.Unmarshal(text, &page); err != nil {
		return err
	}
	x.UserDetailList = append(x.UserDetailList, page.UserDetailList...)
	x.GroupDetailList = append(x.GroupDetailList, page.GroupDetailList...)
	x.RoleDetailList = append(x.RoleDetailList, page.RoleDetailList...)
	x.Policies = append(x.Policies, page.Policies...)
	return nil
}

// documentText is a document as it was exported: as JSON, as the AWS CLI writes it, or as its text, URL-encoded or not.
func documentText(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("there is no policy document")
	}
	if raw[0] != '"' {
		return raw, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	if strings.HasPrefix(text, "%") { // a document begins with a brace or white space
		return unescape(text)
	}
	return []byte(text), nil
}

// unescape decodes the percent-encoding of RFC 3986, in which IAM's answers hold documents.
func unescape(text string) ([]byte, error) {
	parts := strings.Split(text, "%")
	to := []byte(parts[0])
	for _, part := range parts[1:] {
		b, err := hex.DecodeString(part[:min(2, len(part))])
		if err != nil || len(b) == 0 {
			return nil, errors.New("a policy document is not percent-encoded as it should be")
		}
		to = append(append(to, b...), part[2:]...)
	}
	return to, nil
}

// reading is an export being made into principals.
type reading struct {
	managed map[string]scenario.Document
	groups  map[string]*exportedEntity // by account and name
	err     error
}

// principals hands on each user and role.
func (x *export) principals(add func(*principal) error) error {
	r := reading{managed: map[string]scenario.Document{}, groups: map[string]*exportedEntity{}}
	for i := range x.Policies {
		p := &x.Policies[i]
		for _, v := range p.PolicyVersionList {
			if v.IsDefaultVersion {
				r.managed[p.Arn] = r.document(p.Arn, v.Document)
			}
		}
	}
	for i := range x.GroupDetailList {
		g := &x.GroupDetailList[i]
		r.groups[r.account(g.Arn)+"/"+g.GroupName] = g
	}
	for i := range x.UserDetailList {
		u := &x.UserDetailList[i]
		p := &principal{arn: u.Arn, account: r.account(u.Arn), id: u.UserId, tags: u.Tags}
		r.identity(p, u.Arn, u.UserPolicyList, u.AttachedManagedPolicies)
		for _, name := range u.GroupList {
			g := r.groups[p.account+"/"+name]
			if g == nil {
				r.refuse("%s is in group %s, which is not exported", u.Arn, name)
				break
			}
			r.identity(p, g.Arn, g.GroupPolicyList, g.AttachedManagedPolicies)
		}
		r.bound(p, u.PermissionsBoundary)
		if err := r.hand(p, add); err != nil {
			return err
		}
	}
	for i := range x.RoleDetailList {
		o := &x.RoleDetailList[i]
		p := &principal{arn: o.Arn, account: r.account(o.Arn), id: o.RoleId, tags: o.Tags, role: true}
		r.identity(p, o.Arn, o.RolePolicyList, o.AttachedManagedPolicies)
		r.bound(p, o.PermissionsBoundary)
		trust := r.document(o.Arn+" trust policy", o.AssumeRolePolicyDocument)
		p.trust = &trust
		if err := r.hand(p, add); err != nil {
			return err
		}
	}
	return r.err
}

func (r *reading) hand(p *principal, add func(*principal) error) error {
	if r.err != nil {
		return r.err
	}
	return add(p)
}

func (r *reading) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("accounts/: "+format, args...)
	}
}

// account is the account of a user's, group's or role's ARN.
func (r *reading) account(arn string) string {
	a, err := aws.ParseARN(arn)
	if err != nil || a.Service != "iam" || !aws.IsAccount(a.Account) {
		r.refuse("%q is no ARN of IAM", arn)
	}
	return a.Account
}

func (r *reading) document(name string, raw json.RawMessage) scenario.Document {
	text, err := documentText(raw)
	if err != nil {
		r.refuse("%s: %v", name, err)
	}
	return scenario.Document{Name: name, Text: text}
}

// identity adds the policies of an entity to a principal's.
func (r *reading) identity(p *principal, of string, inline []inlinePolicy, attached []attachedPolicy) {
	for _, i := range inline {
		p.identity = append(p.identity, r.document(of+" "+i.PolicyName, i.PolicyDocument))
	}
	for _, a := range attached {
		p.identity = append(p.identity, r.policy(of, a.PolicyArn))
	}
}

func (r *reading) bound(p *principal, b *boundary) {
	if b != nil {
		p.boundary = append(p.boundary, r.policy(p.arn, b.PermissionsBoundaryArn))
	}
}

// policy is a managed policy that an entity has: one that is not exported can't be passed over.
func (r *reading) policy(of, arn string) scenario.Document {
	doc, there := r.managed[arn]
	if !there {
		r.refuse("%s has %s, which is not exported", of, arn)
	}
	return doc
}
