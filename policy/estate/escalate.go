package estate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy/scenario"
)

// Hunt is what Escalations is asked.
type Hunt struct {
	// Principals are those who are looked at, by their ARNs; nil: all.
	Principals []string
	// AdministratorsOnly leaves out whoever gets to another's rights, and no further.
	AdministratorsOnly bool
	// Context are condition keys that hold for every call, as in Question.
	Context []scenario.Key
}

// Escalation is a way for a principal to more rights than its policies give it.
type Escalation struct {
	Principal string `json:"principal"`
	// To is "administrator", or the ARN of the user or role whose rights it gets to.
	To string `json:"to"`
	// Account is the one that it becomes an administrator of, or that it gets into.
	Account string `json:"account"`
	Steps   []Step `json:"steps"`
	// Change closes this way: see Change. Nil: no single permission's statements do.
	Change *Change `json:"change,omitempty"`

	walks []link
}

// Step is one path walked, by whoever has been got to so far.
type Step struct {
	Path      string `json:"path"` // its identifier in the published catalogue
	Name      string `json:"name"` // the permissions that it is known by
	Principal string `json:"principal"`
	// Target is what is changed, taken over or passed: a role, user, group or policy.
	Target string `json:"target"`
	// Service runs Workload as the role, where the path leads through one.
	Service  string `json:"service,omitempty"`
	Workload string `json:"workload,omitempty"`
	// Assumed: the estate has no resource of the workload's type; one that runs as the role is taken to exist.
	Assumed     bool         `json:"assumed,omitempty"`
	Permissions []Permission `json:"permissions"`
}

// Administrator is Escalation.To of a way that ends with all rights in an account.
const Administrator = "administrator"

// Bounds on what is listed.
const (
	maxTargets = 10 // of one principal through one path, and of one principal in several steps
	maxSteps   = 8
)

// link is a step between principals.
type link struct {
	path *path
	from *principal
	to   *principal
	*walked
}

// hunt is Escalations at work.
type hunt struct {
	*search
	asked  []*principal // who may be a link of a chain
	wanted map[*principal]bool
	rank   map[*principal]int // links from an administrator: 0 is one
	next   map[*principal]link
	found  []*Escalation
	links  map[*principal][]link // to others' rights, with their bounds
}

// Escalations finds who can raise itself to an administrator of an account, or
// to another user's or role's rights, through the published paths: every direct
// way to an administrator's rights (for each path the first target), for
// everyone else the shortest way there in several steps, and the users and
// roles that each can take over. Administrators are asked about other accounts
// only, roots and service-linked roles not at all.
func (e *Estate) Escalations(ask *Hunt) ([]*Escalation, error) {
	h, err := e.hunt(ask)
	if err != nil {
		return nil, err
	}
	return h.found, nil
}

func (e *Estate) hunt(ask *Hunt) (*hunt, error) {
	r := scenario.Request{Action: "any:Action", Resource: "*", Context: ask.Context}
	if err := r.Check(); err != nil {
		return nil, err
	}
	h := &hunt{search: newSearch(e, ask.Context), found: []*Escalation{}, wanted: map[*principal]bool{}, rank: map[*principal]int{}, next: map[*principal]link{}, links: map[*principal][]link{}}
	if err := h.choose(ask.Principals); err != nil {
		return nil, err
	}
	if err := h.climb(); err != nil {
		return nil, err
	}
	if !ask.AdministratorsOnly {
		if err := h.takeOver(); err != nil {
			return nil, err
		}
	}
	for _, f := range h.found {
		if h.close(f); h.tired() {
			return nil, errTooMany
		}
	}
	slices.SortStableFunc(h.found, func(a, b *Escalation) int {
		return cmp.Or(strings.Compare(a.Principal, b.Principal), cmp.Compare(a.order(), b.order()), cmp.Compare(len(a.Steps), len(b.Steps)),
			strings.Compare(a.Steps[0].Path, b.Steps[0].Path), strings.Compare(a.To, b.To))
	})
	return h, nil
}

func (f *Escalation) order() int {
	if f.To == Administrator {
		return 0
	}
	return 1
}

// choose finds who is looked at.
func (h *hunt) choose(arns []string) error {
	for _, p := range h.estate.principals {
		if !p.root() && !p.serviceLinked() {
			h.asked = append(h.asked, p)
			h.wanted[p] = arns == nil
		}
	}
	for _, arn := range arns {
		p := h.estate.byARN[arn]
		if p == nil || p.root() || p.serviceLinked() {
			return unknownPrincipal(arn)
		}
		h.wanted[p] = true
	}
	return nil
}

// unknownPrincipal is an ARN of no user or role that could raise itself.
type unknownPrincipal string

func (u unknownPrincipal) Error() string {
	return "accounts/ has no user or role " + string(u) + " that could raise itself"
}

