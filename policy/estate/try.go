package estate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// Permission is something that somebody may do, and what lets them.
type Permission struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	// DecidedBy, Policy and Statement are as in scenario.Verdict.
	DecidedBy string `json:"decidedBy"`
	Policy    string `json:"policy,omitempty"`
	Statement *int   `json:"statement,omitempty"`

	by *principal
	as act
}

// try asks whether a principal may act, in a Region and with values of the
// request's own making that its policies take. Nil: it may not.
func (s *search) try(p *principal, a *act) *Permission {
	regions := []string{a.region}
	switch {
	case a.region != "":
	case strings.HasPrefix(a.action, "iam:"):
		regions[0] = globalRegion(p)
	default:
		regions = s.regions(p)
	}
	once := *a
	for _, once.region = range regions {
		once.keys = a.keys
		if d := s.decide(p, &once); d.Allowed {
			return s.permission(p, &once, d)
		}
		if picked := s.picks(p, &once); len(picked) > 0 {
			once.keys = append(slices.Clone(a.keys), picked...)
			if d := s.decide(p, &once); d.Allowed {
				return s.permission(p, &once, d)
			}
		}
	}
	return nil
}

func (s *search) permission(p *principal, a *act, d policy.Decision) *Permission {
	v := scenario.VerdictOn(&s.request, d)
	return &Permission{Principal: p.arn, Action: a.action, Resource: a.resource, DecidedBy: v.DecidedBy, Policy: v.Policy, Statement: v.Statement, by: p, as: *a}
}

// statements yields, of the policies on the caller's side, and of the trust
// policy of a role that is assumed, the statements about an action.
func (s *search) statements(p *principal, a *act, visit func(h *held, t *policy.Statement)) {
	lists := [][]*held{p.identity, p.boundary, s.estate.org.limits(p.account).documents}
	if a != nil && a.action == "sts:AssumeRole" {
		if role := s.estate.byARN[a.resource]; role != nil && role.role {
			lists = append(lists, []*held{role.trust})
		}
	}
	for _, list := range lists {
		for _, h := range list {
			if a == nil {
				for i := range h.document.Statements {
					visit(h, &h.document.Statements[i])
				}
				continue
			}
			for _, i := range h.compiled.Covering(a.action) {
				visit(h, &h.document.Statements[i])
			}
		}
	}
}

// Regions that patterns in conditions are tried with.
var someRegions = strings.Fields("us-east-1 us-west-2 eu-west-1 eu-central-1 ap-southeast-1 ap-northeast-1 ca-central-1 sa-east-1 us-gov-west-1 cn-north-1")

// maxRegions bounds the Regions in which a principal is tried.
const maxRegions = 8

// regions are those in which a principal is tried: its partition's first, and
// those that its policies and guardrails name.
func (s *search) regions(p *principal) []string {
	if list := s.regionsOf[p]; list != nil {
		return list
	}
	list := []string{globalRegion(p)}
	add := func(region string) {
		if strings.ContainsAny(region, "*?") {
			i := slices.IndexFunc(someRegions, func(some string) bool { return covers(region, some) })
			if i < 0 || region == "*" {
				return
			}
			region = someRegions[i]
		}
		if region != "" && len(list) < maxRegions && !slices.Contains(list, region) && !strings.Contains(region, "$") {
			list = append(list, region)
		}
	}
	s.statements(p, nil, func(_ *held, t *policy.Statement) {
		for _, r := range t.Resources {
			if part := strings.SplitN(r, ":", 6); len(part) == 6 {
				add(part[3])
			}
		}
		for _, c := range t.Conditions {
			if strings.EqualFold(c.Key, "aws:RequestedRegion") {
				for _, v := range c.Values {
					add(v)
				}
			}
		}
	})
	s.regionsOf[p] = list
	return list
}

// picked is what a principal picks for an action.
type picked struct {
	who     *principal
	action  string
	creates bool
}

// picks are condition keys whose values the caller writes into its request,
// with values that a statement takes: the first that an Allow wants, or a Deny spares.
func (s *search) picks(p *principal, a *act) []scenario.Key {
	if a.action == "sts:AssumeRole" {
		return s.picking(p, a) // whose trust policy may want some: pairs are too many to keep
	}
	id := picked{who: p, action: a.action, creates: a.creates}
	keys, there := s.pickedKeys[id]
	if !there {
		keys = s.picking(p, a)
		s.pickedKeys[id] = keys
	}
	return keys
}

