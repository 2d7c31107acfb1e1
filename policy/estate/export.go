package estate

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
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
	InstanceProfileList      []struct{ Arn string }
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
	estate    *Estate
	documents map[string]scenario.Document // of managed policies, by ARN
	managed   map[managedAs]*held
	groups    map[string]*group // by account and name
	err       error
}

// managedAs is a managed policy in one of its two parts.
type managedAs struct {
	arn  string
	kind policy.Kind
}

// principals makes users, groups and roles of what was read.
func (x *export) principals(e *Estate) error {
	r := reading{estate: e, documents: map[string]scenario.Document{}, managed: map[managedAs]*held{}, groups: map[string]*group{}}
	for i := range x.Policies {
		p := &x.Policies[i]
		for _, v := range p.PolicyVersionList {
			if v.IsDefaultVersion {
				r.documents[p.Arn] = r.document(p.Arn, v.Document)
			}
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(r.documents)) {
		e.managed[arn] = r.policy("", arn, policy.Identity)
	}
	for i := range x.GroupDetailList {
		from := &x.GroupDetailList[i]
		g := &group{arn: from.Arn, account: r.parse(from.Arn).Account}
		g.identity = r.identity(from.Arn, from.GroupPolicyList, from.AttachedManagedPolicies)
		r.groups[g.account+"/"+from.GroupName] = g
		e.groups = append(e.groups, g)
	}
	for i := range x.UserDetailList {
		r.user(&x.UserDetailList[i])
	}
	for i := range x.RoleDetailList {
		r.role(&x.RoleDetailList[i])
	}
	return r.err
}

func (r *reading) user(u *exportedUser) {
	arn := r.parse(u.Arn)
	p := &principal{arn: u.Arn, account: arn.Account, id: u.UserId, tags: u.Tags}
	p.caller = &aws.Principal{Kind: aws.User, Partition: arn.Partition, Account: arn.Account, ARN: u.Arn, ID: u.UserId, Name: lastName(arn.Resource)}
	p.identity = r.identity(u.Arn, u.UserPolicyList, u.AttachedManagedPolicies)
	for _, name := range u.GroupList {
		g := r.groups[p.account+"/"+name]
		if g == nil {
			r.refuse("%s is in group %s, which is not exported", u.Arn, name)
			return
		}
		p.groups = append(p.groups, g)
		p.identity = append(p.identity, g.identity...)
	}
	r.bound(p, u.PermissionsBoundary)
	r.add(p)
}

func (r *reading) role(o *exportedRole) {
	arn := r.parse(o.Arn)
	p := &principal{arn: o.Arn, account: arn.Account, id: o.RoleId, tags: o.Tags, role: true}
	p.caller = &aws.Principal{Kind: aws.AssumedRole, Partition: arn.Partition, Account: arn.Account, Session: &aws.Session{RoleARN: o.Arn, RoleID: o.RoleId}}
	if o.RoleId != "" {
		p.caller.ID = o.RoleId + ":session"
	}
	p.identity = r.identity(o.Arn, o.RolePolicyList, o.AttachedManagedPolicies)
	r.bound(p, o.PermissionsBoundary)
	p.trust = r.compile(r.document(o.Arn+" trust policy", o.AssumeRolePolicyDocument), policy.Trust)
	for _, profile := range o.InstanceProfileList {
		p.profiles = append(p.profiles, profile.Arn)
	}
	r.add(p)
}

func (r *reading) add(p *principal) {
	if r.estate.byARN[p.arn] != nil {
		r.refuseWhole("accounts/ has %s twice", p.arn)
	}
	r.estate.byARN[p.arn] = p
	r.estate.principals = append(r.estate.principals, p)
}

func (r *reading) refuse(format string, args ...any) { r.refuseWhole("accounts/: "+format, args...) }

// refuseWhole keeps the first of what is wrong.
func (r *reading) refuseWhole(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// parse is a user's, group's or role's ARN.
func (r *reading) parse(arn string) aws.ARN {
	a, err := aws.ParseARN(arn)
	if err != nil || a.Service != "iam" || !aws.IsAccount(a.Account) {
		r.refuse("%q is no ARN of IAM", arn)
	}
	return a
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (r *reading) document(name string, raw json.RawMessage) scenario.Document {
	text, err := documentText(raw)
	if err != nil {
		r.refuse("%s: %v", name, err)
	}
	return scenario.Document{Name: name, Text: text}
}

func (r *reading) compile(d scenario.Document, kind policy.Kind) *held {
	if r.err != nil {
		return new(held)
	}
	h, err := compile(d, kind)
	if err != nil {
		r.err = err
		return new(held)
	}
	return h
}

// identity are the policies of an entity.
func (r *reading) identity(of string, inline []inlinePolicy, attached []attachedPolicy) (list []*held) {
	for _, i := range inline {
		list = append(list, r.compile(r.document(of+" "+i.PolicyName, i.PolicyDocument), policy.Identity))
	}
	for _, a := range attached {
		list = append(list, r.policy(of, a.PolicyArn, policy.Identity))
	}
	return list
}

func (r *reading) bound(p *principal, b *boundary) {
	if b != nil {
		p.boundary = append(p.boundary, r.policy(p.arn, b.PermissionsBoundaryArn, policy.Boundary))
	}
}

// policy is a managed policy that an entity has: one that is not exported can't be passed over.
func (r *reading) policy(of, arn string, kind policy.Kind) *held {
	d, there := r.documents[arn]
	if !there {
		r.refuse("%s has %s, which is not exported", of, arn)
		return new(held)
	}
	key := managedAs{arn, kind}
	if r.managed[key] == nil {
		h := r.compile(d, kind)
		h.arn = arn
		r.managed[key] = h
	}
	return r.managed[key]
}
