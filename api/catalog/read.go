package catalog

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/aws"
)

// A line a service, its fields separated by tabs: name, service id, signing
// name, endpoint prefix, target prefix, Smithy's name, version, protocols.
//
//go:embed services.txt
var servicesText string

// A line "@SERVICE COUNT", then a line an operation: its name, and unless they
// are POST and "/", method and URI, host=PREFIX and unsigned where they apply.
//
//go:embed operations.txt
var operationsText string

var protocols = map[string]aws.Protocol{
	"AWSJSON10": aws.AWSJSON10, "AWSJSON11": aws.AWSJSON11, "AWSQuery": aws.AWSQuery, "EC2Query": aws.EC2Query,
	"RESTJSON": aws.RESTJSON, "RESTXML": aws.RESTXML, "RPCV2CBOR": aws.RPCV2CBOR,
}

// services reads the services once. Only generated text comes here: what is malformed panics.
var services = sync.OnceValue(readServices)

func readServices() []*Service {
	count := strings.Count(servicesText, "\n")
	arena := make([]Service, count)
	list := make([]*Service, 0, count)
	for line := range strings.Lines(servicesText) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 8 {
			panic(fmt.Sprintf("catalog: services.txt: %q", line))
		}
		s := &arena[len(list)]
		s.Name, s.ServiceID, s.SigningName, s.EndpointPrefix = fields[0], fields[1], fields[2], fields[3]
		s.TargetPrefix, s.SmithyName, s.Version = fields[4], fields[5], fields[6]
		for _, name := range strings.Fields(fields[7]) {
			protocol, ok := protocols[name]
			if !ok {
				panic("catalog: services.txt: protocol " + name)
			}
			s.Protocols = append(s.Protocols, protocol)
		}
		list = append(list, s)
	}
	return list
}

// sections finds each service's part of operations.txt, once.
var sections = sync.OnceValue(readSections)

func readSections() map[string]string {
	parts := make(map[string]string, len(services()))
	for part := range strings.SplitSeq(strings.TrimPrefix(operationsText, "@"), "\n@") {
		name, _, _ := strings.Cut(part, " ")
		parts[name] = part
	}
	return parts
}

func readOperations(service string) []Operation {
	part, ok := sections()[service]
	if !ok {
		panic("catalog: operations.txt lacks " + service)
	}
	head, rest, _ := strings.Cut(part, "\n")
	_, digits, _ := strings.Cut(head, " ")
	count, err := strconv.Atoi(digits)
	if err != nil {
		panic("catalog: operations.txt: " + head)
	}
	list := make([]Operation, 0, count)
	for line := range strings.Lines(rest) {
		list = append(list, readOperation(strings.TrimSuffix(line, "\n")))
	}
	if len(list) != count {
		panic("catalog: operations.txt: " + head)
	}
	return list
}

func readOperation(line string) Operation {
	name, rest, routed := strings.Cut(line, " ")
	if !routed {
		return Operation{Name: name, Method: "POST", URI: "/"}
	}
	op := Operation{Name: name}
	op.Method, rest, _ = strings.Cut(rest, " ")
	op.URI, rest, _ = strings.Cut(rest, " ")
	for rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		if prefix, ok := strings.CutPrefix(word, "host="); ok {
			op.HostPrefix = prefix
		} else if word == "unsigned" {
			op.Unsigned = true
		} else {
			panic("catalog: operations.txt: " + line)
		}
	}
	return op
}