func (s *search) picking(p *principal, a *act) (keys []scenario.Key) {
	s.statements(p, a, func(h *held, t *policy.Statement) {
		for i := range t.Conditions {
			if k := s.pick(h, t, &t.Conditions[i], a); k != nil && !slices.ContainsFunc(keys, func(have scenario.Key) bool { return strings.EqualFold(have.Name, k.Name) }) {
				keys = append(keys, *k)
			}
		}
	})
	return keys
}

// pick is a value that meets a condition on a key of the request's own making.
func (s *search) pick(h *held, t *policy.Statement, c *policy.Condition, a *act) *scenario.Key {
	if !s.callers(c.Key, a) {
		return nil
	}
	operator := strings.ToLower(c.Operator)
	set := strings.HasPrefix(operator, "for")
	if operator == "null" {
		if len(c.Values) == 0 || strings.EqualFold(c.Values[0], "true") != t.Deny {
			return nil
		}
		return &scenario.Key{Name: c.Key, Values: []string{"x"}, List: set}
	}
	if strings.Contains(operator, "not") != t.Deny || len(c.Values) == 0 {
		return nil
	}
	value, ok := h.document.Resolve(c.Values[0], &s.context)
	if !ok {
		return nil
	}
	return &scenario.Key{Name: c.Key, Values: []string{strings.NewReplacer("*", "x", "?", "x").Replace(value)}, List: set}
}

// callers tells the keys that who calls fills in at will: tags and names that
// the request carries, and of a request that makes something the service's own
// keys. What is known already stays.
func (s *search) callers(name string, a *act) bool {
	lower := strings.ToLower(name)
	for _, k := range a.keys {
		if strings.EqualFold(k.Name, name) {
			return lower == "ecs:cluster"
		}
	}
	service, _, _ := strings.Cut(a.action, ":")
	switch {
	case lower == "sts:rolesessionname", lower == "aws:tagkeys", strings.HasPrefix(lower, "aws:requesttag/"):
		return true
	case strings.Contains(lower, ":resourcetag/") || service == "iam" || service == "sts":
		return false
	}
	return a.creates && strings.HasPrefix(lower, service+":")
}

// maxCandidates bounds the names that are tried for one resource.
const maxCandidates = 16

// candidates are resources of a type, with one name that no policy has and
// with such as the principal's policies name where they allow what is done with it.
func (s *search) candidates(p *principal, r resourceType, needs []need, w *workloads) []string {
	id := naming{p, r, &needs[0], w.region}
	if list := s.named[id]; list != nil {
		return list
	}
	list := []string{r.named(w.partition, w.region, w.account)}
	s.prepare(p, &act{action: needs[0].action, resource: "*", region: w.region}) // for the variables
	add := func(h *held, pattern string) {
		if len(list) == maxCandidates || pattern == "*" {
			return
		}
		if strings.Contains(pattern, "${") {
			var ok bool
			if pattern, ok = h.document.Resolve(pattern, &s.context); !ok {
				return
			}
		}
		if arn := r.match(pattern, w.partition, w.region, w.account); arn != "" && !slices.Contains(list, arn) {
			list = append(list, arn)
		}
	}
	for _, n := range needs {
		for _, h := range p.identity {
			for _, i := range h.compiled.Covering(n.action) {
				t := &h.document.Statements[i]
				if t.Deny {
					continue
				}
				if !t.NotResource {
					for _, pattern := range t.Resources {
						add(h, pattern)
					}
				}
				for _, c := range t.Conditions {
					for _, pattern := range c.Values {
						add(h, pattern)
					}
				}
			}
		}
	}
	s.named[id] = list
	return list
}

// naming is what candidates are found for.
type naming struct {
	who    *principal
	of     resourceType
	path   *need // the first of its needs
	region string
}

// may tells whether a principal may be allowed a path's actions at all: of
// each kind of policy one covers each. What lets in whom it names itself is
// left to the decision.
func (s *search) may(p *principal, x *path) bool {
	for _, action := range x.actions {
		ok, asked := s.possible[action]
		if !asked {
			ok = s.covered(p, action)
			s.possible[action] = ok
		}
		if !ok {
			return false
		}
	}
	return true
}

func (s *search) covered(p *principal, action string) bool {
	if action == "sts:AssumeRole" {
		return true
	}
	some := func(list []*policy.Policy) bool {
		return slices.ContainsFunc(list, func(c *policy.Policy) bool { return c.AllowsSome(action) })
	}
	for _, level := range s.estate.org.limits(p.account).scps {
		if !some(level) {
			return false
		}
	}
	if s.byResource[strings.SplitN(action, ":", 2)[0]] {
		return true
	}
	if len(p.boundary) > 0 && !slices.ContainsFunc(p.boundary, func(h *held) bool { return h.compiled.AllowsSome(action) }) {
		return false
	}
	return p.allowsSome(action)
}
