package gateway

import (
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// Call is one call on its way. Targets and handlers are given it; it is theirs
// until they return, and belongs to one attempt of the transaction.
type Call struct {
	// Tx is the transaction the call is carried out in.
	Tx store.Tx
	// Time is the one notion of now, and the event's time.
	Time time.Time
	// Principal is who calls. It never changes.
	Principal *aws.Principal
	// Account is the account the call acts in: the caller's.
	Account string
	// Partition and Region are where resources of this call live: the global Region for global services.
	Partition, Region string
	// Operation is the operation's row.
	Operation *aws.Operation
	// RequestID is a UUID, unique to the call.
	RequestID string
	// Via is the service that makes the call in its caller's name ("s3.amazonaws.com"); "" for the caller's own.
	Via string

	guardrails Guardrails  // nil: no organisations
	denials    Denials     // nil: no denial is encoded
	member     *Membership // the caller's account's; nil: of none
	shared     string      // the account whose record holds the call too
	from       origin
	tags       map[string]string // the principal's
	ownTagKey  bool              // the service has a <service>:ResourceTag key of its own
	conditions []condition       // set by the target
	context    *policy.Context
	policies   *policy.Policies
	event      *trail.Event
	readied    map[int]*readied
	forwarded  []*Call // what other services did for this call, in the caller's name
}

// condition is a condition key that a target set.
type condition struct {
	key    string
	value  string
	values []string
	list   bool
}

func (k *condition) apply(to *policy.Context) {
	if k.list {
		to.SetList(k.key, k.values...)
	} else {
		to.Set(k.key, k.value)
	}
}

// ARN names a resource of the call's account, in its Region, or in none where regional is false.
func (c *Call) ARN(service, resource string, regional bool) string {
	region := ""
	if regional {
		region = c.Region
	}
	return "arn:" + c.Partition + ":" + service + ":" + region + ":" + c.Account + ":" + resource
}

// Condition sets a condition key of the request for the decision ("iam:PolicyARN",
// "aws:RequestTag/team"). Targets call it.
func (c *Call) Condition(key, value string) {
	c.conditions = append(c.conditions, condition{key: key, value: value})
}

// ConditionList sets a multivalued condition key; with no values it is present and empty.
func (c *Call) ConditionList(key string, values ...string) {
	c.conditions = append(c.conditions, condition{key: key, values: values, list: true})
}

// Touched adds a resource to the event's resources.
func (c *Call) Touched(arn, account, kind string) {
	c.event.Resources = append(c.event.Resources, trail.Resource{ARN: arn, AccountID: account, Type: kind})
}

// Shared says that the call acts on a resource of another account, whose
// record holds the call too, under the same shared event id.
func (c *Call) Shared(account string) { c.shared = account }

// OtherRegion is the refusal of a call that was signed for another Region than
// the one that has what it asks for: SDKs sign again for the Region that it names.
func (c *Call) OtherRegion(region string) error {
	s := c.from.signature
	if s == nil { // made in process
		s = &sigv4.Signature{Region: c.Region}
	}
	return s.OtherRegion(region)
}

// Note adds a text to the event's additionalEventData. It must hold no secret.
func (c *Call) Note(name, value string) { c.event.Note(name, value) }
