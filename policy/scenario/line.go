package scenario

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// MaxLine bounds a scenario's text, in bytes.
const MaxLine = 4 << 20

var lineLimits = strictjson.Limits{Bytes: MaxLine, Depth: 20, Values: 400_000}

// Parse reads a scenario from JSON:
//
//	{request: {principal, action, resource, resourceAccount, context: {key: string | [string]}},
//	 identityPolicies: [document], resourcePolicy: document, permissionsBoundaries: [document],
//	 sessionPolicies: [document], scps: [[document]], rcps: [[document]], endpointPolicies: [document]}
//
// All but request with its principal, action and resource may be absent. A
// policy is named by its place: "identityPolicies/0", "scps/1/0".
func Parse(line []byte) (*Scenario, error) {
	root, err := strictjson.Read(line, lineLimits)
	if bad, ok := errors.AsType[*strictjson.Error](err); ok {
		return nil, fmt.Errorf("%s, at byte %d", bad.Reason, bad.Offset)
	}
	if root.Kind != strictjson.Object {
		return nil, errors.New("a line is an object")
	}
	r := lineReader{line: line}
	asked := false
	for i := range root.Members {
		name, v := root.Members[i].Name, &root.Members[i].Value
		switch p := &r.to.Policies; name {
		case "request":
			asked = true
			r.request(v)
		case "identityPolicies":
			p.Identity = r.documents(name, v)
		case "permissionsBoundaries":
			p.Boundaries = r.documents(name, v)
		case "sessionPolicies":
			p.Session = r.documents(name, v)
		case "endpointPolicies":
			p.Endpoint = r.documents(name, v)
		case "scps":
			p.SCPs = r.levels(name, v)
		case "rcps":
			p.RCPs = r.levels(name, v)
		case "resourcePolicy":
			if v.Kind != strictjson.Null {
				d := r.document(name, v)
				p.Resource = &d
			}
		default:
			r.refuse("there is no member %q", shorten(name))
		}
	}
	if !asked {
		r.refuse("there is no request")
	}
	if r.err != nil {
		return nil, r.err
	}
	return &r.to, nil
}

// lineReader fills a scenario; err is the first thing wrong.
type lineReader struct {
	line []byte
	to   Scenario
	err  error
}

func (r *lineReader) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *lineReader) request(n *strictjson.Node) {
	if n.Kind != strictjson.Object {
		r.refuse("request is an object")
		return
	}
	q := &r.to.Request
	for i := range n.Members {
		name, v := n.Members[i].Name, &n.Members[i].Value
		switch name {
		case "principal":
			q.Principal = r.text(name, v)
		case "action":
			q.Action = r.text(name, v)
		case "resource":
			q.Resource = r.text(name, v)
		case "resourceAccount":
			if v.Kind != strictjson.Null {
				q.ResourceAccount = r.text(name, v)
			}
		case "context":
			q.Context = r.context(v)
		default:
			r.refuse("a request has no member %q", shorten(name))
		}
	}
	if q.Principal == "" || q.Action == "" || q.Resource == "" {
		r.refuse("a request has a principal, an action and a resource")
	}
}

func (r *lineReader) text(name string, n *strictjson.Node) string {
	if n.Kind != strictjson.Text {
		r.refuse("%s is a string", name)
	}
	return n.Text
}

func (r *lineReader) context(n *strictjson.Node) []Key {
	if n.Kind == strictjson.Null {
		return nil
	}
	if n.Kind != strictjson.Object {
		r.refuse("context is an object")
		return nil
	}
	keys := make([]Key, 0, len(n.Members))
	for i := range n.Members {
		key, v := Key{Name: n.Members[i].Name}, &n.Members[i].Value
		switch v.Kind {
		case strictjson.Text, strictjson.Number, strictjson.Bool: // the latter count as their text, as in policies
			key.Values = []string{v.Text}
		case strictjson.Array:
			key.List = true
			for j := range v.Items {
				if k := v.Items[j].Kind; k != strictjson.Text && k != strictjson.Number && k != strictjson.Bool {
					r.refuse("context key %q has a value that is no string", shorten(key.Name))
				}
				key.Values = append(key.Values, v.Items[j].Text)
			}
		default:
			r.refuse("context key %q is neither a string nor a list of them", shorten(key.Name))
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// document is a policy, by its text in the line.
func (r *lineReader) document(name string, n *strictjson.Node) Document {
	if n.Kind != strictjson.Object {
		r.refuse("%s is no policy document", name)
	}
	return Document{Name: name, Text: r.line[n.At.Start:n.At.End]}
}

func (r *lineReader) documents(name string, n *strictjson.Node) []Document {
	if n.Kind != strictjson.Array {
		if n.Kind != strictjson.Null {
			r.refuse("%s is a list", name)
		}
		return nil
	}
	list := make([]Document, 0, len(n.Items))
	for i := range n.Items {
		list = append(list, r.document(name+"/"+strconv.Itoa(i), &n.Items[i]))
	}
	return list
}

func (r *lineReader) levels(name string, n *strictjson.Node) [][]Document {
	if n.Kind != strictjson.Array {
		if n.Kind != strictjson.Null {
			r.refuse("%s is a list of levels", name)
		}
		return nil
	}
	list := make([][]Document, 0, len(n.Items))
	for i := range n.Items {
		level := name + "/" + strconv.Itoa(i)
		if n.Items[i].Kind != strictjson.Array {
			r.refuse("%s is a list", level)
		}
		list = append(list, r.documents(level, &n.Items[i]))
	}
	return list
}
