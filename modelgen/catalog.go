package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// listed is a service in the list of all services: names and routing.
type listed struct {
	Protocol       string
	Protocols      []string
	APIVersion     string
	EndpointPrefix string
	SigningName    string
	TargetPrefix   string
	ServiceID      string
	Operations     listedOperations
}

// listedOperations is written as a list of names (RPC protocols), or as name →
// [method, URI, {auth, hostPrefix}].
type listedOperations map[string]listedOperation

type listedOperation struct {
	method, uri, hostPrefix string
	unsigned                bool
}

// UnmarshalJSON takes both forms.
func (l *listedOperations) UnmarshalJSON(data []byte) error {
	*l = listedOperations{}
	if bytes.HasPrefix(data, []byte("[")) {
		var names []string
		err := json.Unmarshal(data, &names)
		for _, name := range names {
			(*l)[name] = listedOperation{method: "POST", uri: "/"}
		}
		return err
	}
	var table map[string][]json.RawMessage
	if err := json.Unmarshal(data, &table); err != nil {
		return err
	}
	for name, parts := range table {
		var op listedOperation
		var more struct {
			Auth       json.RawMessage
			HostPrefix string
		}
		for i, into := range []any{&op.method, &op.uri, &more} {
			if i >= len(parts) {
				break
			}
			if err := json.Unmarshal(parts[i], into); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		op.hostPrefix = more.HostPrefix
		op.unsigned = bytes.Contains(more.Auth, []byte("#noAuth")) || string(more.Auth) == `"none"`
		(*l)[name] = op
	}
	return nil
}

// catalogFiles writes the table of every operation. Of services that have a
// model here the model, with its overlay, is what counts.
func catalogFiles(src *sources) (map[string][]byte, error) {
	all := map[string]*listed{}
	if err := readJSON(filepath.Join(src.shared, "models", "all-operations.json.gz"), &all); err != nil {
		return nil, err
	}
	var services, operations bytes.Buffer
	for _, name := range sortedKeys(all) {
		id, ops, err := src.catalogued(name, all[name])
		if err != nil {
			return nil, err
		}
		protocols := make([]string, len(id.Protocols))
		for i, protocol := range id.Protocols {
			protocols[i] = strings.TrimPrefix(protocolNames[protocol], "aws.")
		}
		line := strings.Join([]string{name, id.ServiceID, id.SigningName, id.EndpointPrefix, id.TargetPrefix, id.SmithyName,
			id.Version, strings.Join(protocols, " ")}, "\t")
		fmt.Fprintln(&services, line)
		fmt.Fprintf(&operations, "@%s %d\n", name, len(ops))
		for _, op := range sortedKeys(ops) {
			operations.WriteString(op)
			switch o := ops[op]; {
			case o != listedOperation{method: "POST", uri: "/"}:
				fmt.Fprintf(&operations, " %s %s", o.method, o.uri)
				if o.hostPrefix != "" {
					operations.WriteString(" host=" + o.hostPrefix)
				}
				if o.unsigned {
					operations.WriteString(" unsigned")
				}
			}
			operations.WriteByte('\n')
		}
	}
	return map[string][]byte{"api/catalog/services.txt": services.Bytes(), "api/catalog/operations.txt": operations.Bytes()}, nil
}

// catalogued is a service as the catalog has it.
func (src *sources) catalogued(name string, l *listed) (*aws.Service, listedOperations, error) {
	if _, err := modelPath(src.models, name); err != nil || !slices.Contains(src.modelled(), name) {
		id := &aws.Service{ServiceID: l.ServiceID, SigningName: l.SigningName, EndpointPrefix: l.EndpointPrefix,
			TargetPrefix: l.TargetPrefix, Version: l.APIVersion}
		id.SmithyName = l.TargetPrefix[strings.LastIndexByte(l.TargetPrefix, '.')+1:]
		for _, p := range append([]string{l.Protocol}, l.Protocols...) {
			protocol, err := protocolOf(p, "")
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			if !slices.Contains(id.Protocols, protocol) {
				id.Protocols = append(id.Protocols, protocol)
			}
		}
		return id, l.Operations, nil
	}
	m, err := src.service(name)
	if err != nil {
		return nil, nil, err
	}
	ops := listedOperations{}
	for opName, op := range m.Operations {
		ops[opName] = listedOperation{op.HTTP.Method, op.HTTP.RequestURI, op.Endpoint.HostPrefix, op.unsigned()}
	}
	for _, op := range m.operations {
		listed := ops[op.Name]
		listed.unsigned = op.unsigned
		ops[op.Name] = listed
	}
	return &m.identity, ops, nil
}

// modelled lists the services that smithy-extras.json or the table of actions
// knows: those whose models stand beside them.
func (src *sources) modelled() []string {
	names := sortedKeys(src.extras)
	for name := range src.actions {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
