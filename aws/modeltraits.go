package aws

import "strings"

var shapeKinds = map[string]ShapeKind{
	"structure": Structure, "union": Union, "list": List, "map": Map, "string": String, "boolean": Boolean,
	"integer": Integer, "long": Long, "float": Float, "double": Double, "timestamp": Timestamp, "blob": Blob,
	"document": Document,
}

func (p *modelParser) shapeTraits(shape *Shape) {
	for p.line != "" {
		switch name, value := p.trait(); name {
		case "min":
			shape.HasMin, shape.Min = true, p.float(value)
		case "max":
			shape.HasMax, shape.Max = true, p.float(value)
		case "pattern":
			shape.Pattern = value
		case "unique":
			shape.UniqueItems = true
		case "bits":
			shape.Bits = p.integer(value)
		case "open":
			shape.Open = true
		case "sensitive":
			shape.Sensitive = true
		case "flattened":
			shape.Flattened = true
		case "sparse":
			shape.Sparse = true
		case "box":
			shape.Box = true
		case "streaming":
			shape.Streaming = true
		case "length":
			shape.RequiresLength = true
		case "eventstream":
			shape.EventStream = true
		case "event":
			shape.Event = true
		case "media":
			shape.MediaType = value
		case "payload":
			shape.Payload = value
		case "ns":
			shape.XMLNamespace = value
		case "prefix":
			shape.XMLPrefix = value
		case "name":
			shape.LocationName = value
		case "time":
			shape.TimestampFormat = p.timestampFormat(value)
		case "error":
			shape.Error = &ErrorTrait{Code: value}
		case "status", "sender", "fault":
			p.errorTrait(shape.Error, name, value)
		default:
			p.fail("unknown trait %q of a shape", name)
		}
	}
}

// errorTrait takes what stands behind the trait error.
func (p *modelParser) errorTrait(trait *ErrorTrait, name, value string) {
	if trait == nil {
		p.fail("%s without error", name)
	}
	switch name {
	case "status":
		trait.Status = p.integer(value)
	case "sender":
		trait.Sender = true
	case "fault":
		trait.Fault = true
	}
}

func (p *modelParser) timestampFormat(text string) TimestampFormat {
	switch text {
	case "iso8601":
		return ISO8601
	case "rfc822":
		return RFC822
	case "unix":
		return UnixTime
	}
	p.fail("unknown timestamp format %q", text)
	return DefaultTime
}

func (p *modelParser) value(text string) {
	if kind := p.shape.Kind; kind != String && kind != Integer {
		p.fail("%s can't be an enum", p.shape.Name)
	}
	if len(p.values) == cap(p.values) {
		p.fail("more values than the header says")
	}
	if hidden, ok := strings.CutPrefix(text, "-"); ok {
		text = hidden
		p.shape.HiddenEnum = append(p.shape.HiddenEnum, text)
	}
	p.values = append(p.values, text)
}

func (p *modelParser) member() {
	if len(p.members) == cap(p.members) {
		p.fail("more members than the header says")
	}
	p.members = append(p.members, Member{Name: p.must("a name")})
	m := &p.members[len(p.members)-1]
	p.memberRefs = append(p.memberRefs, m)
	shape, required := strings.CutSuffix(p.must("a shape"), "!")
	m.Required = required
	m.Shape = p.shapeNamed(shape)
	if p.shape.Error != nil {
		m.field = errorField(m.Name)
	}
	for p.line != "" {
		switch name, value := p.trait(); name {
		case "in":
			m.Location = p.location(value)
		case "name":
			m.LocationName = value
		case "query":
			m.QueryName = value
		case "flattened":
			m.Flattened = true
		case "attribute":
			m.XMLAttribute = true
		case "ns":
			m.XMLNamespace = value
		case "prefix":
			m.XMLPrefix = value
		case "jsonvalue":
			m.JSONValue = true
		case "token":
			m.IdempotencyTok = true
		case "hostlabel":
			m.HostLabel = true
		case "streaming":
			m.Streaming = true
		case "eventpayload":
			m.EventPayload = true
		case "eventheader":
			m.EventHeader = true
		case "sensitive":
			m.Sensitive = true
		case "time":
			m.TimestampFormat = p.timestampFormat(value)
		default:
			p.fail("unknown trait %q of a member", name)
		}
	}
}

// errorField is the field of an error shape's member where the member's name
// would clash with a method of Modelled, else "".
func errorField(name string) string {
	switch field := upperFirst(name); field {
	case "Error", "ErrorShape", "ErrorText":
		return field + "_"
	}
	return ""
}

func (p *modelParser) location(text string) Location {
	switch text {
	case "uri":
		return InURI
	case "query":
		return InQuery
	case "header":
		return InHeader
	case "headers":
		return InHeaders
	case "status":
		return InStatus
	}
	p.fail("unknown location %q", text)
	return InBody
}
