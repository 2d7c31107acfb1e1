package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// modelText writes the model in the grammar that package aws reads (its
// model.go describes it).
func modelText(m *model) ([]byte, error) {
	w := &textWriter{}
	resources := map[string]bool{}
	for _, op := range m.operations {
		for _, r := range op.resources {
			resources[r.Type] = true
		}
	}
	for _, name := range sortedKeys(resources) {
		kind := m.resources[name]
		w.line(append([]string{"resource", name, kind.ARN}, kind.ConditionKeys...)...)
	}
	for _, op := range m.operations {
		w.operation(op)
	}
	members, values := 0, 0
	for _, name := range m.reached {
		s := m.Shapes[name]
		members += len(s.references())
		values += len(s.Enum) + len(s.IntEnum)
		w.shape(name, s)
	}
	header := fmt.Sprintf("garrison-model 1 %d %d %d %d\n", len(m.operations), len(m.reached), members, values)
	return append([]byte(header), w.out.Bytes()...), w.err
}

type textWriter struct {
	out bytes.Buffer
	err error
}

// line writes words; empty ones are left out. Only a pattern may hold spaces,
// and only as the last.
func (w *textWriter) line(words ...string) {
	words = slices.DeleteFunc(words, func(word string) bool { return word == "" })
	for i, word := range words {
		free := i == len(words)-1 && (strings.HasPrefix(word, "pattern=") || words[0] == "\twhen")
		if strings.ContainsAny(word, "\r\n") || !free && strings.Contains(word, " ") {
			w.err = fmt.Errorf("%q can't stand in a model's text", word)
		}
	}
	w.out.WriteString(strings.Join(words, " "))
	w.out.WriteByte('\n')
}

// set is a trait with a value, if it has one.
func set(name, value string) string {
	if value == "" {
		return ""
	}
	return name + "=" + value
}

// mark is a trait, if it is there.
func mark(name string, is bool) string {
	if !is {
		return ""
	}
	return name
}

func count(name string, n int) string {
	if n == 0 {
		return ""
	}
	return name + "=" + strconv.Itoa(n)
}

func number(name string, n *float64) string {
	if n == nil {
		return ""
	}
	return name + "=" + strconv.FormatFloat(*n, 'g', -1, 64)
}

func (w *textWriter) operation(op *row) {
	in, out, wrap := "", "", ""
	if op.Input != nil {
		in = op.Input.Shape
	}
	if op.Output != nil {
		out, wrap = op.Output.Shape, op.Output.ResultWrapper
	}
	status := cmp.Or(op.status, op.HTTP.ResponseCode)
	if status == 200 {
		status = 0
	}
	w.line("op", op.Name, op.HTTP.Method, op.HTTP.RequestURI,
		set("in", in), set("out", out), set("wrap", wrap), set("host", op.Endpoint.HostPrefix), count("status", status),
		set("event", op.eventName), set("access", op.access), mark("readonly", op.readOnly), mark("data", op.dataEvent), mark("unsigned", op.unsigned),
		mark("unsignedbody", op.UnsignedPayload || op.AuthType == "v4-unsigned-body"),
		mark("unwrapped", op.unwrapped), mark("idempotent", op.Idempotent),
		mark("checksumrequired", op.HTTPChecksumRequired || op.HTTPChecksum.RequestChecksumRequired),
		set("checksum", op.HTTPChecksum.RequestAlgorithmMember))
	var errors []string
	for _, e := range op.Errors {
		errors = append(errors, e.Shape)
	}
	w.list("\terror", errors)
	w.list("\taction", op.actions)
	for _, when := range op.when {
		w.line("\twhen", when[0], when[1])
	}
	w.list("\tdepends", op.dependents)
	w.list("\tkeys", op.keys)
	for _, r := range op.resources {
		name := r.Type
		if r.Required {
			name += "!"
		}
		words := append([]string{"\ton", name}, r.ConditionKeys...)
		if len(r.DependentActions) > 0 {
			words = append(append(words, ">"), r.DependentActions...)
		}
		w.line(words...)
	}
}

