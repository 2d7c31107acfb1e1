package organizations

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// Management policies (tag, backup and all but service and resource control
// policies) are trees whose leaves are settings. A document sets them through
// operators, and says which of those the policies below it may use.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html

// operators is a set of value-setting operators.
type operators uint8

const (
	opAssign operators = 1 << iota
	opAppend
	opRemove

	opNone operators = 0
	opAll            = opAssign | opAppend | opRemove
)

const (
	operatorPrefix = "@@"
	controlKey     = "@@operators_allowed_for_child_policies"
	maxTreeDepth   = 24
)

var operatorNames = map[string]operators{"@@assign": opAssign, "@@append": opAppend, "@@remove": opRemove, "@@all": opAll, "@@none": opNone}

// tree is a document's node, or one of what documents merge into.
type tree struct {
	order    []string // names of children, as they first came
	children map[string]*tree
	set      map[operators]any // of a document: what assign, append and remove are given
	control  *operators        // of a document: what child policies may use

	value   any       // of a merged tree: the setting; nil = none
	allowed operators // of a merged tree: what policies of this level may use
	next    operators // of a merged tree: what those of the levels below may
	fixed   bool      // of a merged tree: assigned by an earlier policy of this level
}

var errTree = errors.New("organizations: not a management policy")

// parseTree reads a document. Names may not come twice, and what stands
// beside operators, or in the place of one, is refused.
func parseTree(text string) (*tree, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errTree
	}
	t, err := readTree(d, maxTreeDepth)
	if err != nil {
		return nil, errTree
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errTree
	}
	return t, nil
}

// readTree reads an object's members, whose brace is read already.
func readTree(d *json.Decoder, depth int) (*tree, error) {
	if depth == 0 {
		return nil, errTree
	}
	t := &tree{children: map[string]*tree{}, set: map[operators]any{}}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // members' names are strings
		switch {
		case name == controlKey:
			err = t.readControl(d)
		case strings.HasPrefix(name, operatorPrefix):
			err = t.readOperator(d, name)
		default:
			if token, err = d.Token(); err == nil && token != json.Delim('{') || t.children[name] != nil {
				return nil, errTree
			}
			if err == nil {
				t.order = append(t.order, name)
				t.children[name], err = readTree(d, depth-1)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return t, err
}

func (t *tree) readOperator(d *json.Decoder, name string) error {
	op := operatorNames[name]
	if _, twice := t.set[op]; twice || op == opNone || op == opAll {
		return errTree
	}
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	list, isList := v.([]any)
	for _, item := range list {
		if !isScalar(item) {
			return errTree
		}
	}
	if !isList && (op != opAssign || !isScalar(v)) {
		return errTree
	}
	t.set[op] = v
	return nil
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, json.Number, bool:
		return true
	}
	return false
}

func (t *tree) readControl(d *json.Decoder) error {
	var names []string
	if err := d.Decode(&names); err != nil {
		return err
	}
	if t.control != nil || len(names) == 0 {
		return errTree
	}
	var all operators
	for _, name := range names {
		op, ok := operatorNames[name]
		if !ok || (op == opAll || op == opNone) && len(names) > 1 {
			return errTree
		}
		all |= op
	}
	t.control = &all
	return nil
}

// merged begins what documents merge into.
func merged() *tree { return &tree{children: map[string]*tree{}, allowed: opAll, next: opAll} }

// descend ends a level: what its policies said of child policies holds from here on.
func (t *tree) descend() {
	t.allowed, t.fixed = t.next, false
	for _, child := range t.children {
		child.descend()
	}
}

// merge lays a document over what was merged before, as far as the levels
// above allow. Of policies at one level the first that assigns a setting
// wins, and child policies may use what all of them allow.
func (t *tree) merge(from *tree) {
	t.apply(from)
	for _, name := range from.order {
		child := t.children[name]
		if child == nil {
			if t.allowed&(opAssign|opAppend) == 0 {
				continue
			}
			child = merged()
			t.order = append(t.order, name)
			t.children[name] = child
		}
		child.merge(from.children[name])
	}
	if from.control != nil {
		t.next &= *from.control & t.allowed
	}
}

func (t *tree) apply(from *tree) {
	if v, ok := from.set[opAssign]; ok && t.allowed&opAssign != 0 && !t.fixed {
		t.value, t.fixed = v, true
	}
	list, isList := t.value.([]any)
	if v, ok := from.set[opAppend]; ok && t.allowed&opAppend != 0 && (isList || t.value == nil) {
		list = slices.Clone(list)
		for _, item := range v.([]any) {
			if !slices.Contains(list, item) {
				list = append(list, item)
			}
		}
		t.value, isList = list, true
	}
	if v, ok := from.set[opRemove]; ok && t.allowed&opRemove != 0 && isList {
		gone := v.([]any)
		list = slices.DeleteFunc(slices.Clone(list), func(item any) bool { return slices.Contains(gone, item) })
		if t.value = list; len(list) == 0 {
			t.value = nil
		}
	}
}

// write appends the settings as JSON; false if there are none.
func (t *tree) write(to *bytes.Buffer) bool {
	if t.value != nil {
		text, err := json.Marshal(t.value)
		if err != nil {
			return false
		}
		to.Write(text)
		return true
	}
	start, empty := to.Len(), true
	to.WriteByte('{')
	for _, name := range t.order {
		at := to.Len()
		if !empty {
			to.WriteByte(',')
		}
		key, _ := json.Marshal(name)
		to.Write(key)
		to.WriteByte(':')
		if !t.children[name].write(to) {
			to.Truncate(at)
			continue
		}
		empty = false
	}
	to.WriteByte('}')
	if empty {
		to.Truncate(start)
	}
	return !empty
}
