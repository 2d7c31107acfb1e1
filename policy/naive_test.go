package policy

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/aws"
)

// The second evaluator: written from AWS's pages as plainly as possible, over
// documents as they were read, with regular expressions, no index and nothing
// shared with the package but the parsed Document.

// naiveCase is a request with all documents that bear on it.
type naiveCase struct {
	action, resource, owner string
	principal               *aws.Principal
	provider, canonical     string
	context                 map[string]naiveValue // by lower-case key

	// A nil document is one that could not be read.
	identity, boundary, session, endpoint []*Document
	hasBoundary, hasSession, hasEndpoint  bool // there is one, if only among those that have gone
	scps, rcps                            [][]*Document
	resourcePolicy                        *Document
	granted                               bool // by a grant of the resource
}

type naiveValue struct {
	list bool
	text []string
}

func (c *naiveCase) decide() string {
	p := c.principal
	anonymous := p == nil || p.Kind == aws.ServiceCaller
	linked := c.serviceLinked()
	action := strings.ToLower(c.action)
	service, _, _ := strings.Cut(action, ":")
	switch {
	case !anonymous && action == "sts:getcalleridentity":
		return "allow"
	case !anonymous && c.barred(service, action):
		return "implicit"
	}

	var everything []*Document
	if !anonymous && !linked {
		everything = append(everything, slices.Concat(c.scps...)...)
	}
	if !linked && rcpServices[service] && action != "kms:retiregrant" {
		everything = append(everything, slices.Concat(c.rcps...)...)
	}
	if c.resourcePolicy != nil {
		everything = append(everything, c.resourcePolicy)
	}
	everything = append(everything, c.endpoint...)
	if !anonymous {
		if p.Kind != aws.Root { // root has neither
			everything = slices.Concat(everything, c.identity, c.boundary)
		}
		everything = append(everything, c.session...)
	}
	for _, d := range everything {
		if d == nil {
			return "implicit"
		}
		for i := range d.Statements {
			if s := &d.Statements[i]; s.Deny && c.applies(d, s) {
				return "explicit"
			}
		}
	}
	if !anonymous && action == "sts:getsessiontoken" {
		return "allow"
	}

	if !anonymous && !linked {
		for _, level := range c.scps {
			if !c.anyAllows(level) {
				return "implicit"
			}
		}
	}
	if c.hasEndpoint && !c.anyAllows(c.endpoint) {
		return "implicit"
	}

	how := c.resourceGrants()
	if anonymous {
		if how == "direct" {
			return "allow"
		}
		return "implicit"
	}
	same := c.owner == p.Account || c.owner == "aws"
	mustName := c.resourcePolicy != nil && c.resourcePolicy.Kind == Trust ||
		service == "kms" && strings.Contains(c.resource, ":key/") ||
		service == "sts" && strings.Contains(c.resource, ":role/")
	rooted := p.Kind == aws.Root || p.Kind == aws.FederatedUser && strings.HasSuffix(p.Session.IssuerARN, ":root")
	identity := rooted || c.anyAllows(c.identity)
	limits := (!c.bounded() || c.anyAllows(c.boundary)) &&
		(!c.hasSession && p.Kind != aws.FederatedUser || c.anyAllows(c.session))
	ok := false
	switch {
	case same && how == "direct":
		ok = true
	case same && how == "entity":
		ok = limits
	case same && mustName:
		ok = how == "account" && identity && limits
	case same:
		ok = identity && limits
	default:
		ok = how != "" && identity && limits
	}
	if ok {
		return "allow"
	}
	return "implicit"
}

// bounded: users and sessions can have a boundary, root and services can not.
func (c *naiveCase) bounded() bool {
	p := c.principal
	return c.hasBoundary && p != nil && p.Kind != aws.ServiceCaller && p.Kind != aws.Root
}

// serviceLinked tells the session of a role that AWS made for a service.
func (c *naiveCase) serviceLinked() bool {
	p := c.principal
	return p != nil && p.Kind == aws.AssumedRole && p.Session != nil && strings.Contains(p.Session.RoleARN, ":role/aws-service-role/")
}

