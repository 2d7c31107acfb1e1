package route

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/catalog"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

func newRouter(t testing.TB) *Router {
	t.Helper()
	r, err := New(Options{Hosts: []string{"garrison.example", "Second.Example.", "aws.garrison.example"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// request makes a request; target is path and query, headers are names and values in turn.
func request(method, target string, headers ...string) *wire.Request {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	req := &wire.Request{Method: method, Host: "localhost:4566", Header: wire.HTTPHeader(h)}
	req.RawPath, req.RawQuery, _ = strings.Cut(target, "?")
	return req
}

func scoped(service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

// asSent are the requests by which clients call an operation, one a protocol,
// signed for signing, with the form of those that have one.
func asSent(s *catalog.Service, op catalog.Operation, p aws.Protocol) (reqs []*wire.Request, form string, labels map[string]string) {
	auth := []string{"Authorization", scoped(s.SigningName)}
	with := func(headers ...string) []string { return append(slices.Clone(auth), headers...) }
	switch p {
	case aws.AWSJSON10, aws.AWSJSON11:
		kind := "application/x-amz-json-1.1"
		if p == aws.AWSJSON10 {
			kind = "application/x-amz-json-1.0"
		}
		for _, prefix := range []string{s.TargetPrefix, lastOf(s.TargetPrefix)} {
			reqs = append(reqs, request("POST", "/any//where", with("X-Amz-Target", prefix+"."+op.Name, "Content-Type", kind)...))
		}
	case aws.RPCV2CBOR:
		name := s.SmithyName
		if name == "" {
			name = lastOf(s.TargetPrefix)
		}
		reqs = append(reqs, request("POST", "/service/"+name+"/operation/"+op.Name, with("Smithy-Protocol", "rpc-v2-cbor", "Content-Type", "application/cbor")...))
	case aws.AWSQuery, aws.EC2Query:
		form = "Action=" + op.Name + "&Version=" + s.Version + "&A.member.1=x"
		reqs = append(reqs, request("POST", "/", with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")...),
			request("GET", "/?"+form, auth...))
	case aws.RESTJSON, aws.RESTXML:
		if s.Name == "s3control" {
			auth = with("X-Amz-Account-Id", "123456789012")
		}
		path, query, _ := strings.Cut(op.URI, "?")
		labels = map[string]string{}
		segments := strings.Split(path, "/")
		for i, segment := range segments {
			name, ok := strings.CutPrefix(segment, "{")
			if !ok {
				continue
			}
			name = strings.TrimSuffix(name, "}")
			segments[i] = fmt.Sprintf("arn%%3Aaws%%3Ax%%2F%d", i)
			if greedy, ok := strings.CutSuffix(name, "+"); ok {
				name, segments[i] = greedy, "a/b%2Fc"
			}
			labels[name] = segments[i]
		}
		target := strings.Join(segments, "/") + "?x-id=" + op.Name
		if query != "" {
			target += "&" + query
		}
		reqs = append(reqs, request(op.Method, target+"&maxResults=1", auth...))
	}
	return reqs, form, labels
}

// oneEndpoint are services that share signing name and endpoint with another,
// and with it some operations: a request can't tell them apart. Queries go to
// the service that has the name for its own, REST requests are refused.
var oneEndpoint = map[string]string{
	"docdb": "rds", "neptune": "rds", // a part of rds's operations
	"timestream-write": "timestream-query", "wisdom": "qconnect", "qconnect": "wisdom",
	"greengrass": "greengrassv2", "greengrassv2": "greengrass",
	"pinpoint-sms-voice": "sms-voice", "sms-voice": "pinpoint-sms-voice",
}

// TestEveryOperation: every operation of AWS's catalog, in every protocol of its
// service, routes to itself; where services share a signing name and a path,
// with the service's own Host.
func TestEveryOperation(t *testing.T) {
	r := newRouter(t)
	n, byHost, refused := 0, 0, 0
	for _, s := range catalog.Services() {
		protocols := slices.Clone(s.Protocols)
		if s.Name == "s3" {
			continue // TestS3
		}
		if s.TargetPrefix != "" && !slices.Contains(protocols, aws.RPCV2CBOR) {
			protocols = append(protocols, aws.RPCV2CBOR)
		}
		for _, op := range s.Operations() {
			n++
			for _, p := range protocols {
				reqs, form, labels := asSent(s, op, p)
				for _, req := range reqs {
					right := func(m Match, err error) bool {
						return err == nil && m.Service == s && m.Operation == op.Name && m.Protocol == p &&
							equalLabels(m.Labels, labels) && slices.Contains(m.SigningNames(), s.SigningName)
					}
					m, err := r.Route(req, []byte(form))
					if right(m, err) {
						continue
					}
					if err == nil && m.Service.SigningName != s.SigningName {
						t.Errorf("%s:%s goes to %s:%s", s.Name, op.Name, m.Service.Name, m.Operation)
					}
					req.Host = s.EndpointPrefix + ".eu-west-1.amazonaws.com"
					if m, err = r.Route(req, []byte(form)); right(m, err) {
						byHost++
						continue
					}
					other, ok := oneEndpoint[s.Name]
					if refused++; !ok || err == nil && m.Service.Name != other {
						t.Errorf("%s:%s: %v:%s, %v", s.Name, op.Name, m.Service.Name, m.Operation, err)
					}
				}
			}
		}
	}
	t.Logf("%d operations; %d requests told apart by Host, %d by nothing", n, byHost, refused)
	if n < 18000 {
		t.Errorf("only %d operations", n)
	}
}

func equalLabels(got, want map[string]string) bool {
	if len(got) != len(want) {
		return false
	}
	for name, value := range want {
		if got[name] != value {
			return false
		}
	}
	return true
}
