package expect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// maxCases bounds the combinations of one file.
const maxCases = 10_000_000

// Suite is an expectation file ready to be run.
type Suite struct {
	expectations []expectation
	documents    map[string]*scenario.Document // by name and by path
	files        map[string]*policy.Document   // every document that is used, by path
}

// expectation is a test with its names looked up.
type expectation struct {
	test       *test
	principals []side
	resources  []side
	endpoint   []scenario.Document
	context    []scenario.Key
	want       want
}

// side is what bears on a request from the caller's or from the resource's side.
type side struct {
	name, account string
	policies      scenario.Policies
	context       []scenario.Key
}

// want is the answer that is expected.
type want struct {
	decisions []string
	by        string // a type of policy, or a policy; "" is any
}

// Read reads an expectation file. Open reads a policy's document; its argument
// is a path as the file has it. An error says where in the file it lies.
func Read(text []byte, open func(path string) ([]byte, error)) (*Suite, error) {
	f, err := parse(text)
	if err != nil {
		return nil, err
	}
	r := reader{file: f, open: open, suite: &Suite{documents: map[string]*scenario.Document{}, files: map[string]*policy.Document{}}}
	if err := r.sides(); err != nil {
		return nil, err
	}
	total := 0
	for i := range f.Tests {
		t := &f.Tests[i]
		e, err := r.expectation(t)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", t.line, err)
		}
		if total += len(e.principals) * len(t.Action) * len(e.resources); total > maxCases {
			return nil, fmt.Errorf("line %d: there are more than %d cases", t.line, maxCases)
		}
		r.suite.expectations = append(r.suite.expectations, e)
	}
	return r.suite, nil
}

// reader looks up what a file names.
type reader struct {
	file       *file
	open       func(string) ([]byte, error)
	suite      *Suite
	principals map[string]side
	resources  map[string]side
}

