package estate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// workloads are the resources that a walk makes or picks, all in one Region.
type workloads struct {
	role                       *principal // that the subject runs as
	partition, region, account string
	profile                    string // the role's instance profile
	chosen                     map[resourceType]string
}

// at is the resource of a type.
func (w *workloads) at(r resourceType) string {
	if arn := w.chosen[r]; arn != "" {
		return arn
	}
	return r.named(w.partition, w.region, w.account)
}

func (serviceRoute) raises() bool { return false }

// targets are the roles of the account that one of the services may run
// something as. Where the principal can't make the service run anything at
// all, those are left whose trust policy names what it must be.
func (x serviceRoute) targets(s *search, p *principal) (list []*principal) {
	for _, r := range x.runners {
		list = append(list, s.runsAs(p, r.principal)...)
	}
	if len(x.runners) > 1 {
		list = unique(list)
	}
	if len(list) == 0 || x.tellsRole() || x.knows(s, p) || x.runsSomething(s, p) {
		return list
	}
	var named []*principal
	for _, role := range list {
		if len(s.sources(role)) > 0 {
			named = append(named, role)
		}
	}
	return named
}

// tellsRole: what is allowed may hang on the role.
func (x serviceRoute) tellsRole() bool {
	return slices.ContainsFunc(x.needs, func(n need) bool { return n.ofRole })
}

// knows tells whether the estate has resources of the subject's type that run as roles.
func (x serviceRoute) knows(s *search, p *principal) bool {
	return !x.passes && s.inventory[x.subject.in(p.partition(), "", p.account)] != nil
}

// runsSomething tells whether a principal may make the service run something, as whatever role.
func (x serviceRoute) runsSomething(s *search, p *principal) bool {
	for _, region := range s.regions(p) {
		w := &workloads{role: p, partition: p.partition(), region: region, account: p.account}
		for _, subject := range s.candidates(p, x.subject, x.needs, w) {
			if x.performs(s, p, w, subject) != nil {
				return true
			}
		}
	}
	return false
}

// performed is what came of asking for a path's actions.
type performed struct {
	who             *principal
	path            *need // the first of its needs
	region, subject string
}

// performs is perform with a subject, done once for all roles where the role is not told.
func (x serviceRoute) performs(s *search, p *principal, w *workloads, subject string) []Permission {
	w.chosen = map[resourceType]string{x.subject: subject}
	if x.tellsRole() || s.lost != "" {
		return x.perform(s, p, w)
	}
	id := performed{p, &x.needs[0], w.region, subject}
	done, there := s.performed[id]
	if !there {
		done = x.perform(s, p, w)
		s.performed[id] = done
	}
	return done
}

func (x serviceRoute) walk(s *search, p, t *principal) *walked {
	if p == t || !t.role || p.account != t.account || x.profile && len(t.profiles) == 0 || x.agent && !s.registers(t) {
		return nil
	}
	for _, r := range x.runners {
		for _, name := range r.names(p) {
			for _, region := range x.regions(s, p, t) {
				if w := x.walkAs(s, p, t, r, name, region); w != nil {
					return w
				}
			}
		}
	}
	return nil
}

// regions are those in which the principal is tried, those of the resources
// that run as the role, and those that its trust policy names.
func (x serviceRoute) regions(s *search, p, t *principal) []string {
	list := slices.Clip(s.regions(p))
	add := func(region string) {
		if region != "" && !strings.ContainsAny(region, "*?$") && !slices.Contains(list, region) {
			list = append(list, region)
		}
	}
	if f := s.inventory[x.subject.in(p.partition(), "", p.account)]; f != nil {
		for _, region := range f.regions {
			add(region)
		}
	}
	for _, arn := range s.sources(t) {
		if part := strings.SplitN(arn, ":", 6); len(part) == 6 {
			add(part[3])
		}
	}
	return list
}

// names are a service's principal as partitions have it.
func (r runner) names(p *principal) []string {
	if p.partition() == "aws-cn" {
		return []string{r.principal, r.principal + ".cn"}
	}
	return []string{r.principal}
}

// walkAs walks with a role that one of the services may run something as.
func (x serviceRoute) walkAs(s *search, p, t *principal, r runner, name, region string) *walked {
	w := &workloads{role: t, partition: p.partition(), region: region, account: p.account, chosen: map[resourceType]string{}}
	if len(t.profiles) > 0 {
		w.profile = t.profiles[0]
	}
	var done []Permission
	if x.passes {
		passed := x.pass(s, p, t, r, w)
		if passed == nil {
			return nil
		}
		done = append(done, *passed)
	}
	subjects, known := x.subjects(s, p, w)
	for _, subject := range subjects {
		if !s.trusts(t, name, subject) {
			continue
		}
		if more := x.performs(s, p, w, subject); more != nil {
			return &walked{on: t.arn, service: name, workload: subject, assumed: !x.passes && !known, permissions: append(done, more...)}
		}
	}
	return nil
}

