package main

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/garrison-security/garrison/aws"
)

// names gives each thing of a service a Go name of its own. Operations and
// their inputs and outputs come first and have the names one expects; a shape
// that would be called like one of them, or like Service, has "Shape" behind its name.
type names struct {
	taken   map[string]bool
	shapes  map[string]string // Go types of structures, unions and enums
	aliases map[string]string // <Op>Input and <Op>Output that are no types of their own
}

func newNames(m *model) *names {
	n := &names{taken: map[string]bool{"Service": true, "source": true}, shapes: map[string]string{}, aliases: map[string]string{}}
	uses := map[string]int{}
	for _, name := range m.reached {
		for _, ref := range m.Shapes[name].references() {
			uses[ref.Shape]++
		}
	}
	for _, op := range m.operations {
		n.taken[op.Name] = true
		for _, ref := range op.references() {
			uses[ref.Shape]++
		}
	}
	for _, op := range m.operations {
		n.inputOrOutput(m, op.Name+"Input", op.Input, uses)
		n.inputOrOutput(m, op.Name+"Output", op.Output, uses)
	}
	for _, name := range m.reached {
		if _, ok := n.shapes[name]; ok || !m.Shapes[name].named() {
			continue
		}
		n.shapes[name] = n.take(upperFirst(name), "Shape")
	}
	for alias, shape := range n.aliases {
		n.aliases[alias] = n.shapes[shape]
	}
	return n
}

// inputOrOutput names the struct of an operation's input or output after the
// operation, if nothing else uses it.
func (n *names) inputOrOutput(m *model, name string, ref *reference, uses map[string]int) {
	n.taken[name] = true
	switch {
	case ref == nil:
	case uses[ref.Shape] == 1 || upperFirst(ref.Shape) == name:
		n.shapes[ref.Shape] = name
	default:
		n.aliases[name] = ref.Shape
	}
}

// named tells whether a shape is a Go type with a name.
func (s *shape) named() bool {
	switch s.kind() {
	case "structure", "union":
		return true
	case "string":
		return len(s.Enum) > 0
	}
	return false
}

// take reserves name, or the first free name with suffix behind it.
func (n *names) take(name, suffix string) string {
	free := name
	for i := 1; n.taken[free]; i++ {
		if free = name + suffix; i > 1 {
			free = fmt.Sprint(name, suffix, i)
		}
	}
	n.taken[free] = true
	return free
}

func upperFirst(name string) string {
	return (&aws.Member{Name: name}).GoName()
}

// constant names an enum's value: the type, then the value's words, each with
// its first letter in upper case ("SYMMETRIC_DEFAULT" → SymmetricDefault).
func (n *names) constant(enum, value string) string {
	var name strings.Builder
	name.WriteString(enum)
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if name.Len() == len(enum) {
		name.WriteString("Empty")
	}
	return n.take(name.String(), "_")
}
