package organizations

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Policy is a policy, as stored under its id in the management account's scope.
type Policy struct {
	ID          string
	Type        string
	Name        string
	Description string `cbor:",omitempty"`
	Version     int    // of the content, from 1
	Created     time.Time
	Tags        []Tag `cbor:",omitempty"`
}

// Content is a version of a policy's content, as stored under the policy's id
// and the version. It never changes; the version before is removed with the
// update that no level names it after.
type Content struct {
	ARN     string // of the policy
	Updated time.Time
	Document
}

var (
	// policiesByName keeps names unique within a type.
	policiesByName = &store.Index[Policy]{Name: "name", Unique: true, Of: func(p *Policy, add func(parts ...string)) { add(p.Type, p.Name) }}
	// policiesByType lists them in the order of their creation.
	policiesByType = &store.Index[Policy]{Name: "type", Of: func(p *Policy, add func(parts ...string)) { add(p.Type, order(p.Created)) }}

	policies = store.NewTable("organizations/policy", policiesByName, policiesByType)
	contents = store.NewTable[Content]("organizations/content")
)

// version is a version's number as keys have it.
func version(n int) string { return strconv.Itoa(n) }

// AWS's own policies, which are attached to everything from the start.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
var ownPolicies = []struct {
	Policy
	content string
}{
	{Policy{ID: "p-FullAWSAccess", Type: string(api.PolicyTypeServiceControlPolicy), Name: "FullAWSAccess",
		Description: "Allows access to every operation"},
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`},
	{Policy{ID: "p-RCPFullAWSAccess", Type: string(api.PolicyTypeResourceControlPolicy), Name: "RCPFullAWSAccess",
		Description: "Allows access to every resource"},
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`},
}

// fullAccess is FullAWSAccess, compiled.
var fullAccess = sync.OnceValue(func() *policy.Policy {
	d := Document{Text: ownPolicies[0].content}
	return d.compiled(policy.SCP, ownARN("aws", &ownPolicies[0].Policy))
})

// defaultPolicy is the id of AWS's own policy of a type; "" where there is none.
func defaultPolicy(of string) string {
	for i := range ownPolicies {
		if ownPolicies[i].Type == of {
			return ownPolicies[i].ID
		}
	}
	return ""
}

// managed tells AWS's own policies.
func (p *Policy) managed() bool { return p.Version == 0 }

func ownARN(partition string, p *Policy) string {
	return "arn:" + partition + ":organizations::aws:policy/" + strings.ToLower(p.Type) + "/" + p.ID
}

func (o *Organization) policyARN(p *Policy) string {
	if p.managed() {
		return ownARN(o.Partition, p)
	}
	return o.arn("policy", strings.ToLower(p.Type)+"/"+p.ID)
}

// policyOf is a policy of the organisation, or AWS's own; or store.ErrNotFound.
func (o *Organization) policyOf(tx store.Tx, id string) (*Policy, error) {
	for i := range ownPolicies {
		if ownPolicies[i].ID == id {
			return &ownPolicies[i].Policy, nil
		}
	}
	return policies.Get(tx, o.Management, id)
}

// contentOf is a policy's content.
func (o *Organization) contentOf(tx store.Tx, p *Policy) (string, error) {
	for i := range ownPolicies {
		if ownPolicies[i].ID == p.ID {
			return ownPolicies[i].content, nil
		}
	}
	c, err := contents.Get(tx, o.Management, p.ID, version(p.Version))
	if err != nil {
		return "", err
	}
	return c.Text, nil
}

// findPolicy finds a policy, and sets the condition that its type makes.
func (t *subject) findPolicy(call *gateway.Call, id string) error {
	t.name = t.org.arn("policy", "*/"+id)
	p, err := t.org.policyOf(call.Tx, id)
	if err == nil {
		t.policy, t.tags, t.name = p, p.Tags, t.org.policyARN(p)
		call.Condition("organizations:PolicyType", p.Type)
	}
	return absent(err, errPolicyNotFound)
}

// policyNamed finds the policy that the input names.
func policyNamed[In any](s *Service, who access, id func(*In) string) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t, err := s.subject(call, who)
		if err != nil {
			return t, err
		}
		err = t.findPolicy(call, id(in))
		if err == errPolicyNotFound && who == delegated {
			err = errPolicyUnknown
		}
		return t, err
	}
}

