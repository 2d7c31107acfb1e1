package route

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// json routes by X-Amz-Target, "prefix.Operation". The path may be anything.
func (r *Router) json(m *Match, req *wire.Request, target []string) error {
	if m.Protocol != aws.AWSJSON10 {
		m.Protocol = aws.AWSJSON11
	}
	dot := strings.LastIndexByte(target[0], '.')
	if len(target) > 1 || dot < 0 || req.Method != "POST" {
		return unknown("The request names no operation, or more than one.")
	}
	prefix, name := target[0][:dot], target[0][dot+1:]
	candidates := r.targets[prefix]
	if len(candidates) == 0 {
		return unknown("The operation " + clip(name) + " is unknown.")
	}
	e := candidates[0]
	if len(candidates) > 1 { // Timestream's two share a prefix
		e = pick(candidates, name, r.byHost(req.Host))
	}
	m.to(e, "", m.Protocol)
	switch mediaType(req) {
	case "application/x-amz-json-1.0", "application/x-amz-json-1.1":
	case "", "application/json":
		m.Protocol = aws.AWSJSON11
		if e.speaks(aws.AWSJSON10) {
			m.Protocol = aws.AWSJSON10
		}
	default:
		return unknown("The request's Content-Type is not that of its protocol.")
	}
	if _, twice := actionOf(req.RawQuery); twice {
		return unknown("The request names an operation in two ways.")
	}
	op, ok := e.Operation(name)
	if !ok {
		return unknown("The operation " + clip(name) + " is unknown.")
	}
	m.Operation = op.Name
	return nil
}

// pick chooses among services that share a prefix, a signing name or a
// version: the one the host names, else the first that has the operation.
func pick(candidates []*entry, operation string, host []*entry) *entry {
	var with []*entry
	for _, e := range candidates {
		if _, ok := e.Operation(operation); ok {
			with = append(with, e)
		}
	}
	for _, e := range with {
		if only(host, e) {
			return e
		}
	}
	for _, e := range with { // docdb and neptune speak for a part of rds's operations
		if e.Name == e.SigningName {
			return e
		}
	}
	if len(with) > 0 {
		return with[0]
	}
	return candidates[0]
}

// only says whether the host is the endpoint of e alone.
func only(host []*entry, e *entry) bool { return len(host) == 1 && host[0] == e }

// cbor routes by the end of the path, /service/<name>/operation/<operation>.
func (r *Router) cbor(m *Match, req *wire.Request, protocol []string) error {
	m.Protocol = aws.RPCV2CBOR
	if len(protocol) > 1 || protocol[0] != "rpc-v2-cbor" || req.Method != "POST" {
		return unknown("The request names no operation, or more than one.")
	}
	rest, name := cutLast(req.RawPath)
	rest, word := cutLast(rest)
	rest, service := cutLast(rest)
	_, first := cutLast(rest)
	candidates := r.smithy[service]
	if word != "operation" || first != "service" || len(candidates) == 0 {
		return unknown("The operation " + clip(name) + " is unknown.")
	}
	e := candidates[0]
	if len(candidates) > 1 {
		e = pick(candidates, name, r.byHost(req.Host))
	}
	m.to(e, "", aws.RPCV2CBOR)
	if _, twice := actionOf(req.RawQuery); twice {
		return unknown("The request names an operation in two ways.")
	}
	op, ok := e.Operation(name)
	if !ok {
		return unknown("The operation " + clip(name) + " is unknown.")
	}
	m.Operation = op.Name
	return nil
}
