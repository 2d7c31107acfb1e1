package estate

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Locate finds where a statement of a policy, by the name that permissions and
// changes give it, stands in the estate's files: the file, and the line from 1.
// Of a policy that is exported as encoded text it is the line of its owner, and
// of one that AWS has and the export has not, no file.
func (e *Estate) Locate(policy string, statement int) (file string, line int) {
	owner, _, _ := strings.Cut(policy, " ")
	at := place{file: policy, line: 1}
	if !strings.HasPrefix(policy, "resources/") {
		var there bool
		if at, there = e.described()[owner]; !there {
			return "", 1
		}
	}
	h := e.holding(policy, owner)
	if h == nil {
		return at.file, at.line
	}
	text := e.files[at.file][at.offset:]
	if begin := bytes.Index(text, h.Text); begin >= 0 {
		at.line += bytes.Count(text[:begin], []byte("\n"))
		if statement < len(h.document.Statements) {
			at.line += h.document.Line(h.document.Statements[statement].Offset) - 1
		}
	}
	return at.file, at.line
}

// place is where a file describes somebody or a managed policy.
type place struct {
	file         string
	offset, line int
}

var ownARN = regexp.MustCompile(`"Arn"\s*:\s*"([^"]*)"`)

// described finds where accounts/ describes each ARN: others' policies may name it before.
func (e *Estate) described() map[string]place {
	if e.places != nil {
		return e.places
	}
	e.places = map[string]place{}
	for _, name := range sortedKeys(e.files) {
		if !strings.HasPrefix(name, "accounts/") {
			continue
		}
		text := e.files[name]
		line, counted := 1, 0
		for _, m := range ownARN.FindAllSubmatchIndex(text, -1) {
			line += bytes.Count(text[counted:m[2]], []byte("\n"))
			counted = m[2]
			arn := string(text[m[2]:m[3]])
			if have, there := e.places[arn]; !there || have.file != name { // a managed policy counts as its last file has it
				e.places[arn] = place{name, m[2], line}
			}
		}
	}
	return e.places
}

// holding is the policy of a name.
func (e *Estate) holding(name, owner string) *held {
	if h := e.managed[name]; h != nil {
		return h
	}
	var lists [][]*held
	if p := e.byARN[owner]; p != nil {
		lists = [][]*held{p.identity, {p.trust}}
	} else if i, there := slices.BinarySearchFunc(e.groups, owner, func(g *group, arn string) int { return strings.Compare(g.arn, arn) }); there {
		lists = [][]*held{e.groups[i].identity}
	} else if strings.HasPrefix(name, "resources/") {
		for _, r := range e.resources {
			lists = append(lists, []*held{r.policy})
		}
	}
	for _, list := range lists {
		for _, h := range list {
			if h != nil && h.Name == name {
				return h
			}
		}
	}
	return nil
}
