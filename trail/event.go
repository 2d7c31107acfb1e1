// Package trail is the record: every call, allowed or refused, as CloudTrail
// would write it, appended in the call's own transaction.
//
// Event is one record; Append adds it. Journal packs the events of a group of
// transactions into the row that engines store: sealed under the accounts'
// keys, chained so that what is removed, altered or reordered shows. Trail
// reads, follows, verifies and cuts the record.
//
// The package does not decide what is recorded or redacted: its callers hand
// parameters and answers in as rendered JSON, without secrets.
package trail

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/store"
)

// Event is one record of CloudTrail's format 1.11; its fields are that
// format's. Empty texts and nil pointers are left out of the record, but for
// requestParameters and responseElements, which are null.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type Event struct {
	UserIdentity    UserIdentity
	EventTime       time.Time // recorded to the second, as AWS does; kept to the nanosecond
	EventSource     string    // "iam.amazonaws.com"
	EventName       string    // "CreateUser"
	AWSRegion       string
	SourceIPAddress string
	UserAgent       string
	ErrorCode       string
	ErrorMessage    string
	// RequestParameters and ResponseElements are JSON objects, rendered and redacted by the caller; nil is null.
	RequestParameters []byte
	ResponseElements  []byte
	// AdditionalEventData is a JSON object; Note adds members to it.
	AdditionalEventData []byte
	RequestID           string
	EventID             string // a UUID; Append draws one if it is empty
	ReadOnly            bool
	Resources           []Resource
	EventType           EventType // "" is APICall
	APIVersion          string
	ManagementEvent     bool
	// RecipientAccountID is the account whose record this is, and whose key seals it; "" is the installation.
	RecipientAccountID string
	// ServiceEventDetails is a JSON object, in records of type ServiceEvent.
	ServiceEventDetails          []byte
	SharedEventID                string
	VPCEndpointID                string
	VPCEndpointAccountID         string
	EventCategory                Category // "" is Management or Data, as ManagementEvent says
	TLSDetails                   *TLSDetails
	SessionCredentialFromConsole bool
}

// EventType is the record's eventType.
type EventType string

// The event types.
const (
	APICall       EventType = "AwsApiCall"
	ServiceEvent  EventType = "AwsServiceEvent"
	ConsoleSignIn EventType = "AwsConsoleSignIn"
	ConsoleAction EventType = "AwsConsoleAction"
)

// Category is the record's eventCategory.
type Category string

// The categories.
const (
	Management Category = "Management"
	Data       Category = "Data"
)

// UserIdentity says who called.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type UserIdentity struct {
	Type             string // "IAMUser", "AssumedRole", "Root" …
	PrincipalID      string
	ARN              string
	AccountID        string
	AccessKeyID      string
	UserName         string
	SessionContext   *SessionContext // nil: long-term credentials
	InvokedBy        string          // the service that called on the caller's behalf
	IdentityProvider string          // of SAMLUser and WebIdentityUser
}

// SessionContext says how temporary credentials came to be.
type SessionContext struct {
	SessionIssuer *SessionIssuer // nil: credentials of GetSessionToken
	// WebIDFederationData is set for sessions of AssumeRoleWithWebIdentity.
	WebIDFederationData *WebIDFederationData
	CreationDate        time.Time
	MFAAuthenticated    bool
	SourceIdentity      string
	EC2RoleDelivery     string
	AssumedRoot         bool
}

// SessionIssuer is the role or user that a session acts as.
type SessionIssuer struct {
	Type        string // "Role", "IAMUser", "Root"
	PrincipalID string
	ARN         string
	AccountID   string
	UserName    string
}

// WebIDFederationData names the provider that vouched for the caller.
type WebIDFederationData struct {
	FederatedProvider string
	Attributes        []byte // a JSON object; nil is {}
}

// Resource is a resource that a call touched.
type Resource struct {
	AccountID string
	Type      string // "AWS::IAM::Role"
	ARN       string
	ARNPrefix string // of S3's lists, in place of ARN
}

// TLSDetails describe the connection.
type TLSDetails struct {
	TLSVersion               string // "TLSv1.3"
	CipherSuite              string
	ClientProvidedHostHeader string
}

// Note adds a text to additionalEventData.
func (e *Event) Note(name, value string) {
	e.NoteJSON(name, appendString(nil, value))
}

// NoteJSON adds a member to additionalEventData, whose value is rendered JSON.
func (e *Event) NoteJSON(name string, value []byte) {
	b := bytes.TrimSuffix(e.AdditionalEventData, []byte("}"))
	b = b[:len(b):len(b)] // never into the array of the object that was there
	if len(b) == 0 {
		b = append(b, '{')
	} else if len(b) > 1 {
		b = append(b, ',')
	}
	b = appendString(b, name)
	b = append(append(b, ':'), value...)
	e.AdditionalEventData = append(b, '}')
}

// ErrEvent means an event that is not fit to be recorded: a bug of its maker.
var ErrEvent = errors.New("trail: not an event")

// Sizes at which AWS truncates or omits what a field holds, in bytes.
const (
	maxText       = 1 << 10   // userAgent, errorCode, errorMessage
	maxParameters = 100 << 10 // requestParameters, responseElements, serviceEventDetails
	maxAdditional = 28 << 10
	maxField      = 4 << 10 // any other text; AWS's formats are all shorter
	maxResources  = 1000
)

// omitted stands for an object that is too large to be recorded.
var omitted = []byte(`{"omitted":true}`)

// Append adds e to the record, in tx: e is recorded if and only if tx commits.
// Texts and objects over AWS's sizes are truncated or replaced by
// {"omitted":true}; e itself is not kept. It answers ErrEvent for one without
// time, source or name.
func Append(tx store.Tx, e *Event) error {
	if e.EventTime.IsZero() || e.EventSource == "" || e.EventName == "" {
		return fmt.Errorf("%w: %q of %q at %v", ErrEvent, e.EventName, e.EventSource, e.EventTime)
	}
	if err := tx.Append(store.Event{Scope: e.RecipientAccountID, Data: e.encode(make([]byte, 0, e.size()))}); err != nil {
		return fmt.Errorf("append event: %w", err)
	}
	return nil
}