// list writes a line of words, unless there are none.
func (w *textWriter) list(name string, words []string) {
	if len(words) > 0 {
		w.line(append([]string{name}, words...)...)
	}
}

func (w *textWriter) shape(name string, s *shape) {
	words := []string{
		s.kind(), name, number("min", s.Min), number("max", s.Max), count("bits", s.Bits), mark("unique", s.UniqueItems),
		mark("open", s.open), mark("sensitive", s.Sensitive), mark("flattened", s.Flattened), mark("sparse", s.Sparse),
		mark("box", s.Box), mark("streaming", s.Streaming), mark("length", s.RequiresLength),
		mark("eventstream", s.EventStream), mark("event", s.Event), set("media", s.MediaType), set("payload", s.Payload),
		set("ns", s.XMLNamespace.URI), set("prefix", s.XMLNamespace.Prefix), set("name", s.LocationName),
		set("time", timeFormat(s.TimestampFormat)),
	}
	if s.Exception {
		trait := s.Error
		if trait == nil {
			trait = new(errorTrait)
		}
		words = append(words, firstOf(set("error", trait.Code), "error"), count("status", trait.HTTPStatusCode),
			mark("sender", trait.SenderFault), mark("fault", s.Fault))
	}
	w.line(append(words, set("pattern", s.Pattern))...)
	if s.javaPattern != "" && s.javaPattern != s.Pattern && s.Pattern != "" {
		if strings.ContainsAny(s.javaPattern, "\r\n") {
			w.err = fmt.Errorf("pattern %q can't stand in a model's text", s.javaPattern)
		}
		w.out.WriteString("\t/" + s.javaPattern + "\n")
	}
	if s.complaint != "" {
		if strings.ContainsAny(s.complaint, "\r\n") {
			w.err = fmt.Errorf("complaint %q can't stand in a model's text", s.complaint)
		}
		w.out.WriteString("\t\"" + s.complaint + "\n")
	}
	for _, ref := range s.Members {
		w.member(ref.Name, ref)
	}
	if s.Member != nil {
		w.member("member", s.Member)
	}
	if s.Key != nil {
		w.member("key", s.Key)
		w.member("value", s.Value)
	}
	for _, value := range s.IntEnum {
		w.value("", strconv.FormatInt(value, 10))
	}
	for _, value := range s.Enum {
		w.value(mark("-", slices.Contains(s.InternalEnum, value)), value)
	}
}

// value writes an enum's value, which may hold spaces.
func (w *textWriter) value(hidden, text string) {
	if strings.ContainsAny(text, "\r\n") || strings.HasPrefix(text, "-") {
		w.err = fmt.Errorf("value %q can't stand in a model's text", text)
	}
	w.out.WriteString("\t=" + hidden + text + "\n")
}

var locations = map[string]string{
	"": "", "uri": "uri", "querystring": "query", "header": "header", "headers": "headers", "statusCode": "status",
}

func (w *textWriter) member(name string, ref *reference) {
	location, ok := locations[ref.Location]
	if !ok {
		w.err = fmt.Errorf("unknown location %q", ref.Location)
	}
	wireName := ref.LocationName
	if wireName == name {
		wireName = ""
	}
	shape := ref.Shape
	if ref.required {
		shape += "!"
	}
	w.line("\t"+name, shape, set("in", location), set("name", wireName), set("query", ref.QueryName),
		mark("flattened", ref.Flattened), mark("attribute", ref.XMLAttribute), set("ns", ref.XMLNamespace.URI),
		set("prefix", ref.XMLNamespace.Prefix), mark("jsonvalue", ref.JSONValue), mark("token", ref.IdempotencyToken),
		mark("hostlabel", ref.HostLabel), mark("streaming", ref.Streaming), mark("eventpayload", ref.EventPayload),
		mark("eventheader", ref.EventHeader), mark("sensitive", ref.sensitive), set("time", timeFormat(ref.TimestampFormat)))
}

// timeFormat is the text's name of a timestamp format; c2j has two for one.
func timeFormat(c2j string) string {
	return strings.TrimSuffix(c2j, "Timestamp")
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
