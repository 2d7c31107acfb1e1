package iam

import (
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/iam/managed"
	"github.com/garrison-security/garrison/store"
)

// Policy is a customer managed policy, as stored under its name's key. It
// holds the default version's text; all versions' stand in versions.
type Policy struct {
	Name, Path  string
	ID          string // ANPA…
	Arn         string
	Description string `cbor:",omitempty"`
	Created     time.Time
	Updated     time.Time
	Tags        []Tag `cbor:",omitempty"`
	Versions    []Version
	Last        int // the number of the version that was made last
	Default     int // the number of the default version
	Text        *Document

	tags lazyTags
}

// Version is one version of a policy but for its text.
type Version struct {
	Number  int
	Created time.Time
}

var (
	policies = store.NewTable[Policy]("iam/policy")
	versions = store.NewTable[Document]("iam/policy-version") // parts: the policy's id, the version's id
)

// ResourceTags implements gateway.Tagged.
func (p *Policy) ResourceTags() map[string]string { return p.tags.of(p.Tags) }

// ARN implements gateway.Resource.
func (p *Policy) ARN() string { return p.Arn }

// ShownARN implements gateway.Shown.
func (p *Policy) ShownARN() string { return "policy " + p.Arn }

// policyKey is the key of the policy that an ARN names.
func policyKey(arn string) string { return fold(lastSegment(arn)) }

// customerPolicy is the customer managed policy with that ARN, in an account; or store.ErrNotFound.
func customerPolicy(tx store.Tx, account, arn string) (*Policy, error) {
	p, err := policies.Get(tx, account, policyKey(arn))
	if err == nil && p.Arn != arn {
		return nil, store.ErrNotFound
	}
	return p, err
}

// compiledPolicy is the policy with that ARN, customer's or AWS's, ready to
// decide. One that is missing or can't be read is nil, which denies.
func compiledPolicy(tx store.Tx, account, partition, arn string) (*policy.Policy, error) {
	if managed.Is(arn) {
		if p := managed.Get(partition, arn); p != nil {
			return p.Compiled(partition), nil
		}
		return nil, nil
	}
	p, err := customerPolicy(tx, account, arn)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.Text.policy(policy.Identity, p.Arn), nil
}

// attachable tells whether an ARN names a policy that the call's account can
// attach. An ARN that is none is refused in AWS's words.
func attachable(call *gateway.Call, arn string) (bool, error) {
	a, err := aws.ParseARN(arn)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") {
		return false, validation("Invalid ARN:  Could not be parsed!")
	}
	if managed.Is(arn) {
		return managed.Get(call.Partition, arn) != nil, nil
	}
	_, err = customerPolicy(call.Tx, call.Account, arn)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// checkBoundary sets the boundary of an entity that is being made.
func checkBoundary(call *gateway.Call, arn *string, e *Entity) error {
	if arn == nil {
		return nil
	}
	if err := boundaryExists(call, *arn); err != nil {
		return err
	}
	e.Boundary = *arn
	return use(call.Tx, call.Account, *arn, e, Usage{Boundaries: 1})
}

func boundaryExists(call *gateway.Call, arn string) error {
	ok, err := attachable(call, arn)
	if isKind(err, aws.Validation) {
		return &aws.Error{Kind: aws.Custom, Code: "InvalidParameterValue",
			Message: "Value (" + arn + ") for parameter PermissionsBoundary is invalid."}
	}
	if err == nil && !ok {
		err = noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return err
}

func isKind(err error, kind aws.Kind) bool {
	e, ok := errors.AsType[*aws.Error](err)
	return ok && e.Kind == kind
}

// boundaryDetail is the boundary as answers show it. AWS answers the type "Policy";
// the model says PermissionsBoundaryPolicy.
func (e *Entity) boundaryDetail() *iam.AttachedPermissionsBoundary {
	if e.Boundary == "" {
		return nil
	}
	return &iam.AttachedPermissionsBoundary{
		PermissionsBoundaryType: new(iam.PermissionsBoundaryAttachmentType("Policy")),
		PermissionsBoundaryArn:  new(e.Boundary),
	}
}
