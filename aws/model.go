package aws

import (
	"fmt"
	"strconv"
	"strings"
)

// The text of a model, Service.Source, is read line by line. The first line is
//
//	garrison-model 1 OPERATIONS SHAPES MEMBERS VALUES
//
// with the number of each in decimal (MEMBERS counts what lists and maps hold
// too, VALUES all enum values). Then come blocks: a line at the margin, and
// lines below it that begin with a tab. Words are separated by one space; a
// trait is a word or word=value; values hold no space, but for pattern=, which
// takes the rest of its line.
//
//	resource TYPE ARN KEY…                a kind of resource; stands before what names it
//	op NAME METHOD URI TRAIT…             in= out= wrap= host= status= event= access= checksum=
//	                                      unsigned unsignedbody unwrapped idempotent
//	                                      checksumrequired readonly data
//		error SHAPE…
//		action ACTION…
//		when ACTION PARAMETER         the parameter to the end of the line
//		depends ACTION…
//		keys KEY…
//		on TYPE[!] KEY… > ACTION…     a resource ("!": required), the action's condition keys on
//		                              it, and dependent actions
//	KIND NAME TRAIT…                      structure union list map string boolean integer long
//	                                      float double timestamp blob document
//		MEMBER SHAPE[!] TRAIT…        "!": required. A list's is called member, a map's key and value
//		/PATTERN                      the pattern as messages quote it, where it is not pattern='s
//		"COMPLAINT                    what messages say instead
//		=VALUE                        an enum's value, to the end of the line; "=-VALUE"
//		                              where messages do not list it
//
// Operations and shapes are sorted by name. Shapes may be named before their
// block; each must have one.
const modelVersion = "garrison-model 1 "

// parse reads s.Source. An empty source is a service without a model; a
// malformed one panics, for only generated text comes here.
func (s *Service) parse() {
	if s.Source == "" {
		return
	}
	p := modelParser{service: s, rest: s.Source}
	p.header()
	for p.next() {
		if p.line[0] == '\t' {
			p.line = p.line[1:]
			p.sub()
		} else {
			p.block()
		}
	}
	p.finish()
	s.operations, s.byName, s.shapes = p.operations, p.byName, p.shapes
}

// modelParser holds the arenas that the header's numbers size, so that a model
// costs a few allocations and not one a member.
type modelParser struct {
	service *Service
	rest    string // lines not read
	line    string // what is left of the current one
	number  int

	rows       []Operation
	arena      []Shape
	members    []Member
	memberRefs []*Member
	values     []string

	operations []*Operation
	byName     map[string]*Operation
	shapes     map[string]*Shape
	defined    int
	resources  map[string]ResourceKind

	row         *Operation // the block being read: one of both
	shape       *Shape
	firstMember int
	firstValue  int
}

func (p *modelParser) fail(format string, args ...any) {
	panic(fmt.Sprintf("aws: model of %s, line %d: %s", p.service.Name, p.number, fmt.Sprintf(format, args...)))
}

// next takes a line. Each ends in a newline and none is empty.
func (p *modelParser) next() bool {
	if p.rest == "" {
		return false
	}
	p.number++
	end := strings.IndexByte(p.rest, '\n')
	if end <= 0 {
		p.fail("an empty line, or the last without its end")
	}
	p.line, p.rest = p.rest[:end], p.rest[end+1:]
	return true
}

// word takes a word of the line; "" at its end.
func (p *modelParser) word() string {
	end := strings.IndexByte(p.line, ' ')
	if end < 0 {
		word := p.line
		p.line = ""
		return word
	}
	word := p.line[:end]
	if p.line = p.line[end+1:]; p.line == "" || end == 0 {
		p.fail("two spaces, or one at the end")
	}
	return word
}

// must takes a word that has to be there.
func (p *modelParser) must(what string) string {
	word := p.word()
	if word == "" {
		p.fail("%s is missing", what)
	}
	return word
}

// words takes all that is left of the line.
func (p *modelParser) words() []string {
	if p.line == "" {
		return nil
	}
	words := make([]string, 0, strings.Count(p.line, " ")+1)
	for p.line != "" {
		words = append(words, p.word())
	}
	return words
}

// trait takes a trait.
func (p *modelParser) trait() (name, value string) {
	if pattern, ok := strings.CutPrefix(p.line, "pattern="); ok {
		p.line = ""
		return "pattern", pattern
	}
	name, value, _ = strings.Cut(p.word(), "=")
	return name, value
}

