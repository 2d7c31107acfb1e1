package estate

import (
	"slices"

	"github.com/garrison-security/garrison/policy"
)

// Change is the smallest change that closes an escalation: without Action in
// these statements, one of its steps is no longer allowed.
type Change struct {
	// Principal is who loses the permission.
	Principal  string  `json:"principal"`
	Action     string  `json:"action"`
	Resource   string  `json:"resource"`
	Statements []Place `json:"statements"`
}

// Place is a statement of a policy, from 0.
type Place struct {
	Policy    string `json:"policy"`
	Statement int    `json:"statement"`
	// Holder is the user, role or group that has the policy.
	Holder string `json:"holder"`
	// Managed: the policy is AWS's own. It can be detached, and not be changed.
	Managed bool `json:"awsManaged,omitempty"`

	held *held
}

// weight orders changes: what a customer can't edit weighs more.
func (c *Change) weight() int {
	n := 0
	for _, p := range c.Statements {
		n++
		if p.Managed {
			n += 100
		}
	}
	return n
}

// close finds an escalation's change. Each permission of each step is tried in
// turn: the statements that grant it are left out, the path is walked again,
// and if another statement opens it, that one goes, too.
func (h *hunt) close(f *Escalation) {
	for i := range f.walks {
		l := &f.walks[i]
		for k := range l.permissions {
			if c := h.closing(l, &l.permissions[k]); c != nil && (f.Change == nil || c.weight() < f.Change.weight()) {
				f.Change = c
			}
			if f.Change != nil && f.Change.weight() == 1 {
				return
			}
		}
	}
}

// maxTries bounds the statements that a change leaves out.
const maxTries = 16

// closing is what closes a link by taking away one permission; nil if nothing
// that was tried does.
func (h *hunt) closing(l *link, lost *Permission) *Change {
	c := &Change{Principal: lost.Principal, Action: lost.Action, Resource: lost.Resource}
	h.lost, h.left = lost.Action, map[*held]*held{}
	defer func() { h.lost, h.left = "", nil }()
	now := lost
	for range maxTries {
		places := h.granting(now)
		if len(places) == 0 {
			return nil
		}
		c.Statements = append(c.Statements, places...)
		for _, p := range places {
			h.left[p.held] = p.held.without(c.Statements)
		}
		again := l.path.walk(h.search, l.from, l.to)
		if again == nil {
			return c
		}
		i := slices.IndexFunc(again.permissions, func(p Permission) bool { return p.Action == lost.Action })
		if i < 0 {
			return nil
		}
		now = &again.permissions[i]
	}
	return nil
}

// granting are the statements that grant a permission: those of the identity
// policies, or of the trust policy where it lets the caller in itself or has fewer.
func (h *hunt) granting(p *Permission) []Place {
	h.prepare(p.by, &p.as)
	x := policy.Explain(&h.request, &h.policies)
	var identity, resource []Place
	n := 0
	for i := range x.Policies {
		o := &x.Policies[i]
		if o.Kind == policy.Identity {
			identity = append(identity, granted(p.by.identity[n], o, p.by.holderOf(p.by.identity[n]))...)
			n++
		}
		if from := h.policyOf(&p.as); from != nil && (o.Kind == policy.Trust || o.Kind == policy.Resource) {
			resource = append(resource, granted(from, o, p.Resource)...)
		}
	}
	if x.By != policy.Identity || len(identity) > len(resource) && len(resource) > 0 && h.request.AssumesRole() {
		return resource
	}
	return identity
}

// granted are the Allow statements that match.
func granted(h *held, o *policy.PolicyOutcome, holder string) (list []Place) {
	for i := range o.Statements {
		if s := &o.Statements[i]; !s.Deny && s.Matched() {
			list = append(list, Place{Policy: h.Name, Statement: i, Holder: holder, Managed: ownerOfPolicy(h.arn) == "aws", held: h})
		}
	}
	return list
}

// holderOf is who has a policy of the principal's: a group of its, or itself.
func (p *principal) holderOf(h *held) string {
	for _, g := range p.groups {
		if slices.Contains(g.identity, h) {
			return g.arn
		}
	}
	return p.arn
}

// without is a policy without some of its statements. They keep their places.
func (h *held) without(gone []Place) *held {
	d := *h.document
	d.Statements = slices.Clone(d.Statements)
	for _, g := range gone {
		if g.held == h {
			d.Statements[g.Statement].Actions = []string{"none:None"}
			d.Statements[g.Statement].NotAction = false
		}
	}
	return &held{Document: h.Document, arn: h.arn, document: &d, compiled: policy.Compile(&d, h.Name)}
}
