package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// statement is a statement as far as it could be read. What could not is left out.
type statement struct {
	at         place
	sid        *text
	effect     string // Allow, Deny or ""
	action     *element
	resource   *element
	principal  *principals
	conditions []condition
	condition  *place
	node       *strictjson.Node
}

func (s *statement) allows() bool { return s.effect == "Allow" }

// text is a string with its place.
type text struct {
	value string
	at    place
	raw   bool // its literal has no escapes: places in it can be told
}

// element is an Action or Resource element, or its opposite.
type element struct {
	not   bool
	items []text
	at    place
}

// principals is a Principal or NotPrincipal element.
type principals struct {
	not    bool
	anyone bool // "*" itself
	items  []principal
	at     place
}

// principal is one principal with its kind: AWS, Service, Federated or CanonicalUser.
type principal struct {
	kind string
	text
}

// condition is one operator with one key.
type condition struct {
	name     string // of the operator, as written
	operator policy.OperatorForm
	named    place // the operator's name
	key      string
	keyed    place // the key's name
	values   []operand
	list     bool  // the values stand in an array
	at       place // the values
}

// operand is a value of a condition. A number or boolean counts as its text.
type operand struct {
	text
	kind strictjson.Kind
}

// is tells whether the condition is about a key.
func (c *condition) is(key string) bool { return strings.EqualFold(c.key, key) }

// under tells whether the condition's key is a prefix with more after it.
func (c *condition) under(prefix string) bool {
	return len(c.key) > len(prefix) && strings.EqualFold(c.key[:len(prefix)], prefix)
}

// has tells whether a condition is about one of the keys.
func (s *statement) has(keys ...string) bool {
	return slices.ContainsFunc(s.conditions, func(c condition) bool { return slices.ContainsFunc(keys, c.is) })
}

// names tells whether the element itself names, by pattern or not, an action.
func (s *statement) names(c *checker, action string) bool {
	return s.action != nil && !s.action.not && slices.ContainsFunc(s.action.items, func(t text) bool { return c.covers(t.value, action, true) })
}
