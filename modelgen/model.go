package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// model is a service as it will be written: its c2j model, altered by the
// overlay, and what other sources say of it.
type model struct {
	c2j
	identity   aws.Service // but for Source
	operations []*row      // sorted by name
	reached    []string    // shapes to write, sorted
	resources  map[string]resourceType
	unmatched  []unmatched // patterns that Go can't express
}

// row is an operation with what the model does not say of it.
type row struct {
	*operation
	eventName  string // "" = the operation's
	status     int    // of success; 0 = the operation's
	actions    []string
	when       [][2]string // action, parameter
	access     string
	readOnly   bool
	dataEvent  bool
	unsigned   bool
	unwrapped  bool
	keys       []string
	dependents []string
	resources  []actionResource
}

// unmatched is a pattern that was left out.
type unmatched struct{ shape, pattern, reason string }

// newModel takes a c2j model and alters it as the overlay says.
func newModel(name string, c *c2j, o *overlay) (*model, error) {
	if err := c.checkNames(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m := &model{c2j: *c, resources: map[string]resourceType{}}
	if err := m.applyShapes(o); err != nil {
		return nil, err
	}
	if err := m.applyOperations(o); err != nil {
		return nil, err
	}
	m.identity = aws.Service{
		Name: name, ServiceID: c.Metadata.ServiceID,
		SigningName:    firstOf(c.Metadata.SigningName, c.Metadata.EndpointPrefix),
		EndpointPrefix: c.Metadata.EndpointPrefix, TargetPrefix: c.Metadata.TargetPrefix,
		Version: c.Metadata.APIVersion, XMLNamespace: c.Metadata.XMLNamespace.URI,
		NoErrorWrapping: c.Metadata.NoErrorWrapping, QueryCompatible: c.Metadata.AWSQueryCompatible != nil,
		Global: o.Service.Global != nil && *o.Service.Global,
	}
	m.identity.ActionPrefix = firstOf(o.Service.ActionPrefix, m.identity.SigningName)
	m.identity.ARNNamespace = m.identity.ActionPrefix
	m.identity.EventSource = firstOf(o.Service.EventSource, m.identity.EndpointPrefix+".amazonaws.com")
	m.identity.SmithyName = c.Metadata.TargetPrefix[strings.LastIndexByte(c.Metadata.TargetPrefix, '.')+1:]
	for _, p := range append([]string{c.Metadata.Protocol}, c.Metadata.Protocols...) {
		protocol, err := protocolOf(p, c.Metadata.JSONVersion)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !slices.Contains(m.identity.Protocols, protocol) {
			m.identity.Protocols = append(m.identity.Protocols, protocol)
		}
	}
	return m, nil
}

func protocolOf(name, jsonVersion string) (aws.Protocol, error) {
	switch name {
	case "json":
		if jsonVersion == "1.0" {
			return aws.AWSJSON10, nil
		}
		return aws.AWSJSON11, nil
	case "query":
		return aws.AWSQuery, nil
	case "ec2":
		return aws.EC2Query, nil
	case "rest-json":
		return aws.RESTJSON, nil
	case "rest-xml":
		return aws.RESTXML, nil
	case "smithy-rpc-v2-cbor":
		return aws.RPCV2CBOR, nil
	}
	return aws.NoProtocol, fmt.Errorf("unknown protocol %q", name)
}

// applyShapes brings shapes into the form in which they are written: required
// and sensitive on members, Go's patterns, errors with their trait.
func (m *model) applyShapes(o *overlay) error {
	for name, e := range o.Errors {
		if err := m.applyError(name, e); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(m.Shapes) {
		s := m.Shapes[name]
		for _, required := range s.Required {
			if member := s.find(required); member != nil {
				member.required = true
			}
		}
		if s.Pattern == "" {
			continue
		}
		pattern, err := goPattern(s.Pattern)
		if err != nil {
			m.unmatched = append(m.unmatched, unmatched{name, s.Pattern, err.Error()})
		}
		s.javaPattern, s.Pattern = s.Pattern, pattern
	}
	for name, change := range o.Shapes {
		s := m.Shapes[name]
		if s == nil {
			return fmt.Errorf("overlay: no shape %s", name)
		}
		s.Min, s.Max = orElse(change.Min, s.Min), orElse(change.Max, s.Max)
		s.Sensitive = *orElse(change.Sensitive, &s.Sensitive)
		if s.complaint = change.Complaint; s.complaint != "" && s.Pattern == "" && change.Pattern == nil {
			return fmt.Errorf("overlay: %s has a complaint, but no pattern", name)
		}
		if change.Enum != nil {
			s.Enum = change.Enum
		}
		if s.open = change.Open; s.open && len(s.Enum) == 0 {
			return fmt.Errorf("overlay: %s is open, but no enum", name)
		}
		if change.Pattern != nil {
			if _, err := regexp.Compile(*change.Pattern); err != nil {
				return fmt.Errorf("overlay: pattern of %s: %w", name, err)
			}
			s.Pattern = *change.Pattern
			m.unmatched = slices.DeleteFunc(m.unmatched, func(u unmatched) bool { return u.shape == name })
		}
	}
	for path, change := range o.Members {
		shapeName, memberName, _ := strings.Cut(path, ".")
		s := m.Shapes[shapeName]
		var member *reference
		if s != nil {
			member = s.find(memberName)
		}
		if member == nil {
			return fmt.Errorf("overlay: no member %s", path)
		}
		member.required = *orElse(change.Required, &member.required)
		member.sensitive = *orElse(change.Sensitive, &member.sensitive)
		member.Shape = firstOf(change.Shape, member.Shape)
		if m.Shapes[member.Shape] == nil {
			return fmt.Errorf("overlay: no shape %s", member.Shape)
		}
		member.LocationName = firstOf(change.LocationName, member.LocationName)
	}
	return nil
}

func (m *model) applyError(name string, change errorOverlay) error {
	s := m.Shapes[name]
	switch {
	case change.Add && s != nil:
		return fmt.Errorf("overlay: error %s is in the model", name)
	case change.Add:
		s = &shape{Type: "structure", Exception: true}
		m.Shapes[name] = s
	case s == nil || !s.Exception:
		return fmt.Errorf("overlay: no error %s", name)
	}
	if s.Error == nil {
		s.Error = new(errorTrait)
	}
	s.Error.Code = *orElse(change.Code, &s.Error.Code)
	s.Error.HTTPStatusCode = *orElse(change.Status, &s.Error.HTTPStatusCode)
	s.Error.SenderFault = *orElse(change.Sender, &s.Error.SenderFault)
	s.Fault = *orElse(change.Fault, &s.Fault)
	return nil
}

// applyOperations chooses the operations and marks those that need no signature.
func (m *model) applyOperations(o *overlay) error {
	for _, name := range o.Only {
		if m.Operations[name] == nil {
			return fmt.Errorf("overlay: no operation %s", name)
		}
	}
	for name, change := range o.Operations {
		if m.Operations[name] == nil {
			return fmt.Errorf("overlay: no operation %s", name)
		}
		if change.Access != "" && !slices.Contains(slices.Collect(maps.Values(accessLevels)), change.Access) {
			return fmt.Errorf("overlay: unknown access level %s", change.Access)
		}
	}
	for _, name := range sortedKeys(m.Operations) {
		if len(o.Only) > 0 && !slices.Contains(o.Only, name) {
			continue
		}
		op := m.Operations[name]
		change := o.Operations[name]
		unsigned := op.unsigned()
		m.operations = append(m.operations, &row{
			operation: op, readOnly: op.ReadOnly, eventName: change.EventName, status: change.Status,
			unsigned:  *orElse(change.Unsigned, &unsigned),
			dataEvent: change.DataEvent != nil && *change.DataEvent,
		})
	}
	m.reach()
	return nil
}

// reach lists the shapes that operations lead to, and all errors.
func (m *model) reach() {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		s := m.Shapes[name]
		if s == nil || seen[name] {
			return
		}
		seen[name] = true
		for _, ref := range s.references() {
			visit(ref.Shape)
		}
	}
	for _, op := range m.operations {
		for _, ref := range op.references() {
			visit(ref.Shape)
		}
	}
	for name, s := range m.Shapes {
		if s.Exception {
			visit(name)
		}
	}
	m.reached = sortedKeys(seen)
}

// references are all that a shape names.
func (s *shape) references() []*reference {
	refs := slices.Clone([]*reference(s.Members))
	for name, ref := range map[string]*reference{"member": s.Member, "key": s.Key, "value": s.Value} {
		if ref != nil {
			ref.Name = name
			refs = append(refs, ref)
		}
	}
	return refs
}

// find is the member called name, or nil. A list holds "member", a map "key" and "value".
func (s *shape) find(name string) *reference {
	for _, ref := range s.references() {
		if ref.Name == name {
			return ref
		}
	}
	return nil
}

// unsigned tells whether the model lets the operation be called without a signature.
func (o *operation) unsigned() bool {
	return o.AuthType == "none" || slices.Contains(o.Auth, "smithy.api#noAuth")
}

// references are input, output and errors.
func (o *operation) references() []*reference {
	var refs []*reference
	for _, ref := range []*reference{o.Input, o.Output} {
		if ref != nil {
			refs = append(refs, ref)
		}
	}
	for i := range o.Errors {
		refs = append(refs, &o.Errors[i])
	}
	return refs
}

// kind is the shape's kind as the text of the model spells it.
func (s *shape) kind() string {
	switch {
	case s.Document:
		return "document"
	case s.Union || s.EventStream:
		return "union"
	}
	return s.Type
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// orElse is the overlay's value, if it has one.
func orElse[T any](overlay, model *T) *T {
	if overlay != nil {
		return overlay
	}
	return model
}