func (s *Service) policyToCreate(call *gateway.Call, in *api.CreatePolicyInput) (*subject, error) {
	t, err := s.subject(call, delegated)
	if err != nil {
		return t, err
	}
	tags, err := requestTags(call, in.Tags)
	if err != nil {
		return nil, err
	}
	call.Condition("organizations:PolicyType", string(in.Type))
	t.name = t.org.arn("policy", strings.ToLower(string(in.Type))+"/*")
	if len(tags) > 0 {
		t.also("organizations:TagResource", t.name, nil)
	}
	return t, nil
}

func (s *Service) createPolicy(_ context.Context, call *gateway.Call, on *subject, in *api.CreatePolicyInput) (*api.CreatePolicyOutput, error) {
	o, quota := on.org, s.quotas(on.org.Management).Policies
	if in.Type == api.PolicyTypeServiceControlPolicy {
		quota = s.quotas(o.Management).ServicePolicies
	}
	switch {
	case !o.AllFeatures:
		return nil, &api.PolicyTypeNotAvailableForOrganizationException{
			Message: "You can't use the specified policy type with the feature set currently enabled for this organization."}
	case o.Policies[string(in.Type)] >= quota:
		return nil, constraint(api.ConstraintViolationExceptionReasonPolicyNumberLimitExceeded,
			"You have exceeded the allowed number of policies of this type.")
	}
	if err := checkContent(string(in.Type), in.Content); err != nil {
		return nil, err
	}
	p := &Policy{ID: newID("p-", policyIDLength), Type: string(in.Type), Name: in.Name, Description: in.Description, Version: 1, Created: call.Time, Tags: tagsOf(in.Tags)}
	if in.Name == ownName(p.Type) {
		return nil, duplicatePolicy(store.ErrExists)
	}
	if err := policies.Insert(call.Tx, o.Management, p, p.ID); err != nil {
		return nil, duplicatePolicy(err)
	}
	if err := o.putContent(call, p, in.Content); err != nil {
		return nil, err
	}
	if err := o.countPolicies(call, p.Type, 1); err != nil {
		return nil, err
	}
	return &api.CreatePolicyOutput{Policy: &api.Policy{PolicySummary: o.summary(p), Content: &in.Content}}, nil
}

// ownName is the name of AWS's own policy of a type.
func ownName(of string) string {
	for i := range ownPolicies {
		if ownPolicies[i].Type == of {
			return ownPolicies[i].Name
		}
	}
	return ""
}

func duplicatePolicy(err error) error {
	if errors.Is(err, store.ErrExists) {
		return &api.DuplicatePolicyException{Message: "A policy with the same name already exists."}
	}
	return err
}

func (o *Organization) putContent(call *gateway.Call, p *Policy, text string) error {
	c := &Content{ARN: o.policyARN(p), Updated: call.Time, Document: Document{Text: text}}
	return contents.Insert(call.Tx, o.Management, c, p.ID, version(p.Version))
}

func (o *Organization) countPolicies(call *gateway.Call, of string, more int) error {
	return o.change(call, func(o *Organization) error {
		if o.Policies == nil {
			o.Policies = map[string]int{}
		}
		o.Policies[of] += more
		return nil
	})
}

// summary is a policy as listings show it.
func (o *Organization) summary(p *Policy) *api.PolicySummary {
	return &api.PolicySummary{
		Id: new(p.ID), Arn: new(o.policyARN(p)), Name: new(p.Name), Description: new(p.Description),
		Type: new(api.PolicyType(p.Type)), AwsManaged: new(p.managed()),
	}
}

func (s *Service) describePolicy(_ context.Context, call *gateway.Call, on *subject, _ *api.DescribePolicyInput) (*api.DescribePolicyOutput, error) {
	text, err := on.org.contentOf(call.Tx, on.policy)
	return &api.DescribePolicyOutput{Policy: &api.Policy{PolicySummary: on.org.summary(on.policy), Content: &text}}, err
}

