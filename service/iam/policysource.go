package iam

import (
	"fmt"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam/managed"
)

// policySource is the user, group or role whose policies are looked at.
type policySource struct {
	*Entity
	noun  string // "user", "group", "role"
	shown string // as denials name it
	user  *User  // nil of others
}

// ShownARN implements gateway.Shown.
func (p *policySource) ShownARN() string { return p.shown }

// sourceNamed finds the user, group or role that an ARN of the caller's account
// names. An ARN of anything else is refused in AWS's words
// (aws-containers/amazon-ecs-exec-checker, pull 10).
func sourceNamed[In any](arn func(*In) string) gateway.Target[In, *policySource] {
	return func(call *gateway.Call, in *In) (*policySource, error) {
		text := arn(in)
		a, err := aws.ParseARN(text)
		noun, rest, _ := strings.Cut(a.Resource, "/")
		if err != nil || a.Service != "iam" || rest == "" || strings.HasSuffix(rest, "/") || noun != "user" && noun != "group" && noun != "role" {
			return nil, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", text)
		}
		name := lastSegment(text)
		on := &policySource{noun: noun}
		switch noun {
		case "user":
			var u *User
			if u, err = findUser(call, name); u != nil {
				on.Entity, on.shown, on.user = &u.Entity, u.ShownARN(), u
			}
		case "group":
			var g *Group
			if g, err = findGroup(call, name); g != nil {
				on.Entity, on.shown = &g.Entity, g.ShownARN()
			}
		case "role":
			var r *Role
			if r, err = findRole(call, name); r != nil {
				on.Entity, on.shown = &r.Entity, r.ShownARN()
			}
		}
		if on.Entity == nil {
			return nil, err
		}
		if err != nil || on.Arn != text { // another path, or another account, is no such entity
			on = &policySource{Entity: &Entity{Name: name, Arn: text}, noun: noun, shown: text}
			err = noSuchEntity("The %s with name %s cannot be found.", noun, name)
		}
		return on, err
	}
}

// input is a policy of a simulation: its text, and what AWS's answers call it.
type input struct {
	id       string
	kind     string // the answer's SourcePolicyType
	document *policy.Document
	compiled *policy.Policy // nil, which denies: it can't be read
}

// The types of policies as AWS answers them, which are not those of its model
// (LocalStack's records of AWS; Terraform's tests).
const (
	typeIdentity = "IAM Policy"
	typeBoundary = "IAM Permissions Boundary Policy"
	typeResource = "Resource Policy"
)

// stored is a policy that IAM keeps; what it takes can be read.
func stored(id, kind, text string, as policy.Kind) input {
	doc, err := policy.Read([]byte(text), as)
	if err != nil {
		return input{id: id, kind: kind}
	}
	return input{id, kind, doc, policy.Compile(doc, id)}
}

// given are policies of a request.
func given(parameter string, texts []string, kind string, as policy.Kind) ([]input, error) {
	list := make([]input, 0, len(texts))
	for i, text := range texts {
		id := fmt.Sprintf("%s.%d", parameter, i+1)
		doc, err := policy.Parse([]byte(text), as)
		if err != nil {
			return nil, invalidInput("%s: %s", id, err)
		}
		list = append(list, input{id, kind, doc, policy.Compile(doc, id)})
	}
	return list, nil
}

// identityInputs are all identity policies of the source: of a user, the user's groups' too.
func (p *policySource) identityInputs(call *gateway.Call) ([]input, error) {
	list, err := entityInputs(call, nil, p.noun, p.Entity)
	if err != nil || p.user == nil {
		return list, err
	}
	for _, id := range p.user.Groups {
		g, err := groups.Get(call.Tx, call.Account, id)
		if err != nil {
			return nil, err
		}
		if list, err = entityInputs(call, list, "group", &g.Entity); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func entityInputs(call *gateway.Call, list []input, noun string, e *Entity) ([]input, error) {
	for _, i := range e.Inline {
		list = append(list, stored(noun+"_"+e.Name+"_"+i.Name, typeIdentity, i.Text, policy.Identity))
	}
	for _, arn := range e.Attached {
		attached, err := managedInput(call, arn, typeIdentity, policy.Identity)
		if err != nil {
			return nil, err
		}
		list = append(list, attached)
	}
	return list, nil
}

// managedInput is a managed policy, the customer's or AWS's.
func managedInput(call *gateway.Call, arn, kind string, as policy.Kind) (input, error) {
	if managed.Is(arn) {
		if p := managed.Get(call.Partition, arn); p != nil {
			return stored(p.Name, kind, p.Document(), as), nil
		}
		return input{id: lastSegment(arn), kind: kind}, nil
	}
	p, err := customerPolicy(call.Tx, call.Account, arn)
	if err != nil {
		return input{}, err
	}
	return stored(p.Name, kind, p.Text.Text, as), nil
}

// compiledOf are the inputs as a decision takes them.
func compiledOf(inputs []input) []*policy.Policy {
	list := make([]*policy.Policy, len(inputs))
	for i := range inputs {
		list[i] = inputs[i].compiled
	}
	return list
}

// reference is a statement of the input as answers refer to it.
func (i *input) reference(statement int) iam.Statement {
	begin, end := i.document.Position(statement)
	return iam.Statement{
		SourcePolicyId: &i.id, SourcePolicyType: new(iam.PolicySourceType(i.kind)),
		StartPosition: &iam.Position{Line: new(int32(begin.Line)), Column: new(int32(begin.Column))},
		EndPosition:   &iam.Position{Line: new(int32(end.Line)), Column: new(int32(end.Column))},
	}
}
