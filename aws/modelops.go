package aws

import (
	"slices"
	"strings"
)

func (p *modelParser) operation() {
	if len(p.rows) == cap(p.rows) {
		p.fail("more operations than the header says")
	}
	p.rows = append(p.rows, Operation{
		Service: p.service, Status: 200,
		Name: p.must("a name"), Method: p.must("a method"), URI: p.must("a URI"),
	})
	row := &p.rows[len(p.rows)-1]
	row.EventName = row.Name
	if n := len(p.operations); n > 0 && p.operations[n-1].Name >= row.Name {
		p.fail("operation %s stands out of order", row.Name)
	}
	p.row = row
	p.operations = append(p.operations, row)
	p.byName[row.Name] = row
	for p.line != "" {
		switch name, value := p.trait(); name {
		case "in":
			row.Input = p.shapeNamed(value)
		case "out":
			row.Output = p.shapeNamed(value)
		case "wrap":
			row.ResultWrapper = value
		case "host":
			row.HostPrefix = value
		case "status":
			row.Status = p.integer(value)
		case "event":
			row.EventName = value
		case "access":
			row.Access = p.access(value)
		case "checksum":
			row.ChecksumMember = value
		case "checksumrequired":
			row.ChecksumRequired = true
		case "unsigned":
			row.Unsigned = true
		case "unsignedbody":
			row.AllowUnsignedBody = true
		case "unwrapped":
			row.UnwrappedOutput = true
		case "idempotent":
			row.Idempotent = true
		case "readonly":
			row.ReadOnly = true
		case "data":
			row.DataEvent = true
		default:
			p.fail("unknown trait %q of an operation", name)
		}
	}
}

func (p *modelParser) operationLine() {
	row := p.row
	switch word := p.word(); word {
	case "error":
		row.Errors = make([]*Shape, 0, strings.Count(p.line, " ")+1)
		for p.line != "" {
			row.Errors = append(row.Errors, p.shapeNamed(p.word()))
		}
	case "action":
		row.Actions = p.words()
	case "when":
		when := ActionWhen{Action: p.must("an action"), Parameter: p.line}
		if when.Parameter == "" {
			p.fail("a parameter is missing")
		}
		row.ActionsWhen = append(row.ActionsWhen, when)
	case "depends":
		row.DependentActions = p.words()
	case "keys":
		row.ConditionKeys = p.words()
	case "on":
		p.resource(row)
	default:
		p.fail("unknown line %q of an operation", word)
	}
}

// resource takes a kind of resource that the operation's action applies to.
func (p *modelParser) resource(row *Operation) {
	name, required := strings.CutSuffix(p.must("a type"), "!")
	kind, ok := p.resources[name]
	if !ok {
		p.fail("unknown resource %q", name)
	}
	kind.Required = required
	words := p.words()
	keys := words
	if i := slices.Index(words, ">"); i >= 0 {
		keys, kind.DependentActions = words[:i], words[i+1:]
	}
	if len(keys) > 0 {
		kind.ConditionKeys = slices.Concat(kind.ConditionKeys, keys)
	}
	row.Resources = append(row.Resources, kind)
}

func (p *modelParser) access(text string) Access {
	switch text {
	case "list":
		return AccessList
	case "read":
		return AccessRead
	case "write":
		return AccessWrite
	case "tagging":
		return AccessTagging
	case "permissions":
		return AccessPermissions
	}
	p.fail("unknown access level %q", text)
	return AccessUnknown
}
