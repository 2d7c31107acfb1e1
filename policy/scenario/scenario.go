package scenario

import (
	"fmt"

	"github.com/garrison-security/garrison/policy"
)

// Scenario is a request and all that bears on it.
type Scenario struct {
	Request Request
	Policies
}

// Policies are the documents that bear on a request.
type Policies struct {
	Identity []Document
	// Resource is the resource's own policy: of a KMS key its key policy, of a
	// role that is to be assumed its trust policy. Nil: it has none.
	Resource   *Document
	Boundaries []Document
	Session    []Document
	// SCPs and RCPs are a list a level, from the root of the organisation down
	// to the account. Where AWS attaches RCPFullAWSAccess itself, it need not be
	// among them.
	SCPs, RCPs [][]Document
	Endpoint   []Document
}

// Document is a policy's text, and the name that findings and explanations give it.
type Document struct {
	Name string
	Text []byte
}

// Bounds on a scenario.
const (
	maxPolicies = 1000
	maxLevels   = 16
)

// Judge decides scenarios, one at a time. It keeps what it compiled, within a
// bound, for the next one that has the same policy.
type Judge struct {
	question question
	policies policy.Policies
	library  library
}

// Decide decides a scenario. An error is a scenario that can't be decided:
// no request, or a policy that can't be read. Nothing is skipped.
func (j *Judge) Decide(s *Scenario) (*Verdict, error) {
	if err := j.prepare(s); err != nil {
		return nil, err
	}
	return j.verdict(policy.Decide(&j.question.Request, &j.policies)), nil
}

// Explain decides a scenario and says what each statement had to do with it.
func (j *Judge) Explain(s *Scenario) (*Verdict, error) {
	if err := j.prepare(s); err != nil {
		return nil, err
	}
	x := policy.Explain(&j.question.Request, &j.policies)
	v := j.verdict(x.Decision)
	if err := j.explain(v, s, &x); err != nil {
		return nil, err
	}
	return v, nil
}

// prepare makes the question and compiles the policies.
func (j *Judge) prepare(s *Scenario) error {
	if err := j.question.ask(&s.Request); err != nil {
		return err
	}
	p := &j.policies
	*p = policy.Policies{Identity: p.Identity[:0], Boundary: p.Boundary[:0], Session: p.Session[:0], Endpoint: p.Endpoint[:0]}
	if err := s.Policies.check(); err != nil {
		return err
	}
	var err error
	for _, list := range [...]struct {
		to   *[]*policy.Policy
		from []Document
		kind policy.Kind
	}{
		{&p.Identity, s.Identity, policy.Identity},
		{&p.Boundary, s.Boundaries, policy.Boundary},
		{&p.Session, s.Session, policy.Session},
		{&p.Endpoint, s.Endpoint, policy.Endpoint},
	} {
		if *list.to, err = j.library.compileAll(*list.to, list.from, list.kind); err != nil {
			return err
		}
	}
	if p.SCPs, err = j.levels(s.SCPs, policy.SCP); err != nil {
		return err
	}
	if p.RCPs, err = j.levels(s.RCPs, policy.RCP); err != nil {
		return err
	}
	if s.Resource != nil {
		p.Resource, err = j.library.compile(s.Resource, j.resourceKind())
	}
	return err
}

func (j *Judge) levels(from [][]Document, kind policy.Kind) ([][]*policy.Policy, error) {
	var to [][]*policy.Policy
	for _, level := range from {
		policies, err := j.library.compileAll(make([]*policy.Policy, 0, len(level)), level, kind)
		if err != nil {
			return nil, err
		}
		to = append(to, policies)
	}
	return to, nil
}

// check bounds how much there is to read.
func (p *Policies) check() error {
	n := len(p.Identity) + len(p.Boundaries) + len(p.Session) + len(p.Endpoint)
	for _, level := range append(append([][]Document{}, p.SCPs...), p.RCPs...) {
		n += len(level)
	}
	if n > maxPolicies || len(p.SCPs) > maxLevels || len(p.RCPs) > maxLevels {
		return fmt.Errorf("there are at most %d policies, and %d levels of guardrails", maxPolicies, maxLevels)
	}
	return nil
}

// resourceKind is the kind of the resource's policy: the policy of a role is its trust policy.
func (j *Judge) resourceKind() policy.Kind {
	if j.question.AssumesRole() {
		return policy.Trust
	}
	return policy.Resource
}
