package gateway_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// A proxy's word sets source and security, and makes no record tell of a TLS connection nobody here saw.
func TestClientsBehindAProxy(t *testing.T) {
	client, unknown := gateway.Client{Remote: netip.MustParseAddrPort("[::ffff:203.0.113.7]:0")}, error(nil)
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)}, func(c *gateway.Config) {
		c.Client = func(*http.Request) (gateway.Client, error) { return client, unknown }
	})
	p.policies["ALICE"] = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}}`
	for _, c := range []struct {
		name   string
		secure bool
		tls    *tls.ConnectionState
		fault  error
		status int
		known  bool // the record has tlsDetails
	}{
		{"plain", false, nil, nil, 403, false},
		{"TLS at the proxy", true, nil, nil, 200, false},
		{"TLS to the end", true, &tls.ConnectionState{Version: tls.VersionTLS13}, nil, 200, true},
		{"TLS from the proxy on alone", false, nil, nil, 403, false},
		{"nobody knows", true, nil, errors.New("which hop it came by"), 400, false},
	} {
		before := len(p.events())
		client.Secure, client.TLS, unknown = c.secure, c.tls, c.fault
		status, body := p.post("ALICE", "iam", strings.Replace(createForm, "new", "new-"+strings.ReplaceAll(c.name, " ", "-"), 1))
		if status != c.status || strings.Contains(body, "which hop") {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
		events := p.events()[before:]
		if c.fault != nil {
			if len(events) != 0 || !strings.Contains(body, "<Code>InvalidRequest<") {
				t.Errorf("%s: %d events, %s", c.name, len(events), body)
			}
			continue
		}
		if len(events) != 1 || events[0].SourceIPAddress != "203.0.113.7" || (events[0].TLSDetails != nil) != c.known {
			t.Errorf("%s: the record holds %+v", c.name, events)
		}
	}
}
