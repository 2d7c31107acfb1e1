package iam

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
)

// simulationRequest is what both operations ask with; its JSON is what a marker is bound to.
type simulationRequest struct {
	Source                  string
	Actions, Resources      []string
	ResourcePolicy          *string
	Owner, Caller, Handling *string
	Context                 []iam.ContextEntry
	Policies, Boundaries    []string
}

// maxSimulations bounds actions × resources.
const maxSimulations = 1 << 20

// prepare reads what a simulation asks with.
func (m *simulation) prepare() error {
	for _, check := range []func() error{m.readActions, m.readResources, m.readCaller, m.readPolicies, m.readResourcePolicy, m.readHandling} {
		if err := check(); err != nil {
			return err
		}
	}
	return m.readContext()
}

func (m *simulation) readActions() error {
	for _, action := range m.ask.Actions {
		service, name, ok := strings.Cut(action, ":")
		if !ok || service == "" || name == "" || strings.ContainsFunc(action, func(r rune) bool { return r <= ' ' || r == '*' || r == '?' || r > '~' }) || strings.Contains(name, ":") {
			return invalidInput("Invalid Action Name: %s", action)
		}
	}
	return nil
}

func (m *simulation) readResources() error {
	if len(m.ask.Resources) == 0 {
		m.ask.Resources = []string{"*"}
	}
	for _, arn := range m.ask.Resources {
		if _, err := aws.ParseARN(arn); err != nil && arn != "*" { // aws-containers/amazon-ecs-exec-checker, issue 35
			return invalidInput("ResourceNames are not in a valid ARN format: %s.", arn)
		}
	}
	if len(m.ask.Actions)*len(m.ask.Resources) > maxSimulations {
		return invalidInput("A simulation has at most %d combinations of actions and resources", maxSimulations)
	}
	if m.ask.Owner == nil {
		return nil
	}
	owner, err := aws.ParseARN(*m.ask.Owner)
	if err != nil || owner.Service != "iam" || owner.Resource != "root" || owner.Region != "" || !aws.IsAccount(owner.Account) { // boto/botocore, issue 1346
		return invalidInput("'%s' is not a valid as a Resource Owner.", *m.ask.Owner)
	}
	m.owner = owner.Account
	return nil
}

