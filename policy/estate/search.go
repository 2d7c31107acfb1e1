package estate

import (
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/garrison-security/garrison/policy/scenario"
)

// search looks for escalations in an estate. It keeps what it learnt of each
// principal; a principal that is tried with other policies is another one.
type search struct {
	asker
	possible   map[string]bool         // the actions that the principal at hand may be allowed, as far as was asked
	managed    []*held                 // by ARN
	users      map[string][]*principal // an account's, by ARN
	rolesOf    map[string][]*principal
	groupsOf   map[string][]*group
	holders    map[string][]*principal // who has a customer's policy, by its ARN
	byResource map[string]bool         // services of which a resource has a policy
	inventory  map[string]*fleet       // by type and account

	trustsAll     []*principal            // roles whose trust policy names everyone
	trustsAccount map[string][]*principal // … an account
	trustsName    map[string][]*principal // … a principal

	makers     map[string][]*held
	running    map[[2]string][]*principal
	regionsOf  map[*principal][]string
	pickedKeys map[picked][]scenario.Key
	performed  map[performed][]Permission
	named      map[naming][]string
}

// errTooMany is what a search ends with that took more decisions than the bound.
var errTooMany = errors.New("there are too many ways to try: ask for some principals only, with --principal")

func newSearch(e *Estate, given []scenario.Key) *search {
	s := &search{
		asker: asker{estate: e, given: given},
		users: map[string][]*principal{}, rolesOf: map[string][]*principal{}, groupsOf: map[string][]*group{},
		holders: map[string][]*principal{}, inventory: map[string]*fleet{}, byResource: map[string]bool{}, possible: map[string]bool{},
		trustsAccount: map[string][]*principal{}, trustsName: map[string][]*principal{},
		makers: map[string][]*held{}, running: map[[2]string][]*principal{},
		regionsOf: map[*principal][]string{}, pickedKeys: map[picked][]scenario.Key{}, performed: map[performed][]Permission{}, named: map[naming][]string{},
	}
	for _, arn := range sortedKeys(e.managed) {
		s.managed = append(s.managed, e.managed[arn])
	}
	for _, g := range e.groups {
		s.groupsOf[g.account] = append(s.groupsOf[g.account], g)
	}
	for _, p := range e.principals {
		for _, h := range append(slices.Clone(p.identity), p.boundary...) {
			if h.arn == "" || ownerOfPolicy(h.arn) == "aws" {
				continue
			}
			if list := s.holders[h.arn]; len(list) == 0 || list[len(list)-1] != p {
				s.holders[h.arn] = append(list, p)
			}
		}
		switch {
		case p.root() || p.serviceLinked():
		case p.role:
			s.rolesOf[p.account] = append(s.rolesOf[p.account], p)
			s.indexTrust(p)
		default:
			s.users[p.account] = append(s.users[p.account], p)
		}
	}
	for _, arn := range sortedKeys(e.resources) {
		if e.resources[arn].role != "" {
			s.take(arn)
		}
		if e.resources[arn].policy != nil {
			s.byResource[strings.SplitN(arn, ":", 6)[2]] = true
		}
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

func (p *principal) root() bool          { return strings.HasSuffix(p.arn, ":root") }
func (p *principal) serviceLinked() bool { return strings.Contains(p.arn, ":role/aws-service-role/") }

// indexTrust files a role under whoever its trust policy may let assume it.
func (s *search) indexTrust(role *principal) {
	add := func(to map[string][]*principal, name string) {
		if list := to[name]; len(list) == 0 || list[len(list)-1] != role {
			to[name] = append(list, role)
		}
	}
	for _, t := range role.trust.document.Statements {
		switch {
		case t.Deny || t.Principal == nil:
		case t.Principal.Any || t.NotPrincipal:
			s.trustsAll = append(s.trustsAll, role)
		default:
			for _, name := range t.Principal.AWS {
				switch account, role := accountNamed(name), roleOf(name); {
				case account != "":
					add(s.trustsAccount, account)
				case role != "":
					add(s.trustsName, role)
				default:
					add(s.trustsName, name)
				}
			}
		}
	}
}

// accountNamed is the account that an AWS principal names as a whole.
func accountNamed(name string) string {
	if rest, ok := strings.CutSuffix(name, ":root"); ok {
		return rest[strings.LastIndexByte(rest, ':')+1:]
	}
	if !strings.Contains(name, ":") && len(name) == 12 {
		return name
	}
	return ""
}

// sessions are what the ARNs of a role's sessions begin with.
func (p *principal) sessions() string {
	return "arn:" + p.partition() + ":sts::" + p.account + ":assumed-role/" + lastName(p.arn) + "/"
}

// roleOf is what the ARN of a role's session begins with, "" if it is none.
func roleOf(session string) string {
	if !strings.Contains(session, ":assumed-role/") {
		return ""
	}
	return session[:strings.LastIndexByte(session, '/')+1]
}

// fleet is an account's resources of a type that run as roles.
type fleet struct {
	regions []string
	running map[[2]string][]string // by role and Region
}

// take files a resource that runs as a role under its type and account.
func (s *search) take(arn string) {
	part := strings.SplitN(arn, ":", 6)
	taken := map[string]bool{}
	for _, x := range paths() {
		r, ok := x.route.(serviceRoute)
		if !ok {
			continue
		}
		id := r.subject.in(part[1], "", part[4])
		if taken[id] || r.subject.match(arn, part[1], part[3], part[4]) != arn {
			continue
		}
		taken[id] = true
		f := s.inventory[id]
		if f == nil {
			f = &fleet{running: map[[2]string][]string{}}
			s.inventory[id] = f
		}
		if !slices.Contains(f.regions, part[3]) {
			f.regions = append(f.regions, part[3])
		}
		at := [2]string{s.estate.resources[arn].role, part[3]}
		f.running[at] = append(f.running[at], arn)
	}
}

// targetsOf are the users or roles that a principal might do an action on.
func (s *search) targetsOf(p *principal, role bool, action string) []*principal {
	if action == "sts:AssumeRole" {
		return s.assumable(p)
	}
	if role {
		return s.narrow(p, action, s.rolesOf[p.account])
	}
	return s.narrow(p, action, s.users[p.account])
}

// assumable are the roles that might let a principal assume them.
func (s *search) assumable(p *principal) []*principal {
	list := slices.Concat(s.trustsAll, s.trustsName[p.arn])
	if p.id != "" {
		list = append(list, s.trustsName[p.id]...)
	}
	if p.role {
		list = append(list, s.trustsName[p.sessions()]...)
	}
	if p.allowsSome("sts:AssumeRole") {
		list = append(list, s.narrow(p, "sts:AssumeRole", s.trustsAccount[p.account])...)
	}
	return unique(list)
}

// raisable are those whom a principal might raise.
func (s *search) raisable(p *principal, x raiseAndTake) []*principal {
	if x.first != "iam:CreatePolicyVersion" {
		return s.targetsOf(p, x.role, x.first)
	}
	if !p.allowsSome(x.first) {
		return nil
	}
	var list []*principal
	for _, arn := range sortedKeys(s.holders) {
		if ownerOfPolicy(arn) == p.account {
			list = append(list, s.holders[arn]...)
		}
	}
	return unique(list)
}

func unique(list []*principal) []*principal {
	if len(list) < 2 {
		return list
	}
	slices.SortFunc(list, func(a, b *principal) int { return strings.Compare(a.arn, b.arn) })
	return slices.Compact(list)
}

// allowsSome tells whether an identity policy covers the action.
func (p *principal) allowsSome(action string) bool {
	return slices.ContainsFunc(p.identity, func(h *held) bool { return h.compiled.AllowsSome(action) })
}

// narrow leaves, of principals in order of their ARNs, those that the identity
// policies' Allow statements for an action may name.
func (s *search) narrow(p *principal, action string, list []*principal) []*principal {
	s.prepare(p, &act{action: action, resource: "*", region: globalRegion(p)}) // for the variables
	var kept []*principal
	for _, h := range p.identity {
		for _, i := range h.compiled.Covering(action) {
			t := &h.document.Statements[i]
			if t.Deny {
				continue
			}
			if t.NotResource || t.Resources == nil {
				return list
			}
			for _, pattern := range t.Resources {
				pattern, ok := h.document.Resolve(pattern, &s.context)
				if !ok {
					continue // a variable without a value covers nothing
				}
				stem := pattern
				if end := strings.IndexAny(pattern, "*?$"); end >= 0 {
					stem = pattern[:end]
				}
				if head := strings.SplitN(stem, ":", 6); len(head) < 6 || strings.ToLower(stem[:len(stem)-len(head[5])]) != stem[:len(stem)-len(head[5])] {
					return list // the account is open, or the case of what comes before
				}
				from, _ := slices.BinarySearchFunc(list, stem, func(q *principal, stem string) int { return strings.Compare(q.arn, stem) })
				if len(kept) > 2*len(list) {
					return list
				}
				for _, q := range list[from:] {
					if !strings.HasPrefix(q.arn, stem) {
						break
					}
					kept = append(kept, q)
				}
			}
		}
	}
	return unique(kept)
}
