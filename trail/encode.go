package trail

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"unicode/utf8"
)

// eventVersion begins every encoded event.
const eventVersion = 1

// Flags of an encoded event.
const (
	flagReadOnly = 1 << iota
	flagManagement
	flagFromConsole
	flagTLS
	flagSession
	flagIssuer
	flagWebID
	flagMFA
	flagAssumedRoot
)

// size is about the size of the encoded event.
func (e *Event) size() int {
	n := 256
	if e.TLSDetails != nil {
		n += 96
	}
	if e.UserIdentity.SessionContext != nil {
		n += 224
	}
	return n + len(e.UserAgent) + len(e.ErrorMessage) + len(e.RequestParameters) + len(e.ResponseElements) +
		len(e.AdditionalEventData) + len(e.ServiceEventDetails) + 128*len(e.Resources)
}

// encode appends the event: version, flags (uint16), time (int64, Unix
// nanoseconds), then every text as its length (uvarint) and bytes, in a fixed
// order; what a flag says is absent is left out. Ids that are UUIDs take 17 bytes.
func (e *Event) encode(b []byte) []byte {
	b = append(b, eventVersion)
	b = binary.BigEndian.AppendUint16(b, e.flags())
	b = binary.BigEndian.AppendUint64(b, uint64(e.EventTime.UnixNano()))
	b = appendText(b, e.EventSource, maxField)
	b = appendText(b, e.EventName, maxField)
	b = appendText(b, e.AWSRegion, maxField)
	b = appendText(b, e.SourceIPAddress, maxField)
	b = appendText(b, e.UserAgent, maxText)
	b = appendText(b, e.ErrorCode, maxText)
	b = appendText(b, e.ErrorMessage, maxText)
	b = appendObject(b, e.RequestParameters, maxParameters)
	b = appendObject(b, e.ResponseElements, maxParameters)
	b = appendObject(b, e.AdditionalEventData, maxAdditional)
	b = appendObject(b, e.ServiceEventDetails, maxParameters)
	b = appendID(b, e.RequestID)
	if e.EventID == "" {
		b = appendNewID(b)
	} else {
		b = appendID(b, e.EventID)
	}
	b = appendID(b, e.SharedEventID)
	b = appendText(b, string(e.EventType), maxField)
	b = appendText(b, e.APIVersion, maxField)
	b = appendText(b, e.RecipientAccountID, maxField)
	b = appendText(b, e.VPCEndpointID, maxField)
	b = appendText(b, e.VPCEndpointAccountID, maxField)
	b = appendText(b, string(e.EventCategory), maxField)
	b = e.UserIdentity.encode(b)
	if t := e.TLSDetails; t != nil {
		b = appendText(b, t.TLSVersion, maxField)
		b = appendText(b, t.CipherSuite, maxField)
		b = appendText(b, t.ClientProvidedHostHeader, maxField)
	}
	resources := e.Resources[:min(len(e.Resources), maxResources)]
	b = binary.AppendUvarint(b, uint64(len(resources)))
	for i := range resources {
		r := &resources[i]
		b = appendText(b, r.AccountID, maxField)
		b = appendText(b, r.Type, maxField)
		b = appendText(b, r.ARN, maxField)
		b = appendText(b, r.ARNPrefix, maxField)
	}
	return b
}

func (e *Event) flags() uint16 {
	var f uint16
	set := func(on bool, flag uint16) {
		if on {
			f |= flag
		}
	}
	set(e.ReadOnly, flagReadOnly)
	set(e.ManagementEvent, flagManagement)
	set(e.SessionCredentialFromConsole, flagFromConsole)
	set(e.TLSDetails != nil, flagTLS)
	if s := e.UserIdentity.SessionContext; s != nil {
		set(true, flagSession)
		set(s.SessionIssuer != nil, flagIssuer)
		set(s.WebIDFederationData != nil, flagWebID)
		set(s.MFAAuthenticated, flagMFA)
		set(s.AssumedRoot, flagAssumedRoot)
	}
	return f
}

func (u *UserIdentity) encode(b []byte) []byte {
	b = appendText(b, u.Type, maxField)
	b = appendText(b, u.PrincipalID, maxField)
	b = appendText(b, u.ARN, maxField)
	b = appendText(b, u.AccountID, maxField)
	b = appendText(b, u.AccessKeyID, maxField)
	b = appendText(b, u.UserName, maxField)
	b = appendText(b, u.InvokedBy, maxField)
	b = appendText(b, u.IdentityProvider, maxField)
	s := u.SessionContext
	if s == nil {
		return b
	}
	b = binary.AppendVarint(b, s.CreationDate.Unix())
	b = appendText(b, s.SourceIdentity, maxField)
	b = appendText(b, s.EC2RoleDelivery, maxField)
	if i := s.SessionIssuer; i != nil {
		b = appendText(b, i.Type, maxField)
		b = appendText(b, i.PrincipalID, maxField)
		b = appendText(b, i.ARN, maxField)
		b = appendText(b, i.AccountID, maxField)
		b = appendText(b, i.UserName, maxField)
	}
	if w := s.WebIDFederationData; w != nil {
		b = appendText(b, w.FederatedProvider, maxField)
		b = appendObject(b, w.Attributes, maxAdditional)
	}
	return b
}

// appendText appends s, cut to at most limit bytes at a character.
func appendText(b []byte, s string, limit int) []byte {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendObject appends a JSON object, or omitted for one over limit bytes.
func appendObject(b, object []byte, limit int) []byte {
	if len(object) > limit {
		object = omitted
	}
	b = binary.AppendUvarint(b, uint64(len(object)))
	return append(b, object...)
}

// Forms of an id.
const (
	idText = iota
	idUUID
)

func appendID(b []byte, id string) []byte {
	n := len(b)
	if b, ok := appendUUID(append(b, idUUID), id); ok {
		return b
	}
	return appendText(append(b[:n], idText), id, maxField)
}

// uuidAt are the offsets of a UUID's pairs of hex digits.
var uuidAt = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// nibbles are the values of lower-case hex digits; 0xFF: not one.
var nibbles = func() (n [256]byte) {
	for c := range n {
		n[c] = 0xFF
	}
	for v, c := range hexDigits {
		n[c] = byte(v)
	}
	return n
}()

// appendUUID appends the 16 bytes of id if it is a UUID as uuidText would write it.
func appendUUID(b []byte, id string) ([]byte, bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return b, false
	}
	var bad byte
	for _, at := range uuidAt {
		high, low := nibbles[id[at]], nibbles[id[at+1]]
		bad |= high | low
		b = append(b, high<<4|low)
	}
	return b, bad < 16
}

func appendNewID(b []byte) []byte {
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return append(append(b, idUUID), id[:]...)
}

// NewID draws a UUID (version 4), for eventID.
func NewID() string {
	return uuidText(appendNewID(nil)[1:])
}

func uuidText(id []byte) string {
	var b [36]byte
	hex.Encode(b[:8], id[:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