// sides reads all principals, resources and policies, also those that no test names.
func (r *reader) sides() error {
	r.principals, r.resources = map[string]side{}, map[string]side{}
	for _, name := range slices.Sorted(maps.Keys(r.file.Principals)) {
		s, err := r.principal(r.file.Principals[name])
		if err != nil {
			return fmt.Errorf("principal %q: %w", name, err)
		}
		r.principals[name] = s
	}
	for _, name := range slices.Sorted(maps.Keys(r.file.Resources)) {
		s, err := r.resource(r.file.Resources[name])
		if err != nil {
			return fmt.Errorf("resource %q: %w", name, err)
		}
		r.resources[name] = s
	}
	for _, name := range slices.Sorted(maps.Keys(r.file.Policies)) { // what nothing else names is read as the kind with the fewest rules
		if _, err := r.document(name, policy.Resource); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) expectation(t *test) (e expectation, err error) {
	e.test = t
	if len(t.Principal) == 0 || len(t.Action) == 0 {
		return e, errors.New("a test has a principal and an action")
	}
	if e.want, err = r.wanted(t); err != nil {
		return e, err
	}
	for _, name := range t.Principal {
		s, known := r.principals[name]
		if !known && !strings.ContainsAny(name, ":.") && name != "anonymous" {
			return e, fmt.Errorf("there is no principal %q", name)
		} else if !known {
			s.name = name
		}
		e.principals = append(e.principals, s)
	}
	resources := t.Resource
	if len(resources) == 0 {
		resources = words{"*"}
	}
	for _, name := range resources {
		s, known := r.resources[name]
		if !known && name != "*" && !strings.HasPrefix(name, "arn:") {
			return e, fmt.Errorf("there is no resource %q", name)
		} else if !known {
			if s.name = name; !s.owned() {
				return e, fmt.Errorf("resource %q: %w", name, errNoAccount)
			}
		}
		e.resources = append(e.resources, s)
	}
	if e.endpoint, err = r.list(t.Endpoint, policy.Endpoint); err != nil {
		return e, err
	}
	e.context, err = keys(t.Context)
	return e, err
}

func (r *reader) wanted(t *test) (want, error) {
	w := want{by: t.By}
	if d := r.suite.documents[t.By]; d != nil {
		w.by = d.Name
	} else if t.By != "" && !scenario.Decides(t.By) {
		return w, fmt.Errorf("%q is neither a policy nor a type of policy", t.By)
	}
	switch t.Expect {
	case "allowed":
		w.decisions = []string{scenario.Allowed}
	case "denied":
		w.decisions = []string{scenario.ImplicitlyDenied, scenario.ExplicitlyDenied}
	case "implicitly denied":
		w.decisions = []string{scenario.ImplicitlyDenied}
	case "explicitly denied":
		w.decisions = []string{scenario.ExplicitlyDenied}
	default:
		return w, fmt.Errorf("expect is allowed, denied, implicitly denied or explicitly denied, not %q", t.Expect)
	}
	return w, nil
}

func (r *reader) principal(p principal) (s side, err error) {
	if p.ARN == "" {
		return s, errors.New("it has no arn")
	}
	s.name = p.ARN
	to := &s.policies
	for _, list := range [...]struct {
		to   *[]scenario.Document
		from words
		kind policy.Kind
	}{{&to.Identity, p.Identity, policy.Identity}, {&to.Boundaries, p.Boundary, policy.Boundary}, {&to.Session, p.Session, policy.Session}} {
		if *list.to, err = r.list(list.from, list.kind); err != nil {
			return s, err
		}
	}
	if to.SCPs, err = r.levels(p.SCPs, policy.SCP); err != nil {
		return s, err
	}
	s.context, err = keys(p.Context)
	return s, err
}

func (r *reader) resource(of resource) (s side, err error) {
	if of.ARN == "" {
		return s, errors.New("it has no arn")
	}
	if s.name, s.account = of.ARN, of.Account; !s.owned() {
		return s, errNoAccount
	}
	if of.Policy != "" {
		kind := policy.Resource
		if strings.Contains(of.ARN, ":iam::") && strings.Contains(of.ARN, ":role/") {
			kind = policy.Trust
		}
		if s.policies.Resource, err = r.document(of.Policy, kind); err != nil {
			return s, err
		}
	}
	if s.policies.RCPs, err = r.levels(of.RCPs, policy.RCP); err != nil {
		return s, err
	}
	s.context, err = keys(of.Context)
	return s, err
}

// errNoAccount: whose the resource is decides too much to be guessed.
var errNoAccount = errors.New("its ARN has no account; give it an entry that says whose it is")

// owned tells whether it is known whose the resource is.
func (s *side) owned() bool {
	if s.account != "" || s.name == "*" {
		return true
	}
	arn, err := aws.ParseARN(s.name)
	return err == nil && arn.Account != ""
}

func (r *reader) list(names words, kind policy.Kind) ([]scenario.Document, error) {
	var list []scenario.Document
	for _, name := range names {
		d, err := r.document(name, kind)
		if err != nil {
			return nil, err
		}
		list = append(list, *d)
	}
	return list, nil
}

func (r *reader) levels(from []words, kind policy.Kind) ([][]scenario.Document, error) {
	var levels [][]scenario.Document
	for _, names := range from {
		level, err := r.list(names, kind)
		if err != nil {
			return nil, err
		}
		levels = append(levels, level)
	}
	return levels, nil
}

// document opens a policy by its name or path, once. Its name is then its path.
func (r *reader) document(name string, kind policy.Kind) (*scenario.Document, error) {
	if d := r.suite.documents[name]; d != nil {
		return d, nil
	}
	path, named := r.file.Policies[name]
	if !named {
		path = name
	}
	text, err := r.open(path)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", name, err)
	}
	parsed, err := policy.Read(text, kind)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", name, err)
	}
	d := &scenario.Document{Name: path, Text: text}
	r.suite.documents[name], r.suite.documents[path] = d, d
	r.suite.files[path] = parsed
	return d, nil
}

// keys reads a context: a scalar is a single-valued key, a list a multivalued one.
func keys(from map[string]yaml.Node) ([]scenario.Key, error) {
	var list []scenario.Key
	for _, name := range slices.Sorted(maps.Keys(from)) {
		n := from[name]
		k := scenario.Key{Name: name}
		switch n.Kind {
		case yaml.ScalarNode:
			k.Values = []string{n.Value}
		case yaml.SequenceNode:
			k.List = true
			if err := n.Decode(&k.Values); err != nil {
				return nil, fmt.Errorf("context key %q: %w", name, oneLine(err))
			}
		default:
			return nil, fmt.Errorf("context key %q is neither a value nor a list", name)
		}
		list = append(list, k)
	}
	return list, nil
}