// barred is the table of id_credentials_temp_request: what temporary credentials may call.
func (c *naiveCase) barred(service, action string) bool {
	switch p := c.principal; {
	case p.Kind == aws.FederatedUser:
		return service == "iam" || service == "sts"
	case p.Kind == aws.AssumedRole:
		return action == "sts:getsessiontoken" || action == "sts:getfederationtoken"
	case p.Session == nil: // long-term credentials
		return false
	case p.Session.TaskPolicy != "": // of AssumeRoot
		return false
	case service == "iam":
		return p.Session.MFAAt.IsZero()
	}
	return service == "sts" && action != "sts:assumerole"
}

func (c *naiveCase) anyAllows(docs []*Document) bool {
	for _, d := range docs {
		for i := range d.Statements {
			if s := &d.Statements[i]; !s.Deny && c.applies(d, s) {
				return true
			}
		}
	}
	return false
}

// resourceGrants is the strongest way in which the resource's policy lets the caller in.
func (c *naiveCase) resourceGrants() string {
	best := ""
	if c.granted {
		return "direct"
	}
	if c.resourcePolicy == nil {
		return best
	}
	order := []string{"", "account", "entity", "direct"}
	for i := range c.resourcePolicy.Statements {
		s := &c.resourcePolicy.Statements[i]
		if s.Deny || !c.applies(c.resourcePolicy, s) {
			continue
		}
		how := c.named(s.Principal)
		if s.NotPrincipal {
			how = "direct"
		}
		if slices.Index(order, how) > slices.Index(order, best) {
			best = how
		}
	}
	return best
}

func (c *naiveCase) applies(d *Document, s *Statement) bool {
	action := false
	for _, a := range s.Actions {
		action = action || naiveAction(a, c.action)
	}
	if action == s.NotAction {
		return false
	}
	if s.Principal == nil && (d.Kind == Resource || d.Kind == Trust) {
		return false
	}
	if s.Principal != nil {
		named := c.named(s.Principal) != ""
		everyone := s.Deny && s.NotPrincipal && c.bounded()
		if named == s.NotPrincipal && !everyone {
			return false
		}
	}
	if s.Resources != nil {
		covered := false
		for _, r := range s.Resources {
			covered = covered || c.covers(d, r)
		}
		if covered == s.NotResource {
			return false
		}
	}
	for _, cond := range s.Conditions {
		if !c.holds(d, cond) {
			return false
		}
	}
	return true
}

// named is how the element names the caller: "direct", "entity", "account" or "".
func (c *naiveCase) named(p *Principals) string {
	who := c.principal
	switch {
	case p.Any, c.provider != "" && slices.Contains(p.Federated, c.provider):
		return "direct"
	case who != nil && who.Kind == aws.ServiceCaller:
		if slices.Contains(p.Service, who.Name) {
			return "direct"
		}
		return ""
	}
	if who == nil {
		return ""
	}
	how := ""
	if c.canonical != "" && slices.Contains(p.Canonical, c.canonical) {
		how = "account"
	}
	for _, a := range p.AWS {
		switch {
		case a == who.Account || a == "arn:"+who.Partition+":iam::"+who.Account+":root":
			if how == "" {
				how = "account"
			}
		case a == who.ARN || who.Kind == aws.User && a == who.ID:
			return "direct"
		case c.entity(a):
			how = "entity"
		}
	}
	return how
}

// entity tells whether a names the role or the user behind a session.
func (c *naiveCase) entity(a string) bool {
	who := c.principal
	switch {
	case who.Kind == aws.FederatedUser:
		return a == who.Session.IssuerARN
	case who.Kind != aws.AssumedRole:
		return false
	case who.Session != nil:
		return a == who.Session.RoleARN || a == who.Session.RoleID
	}
	// Only the session's ARN is known, which has the role's name without its path.
	role := strings.Split(who.ARN, "/")[1]
	return strings.HasPrefix(a, "arn:"+who.Partition+":iam::"+who.Account+":role/") && path.Base(a) == role
}

