package estate

import (
	"strings"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// Changes to IAM itself: what a principal may do to its own policies, to
// others', and to others' credentials and trust.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html

// change is a way to give t any rights that its boundary and the guardrails
// leave. Nil: it is not p's to do.
type change func(s *search, p, t *principal) *walked

// taking is a way to get t's rights.
type taking func(s *search, p, t *principal) []Permission

var routes = map[string]route{
	"iam-001": raise{newVersion},
	"iam-005": raise{only(ofRoles, putPolicy)},
	"iam-007": raise{only(ofUsers, putPolicy)},
	"iam-008": raise{only(ofUsers, attachPolicy)},
	"iam-009": raise{only(ofRoles, attachPolicy)},
	"iam-010": raise{attachToGroup},
	"iam-011": raise{putOnGroup},
	"iam-013": raise{joinGroup},

	"iam-002": take{ofUsers, "iam:CreateAccessKey", all("iam:CreateAccessKey")},
	"iam-003": take{ofUsers, "iam:CreateAccessKey", all("iam:CreateAccessKey", "iam:DeleteAccessKey")},
	"iam-004": take{ofUsers, "iam:CreateLoginProfile", all("iam:CreateLoginProfile")},
	"iam-006": take{ofUsers, "iam:UpdateLoginProfile", all("iam:UpdateLoginProfile")},
	"iam-012": take{ofRoles, "iam:UpdateAssumeRolePolicy", reopen},
	"sts-001": take{ofRoles, "sts:AssumeRole", assume},

	"iam-014": raiseAndTake{ofRoles, attachPolicy, assume, "iam:AttachRolePolicy"},
	"iam-015": raiseAndTake{ofUsers, attachPolicy, all("iam:CreateAccessKey"), "iam:AttachUserPolicy"},
	"iam-016": raiseAndTake{ofRoles, newVersion, assume, "iam:CreatePolicyVersion"},
	"iam-017": raiseAndTake{ofRoles, putPolicy, assume, "iam:PutRolePolicy"},
	"iam-018": raiseAndTake{ofUsers, putPolicy, all("iam:CreateAccessKey"), "iam:PutUserPolicy"},
	"iam-019": raiseAndTake{ofRoles, attachPolicy, reopen, "iam:AttachRolePolicy"},
	"iam-020": raiseAndTake{ofRoles, newVersion, reopen, "iam:CreatePolicyVersion"},
	"iam-021": raiseAndTake{ofRoles, putPolicy, reopen, "iam:PutRolePolicy"},
}

const (
	ofUsers = false
	ofRoles = true
)

// only is a change for users or for roles.
func only(role bool, c change) change {
	return func(s *search, p, t *principal) *walked {
		if t.role != role {
			return nil
		}
		return c(s, p, t)
	}
}

// raise is a path by which a principal raises itself.
type raise struct{ change }

func (r raise) walk(s *search, p, t *principal) *walked             { return r.change(s, p, t) }
func (r raise) targets(_ *search, p *principal) []*principal        { return []*principal{p} }
func (raise) raises() bool                                          { return true }
func (t take) targets(s *search, p *principal) []*principal         { return s.targetsOf(p, t.role, t.first) }
func (take) raises() bool                                           { return false }
func (r raiseAndTake) targets(s *search, p *principal) []*principal { return s.raisable(p, r) }
func (raiseAndTake) raises() bool                                   { return true }

// take is a path by which a principal gets another's rights.
type take struct {
	role  bool
	first string // the action that finds the targets
	taking
}

func (x take) walk(s *search, p, t *principal) *walked {
	if p == t || t.role != x.role {
		return nil
	}
	if done := x.taking(s, p, t); done != nil {
		return &walked{on: t.arn, permissions: done}
	}
	return nil
}

// raiseAndTake is a path by which a principal raises another and then gets its rights.
type raiseAndTake struct {
	role bool
	change
	taking
	first string
}

func (x raiseAndTake) walk(s *search, p, t *principal) *walked {
	if p == t || t.role != x.role || p.account != t.account {
		return nil
	}
	w := x.change(s, p, t)
	if w == nil {
		return nil
	}
	then := x.taking(s, p, t)
	if then == nil {
		return nil
	}
	w.on, w.permissions = t.arn, append(w.permissions, then...)
	return w
}

// ofEntity is an action of IAM on a user or role, by its name's two halves.
func ofEntity(t *principal, verb, noun string) string {
	if t.role {
		return "iam:" + verb + "Role" + noun
	}
	return "iam:" + verb + "User" + noun
}

// boundaryKeys are the condition keys that tell the boundary of who is changed.
func boundaryKeys(t *principal, keys ...scenario.Key) []scenario.Key {
	for _, h := range t.boundary {
		keys = append(keys, key("iam:PermissionsBoundary", h.arn))
	}
	return keys
}

func putPolicy(s *search, p, t *principal) *walked {
	done := s.try(p, &act{action: ofEntity(t, "Put", "Policy"), resource: t.arn, keys: boundaryKeys(t)})
	if done == nil || !s.administers(t.with(everything)) {
		return nil
	}
	return &walked{on: t.arn, permissions: []Permission{*done}}
}

func attachPolicy(s *search, p, t *principal) *walked {
	return s.attach(p, act{action: ofEntity(t, "Attach", "Policy"), resource: t.arn, keys: boundaryKeys(t)}, t)
}

func attachToGroup(s *search, p, t *principal) *walked {
	for _, g := range t.groups {
		if w := s.attach(p, act{action: "iam:AttachGroupPolicy", resource: g.arn}, t); w != nil {
			return w
		}
	}
	return nil
}

// attach attaches one of the policies that there are, so that t has every right.
func (s *search) attach(p *principal, a act, t *principal) *walked {
	own := a.keys
	for _, h := range s.grantable(t) {
		a.keys = append([]scenario.Key{key("iam:PolicyARN", h.Name)}, own...)
		if done := s.try(p, &a); done != nil && s.administers(t.with(h)) {
			return &walked{on: a.resource, permissions: []Permission{*done}}
		}
	}
	return nil
}

// grantable are the managed policies that make an administrator: AWS's own,
// and the account's and AWS's in the export.
func (s *search) grantable(t *principal) []*held {
	list, there := s.makers[t.account]
	if !there {
		aws := *everything
		aws.Name = administratorAccess(t)
		list = []*held{&aws}
		nobodyYet := principal{arn: t.arn, account: t.account, caller: t.caller}
		for _, h := range s.managed {
			if owner := ownerOfPolicy(h.arn); h.arn != aws.Name && (owner == "aws" || owner == t.account) && s.administers(nobodyYet.with(h)) {
				list = append(list, h)
			}
		}
		s.makers[t.account] = list
	}
	return list
}

// ownerOfPolicy is the account of a managed policy, "aws" for AWS's own.
func ownerOfPolicy(arn string) string {
	if part := strings.SplitN(arn, ":", 6); len(part) == 6 {
		return part[4]
	}
	return ""
}

func putOnGroup(s *search, p, t *principal) *walked {
	for _, g := range t.groups {
		if done := s.try(p, &act{action: "iam:PutGroupPolicy", resource: g.arn}); done != nil && s.administers(t.with(everything)) {
			return &walked{on: g.arn, permissions: []Permission{*done}}
		}
	}
	return nil
}

func joinGroup(s *search, p, t *principal) *walked {
	if t.role {
		return nil
	}
	for _, g := range s.groupsOf[t.account] {
		if done := s.try(p, &act{action: "iam:AddUserToGroup", resource: g.arn}); done != nil && s.administers(t.with(g.identity...)) {
			return &walked{on: g.arn, permissions: []Permission{*done}}
		}
	}
	return nil
}

// newVersion writes another text of a customer's policy that t has, also as its boundary.
func newVersion(s *search, p, t *principal) *walked {
	for _, list := range [...][]*held{t.identity, t.boundary} {
		for _, h := range list {
			if h.arn == "" || ownerOfPolicy(h.arn) == "aws" {
				continue
			}
			if done := s.try(p, &act{action: "iam:CreatePolicyVersion", resource: h.arn}); done != nil && s.administers(t.replacing(h.arn, everything)) {
				return &walked{on: h.arn, permissions: []Permission{*done}}
			}
		}
	}
	return nil
}

// all are actions on the user, each of which must be allowed.
func all(actions ...string) taking {
	return func(s *search, p, t *principal) (list []Permission) {
		for _, action := range actions {
			done := s.try(p, &act{action: action, resource: t.arn})
			if done == nil {
				return nil
			}
			list = append(list, *done)
		}
		return list
	}
}

func assume(s *search, p, t *principal) []Permission {
	if done := s.try(p, &act{action: "sts:AssumeRole", resource: t.arn}); done != nil {
		return []Permission{*done}
	}
	return nil
}

// reopen writes a trust policy that lets everyone in, which asks for no
// further permission, and assumes the role: unless something denies it.
func reopen(s *search, p, t *principal) []Permission {
	done := s.try(p, &act{action: "iam:UpdateAssumeRolePolicy", resource: t.arn, keys: boundaryKeys(t)})
	if done == nil || s.try(p, &act{action: "sts:AssumeRole", resource: t.arn, trust: openTrust}) == nil {
		return nil
	}
	return []Permission{*done}
}

// openTrust is the trust policy that lets everyone in.
var openTrust = func() *held {
	h, err := compile(scenario.Document{Name: "trust policy", Text: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`)}, policy.Trust)
	if err != nil {
		panic(err) // it is no policy: every test sees it
	}
	return h
}()
