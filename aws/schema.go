package aws

// ShapeKind is the kind of value a Shape describes.
type ShapeKind uint8

// The kinds of shapes, as in AWS's service models.
const (
	Structure ShapeKind = iota + 1
	Union               // a structure of which exactly one member is set
	List
	Map
	String
	Boolean
	Integer
	Long
	Float
	Double
	Timestamp
	Blob
	Document // any JSON value
)

// Location is where a member stands in a REST request or answer.
type Location uint8

// The locations. InBody is the default.
const (
	InBody Location = iota
	InURI
	InQuery
	InHeader
	InHeaders // a map whose keys follow a prefix, LocationName
	InStatus
)

// TimestampFormat is how a timestamp is written; the zero value means the
// protocol's default for where it stands.
type TimestampFormat uint8

// The formats.
const (
	DefaultTime TimestampFormat = iota
	ISO8601
	RFC822 // http-date
	UnixTime
)

// Shape describes one named type of a service's model. Shapes are shared,
// may be recursive, and are never changed once loaded.
type Shape struct {
	Name    string
	Kind    ShapeKind
	Members []*Member // Structure, Union: in the model's order
	Elem    *Member   // List; Map's value
	Key     *Member   // Map's key

	// Constraints. HasMin and HasMax say whether Min and Max are set; they bound
	// a string's or blob's length, a collection's size, a number's value.
	HasMin, HasMax bool
	Min, Max       float64
	Pattern        string   // Go syntax, to match the whole value; "" = none
	Enum           []string // the values; nil = any

	Sensitive       bool // its value must not be echoed, logged or recorded
	Flattened       bool // List, Map: no wrapping element
	Box             bool
	Streaming       bool // Blob: of any length, handed on as a reader
	RequiresLength  bool
	EventStream     bool // Union of events
	Event           bool
	Payload         string // the member that is the whole body
	XMLNamespace    string // of the element, "" = the service's or none
	XMLPrefix       string // the prefix XMLNamespace is bound to, for attributes (xsi)
	LocationName    string // XML root element
	TimestampFormat TimestampFormat

	Error *ErrorTrait // for error shapes
}

// Member is a structure's member, or what a list or map holds. Traits that
// stand on the reference in the model stand here.
type Member struct {
	Name            string
	Shape           *Shape
	Required        bool
	Location        Location
	LocationName    string // the wire name; "" = Name
	QueryName       string // ec2
	Flattened       bool
	XMLAttribute    bool
	XMLNamespace    string
	XMLPrefix       string
	JSONValue       bool // a header holding base64 JSON
	IdempotencyTok  bool // a client fills it when the caller does not
	HostLabel       bool
	Streaming       bool
	EventPayload    bool
	EventHeader     bool
	Sensitive       bool // on the member itself, or by overlay
	TimestampFormat TimestampFormat
}

// WireName is the name the member has in JSON, XML and queries unless the protocol says otherwise.
func (m *Member) WireName() string {
	if m.LocationName != "" {
		return m.LocationName
	}
	return m.Name
}

// ErrorTrait is what the model says of an error shape.
type ErrorTrait struct {
	Code   string // wire code of query, REST XML and ec2; "" = the shape's name
	Status int    // 0 = 400, or 500 for a fault
	Sender bool   // senderFault
	Fault  bool   // the server's
}