// naiveGlob writes a pattern as a regular expression.
func naiveGlob(s, many, one string) string {
	var b strings.Builder
	for _, c := range s {
		switch c {
		case '*':
			b.WriteString(many)
		case '?':
			b.WriteString(one)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}

func naiveMatch(expr, s string) bool {
	re, ok := naiveRegexps.Load(expr)
	if !ok {
		re = regexp.MustCompile(`(?s)\A(?:` + expr + `)\z`)
		naiveRegexps.Store(expr, re)
	}
	return re.(*regexp.Regexp).MatchString(s)
}

// naiveRegexps keeps what was compiled: it is most of the evaluator's time.
var naiveRegexps sync.Map

func naiveAction(pattern, action string) bool {
	if pattern == "*" {
		return true
	}
	return strings.Count(pattern, ":") == 1 && naiveMatch(`(?i:`+naiveGlob(pattern, ".*", ".")+`)`, action)
}

// naiveVariable is ${key} or ${key, 'default'}.
var (
	naiveVariable = regexp.MustCompile(`\$\{([^}]*)\}`)
	naiveDefault  = regexp.MustCompile(`\A(.*?), '(.*)'\z`)
)

// expression writes text with variables and wildcards as a regular expression;
// false: a variable has no value.
func (c *naiveCase) expression(d *Document, s string, wild bool) (string, bool) {
	many, one := ".*", "."
	if !wild {
		many, one = `\*`, `\?`
	}
	if d.Version != "2012-10-17" {
		return naiveGlob(s, many, one), true
	}
	var b strings.Builder
	for {
		at := naiveVariable.FindStringSubmatchIndex(s)
		if at == nil {
			b.WriteString(naiveGlob(s, many, one))
			return b.String(), true
		}
		b.WriteString(naiveGlob(s[:at[0]], many, one))
		name := s[at[2]:at[3]]
		s = s[at[1]:]
		if name == "*" || name == "?" || name == "$" {
			b.WriteString(regexp.QuoteMeta(name))
			continue
		}
		fallback, hasFallback := "", false
		if m := naiveDefault.FindStringSubmatch(name); m != nil {
			name, fallback, hasFallback = m[1], m[2], true
		}
		v, ok := c.context[strings.ToLower(strings.TrimSpace(name))]
		switch {
		case ok && !v.list && v.text[0] != "":
			b.WriteString(regexp.QuoteMeta(v.text[0]))
		case hasFallback:
			b.WriteString(regexp.QuoteMeta(fallback))
		default:
			return "", false
		}
	}
}

func (c *naiveCase) covers(d *Document, r string) bool {
	if r == "*" {
		return true
	}
	if c.resource == "*" {
		return false
	}
	parts := strings.SplitN(r, ":", 6)
	if len(parts) == 6 {
		return c.coversParts(d, parts)
	}
	// Fewer parts: the beginning of an ARN, or one whose wildcards stand for the rest.
	begin := d.Kind == Identity || d.Kind == Boundary || d.Kind == Session ||
		(d.Kind == Resource || d.Kind == Endpoint) && strings.Contains(r, "*")
	short := slices.Clone(parts)
	for len(short) < 6 {
		short = append(short, "*")
	}
	return begin && c.coversParts(d, short) || c.coversParts(d, parts)
}

func (c *naiveCase) coversParts(d *Document, parts []string) bool {
	last := len(parts) - 1
	var expr []string
	for _, p := range parts[:last] {
		if d.Version == "2012-10-17" && strings.Contains(p, "${") {
			return false
		}
		if open, ok := strings.CutSuffix(p, "*"); ok {
			expr = append(expr, `(?i:`+naiveGlob(open, `[^:]*`, `[^:]`)+`).*`)
		} else {
			expr = append(expr, `(?i:`+naiveGlob(p, `[^:]*`, `[^:]`)+`)`)
		}
	}
	rest, ok := c.expression(d, parts[last], true)
	return ok && strings.HasPrefix(c.resource, "arn:") && naiveMatch(strings.Join(append(expr, rest), ":"), c.resource)
}
