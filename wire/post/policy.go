package post

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// policy says what a form may hold, and until when.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
type policy struct {
	expires    time.Time
	conditions []condition
}

// condition is one of a policy: an operator, and what it is applied to.
type condition struct {
	operator string // "eq", "starts-with" or "content-length-range"
	name     string // of the field, in lower case; "" for what names none
	value    string
	min, max int64  // bytes
	never    bool   // nothing meets it
	shown    string // as errors repeat it
}

func invalid(text string) *aws.Error {
	return custom(400, "InvalidPolicyDocument", "Invalid Policy: "+text)
}

func notJSON() *aws.Error { return invalid("Invalid JSON.") }

// parse reads a policy as forms have it: JSON in base64.
func parse(encoded string) (*policy, error) {
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, invalid("invalid Base64 encoding.")
	}
	if !json.Valid(text) {
		return nil, notJSON()
	}
	members, err := object(text)
	if err != nil {
		return nil, err
	}
	p := new(policy)
	var conditions json.RawMessage
	have := [2]bool{}
	for _, m := range members {
		switch m.name {
		case "expiration":
			if p.expires, err = expiration(m.value); err != nil {
				return nil, err
			}
			have[0] = true
		case "conditions":
			conditions, have[1] = m.value, true
		default:
			return nil, invalid("Unexpected: '" + clip(strings.ToLower(m.name)) + "'")
		}
	}
	switch {
	case !have[0]:
		return nil, invalid("Policy missing expiration.")
	case !have[1]:
		return nil, invalid("Policy missing conditions.")
	}
	var list []json.RawMessage
	if conditions[0] != '[' || json.Unmarshal(conditions, &list) != nil {
		return nil, invalid("Invalid 'conditions' value: must be a List.")
	}
	for _, raw := range list {
		c, err := parseCondition(raw)
		if err != nil {
			return nil, err
		}
		p.conditions = append(p.conditions, c)
	}
	return p, nil
}

// expiration is a time in UTC, to the second or finer.
func expiration(raw json.RawMessage) (time.Time, error) {
	var text string
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return time.Time{}, notJSON()
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", text) // takes fractions of a second too
	if err != nil {
		return time.Time{}, invalid("Invalid 'expiration' value: '" + clip(text) + "'")
	}
	return t, nil
}

// member is one of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// object is a JSON object's members in their order; one that is there twice is refused.
func object(text []byte) (all []member, _ error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, notJSON()
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, notJSON()
		}
		m := member{name: name.(string)}
		if d.Decode(&m.value) != nil || seen[m.name] {
			return nil, notJSON()
		}
		seen[m.name] = true
		all = append(all, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON()
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, notJSON()
	}
	return all, nil
}

func parseCondition(raw json.RawMessage) (condition, error) {
	switch raw[0] {
	case '{':
		return simpleCondition(raw)
	case '[':
	default:
		return condition{}, invalid("Invalid condition test: must be a List or Object.")
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return condition{}, notJSON()
	}
	if len(list) == 0 {
		return condition{}, invalid("Invalid Condition: missing operation identifier.")
	}
	sent, ok := text(list[0])
	if !ok {
		return condition{}, notJSON()
	}
	c := condition{operator: strings.ToLower(sent), shown: shown(list)}
	switch c.operator {
	case "eq", "starts-with", "content-length-range":
	default:
		return c, invalid("Invalid Condition: unknown operation '" + clip(sent) + "'.")
	}
	if len(list) != 3 {
		return c, invalid("Invalid " + c.operator + ": wrong number of arguments.")
	}
	if c.operator == "content-length-range" {
		return c, c.setRange(list[1], list[2])
	}
	name, ok := text(list[1])
	value, ok2 := text(list[2])
	if !ok || !ok2 {
		return c, notJSON()
	}
	if name, ok := strings.CutPrefix(name, "$"); ok {
		c.name = strings.ToLower(name)
	}
	c.value = value
	return c, nil
}

// simpleCondition is {"name": "value"}, which is what ["eq", "$name", "value"] is.
func simpleCondition(raw json.RawMessage) (condition, error) {
	members, err := object(raw)
	switch {
	case err != nil:
		return condition{}, err
	case len(members) != 1:
		return condition{}, invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
	case string(members[0].value) == "null":
		return condition{}, notJSON()
	}
	value, ok := text(members[0].value)
	if !ok {
		return condition{}, invalid("Invalid Simple-Condition: value must be a string.")
	}
	name := members[0].name
	return condition{
		operator: "eq", name: strings.ToLower(name), value: value,
		shown: `["eq", ` + quote("$"+name) + ", " + quote(value) + "]",
	}, nil
}

// setRange reads the bounds, which may be texts; one that is no number meets nothing.
func (c *condition) setRange(low, high json.RawMessage) error {
	for _, at := range []struct {
		raw json.RawMessage
		to  *int64
	}{{low, &c.min}, {high, &c.max}} {
		number, quoted := text(at.raw)
		if !quoted {
			number = string(at.raw)
		}
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case quoted && (err != nil || n < 0):
			c.never = true
			return nil
		case strings.HasPrefix(number, "-"):
			return invalid("Token - must be enclosed in quotes.")
		case err != nil:
			return notJSON()
		}
		*at.to = n
	}
	return nil
}

// text is a JSON string's value.
func text(raw json.RawMessage) (s string, ok bool) {
	return s, raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// shown is a condition as errors repeat it: its items, and ", " between them.
func shown(list []json.RawMessage) string {
	var b strings.Builder
	for i, raw := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if s, ok := text(raw); ok {
			b.WriteString(quote(s))
		} else {
			b.WriteString(string(raw))
		}
	}
	return "[" + b.String() + "]"
}

// quote is a JSON string without the escapes that HTML would need.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
