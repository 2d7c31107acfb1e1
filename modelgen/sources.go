package main

import (
	"fmt"
	"path/filepath"
)

// sources is what services are made of: models, and the tables beside them
// that say what models leave out.
type sources struct {
	models   string // a folder of models
	overlays string // a folder of overlays
	shared   string // the folder that holds models/ and data/

	extras    map[string]smithyExtras
	actions   map[string]serviceActions
	reference map[string]authorization // the planned services, whole
	all       map[string]authorization // every service, without dependent actions

	read map[string]*model // what service has read
}

// smithyExtras are traits of a Smithy model that its c2j form drops.
type smithyExtras struct {
	ARNNamespace          string
	CloudTrailEventSource string
	SmithyService         string
	XMLNamespace          string
	NoErrorWrapping       bool
	StructXMLName         map[string]string // shape → root element
	UnwrappedXMLOutput    []string          // operations
	UniqueItems           []string          // lists
	Sparse                []string          // lists and maps
}

func readSources(shared, models, overlays string) (*sources, error) {
	src := &sources{models: models, overlays: overlays, shared: shared, read: map[string]*model{}}
	var actions struct{ Services map[string]serviceActions }
	var reference, all struct{ Services map[string]authorization }
	for _, table := range []struct {
		path string
		into any
	}{
		{"models/smithy-extras.json", &src.extras},
		{"data/operation-actions.json", &actions},
		{"data/service-authorization.json", &reference},
		{"data/service-authorization-all.json.gz", &all},
	} {
		if err := readJSON(filepath.Join(shared, filepath.FromSlash(table.path)), table.into); err != nil {
			return nil, err
		}
	}
	src.actions, src.reference, src.all = actions.Services, reference.Services, all.Services
	return src, nil
}

// service is the model of a service with all that is known of it. Each is
// read once, and changed no more.
func (src *sources) service(name string) (*model, error) {
	if m := src.read[name]; m != nil {
		return m, nil
	}
	m, err := src.readService(name)
	if err != nil {
		return nil, err
	}
	src.read[name] = m
	return m, nil
}

func (src *sources) readService(name string) (*model, error) {
	o, err := readOverlay(src.overlays, name)
	if err != nil {
		return nil, err
	}
	path, err := modelPath(src.models, name)
	if err != nil {
		return nil, err
	}
	c, err := readModel(path)
	if err != nil {
		return nil, err
	}
	extras := src.extras[name]
	c.addExtras(extras)
	if o.Service.QueryModel != "" {
		if err := src.addQuery(c, name, o.Service.QueryModel); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	m, err := newModel(name, c, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	id := &m.identity
	id.ARNNamespace = firstOf(extras.ARNNamespace, id.ARNNamespace)
	id.SmithyName = firstOf(extras.SmithyService, id.SmithyName)
	id.EventSource = firstOf(o.Service.EventSource, extras.CloudTrailEventSource, id.EventSource)
	id.ActionPrefix = firstOf(o.Service.ActionPrefix, src.actions[name].IAMPrefix, id.SigningName)
	for _, op := range m.operations {
		for _, unwrapped := range extras.UnwrappedXMLOutput {
			op.unwrapped = op.unwrapped || op.Name == unwrapped
		}
		src.authorize(m, op, o.Operations[op.Name])
	}
	return m, nil
}

// addExtras puts Smithy's traits where c2j would have them.
func (c *c2j) addExtras(extras smithyExtras) {
	switch c.Metadata.Protocol {
	case "rest-xml", "query", "ec2":
		c.Metadata.XMLNamespace.URI = firstOf(c.Metadata.XMLNamespace.URI, extras.XMLNamespace)
	}
	c.Metadata.NoErrorWrapping = extras.NoErrorWrapping
	for name, root := range extras.StructXMLName {
		if s := c.Shapes[name]; s != nil {
			s.LocationName = root
		}
	}
	for _, name := range extras.UniqueItems {
		if s := c.Shapes[name]; s != nil {
			s.UniqueItems = true
		}
	}
	for _, name := range extras.Sparse {
		if s := c.Shapes[name]; s != nil {
			s.Sparse = true
		}
	}
}

// addQuery makes the model of a JSON service serve clients of the query
// protocol, which it spoke before: XML names and wrappers from its old model,
// the codes and statuses of errors from the table beside it. Codecs of JSON
// and CBOR take no notice of either.
func (src *sources) addQuery(c *c2j, service, queryModel string) error {
	path, err := modelPath(src.models, queryModel)
	if err != nil {
		return err
	}
	query, err := readModel(path)
	if err != nil {
		return err
	}
	errors := map[string]errorTrait{}
	if err := readJSON(filepath.Join(src.shared, "models", service+"-awsqueryerror.json"), &errors); err != nil {
		return err
	}
	c.Metadata.XMLNamespace = query.Metadata.XMLNamespace
	c.Metadata.Protocols = append(c.Metadata.Protocols, query.Metadata.Protocol)
	for name, op := range c.Operations {
		if old := query.Operations[name]; old != nil && op.Output != nil && old.Output != nil {
			op.Output.ResultWrapper = old.Output.ResultWrapper
		}
	}
	for name, s := range c.Shapes {
		if trait, ok := errors[name]; ok && s.Exception {
			s.Error = &trait
		}
		if old := query.Shapes[name]; old != nil && old.Type == s.Type {
			s.Flattened = s.Flattened || old.Flattened
			for _, ref := range s.references() {
				ref.addXMLName(old)
			}
		}
	}
	return nil
}

// addXMLName gives the reference the name it has in old, a shape of the query model.
func (r *reference) addXMLName(old *shape) {
	for _, o := range old.references() {
		if o.Name == r.Name {
			r.LocationName = o.LocationName
			r.Flattened = r.Flattened || o.Flattened
		}
	}
}
