package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy/reference"
)

func (c *checker) checkActions(s *statement) {
	if s.action == nil {
		return
	}
	for _, a := range s.action.items {
		if c.variable(a) {
			continue
		}
		if c.action(a) && c.kind == Resource && !c.attachable(a.value) {
			c.at(unsupportedActionInPolicy, a.at, "action", a.value, "resourceType", c.of)
		}
	}
	c.redundantActions(s.action)
}

// variable tells whether an action or principal has a policy variable, which none may.
func (c *checker) variable(t text) bool {
	at := strings.Index(t.value, "${")
	if at < 0 {
		return false
	}
	end := strings.IndexByte(t.value[at:], '}')
	if end < 0 {
		end = len(t.value) - at - 1
	}
	c.at(variableUnsupportedInElement, t.part(at, end+1), "variable", t.value[at:at+end+1])
	return true
}

// part is the place of a part of a text, in bytes; the whole's where the literal has escapes.
func (t *text) part(start, length int) place {
	if !t.raw {
		return t.at
	}
	p := t.at
	p.path = p.path.to(Step{Kind: Substring, Start: len([]rune(t.value[:start])), Length: len([]rune(t.value[start : start+length]))})
	p.span.Start += 1 + start
	p.span.End = p.span.Start + length
	return p
}

// action tells whether an action exists, or some that its pattern matches.
func (c *checker) action(a text) bool {
	if a.value == "*" {
		return true
	}
	prefix, name, ok := strings.Cut(a.value, ":")
	if !ok {
		c.likely(invalidAction, a.at, "action", a.value, "valid_action", "")
		return false
	}
	if wild(prefix) {
		if prefix != "*" {
			c.at(wildcardInServiceName, a.at)
		}
		return true
	}
	service := reference.Find(prefix)
	if service == nil {
		c.noService(a, prefix)
		return false
	}
	if known := service.Action(name); known != nil {
		return true
	}
	if wild(name) {
		if slices.ContainsFunc(service.Actions, func(x reference.Action) bool { return c.covers(name, x.Name, true) }) {
			return true
		}
		c.likely(invalidAction, a.at, "action", a.value, "valid_action", "")
		return false
	}
	likely := ""
	best := 3
	for i := range service.Actions {
		if d := c.distance(name, service.Actions[i].Name, best-1); d < best {
			best, likely = d, prefix+":"+service.Actions[i].Name
		}
	}
	c.likely(invalidAction, a.at, "action", a.value, "valid_action", likely)
	return false
}

// noService tells of an action whose service does not exist, and of a service that may be meant.
func (c *checker) noService(a text, prefix string) {
	likely := ""
	best := 2
	for _, s := range reference.Services() {
		if d := c.distance(prefix, s.Prefix, best-1); d < best {
			best, likely = d, s.Prefix
		}
	}
	c.likely(invalidServiceInAction, a.at, "service", prefix, "service2", likely)
}

// likely is say with a guess at what is meant; without one the text does not ask.
func (c *checker) likely(k *Check, at place, name, value, guess, likely string) {
	c.at(k, at, name, value, guess, likely)
	if n := len(c.findings); likely == "" && n > 0 && c.findings[n-1].Check == k {
		c.findings[n-1].Text, _, _ = strings.Cut(c.findings[n-1].Text, " Did you mean ")
	}
}

// attachable tells whether the policy of the type of resource can speak of an action.
func (c *checker) attachable(action string) bool {
	prefixes := map[string][]string{
		Bucket: {"s3"}, AccessPoint: {"s3"}, MultiRegionPoint: {"s3"}, ObjectLambdaPoint: {"s3-object-lambda"},
		AssumeRolePolicy: {"sts"}, DynamoDBTable: {"dynamodb"},
	}[c.of]
	if prefixes == nil || action == "*" {
		return true
	}
	prefix, _, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(prefixes, func(p string) bool { return c.covers(prefix, p, true) })
}
