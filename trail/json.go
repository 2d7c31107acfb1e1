package trail

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// RecordVersion is the version of CloudTrail's record that events are rendered as.
const RecordVersion = "1.11"

// AppendJSON appends the event as CloudTrail writes it: one JSON object, its
// members in AWS's order, no space, no line break.
func (e *Event) AppendJSON(b []byte) []byte {
	b = append(b, `{"eventVersion":"`+RecordVersion+`","userIdentity":`...)
	b = e.UserIdentity.appendJSON(b)
	b = append(b, `,"eventTime":"`...)
	b = appendTime(b, e.EventTime)
	b = append(b, '"')
	b = member(b, "eventSource", e.EventSource)
	b = member(b, "eventName", e.EventName)
	b = member(b, "awsRegion", e.AWSRegion)
	b = member(b, "sourceIPAddress", e.SourceIPAddress)
	b = optional(b, "userAgent", e.UserAgent)
	b = optional(b, "errorCode", e.ErrorCode)
	b = optional(b, "errorMessage", e.ErrorMessage)
	b = nullable(append(b, `,"requestParameters":`...), e.RequestParameters)
	b = nullable(append(b, `,"responseElements":`...), e.ResponseElements)
	b = object(b, "additionalEventData", e.AdditionalEventData)
	b = optional(b, "requestID", e.RequestID)
	b = optional(b, "eventID", e.EventID)
	b = strconv.AppendBool(append(b, `,"readOnly":`...), e.ReadOnly)
	b = appendResources(b, e.Resources)
	b = member(b, "eventType", string(e.eventType()))
	b = optional(b, "apiVersion", e.APIVersion)
	b = strconv.AppendBool(append(b, `,"managementEvent":`...), e.ManagementEvent)
	b = optional(b, "recipientAccountId", e.RecipientAccountID)
	b = object(b, "serviceEventDetails", e.ServiceEventDetails)
	b = optional(b, "sharedEventID", e.SharedEventID)
	b = optional(b, "vpcEndpointId", e.VPCEndpointID)
	b = optional(b, "vpcEndpointAccountId", e.VPCEndpointAccountID)
	b = member(b, "eventCategory", string(e.category()))
	b = e.TLSDetails.appendJSON(b)
	if e.SessionCredentialFromConsole {
		b = append(b, `,"sessionCredentialFromConsole":"true"`...) // a text, as AWS sends it
	}
	return append(b, '}')
}

func (e *Event) eventType() EventType {
	if e.EventType == "" {
		return APICall
	}
	return e.EventType
}

func (e *Event) category() Category {
	switch {
	case e.EventCategory != "":
		return e.EventCategory
	case e.ManagementEvent:
		return Management
	}
	return Data
}

func (u *UserIdentity) appendJSON(b []byte) []byte {
	n := len(b)
	b = optional(b, "type", u.Type)
	b = optional(b, "principalId", u.PrincipalID)
	b = optional(b, "arn", u.ARN)
	b = optional(b, "accountId", u.AccountID)
	b = optional(b, "accessKeyId", u.AccessKeyID)
	b = optional(b, "userName", u.UserName)
	if u.SessionContext != nil {
		b = u.SessionContext.appendJSON(append(b, `,"sessionContext":`...))
	}
	b = optional(b, "invokedBy", u.InvokedBy)
	b = optional(b, "identityProvider", u.IdentityProvider)
	return braced(b, n)
}

func (s *SessionContext) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if i := s.SessionIssuer; i != nil {
		b = append(b, `"sessionIssuer":`...)
		n := len(b)
		b = optional(b, "type", i.Type)
		b = optional(b, "principalId", i.PrincipalID)
		b = optional(b, "arn", i.ARN)
		b = optional(b, "accountId", i.AccountID)
		b = optional(b, "userName", i.UserName)
		b = append(braced(b, n), ',')
	}
	if w := s.WebIDFederationData; w != nil {
		b = append(b, `"webIdFederationData":`...)
		n := len(b)
		b = optional(b, "federatedProvider", w.FederatedProvider)
		b = append(b, `,"attributes":`...)
		if w.Attributes == nil {
			b = append(b, "{}"...)
		}
		b = append(braced(append(b, w.Attributes...), n), ',')
	}
	b = append(b, `"attributes":{"creationDate":"`...)
	b = appendTime(b, s.CreationDate)
	b = append(b, `","mfaAuthenticated":"`...) // a text, as AWS sends it
	b = append(strconv.AppendBool(b, s.MFAAuthenticated), `"}`...)
	b = optional(b, "sourceIdentity", s.SourceIdentity)
	b = optional(b, "ec2RoleDelivery", s.EC2RoleDelivery)
	if s.AssumedRoot {
		b = append(b, `,"assumedRoot":"true"`...)
	}
	return append(b, '}')
}

func appendResources(b []byte, resources []Resource) []byte {
	if len(resources) == 0 {
		return b
	}
	b = append(b, `,"resources":[`...)
	for i := range resources {
		if i > 0 {
			b = append(b, ',')
		}
		r, n := &resources[i], len(b)
		b = optional(b, "accountId", r.AccountID)
		b = optional(b, "type", r.Type)
		b = optional(b, "ARN", r.ARN)
		b = optional(b, "ARNPrefix", r.ARNPrefix)
		b = braced(b, n)
	}
	return append(b, ']')
}

func (t *TLSDetails) appendJSON(b []byte) []byte {
	if t == nil {
		return b
	}
	b = append(b, `,"tlsDetails":`...)
	n := len(b)
	b = optional(b, "tlsVersion", t.TLSVersion)
	b = optional(b, "cipherSuite", t.CipherSuite)
	b = optional(b, "clientProvidedHostHeader", t.ClientProvidedHostHeader)
	return braced(b, n)
}

// braced makes an object of the members that were appended, each with a comma before it, since b was n long.
func braced(b []byte, n int) []byte {
	if len(b) == n {
		return append(b, "{}"...)
	}
	b[n] = '{'
	return append(b, '}')
}

func member(b []byte, name, value string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

func optional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return member(b, name, value)
}

func object(b []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return append(b, value...)
}

func nullable(b, value []byte) []byte {
	if len(value) == 0 {
		return append(b, "null"...)
	}
	return append(b, value...)
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD; < > and & stay as they are, as AWS leaves them.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, s[start:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, `\ufffd`...)
		}
		i += size
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