// pass asks for iam:PassRole, in the Region of what the role is passed to.
func (x serviceRoute) pass(s *search, p, t *principal, r runner, w *workloads) *Permission {
	to := r.passedTo
	if to == nil {
		to = []string{r.principal}
	}
	for _, service := range to {
		keys := []scenario.Key{key("iam:PassedToService", service), key("iam:AssociatedResourceArn", w.at(x.subject))}
		if done := s.try(p, &act{action: "iam:PassRole", resource: t.arn, keys: keys}); done != nil {
			return done
		}
	}
	return nil
}

// subjects are the resources that may be what runs as the role: those of the
// estate that do, or where it knows none of the type in the account, and where
// something new is made, any that the policies take. known: they are the estate's.
func (x serviceRoute) subjects(s *search, p *principal, w *workloads) (list []string, known bool) {
	if !x.passes {
		if f := s.inventory[x.subject.in(w.partition, "", w.account)]; f != nil {
			return f.running[[2]string{w.role.arn, w.region}], true
		}
	}
	list = slices.Clip(s.candidates(p, x.subject, x.needs, w))
	for _, arn := range s.sources(w.role) {
		if made := x.subject.match(arn, w.partition, w.region, w.account); made != "" {
			list = append(list, made)
		}
	}
	return list, false
}

// perform asks for everything but iam:PassRole. Of each type of resource it
// takes the first that is allowed in all that is done with it.
func (x serviceRoute) perform(s *search, p *principal, w *workloads) []Permission {
	for _, n := range x.needs {
		for _, r := range n.types {
			if w.chosen[r] != "" {
				continue
			}
			for _, arn := range s.candidates(p, r, x.needs, w) {
				if w.chosen[r] = arn; x.allowed(s, p, r, w) {
					break
				}
				w.chosen[r] = ""
			}
			if w.chosen[r] == "" {
				return nil
			}
		}
	}
	var done []Permission
	for _, n := range x.needs {
		for _, a := range n.acts(w) {
			one := s.try(p, a)
			if one == nil {
				return nil
			}
			done = append(done, *one)
		}
	}
	return done
}

// allowed tells whether all that is done with the resource of a type is.
func (x serviceRoute) allowed(s *search, p *principal, r resourceType, w *workloads) bool {
	for _, n := range x.needs {
		for i, a := range n.acts(w) {
			if len(n.types) > 0 && n.types[i] == r && s.try(p, a) == nil {
				return false
			}
		}
	}
	return true
}

// acts are what is asked for an action: once a type of resource.
func (n need) acts(w *workloads) (list []*act) {
	var keys []scenario.Key
	if n.keys != nil {
		for name, value := range n.keys(w) {
			keys = append(keys, key(name, value))
		}
	}
	if len(n.types) == 0 {
		return []*act{{action: n.action, resource: "*", region: w.region, keys: keys, creates: true}}
	}
	for _, r := range n.types {
		list = append(list, &act{action: n.action, resource: w.at(r), account: w.account, region: w.region, keys: keys, creates: true})
	}
	return list
}

// registers tells whether an instance with the role registers with Systems
// Manager, so that commands reach it.
//
// https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
func (s *search) registers(t *principal) bool {
	return s.try(t, &act{action: "ssmmessages:CreateControlChannel", resource: "*"}) != nil
}

// runsAs are the roles of a principal's account that a service may assume.
func (s *search) runsAs(p *principal, service string) []*principal {
	id := [2]string{p.account, service}
	list, there := s.running[id]
	if !there {
		for _, role := range s.rolesOf[p.account] {
			for _, name := range (runner{principal: service}).names(role) {
				if !role.serviceLinked() && namesService(role.trust.document, name) {
					list = append(list, role)
					break
				}
			}
		}
		s.running[id] = list
	}
	return list
}

// namesService tells whether an Allow of a trust policy may let a service in.
func namesService(doc *policy.Document, name string) bool {
	return slices.ContainsFunc(doc.Statements, func(t policy.Statement) bool {
		return !t.Deny && t.Principal != nil && (t.Principal.Any || t.NotPrincipal || slices.Contains(t.Principal.Service, name))
	})
}

// trusts tells whether a role's trust policy lets a service in that acts for a resource.
func (s *search) trusts(role *principal, service, source string) bool {
	caller := &principal{caller: &aws.Principal{Kind: aws.ServiceCaller, Name: service}}
	keys := []scenario.Key{key("aws:SourceAccount", role.account), key("aws:SourceArn", source)}
	return s.decide(caller, &act{action: "sts:AssumeRole", resource: role.arn, keys: keys, trust: role.trust}).Allowed
}

// sources are the values that a role's trust policy has for aws:SourceArn.
func (s *search) sources(role *principal) (list []string) {
	for _, t := range role.trust.document.Statements {
		for _, c := range t.Conditions {
			if strings.EqualFold(c.Key, "aws:SourceArn") {
				list = append(list, c.Values...)
			}
		}
	}
	return list
}
