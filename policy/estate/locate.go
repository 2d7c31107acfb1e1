package estate

import (
	"bytes"
	"strings"
)

// Locate finds where a statement of a policy, by the name that permissions and
// changes give it, stands in the estate's files: the file, and the line from 1.
// Of a policy that is exported as encoded text it is the line of its owner, and
// of one that AWS has and the export has not, no file.
func (e *Estate) Locate(policy string, statement int) (file string, line int) {
	owner, _, _ := strings.Cut(policy, " ")
	h := e.holding(policy, owner)
	for _, name := range sortedKeys(e.files) {
		if name == policy { // a resource's
			owner = ""
		} else if !strings.HasPrefix(name, "accounts/") {
			continue
		}
		text := e.files[name]
		at := bytes.Index(text, []byte(`"`+owner+`"`))
		if owner != "" && at < 0 {
			continue
		}
		at = max(at, 0)
		line = 1 + bytes.Count(text[:at], []byte("\n"))
		if h == nil {
			return name, line
		}
		if begin := bytes.Index(text[at:], h.Text); begin >= 0 {
			line += bytes.Count(text[at:at+begin], []byte("\n"))
			if statement < len(h.document.Statements) {
				line += h.document.Line(h.document.Statements[statement].Offset) - 1
			}
			return name, line
		}
		file = name
		if h.arn == "" {
			return name, line
		}
	}
	return file, max(line, 1)
}

// holding is the policy of a name.
func (e *Estate) holding(name, owner string) *held {
	if h := e.managed[name]; h != nil {
		return h
	}
	if r := e.resources[owner]; r != nil {
		return r.policy
	}
	for _, r := range e.resources {
		if r.policy != nil && r.policy.Name == name {
			return r.policy
		}
	}
	var lists [][]*held
	if p := e.byARN[owner]; p != nil {
		lists = append(lists, p.identity)
		if p.trust != nil {
			lists = append(lists, []*held{p.trust})
		}
	}
	for _, g := range e.groups {
		if g.arn == owner {
			lists = append(lists, g.identity)
		}
	}
	for _, list := range lists {
		for _, h := range list {
			if h.Name == name {
				return h
			}
		}
	}
	return nil
}
