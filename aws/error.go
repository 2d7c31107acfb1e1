package aws

// Kind classes the errors that the path of a call makes itself, before or
// beside what a service's model lists. Each protocol has its own code and
// status for a kind; package wire holds that table.
type Kind uint8

// The kinds. The zero Kind is Internal, so an error that nobody classed tells its caller nothing.
const (
	Internal Kind = iota
	Custom        // Code and Status are the error's own
	MissingAuthentication
	IncompleteSignature
	UnknownKey
	BadToken
	ExpiredToken
	BadSignature
	ClockSkew
	WrongScope
	AccessDenied
	Throttled
	NotImplemented
	UnknownOperation
	Serialization        // the body or a parameter can't be read as what the model says
	Validation           // it can be read, and breaks a constraint
	TooLarge             // over a bound of ours or AWS's
	Unavailable          // try again later: storage, free space, shutting down
	UnsupportedMediaType // rest-json: a body of another type than the operation's
	NotAcceptable        // rest-json: an Accept header that no answer satisfies
)

// Error is an error that a caller may see and that is no modelled one.
// Message is worded as AWS words it and must never hold a secret.
type Error struct {
	Kind    Kind
	Code    string // for Custom: the wire code, also recorded as the event's errorCode
	Status  int    // for Custom: the HTTP status; 0 means 400
	Message string
	// Fields are further members of the error's element, in order (S3's
	// <Region>, <BucketName> and the like).
	Fields []Field
	// Header are headers of the answer besides (S3's x-amz-delete-marker).
	Header []Field
}

// Field is a named text.
type Field struct{ Name, Value string }

// Error implements error.
func (e *Error) Error() string {
	if e.Code != "" {
		return e.Code + ": " + e.Message
	}
	return e.Message
}

// Modelled is implemented by every generated error type. Shape is its name in
// the model ("NoSuchEntityException"), from which the service's schema gives
// wire code and status.
type Modelled interface {
	error
	ErrorShape() string
	ErrorText() string
}