// climb finds the administrators, then who gets to one in one step, then who
// gets to those, and so on: each is found once, so it ends.
func (h *hunt) climb() error {
	var fresh []*principal
	for _, p := range h.asked {
		if h.administers(p) {
			h.rank[p] = 0
			fresh = append(fresh, p)
		}
	}
	for distance := 1; distance <= maxSteps && (distance == 1 || len(fresh) > 0); distance++ {
		var joined []*principal
		for _, p := range h.asked {
			rank, ranked := h.rank[p]
			if ranked && (rank > 0 || distance > 1) {
				continue
			}
			if h.ways(p, ranked, distance, fresh) {
				joined = append(joined, p)
			}
			if h.tired() {
				return errTooMany
			}
		}
		for _, p := range joined {
			if _, ranked := h.rank[p]; !ranked {
				h.rank[p] = distance
			}
		}
		fresh = joined
	}
	return nil
}

// ways tells whether p gets in one step to an administrator's rights, or at a
// greater distance to somebody fresh. Of direct ways it notes one a path.
func (h *hunt) ways(p *principal, administers bool, distance int, fresh []*principal) bool {
	clear(h.possible)
	found := false
	for _, x := range paths() {
		if x.raises() && (distance > 1 || administers) || !h.may(p, x) {
			continue
		}
		l, ok := h.first(p, x, administers, distance, fresh)
		if !ok {
			continue
		}
		if !found && !administers {
			h.next[p] = l
		}
		found = true
		if h.wanted[p] {
			h.note(p, l, Administrator)
		}
		if distance > 1 {
			break
		}
	}
	return found && !administers
}

// first is the first way through a path to somebody fresh, or of a path that raises to anyone.
func (h *hunt) first(p *principal, x *path, administers bool, distance int, fresh []*principal) (link, bool) {
	targets := x.targets(h.search, p)
	if !x.raises() && len(fresh) < len(targets) {
		targets = fresh
	}
	for _, t := range targets {
		rank, ranked := h.rank[t]
		switch {
		case x.raises() && ranked && rank == 0:
			continue
		case !x.raises() && (!ranked || rank != distance-1 || administers && t.account == p.account):
			continue
		}
		if w := x.walk(h.search, p, t); w != nil {
			return link{x, p, t, w}, true
		}
		if h.tired() {
			break
		}
	}
	return link{}, false
}

// note adds what was found, with the steps that follow.
func (h *hunt) note(p *principal, first link, to string) {
	f := &Escalation{Principal: p.arn, To: to, Account: first.to.account}
	f.add(first)
	for q := first.to; !first.path.raises() && h.rank[q] > 0; {
		l := h.next[q]
		f.add(l)
		f.Account = l.to.account
		if l.path.raises() {
			break
		}
		q = l.to
	}
	h.found = append(h.found, f)
}

// add adds a step.
func (f *Escalation) add(l link) {
	f.walks = append(f.walks, l)
	f.Steps = append(f.Steps, Step{
		Path: l.path.id, Name: l.path.name(), Principal: l.from.arn, Target: l.on,
		Service: l.service, Workload: l.workload, Assumed: l.assumed, Permissions: l.permissions,
	})
}

// takeOver finds whom each principal can take over, who is no administrator:
// in one step through each path, then in several, the nearest first.
func (h *hunt) takeOver() error {
	for _, p := range h.asked {
		if h.wanted[p] {
			h.spread(p)
		}
		if h.tired() {
			return errTooMany
		}
	}
	return nil
}

// rankOf is the distance from an administrator, -1 if there is no way to one.
func (h *hunt) rankOf(p *principal) int {
	if rank, ranked := h.rank[p]; ranked {
		return rank
	}
	return -1
}

// takes finds the links of one principal, once.
func (h *hunt) takes(p *principal) []link {
	list, there := h.links[p]
	if there || h.tired() {
		return list
	}
	administers := h.rankOf(p) == 0
	clear(h.possible)
	for _, x := range paths() {
		if x.raises() || !h.may(p, x) {
			continue
		}
		n := 0
		for _, t := range x.targets(h.search, p) {
			if h.rankOf(t) == 0 || administers && t.account == p.account {
				continue
			}
			w := x.walk(h.search, p, t)
			if w == nil {
				continue
			}
			list = append(list, link{x, p, t, w})
			if n++; n == maxTargets || h.tired() {
				break
			}
		}
	}
	h.links[p] = list
	return list
}

// spread lists whom a principal takes over, directly and through others.
func (h *hunt) spread(p *principal) {
	for _, l := range h.takes(p) {
		f := &Escalation{Principal: p.arn, To: l.to.arn, Account: l.to.account}
		f.add(l)
		h.found = append(h.found, f)
	}
	came := map[*principal]link{p: {}}
	level, further := []*principal{p}, 0
	for distance := 1; distance <= maxSteps && len(level) > 0; distance++ {
		var next []*principal
		for _, q := range level {
			for _, l := range h.takes(q) {
				if _, there := came[l.to]; there {
					continue
				}
				came[l.to] = l
				next = append(next, l.to)
				if distance == 1 {
					continue
				}
				if further++; further > maxTargets {
					return
				}
				h.found = append(h.found, chain(p, l, came))
			}
		}
		level = next
	}
}

// chain is the way back from a link to p.
func chain(p *principal, last link, came map[*principal]link) *Escalation {
	back := []link{last}
	for q := last.from; q != p; q = came[q].from {
		back = append(back, came[q])
	}
	slices.Reverse(back)
	f := &Escalation{Principal: p.arn, To: last.to.arn, Account: last.to.account}
	for _, l := range back {
		f.add(l)
	}
	return f
}
