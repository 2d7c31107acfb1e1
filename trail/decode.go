package trail

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Decode is the event that Append encoded. The result keeps nothing of data.
// It answers ErrEvent for what is no event, or one of a newer release.
func Decode(data []byte) (*Event, error) {
	d := &decoder{text: string(data)}
	if d.byte() != eventVersion {
		return nil, fmt.Errorf("%w: of another version", ErrEvent)
	}
	e := new(Event)
	flags := uint16(d.byte())<<8 | uint16(d.byte())
	e.ReadOnly = flags&flagReadOnly != 0
	e.ManagementEvent = flags&flagManagement != 0
	e.SessionCredentialFromConsole = flags&flagFromConsole != 0
	e.EventTime = d.time()
	for _, to := range []*string{&e.EventSource, &e.EventName, &e.AWSRegion, &e.SourceIPAddress, &e.UserAgent, &e.ErrorCode, &e.ErrorMessage} {
		*to = d.string()
	}
	for _, to := range []*[]byte{&e.RequestParameters, &e.ResponseElements, &e.AdditionalEventData, &e.ServiceEventDetails} {
		*to = d.object()
	}
	e.RequestID, e.EventID, e.SharedEventID = d.id(), d.id(), d.id()
	e.EventType = EventType(d.string())
	e.APIVersion, e.RecipientAccountID = d.string(), d.string()
	e.VPCEndpointID, e.VPCEndpointAccountID = d.string(), d.string()
	e.EventCategory = Category(d.string())
	d.identity(&e.UserIdentity, flags)
	if flags&flagTLS != 0 {
		e.TLSDetails = &TLSDetails{TLSVersion: d.string(), CipherSuite: d.string(), ClientProvidedHostHeader: d.string()}
	}
	if n := d.uvarint(); n > maxResources {
		d.bad = true
	} else if n > 0 {
		e.Resources = make([]Resource, n)
		for i := range e.Resources {
			e.Resources[i] = Resource{AccountID: d.string(), Type: d.string(), ARN: d.string(), ARNPrefix: d.string()}
		}
	}
	if d.bad || d.text != "" || flags >= flagAssumedRoot<<1 {
		return nil, fmt.Errorf("%w: %d bytes", ErrEvent, len(data))
	}
	return e, nil
}

func (d *decoder) identity(u *UserIdentity, flags uint16) {
	for _, to := range []*string{&u.Type, &u.PrincipalID, &u.ARN, &u.AccountID, &u.AccessKeyID, &u.UserName, &u.InvokedBy, &u.IdentityProvider} {
		*to = d.string()
	}
	if flags&flagSession == 0 {
		return
	}
	s := &SessionContext{MFAAuthenticated: flags&flagMFA != 0, AssumedRoot: flags&flagAssumedRoot != 0}
	u.SessionContext = s
	s.CreationDate = time.Unix(d.varint(), 0).UTC()
	s.SourceIdentity, s.EC2RoleDelivery = d.string(), d.string()
	if flags&flagIssuer != 0 {
		s.SessionIssuer = &SessionIssuer{Type: d.string(), PrincipalID: d.string(), ARN: d.string(), AccountID: d.string(), UserName: d.string()}
	}
	if flags&flagWebID != 0 {
		s.WebIDFederationData = &WebIDFederationData{FederatedProvider: d.string(), Attributes: d.object()}
	}
}

// decoder reads an encoded event. Once something is amiss it is bad, and reads zeros.
type decoder struct {
	text string
	bad  bool
}

func (d *decoder) take(n uint64) string {
	if d.bad || n > uint64(len(d.text)) {
		d.bad = true
		return ""
	}
	s := d.text[:n]
	d.text = d.text[n:]
	return s
}

func (d *decoder) byte() byte {
	if s := d.take(1); s != "" {
		return s[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

func (d *decoder) time() time.Time {
	s := d.take(8)
	if s == "" {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64([]byte(s)))).UTC()
}

func (d *decoder) string() string { return d.take(d.uvarint()) }

func (d *decoder) object() []byte {
	if s := d.string(); s != "" {
		return []byte(s)
	}
	return nil
}

func (d *decoder) id() string {
	switch d.byte() {
	case idText:
		return d.string()
	case idUUID:
		if s := d.take(16); s != "" {
			return uuidText([]byte(s))
		}
	default:
		d.bad = true
	}
	return ""
}