// updatePolicy changes a policy, and, with its content, every level that it is
// attached to.
func (s *Service) updatePolicy(_ context.Context, call *gateway.Call, on *subject, in *api.UpdatePolicyInput) (*api.UpdatePolicyOutput, error) {
	o := on.org
	if on.policy.managed() {
		return nil, immutable()
	}
	p := *on.policy
	if in.Name != nil {
		if *in.Name == ownName(p.Type) {
			return nil, duplicatePolicy(store.ErrExists)
		}
		p.Name = *in.Name
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	if in.Content != nil {
		if err := checkContent(p.Type, *in.Content); err != nil {
			return nil, err
		}
		p.Version++
		if err := o.putContent(call, &p, *in.Content); err != nil {
			return nil, err
		}
		if err := o.renew(call, &p); err != nil {
			return nil, err
		}
		if err := contents.Delete(call.Tx, o.Management, p.ID, version(p.Version-1)); err != nil {
			return nil, err
		}
	}
	if err := policies.Put(call.Tx, o.Management, &p, p.ID); err != nil {
		return nil, duplicatePolicy(err)
	}
	text, err := o.contentOf(call.Tx, &p)
	return &api.UpdatePolicyOutput{Policy: &api.Policy{PolicySummary: o.summary(&p), Content: &text}}, err
}

func immutable() error {
	return invalid(api.InvalidInputExceptionReasonImmutablePolicy, "You specified a policy that is managed by AWS and can't be modified.")
}

// renew makes all levels hold a policy's new version.
func (o *Organization) renew(call *gateway.Call, p *Policy) error {
	var ids []string
	for entry, err := range levels.ListBy(call.Tx, levelsByPolicy, o.Management, nil, p.ID) {
		if err != nil {
			return err
		}
		ids = append(ids, entry.Value.ID)
	}
	for _, id := range ids {
		err := levels.Update(call.Tx, o.Management, func(l *Level) error {
			for i := range l.Attached {
				if l.Attached[i].Policy == p.ID {
					l.Attached[i].Version = p.Version
				}
			}
			return nil
		}, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// deletePolicy refuses as long as the policy is attached anywhere.
func (s *Service) deletePolicy(_ context.Context, call *gateway.Call, on *subject, _ *api.DeletePolicyInput) (*api.DeletePolicyOutput, error) {
	o, p := on.org, on.policy
	if p.managed() {
		return nil, immutable()
	}
	round, err := o.round(call.Tx, p.Type)
	if err != nil {
		return nil, err
	}
	var over []string // levels that name the policy in rounds that are over
	for entry, err := range levels.ListBy(call.Tx, levelsByPolicy, o.Management, nil, p.ID) {
		if err != nil {
			return nil, err
		}
		if entry.Value.holds(p, round) {
			return nil, &api.PolicyInUseException{Message: "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation."}
		}
		over = append(over, entry.Value.ID)
	}
	for _, id := range over {
		if err := levels.Update(call.Tx, o.Management, func(l *Level) error { l.drop(p.Type, round); return nil }, id); err != nil {
			return nil, err
		}
	}
	if err := contents.Delete(call.Tx, o.Management, p.ID, version(p.Version)); err != nil {
		return nil, err
	}
	if err := policies.Delete(call.Tx, o.Management, p.ID); err != nil {
		return nil, err
	}
	return nil, o.countPolicies(call, p.Type, -1)
}

// policiesOfType is the target of listings by type.
func (s *Service) policiesOfType(call *gateway.Call, in *api.ListPoliciesInput) (*subject, error) {
	call.Condition("organizations:PolicyType", string(in.Filter))
	return s.subject(call, reading)
}

// listPolicies lists AWS's own policy of the type first, then the customer's.
func (s *Service) listPolicies(_ context.Context, call *gateway.Call, on *subject, in *api.ListPoliciesInput) (*api.ListPoliciesOutput, error) {
	p, err := s.page(call, in.NextToken, in.MaxResults, string(in.Filter))
	if err != nil {
		return nil, err
	}
	out := &api.ListPoliciesOutput{Policies: []api.PolicySummary{}}
	if id := defaultPolicy(string(in.Filter)); id != "" && p.After == nil && on.org.AllFeatures {
		own, err := on.org.policyOf(call.Tx, id)
		if err != nil {
			return nil, err
		}
		out.Policies = append(out.Policies, *on.org.summary(own))
		if p.Limit--; p.Limit == 0 { // the place before the first of them
			err = p.End([]byte{0})
			out.NextToken = p.Next
			return out, err
		}
	}
	found, err := store.Collect(p, policies.ListBy(call.Tx, policiesByType, on.org.Management, p.After, string(in.Filter)), nil)
	if err != nil {
		return nil, err
	}
	for _, found := range found {
		out.Policies = append(out.Policies, *on.org.summary(found))
	}
	out.NextToken = p.Next
	return out, nil
}
