package organizations

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// Delegation is the policy by which the management account lets members
// manage policies.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
type Delegation struct {
	ID   string // "rp-…"
	Tags []Tag  `cbor:",omitempty"`
	Document
}

func (s *Service) resourcePolicyToPut(call *gateway.Call, in *api.PutResourcePolicyInput) (*subject, error) {
	t, err := s.subject(call, management)
	if err != nil {
		return t, err
	}
	tags, err := requestTags(call, in.Tags)
	if err != nil {
		return nil, err
	}
	t.name = t.org.arn("resourcepolicy", "*")
	if r := t.org.Resource; r != nil {
		t.name, t.tags = t.org.arn("resourcepolicy", r.ID), r.Tags
	}
	if len(tags) > 0 {
		t.also("organizations:TagResource", t.name, t.tags)
	}
	return t, nil
}

// putResourcePolicy sets the delegation policy, or changes it. Tags can be
// given only when there was none.
func (s *Service) putResourcePolicy(_ context.Context, call *gateway.Call, on *subject, in *api.PutResourcePolicyInput) (*api.PutResourcePolicyOutput, error) {
	if err := on.org.needAllFeatures(); err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(in.Content) > maxResourceBytes {
		return nil, constraint(api.ConstraintViolationExceptionReasonPolicyContentLimitExceeded, "You have exceeded the maximum policy size.")
	}
	if err := on.org.checkDelegation(in.Content); err != nil {
		return nil, err
	}
	d := &Delegation{ID: newID("rp-", resourcePolicyIDLength), Tags: tagsOf(in.Tags), Document: Document{Text: in.Content}}
	if old := on.org.Resource; old != nil {
		d.ID, d.Tags = old.ID, old.Tags
	}
	err := on.org.change(call, func(o *Organization) error {
		o.Resource = d
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.PutResourcePolicyOutput{ResourcePolicy: on.org.shownDelegation(d)}, nil
}

// undelegable are actions that only the management account may take.
var undelegable = []string{
	"createaccount", "creategovcloudaccount", "closeaccount", "moveaccount", "inviteaccounttoorganization",
	"removeaccountfromorganization", "createorganization", "deleteorganization", "leaveorganization", "enableallfeatures",
	"createorganizationalunit", "updateorganizationalunit", "deleteorganizationalunit", "registerdelegatedadministrator",
	"deregisterdelegatedadministrator", "enableawsserviceaccess", "disableawsserviceaccess", "putresourcepolicy",
	"deleteresourcepolicy", "accepthandshake", "declinehandshake", "cancelhandshake",
}

// checkDelegation refuses what would delegate more than AWS lets one: it
// allows actions on policies, and reading, to principals of the organisation.
func (o *Organization) checkDelegation(text string) error {
	doc, err := policy.Parse([]byte(text), policy.Resource)
	if err != nil {
		return invalid(api.InvalidInputExceptionReasonInvalidResourcePolicyJson, "The provided policy document is invalid: "+err.Error())
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		unsupported := st.NotAction || slices.ContainsFunc(st.Actions, func(action string) bool {
			prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
			return prefix != "organizations" || strings.ContainsAny(name, "*?") && !strings.HasPrefix(name, "describe") && !strings.HasPrefix(name, "list") ||
				slices.Contains(undelegable, name)
		})
		p := st.Principal
		switch {
		case unsupported:
			return invalid(api.InvalidInputExceptionReasonUnsupportedActionInResourcePolicy, "The resource policy contains an action that is not supported.")
		case st.NotPrincipal || p == nil || len(p.Service)+len(p.Federated)+len(p.Canonical) > 0:
			return invalid(api.InvalidInputExceptionReasonInvalidPrincipal, "You specified an invalid principal element in the policy.")
		case st.NotResource || slices.ContainsFunc(st.Resources, func(r string) bool { return r != "*" && !isOurs(r) }):
			return invalid(api.InvalidInputExceptionReasonUnsupportedResourceInResourcePolicy, "The resource policy contains a resource that is not supported.")
		}
	}
	return nil
}

// isOurs tells the ARN of something of Organizations.
func isOurs(arn string) bool {
	a, err := aws.ParseARN(arn)
	return err == nil && a.Service == "organizations"
}

func (o *Organization) shownDelegation(d *Delegation) *api.ResourcePolicy {
	return &api.ResourcePolicy{
		ResourcePolicySummary: &api.ResourcePolicySummary{Id: new(d.ID), Arn: new(o.arn("resourcepolicy", d.ID))}, Content: new(d.Text),
	}
}

func noResourcePolicy() error {
	return &api.ResourcePolicyNotFoundException{Message: "We can't find a resource policy request with the parameter that you specified."}
}

func (s *Service) describeResourcePolicy(_ context.Context, _ *gateway.Call, on *subject, _ *api.DescribeResourcePolicyInput) (*api.DescribeResourcePolicyOutput, error) {
	if on.org.Resource == nil {
		return nil, noResourcePolicy()
	}
	return &api.DescribeResourcePolicyOutput{ResourcePolicy: on.org.shownDelegation(on.org.Resource)}, nil
}

func (s *Service) deleteResourcePolicy(_ context.Context, call *gateway.Call, on *subject, _ *api.DeleteResourcePolicyInput) (*api.DeleteResourcePolicyOutput, error) {
	if on.org.Resource == nil {
		return nil, noResourcePolicy()
	}
	return nil, on.org.change(call, func(o *Organization) error {
		o.Resource = nil
		return nil
	})
}
