package gateway

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

// Denials seals what a denial was about, for those of the caller's account who
// may read it. Package service/sts implements it.
type Denials interface {
	// SealDenial makes the encoded message of an account's denial; "" for one that would be longer than
	// DecodeAuthorizationMessage takes.
	SealDenial(account string, message []byte) (string, error)
}

// encodes tells whether the call's denials carry an encoded message: EC2's do.
func (c *Call) encodes() bool {
	return c.denials != nil && c.Account != "" && c.Operation.Service.Protocols[0] == aws.EC2Query
}

// encoded is a denial's text as EC2 has it, with the details sealed.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
func (c *Call) encoded(text string, d policy.Decision, q *policy.Request, on Resource) (string, error) {
	message, err := json.Marshal(denialOf(d, q, on.ARN()))
	if err != nil {
		return "", err
	}
	sealed, err := c.denials.SealDenial(c.Account, message)
	if err != nil {
		return "", err
	}
	text = "You are not authorized to perform this operation. " + text
	if sealed != "" {
		text += ". Encoded authorization failure message: " + sealed
	}
	return text, nil
}

// denial is what DecodeAuthorizationMessage answers.
type denial struct {
	Allowed           bool          `json:"allowed"`
	ExplicitDeny      bool          `json:"explicitDeny"`
	MatchedStatements items         `json:"matchedStatements"`
	Failures          items         `json:"failures"`
	Context           denialContext `json:"context"`
}

type items struct {
	Items []any `json:"items"`
}

type denialContext struct {
	Principal  denialPrincipal `json:"principal"`
	Action     string          `json:"action"`
	Resource   string          `json:"resource"`
	Conditions items           `json:"conditions"`
}

type denialPrincipal struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	ARN  string `json:"arn"`
}

type denialKey struct {
	Key    string `json:"key"`
	Values items  `json:"values"`
}

type denialValue struct {
	Value string `json:"value"`
}

func denialOf(d policy.Decision, q *policy.Request, resource string) *denial {
	of := &denial{
		ExplicitDeny: d.Explicit, MatchedStatements: items{[]any{}}, Failures: items{[]any{}},
		Context: denialContext{
			Principal: denialPrincipal{q.Principal.ID, q.Principal.Name, q.Principal.ARN}, Action: q.Action, Resource: resource,
			Conditions: items{[]any{}},
		},
	}
	keys := maps.Collect(q.Context.All())
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		k := denialKey{Key: key, Values: items{[]any{}}}
		for _, v := range keys[key] {
			k.Values.Items = append(k.Values.Items, denialValue{v})
		}
		of.Context.Conditions.Items = append(of.Context.Conditions.Items, k)
	}
	return of
}