// readCaller takes another user as the caller, with the source's policies.
func (m *simulation) readCaller() error {
	if m.ask.Caller == nil {
		return nil
	}
	arn := *m.ask.Caller
	a, err := aws.ParseARN(arn)
	path, isUser := strings.CutPrefix(a.Resource, "user/")
	if err != nil || a.Service != "iam" || !isUser || path == "" || strings.HasSuffix(path, "/") || !aws.IsAccount(a.Account) || strings.ContainsAny(arn, "*?") {
		return invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	if m.principal.Kind == aws.User && m.principal.ARN == arn {
		return nil
	}
	m.principal = &aws.Principal{Kind: aws.User, Partition: a.Partition, Account: a.Account, ARN: arn, Name: lastSegment(arn)}
	m.tags, m.known = nil, true
	return nil
}

func (m *simulation) readPolicies() error {
	further, err := given("PolicyInputList", m.ask.Policies, typeIdentity, policy.Identity)
	if err != nil {
		return err
	}
	m.identity = append(m.identity, further...)
	if len(m.ask.Boundaries) > 1 {
		return invalidInput("Only one permissions boundary policy can be simulated.")
	}
	if len(m.ask.Boundaries) == 1 {
		if m.boundary, err = given("PermissionsBoundaryPolicyInputList", m.ask.Boundaries, typeBoundary, policy.Boundary); err != nil {
			return err
		}
	}
	m.policies.Identity, m.policies.Boundary = compiledOf(m.identity), compiledOf(m.boundary)
	m.policies.HasBoundary = len(m.boundary) > 0
	return nil
}

// readResourcePolicy takes the policy that every resource has. Without one the
// caller's side alone is asked: the resource's then leaves it to the account.
func (m *simulation) readResourcePolicy() error {
	if m.ask.ResourcePolicy == nil {
		leave := []byte(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + m.principal.Account + `"},"Action":"*","Resource":"*"}}`)
		doc, err := policy.Read(leave, policy.Resource)
		if err != nil {
			return err
		}
		m.policies.Resource = policy.Compile(doc, "")
		return nil
	}
	if m.principal.Kind != aws.User || m.principal.ARN == "" {
		return invalidInput("CallerArn is required if a ResourcePolicy is given.")
	}
	for _, action := range m.ask.Actions {
		for _, resource := range m.ask.Resources {
			if (&policy.Request{Action: action, Resource: resource}).AssumesRole() {
				return invalidInput("Simulation of resource-based policies isn't supported for IAM roles.")
			}
		}
	}
	list, err := given("ResourcePolicy", []string{*m.ask.ResourcePolicy}, typeResource, policy.Resource)
	if err != nil {
		return err
	}
	m.resource = &list[0]
	m.resource.id = "ResourcePolicy"
	m.policies.Resource = m.resource.compiled
	return nil
}

// handlings are the options of ResourceHandlingOption: the kinds of EC2
// resource that a simulation must name.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
var handlings = map[string][]string{
	"EC2-Classic-InstanceStore":    {"instance", "image", "security-group"},
	"EC2-Classic-EBS":              {"instance", "image", "security-group", "volume"},
	"EC2-VPC-InstanceStore":        {"instance", "image", "security-group", "network-interface"},
	"EC2-VPC-InstanceStore-Subnet": {"instance", "image", "security-group", "network-interface", "subnet"},
	"EC2-VPC-EBS":                  {"instance", "image", "security-group", "network-interface", "volume"},
	"EC2-VPC-EBS-Subnet":           {"instance", "image", "security-group", "network-interface", "subnet", "volume"},
}

func (m *simulation) readHandling() error {
	if m.ask.Handling == nil {
		return nil
	}
	kinds, known := handlings[*m.ask.Handling]
	if !known {
		return invalidInput("Invalid ResourceHandlingOption: %s", *m.ask.Handling)
	}
	for _, kind := range kinds {
		if !slices.ContainsFunc(m.ask.Resources, func(arn string) bool {
			a, err := aws.ParseARN(arn)
			return err == nil && a.Service == "ec2" && strings.HasPrefix(a.Resource, kind+"/")
		}) {
			return invalidInput("The ResourceHandlingOption %s requires a resource of type %s.", *m.ask.Handling, kind)
		}
	}
	m.together = true
	return nil
}

// readContext sets the condition keys that the caller tells, then those that
// are given, which stand in for them.
func (m *simulation) readContext() error {
	m.describeCaller()
	seen := map[string]bool{}
	for i := range m.ask.Context {
		entry := &m.ask.Context[i]
		if entry.ContextKeyName == nil || entry.ContextKeyType == nil {
			return invalidInput("A context entry has a ContextKeyName, ContextKeyValues and a ContextKeyType.")
		}
		name := *entry.ContextKeyName
		scalar, list := strings.CutSuffix(string(*entry.ContextKeyType), "List")
		folded := strings.ToLower(name)
		if seen[folded] {
			return invalidInput("The context key %s is given twice.", name)
		}
		seen[folded] = true
		if len(entry.ContextKeyValues) == 0 && !list {
			return invalidInput("The context key %s has no value.", name)
		}
		for _, v := range entry.ContextKeyValues {
			if !contextValue(scalar, v) {
				return invalidInput("The context key %s has a value that is no %s.", name, scalar)
			}
		}
		if list || len(entry.ContextKeyValues) > 1 {
			m.context.SetList(name, entry.ContextKeyValues...)
		} else {
			m.context.Set(name, entry.ContextKeyValues[0])
		}
	}
	m.ownerGiven = seen["aws:resourceaccount"]
	return nil
}

// contextValue tells whether text is a value of a type.
func contextValue(kind, text string) bool {
	switch kind {
	case "numeric":
		_, err := strconv.ParseFloat(text, 64)
		return err == nil
	case "boolean":
		return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case "ip":
		_, err := netip.ParseAddr(text)
		return err == nil
	case "binary":
		_, err := base64.StdEncoding.DecodeString(text)
		return err == nil
	case "date":
		return policy.IsDate(text)
	}
	return true
}
