package aws

// Protocol is a wire protocol.
type Protocol uint8

// The protocols.
const (
	NoProtocol Protocol = iota
	AWSJSON10
	AWSJSON11
	AWSQuery
	EC2Query
	RESTJSON
	RESTXML
	RPCV2CBOR
)

// Access is an operation's access level in the Service Authorization Reference.
type Access uint8

// The access levels.
const (
	AccessUnknown Access = iota
	AccessList
	AccessRead
	AccessWrite
	AccessTagging
	AccessPermissions
)

// Operation is one row of a service's table of operations: what the model,
// the Service Authorization Reference and the overlays say of it. Rows are
// made from generated tables and never changed.
type Operation struct {
	Service *Service
	Name    string
	Method  string // HTTP method; POST for RPC protocols
	URI     string // the model's URI template, with its literal query
	Status  int    // of success; 200 if the model says nothing

	Input, Output     *Shape // nil: none
	ResultWrapper     string // query: the element around the output, "" = none
	Errors            []*Shape
	HostPrefix        string
	Unsigned          bool // may be called without a signature
	AllowUnsignedBody bool
	UnwrappedOutput   bool // restXml: the output's one member is the document's root (GetBucketLocation)
	Idempotent        bool

	ChecksumRequired bool   // the request must carry Content-MD5 or a x-amz-checksum-*
	ChecksumMember   string // of the input: names the algorithm of the request's checksum

	// Actions are the IAM actions a call needs, the first the operation's own
	// ("iam:CreateUser"). Empty: none exists.
	Actions []string
	// ActionsWhen are further actions that a parameter's presence asks for.
	ActionsWhen []ActionWhen
	Access      Access
	// ReadOnly is CloudTrail's readOnly: the operation changes nothing.
	ReadOnly bool
	// EventName is CloudTrail's eventName, which is not always the operation's
	// (S3's ListObjectsV2 is recorded as ListObjects).
	EventName string
	// Resources are the kinds of resource the action can name; empty: only "*".
	Resources        []ResourceKind
	ConditionKeys    []string // service and request keys that apply to the action
	DependentActions []string // further actions the call may need, whatever resource it names
	// DataEvent: recorded by CloudTrail only where a selector asks for it.
	DataEvent bool
}

// ActionWhen is an action that a request needs if Parameter is present.
// Parameter is the name of an input member, or a few words where more than its
// presence counts ("CopySource versionId").
type ActionWhen struct{ Parameter, Action string }

// ResourceKind is a kind of resource that an action applies to.
type ResourceKind struct {
	Type             string // "user"; with its service before it ("iam:role") where it is another's
	ARN              string // "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"
	Required         bool
	ConditionKeys    []string // of the kind itself (aws:ResourceTag/${TagKey}), then of the action on it
	DependentActions []string
}

// Op names an operation together with the Go types of its input and output.
// Generated packages declare one per operation; it costs nothing at start-up.
type Op[In, Out any] struct {
	Service *Service
	Name    string
}

// Row is the operation's table row. It panics if the service has no such operation: a generated
// package never declares one.
func (o Op[In, Out]) Row() *Operation {
	row := o.Service.Operation(o.Name)
	if row == nil {
		panic("aws: " + o.Service.Name + " has no operation " + o.Name)
	}
	return row
}
