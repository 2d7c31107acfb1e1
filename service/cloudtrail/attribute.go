package cloudtrail

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/trail"
)

// attribute is what events are looked up by; the zero attribute is every event's.
type attribute struct {
	key   cloudtrail.LookupAttributeKey
	value string
}

// attributes are those of e, each once.
func attributes(e *trail.Event) []attribute {
	all := append(make([]attribute, 0, 16),
		attribute{},
		attribute{cloudtrail.LookupAttributeKeyEventId, e.EventID},
		attribute{cloudtrail.LookupAttributeKeyEventName, e.EventName},
		attribute{cloudtrail.LookupAttributeKeyReadOnly, strconv.FormatBool(e.ReadOnly)},
		attribute{cloudtrail.LookupAttributeKeyEventSource, e.EventSource})
	if name := userName(&e.UserIdentity); name != "" {
		all = append(all, attribute{cloudtrail.LookupAttributeKeyUsername, name})
	}
	if id := e.UserIdentity.AccessKeyID; id != "" {
		all = append(all, attribute{cloudtrail.LookupAttributeKeyAccessKeyId, id})
	}
	for _, r := range resources(e) {
		for _, a := range [...]attribute{
			{cloudtrail.LookupAttributeKeyResourceType, r.kind}, {cloudtrail.LookupAttributeKeyResourceName, r.name},
		} {
			if a.value != "" && !contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

func contains(all []attribute, a attribute) bool {
	for _, have := range all {
		if have == a {
			return true
		}
	}
	return false
}

// term is what stands for a Region's attribute in keys of the index: a hash,
// since values may be longer than keys, and are nobody's business who reads keys.
type term [16]byte

func termOf(region string, a attribute) term {
	b := make([]byte, 0, 128)
	for _, part := range [...]string{region, string(a.key), a.value} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return term(sum[:])
}

// listed tells whether look-ups show e: a management event, as AWS calls what
// is not data, in a Region.
func listed(e *trail.Event) bool {
	if e.AWSRegion == "" || e.EventTime.Unix() <= 0 {
		return false
	}
	if e.EventCategory == "" {
		return e.ManagementEvent
	}
	return e.EventCategory == trail.Management
}

// userName is the caller's name as look-ups show it: a session's own, "root",
// or "" where the record names nobody.
func userName(u *trail.UserIdentity) string {
	switch u.Type {
	case "Root":
		return "root"
	case "AssumedRole", "FederatedUser":
		return u.ARN[strings.LastIndexByte(u.ARN, '/')+1:]
	}
	return u.UserName
}
