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
	Pattern        string   // Go syntax, to match the whole value: wrap it as \A(?:…)\z; "" = none
	PatternText    string   // the model's own, in Java's syntax, as messages quote it; "" = Pattern
	Complaint      string   // what a message says of a value that the pattern refuses, where it does not quote it
	Enum           []string // the values, of an Integer in decimal; nil = any
	HiddenEnum     []string // those of Enum that messages do not list
	Open           bool     // others than those of Enum are for the handler to refuse
	UniqueItems    bool     // List: no value twice
	Bits           int      // Integer: 8 or 16 where it is narrower than 32 bits; else 0

	Sensitive       bool // its value must not be echoed, logged or recorded
	Flattened       bool // List, Map: no wrapping element
	Sparse          bool // List, Map: may hold null, Go's element is a pointer
	Box             bool
	Streaming       bool // Blob: of any length, handed on as a reader
	RequiresLength  bool
	EventStream     bool // Union of events
	Event           bool
	MediaType       string // Blob, String: Content-Type where it is the whole body
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

	field string // GoName, where the rule alone does not give it
}

// GoName is the name of the member's field in the generated struct: the
// member's own name with its first letter in upper case. In an error shape
// what would clash with a method of Modelled has an underscore behind it
// ("Error_").
//
// The field's type follows from the member. A scalar is a value where the
// member is required, else a pointer: string (a named string type where the
// shape is an enum), bool, int32, int64, float32, float64, time.Time. A
// structure or union is a pointer. A list is a slice and a map a map[string]
// of values, of pointers where sparse; a blob is []byte; nil is absent. A
// document is any. A streaming blob is an io.ReadCloser, an event stream an
// iter.Seq2 of a pointer to the union and an error. The message of an error
// shape is a string, whatever the model says.
func (m *Member) GoName() string {
	if m.field != "" {
		return m.field
	}
	return upperFirst(m.Name)
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
	Status int    // 0 = 400, or 500 for a fault; awsJson takes no notice of it
	Sender bool   // senderFault
	Fault  bool   // the server's
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