func (p *modelParser) integer(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		p.fail("%q is no number", text)
	}
	return n
}

func (p *modelParser) float(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		p.fail("%q is no number", text)
	}
	return f
}

func (p *modelParser) header() {
	if !p.next() || !strings.HasPrefix(p.line, modelVersion) {
		p.fail("no header %q", modelVersion)
	}
	p.line = p.line[len(modelVersion):]
	var counts [4]int
	for i := range counts {
		// No count exceeds the text that lists what it counts.
		if counts[i] = p.integer(p.must("a count")); counts[i] > len(p.service.Source) {
			p.fail("a count larger than the text")
		}
	}
	p.rows = make([]Operation, 0, counts[0])
	p.operations = make([]*Operation, 0, counts[0])
	p.byName = make(map[string]*Operation, counts[0])
	p.arena = make([]Shape, 0, counts[1])
	p.shapes = make(map[string]*Shape, counts[1])
	p.members = make([]Member, 0, counts[2])
	p.memberRefs = make([]*Member, 0, counts[2])
	p.values = make([]string, 0, counts[3])
	p.resources = map[string]ResourceKind{}
}

// shapeNamed is the shape, made empty when it is named before its block.
func (p *modelParser) shapeNamed(name string) *Shape {
	shape := p.shapes[name]
	if shape == nil {
		if len(p.arena) == cap(p.arena) {
			p.fail("more shapes than the header says, from %q on", name)
		}
		p.arena = append(p.arena, Shape{Name: name})
		shape = &p.arena[len(p.arena)-1]
		p.shapes[name] = shape
	}
	return shape
}

func (p *modelParser) block() {
	p.endBlock()
	switch word := p.word(); word {
	case "resource":
		name := p.must("a type")
		p.resources[name] = ResourceKind{Type: name, ARN: p.must("an ARN"), ConditionKeys: p.words()}
	case "op":
		p.operation()
	default:
		kind := shapeKinds[word]
		if kind == 0 {
			p.fail("unknown block %q", word)
		}
		p.shape = p.shapeNamed(p.must("a name"))
		if p.shape.Kind != 0 {
			p.fail("shape %s has two blocks", p.shape.Name)
		}
		p.shape.Kind = kind
		p.defined++
		p.shapeTraits(p.shape)
	}
}

func (p *modelParser) sub() {
	switch {
	case p.row != nil:
		p.operationLine()
	case p.shape == nil:
		p.fail("a line below no block")
	case p.line != "" && p.line[0] == '=':
		p.value(p.line[1:])
	case p.line != "" && p.line[0] == '/':
		p.shape.PatternText = p.line[1:]
	case p.line != "" && p.line[0] == '"':
		p.shape.Complaint = p.line[1:]
	default:
		p.member()
	}
}

// endBlock hands a shape's members and values to it.
func (p *modelParser) endBlock() {
	if shape := p.shape; shape != nil {
		members := p.memberRefs[p.firstMember:len(p.memberRefs):len(p.memberRefs)]
		switch shape.Kind {
		case Structure, Union:
			shape.Members = members
		case List:
			if len(members) != 1 || members[0].Name != "member" {
				p.fail("list %s holds other than a member", shape.Name)
			}
			shape.Elem = members[0]
		case Map:
			if len(members) != 2 || members[0].Name != "key" || members[1].Name != "value" {
				p.fail("map %s holds other than key and value", shape.Name)
			}
			shape.Key, shape.Elem = members[0], members[1]
		default:
			if len(members) > 0 {
				p.fail("%s has members", shape.Name)
			}
		}
		if len(p.values) > p.firstValue {
			shape.Enum = p.values[p.firstValue:len(p.values):len(p.values)]
		}
	}
	p.row, p.shape = nil, nil
	p.firstMember, p.firstValue = len(p.memberRefs), len(p.values)
}

// finish checks that nothing was named and never told.
func (p *modelParser) finish() {
	p.endBlock()
	if p.defined != len(p.shapes) {
		for name, shape := range p.shapes {
			if shape.Kind == 0 {
				p.fail("shape %s has no block", name)
			}
		}
	}
	if len(p.rows) != cap(p.rows) || len(p.arena) != cap(p.arena) ||
		len(p.members) != cap(p.members) || len(p.values) != cap(p.values) {
		p.fail("the header's counts are not those of the text")
	}
}
