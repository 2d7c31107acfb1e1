package route

import (
	"bytes"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// call is what the parameters of a query request say of its operation.
type call struct {
	action, version         string
	haveAction, haveVersion bool
	broken                  bool // a parameter twice, or with a broken escape
}

// scan looks for Action and Version in a form or a query string.
func (c *call) scan(raw []byte) {
	for len(raw) > 0 {
		pair := raw
		if i := bytes.IndexByte(raw, '&'); i >= 0 {
			pair, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		switch {
		case isNamed(name, "Action"):
			c.take(&c.action, &c.haveAction, value)
		case isNamed(name, "Version"):
			c.take(&c.version, &c.haveVersion, value)
		}
	}
}

func (c *call) take(to *string, have *bool, value []byte) {
	text, ok := unescape(string(value), true)
	if !ok || *have {
		c.broken = true
	}
	*to, *have = text, true
}

// isNamed compares a parameter's name, in whatever spelling, with want.
func isNamed(name []byte, want string) bool {
	if len(name) == len(want) {
		return string(name) == want
	}
	return len(name) <= 3*len(want) && bytes.IndexByte(name, '%') >= 0 && plain(string(name)) == want
}

// actionOf is the query string's Action.
func actionOf(query string) (string, bool) {
	if query == "" {
		return "", false
	}
	var c call
	c.scan([]byte(query))
	return c.action, c.haveAction
}

// merge takes what the query string says beside a form; it may repeat the form, not differ.
func (c *call) merge(query call) {
	c.broken = c.broken || query.broken ||
		c.haveAction && query.haveAction && c.action != query.action ||
		c.haveVersion && query.haveVersion && c.version != query.version
	if !c.haveAction {
		c.action, c.haveAction = query.action, query.haveAction
	}
	if !c.haveVersion {
		c.version, c.haveVersion = query.version, query.haveVersion
	}
}

// query routes calls of the query and ec2 protocols, by Action and Version in
// the form or the query string; the path may be anything. done says that the
// request is one.
//
// A request signed for a service that has neither a query protocol nor paths
// is routed by its Version too: only so can authentication name the service
// that it should have been signed for.
func (r *Router) query(m *Match, req *wire.Request, s signer, form []byte) (done bool, _ error) {
	signed := r.queries[s.name]
	if s.name != "" && signed == nil && (isS3(s.name) || r.tables[s.name] != nil) {
		return false, nil
	}
	var c call
	switch {
	case req.Method == "POST" && mediaType(req) == formType:
		c.scan(form)
	case req.Method == "GET", req.Method == "POST" && req.ContentLength == 0 && mediaType(req) == "":
	default:
		return false, nil
	}
	if req.RawQuery != "" {
		var q call
		q.scan([]byte(req.RawQuery))
		c.merge(q)
	}
	if !c.haveAction && (signed == nil || req.Method == "GET" || r.tables[s.name] != nil) {
		return false, nil
	}
	if signed == nil && s.name != "" && r.versions[c.version] == nil {
		return false, nil
	}
	m.Protocol = aws.AWSQuery
	e := r.queryService(c, s, signed, req.Host)
	if e == nil {
		return true, invalidAction(c)
	}
	protocol := aws.AWSQuery
	if e.speaks(aws.EC2Query) {
		protocol = aws.EC2Query
	}
	m.to(e, "", protocol)
	switch {
	case c.broken:
		return true, &aws.Error{Kind: aws.Custom, Code: "InvalidParameterValue", Status: 400,
			Message: "Action and Version must be specified once, with one value."}
	case !c.haveAction || c.action == "":
		return true, &aws.Error{Kind: aws.Custom, Code: "MissingAction", Status: 400, Message: "The request must contain the parameter Action."}
	case c.version != e.Version && !(e.Name == "sns" && !c.haveVersion):
		return true, invalidAction(c)
	}
	op, ok := e.Operation(c.action)
	switch {
	case ok:
		m.Operation = op.Name
	default:
		return true, invalidAction(c)
	}
	return true, nil
}

// queryService chooses the service: that of the signature, else of the version;
// a link of SNS has neither.
func (r *Router) queryService(c call, s signer, signed []*entry, host string) *entry {
	if signed == nil && !c.haveVersion {
		if s.name != "" {
			return nil
		}
		return r.named["sns"]
	}
	all, candidates := r.versions[c.version], signed
	if candidates == nil {
		candidates = all
	} else if len(candidates) > 1 { // elb and elbv2, rds and its kin
		var of []*entry
		for _, e := range candidates {
			if e.Version == c.version {
				of = append(of, e)
			}
		}
		if of != nil {
			candidates = of
		}
	}
	switch len(candidates) {
	case 0:
		return nil
	case 1:
		return candidates[0]
	}
	return pick(candidates, c.action, r.byHost(host))
}

func invalidAction(c call) *aws.Error {
	version := c.version
	if !c.haveVersion {
		version = "NO_VERSION_SPECIFIED"
	}
	return unknown("Could not find operation " + clip(c.action) + " for version " + clip(version))
}
