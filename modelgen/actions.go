package main

import (
	"encoding/json"
	"slices"
	"strings"
)

// serviceActions says which IAM actions a service's operations need.
type serviceActions struct {
	IAMPrefix  string
	Operations map[string]operationActions
}

// operationActions is written as one action, or as an object.
type operationActions struct {
	Actions []string
	When    map[string][]string // parameter → further actions
}

// UnmarshalJSON takes both forms.
func (a *operationActions) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		a.Actions = []string{""}
		return json.Unmarshal(data, &a.Actions[0])
	}
	type plain operationActions
	return json.Unmarshal(data, (*plain)(a))
}

// authorization is a service in the Service Authorization Reference.
type authorization struct {
	Actions       map[string]action
	ResourceTypes map[string]resourceType
}

type action struct {
	Access           string
	Resources        []actionResource
	ConditionKeys    []string
	DependentActions []string
}

// resourceType is a kind of resource.
type resourceType struct {
	ARN           string
	ConditionKeys []string
}

// actionResource is a kind of resource that an action applies to.
type actionResource struct {
	Type             string
	Required         bool
	ConditionKeys    []string
	DependentActions []string
}

// authorize fills a row with what IAM says of the operation: of its actions
// the first gives access level, resources and keys.
func (src *sources) authorize(m *model, op *row, change operationOverlay) {
	known, ok := src.actions[m.identity.Name].Operations[op.Name]
	switch {
	case change.Actions != nil:
		op.actions = change.Actions
	case ok:
		op.actions = known.Actions
	case !op.unsigned:
		op.actions = []string{m.identity.ActionPrefix + ":" + op.Name}
	}
	for _, when := range []map[string][]string{known.When, change.When} {
		for _, parameter := range sortedKeys(when) {
			for _, action := range when[parameter] {
				op.when = append(op.when, [2]string{action, parameter})
			}
		}
	}
	if len(op.actions) > 0 {
		src.describe(m, op)
	}
	op.access = firstOf(change.Access, op.access)
	op.readOnly = op.readOnly || op.access == "list" || op.access == "read" || op.access == "" && readsByName(op.Name)
	op.readOnly = *orElse(change.ReadOnly, &op.readOnly)
}

// describe takes what the reference says of the row's first action.
func (src *sources) describe(m *model, op *row) {
	prefix, name, _ := strings.Cut(op.actions[0], ":")
	service, ok := src.reference[prefix]
	if !ok {
		service = src.all[prefix]
	}
	a := service.Actions[name]
	op.access = accessLevels[a.Access]
	op.keys, op.dependents = a.ConditionKeys, a.DependentActions
	for _, r := range a.Resources {
		kind, ok := service.ResourceTypes[r.Type]
		if !ok {
			continue
		}
		// The text separates words by spaces; a few types and lists of ARNs hold some.
		r.Type = strings.ReplaceAll(r.Type, " ", "-")
		kind.ARN = strings.ReplaceAll(kind.ARN, " ", "")
		if prefix != m.identity.ActionPrefix {
			r.Type = prefix + ":" + r.Type
		}
		m.resources[r.Type] = kind
		op.resources = append(op.resources, r)
	}
}

var accessLevels = map[string]string{
	"List": "list", "Read": "read", "Write": "write", "Tagging, Write": "tagging", "Permissions management, Write": "permissions",
}

// readsByName guesses, where the reference knows no access level, from the operation's name.
func readsByName(name string) bool {
	return slices.ContainsFunc([]string{"Get", "List", "Describe", "BatchGet", "Search", "Lookup", "Head"},
		func(verb string) bool { return strings.HasPrefix(name, verb) })
}
