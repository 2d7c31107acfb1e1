package codecs_test

import (
	"net/http"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/internal/sample"
)

var protocolNames = []struct {
	p    aws.Protocol
	name string
}{
	{aws.AWSJSON11, "json"}, {aws.AWSQuery, "query"}, {aws.EC2Query, "ec2"}, {aws.RESTJSON, "restjson"}, {aws.RESTXML, "restxml"}, {aws.RPCV2CBOR, "cbor"},
}

// BenchmarkEncode writes a list of 20 users in each protocol.
func BenchmarkEncode(b *testing.B) {
	users := sample.SomeUsers(20)
	for _, c := range protocolNames {
		b.Run(c.name, func(b *testing.B) {
			codec := codecs.For(c.p)
			a := &wire.Answer{Protocol: c.p, Service: sample.Service, Operation: sample.ListUsers, RequestID: "3f0c4a2e-0000-4000-8000-000000000000"}
			b.ReportAllocs()
			for b.Loop() {
				var to wire.Response
				if err := codec.Encode(a, users, &to); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(to.Body)))
			}
		})
	}
}

// BenchmarkDecode reads and validates a user with two tags in each protocol.
func BenchmarkDecode(b *testing.B) {
	user := sample.SomeUsers(1).Users[0]
	user.Tags = []sample.Tag{{Key: "team", Value: "blue"}, {Key: "stage", Value: "test"}}
	mirror := *sample.ListUsers
	mirror.Output = mirror.Input
	form := "Action=CreateUser&Version=2010-05-08&Path=/&UserName=user-00&UserId=AIDAEXAMPLE00000000&Arn=arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Fuser-00&CreateDate=2023-11-14T22%3A13%3A20Z"
	forms := map[aws.Protocol]string{
		aws.AWSQuery: form + "&Tags.member.1.Key=team&Tags.member.1.Value=blue&Tags.member.2.Key=stage&Tags.member.2.Value=test",
		aws.EC2Query: form + "&Tags.1.Key=team&Tags.1.Value=blue&Tags.2.Key=stage&Tags.2.Value=test",
	}
	for _, c := range protocolNames {
		b.Run(c.name, func(b *testing.B) {
			codec := codecs.For(c.p)
			var to wire.Response
			if err := codec.Encode(&wire.Answer{Protocol: c.p, Service: sample.Service, Operation: &mirror}, &user, &to); err != nil {
				b.Fatal(err)
			}
			body := to.Body
			if text, ok := forms[c.p]; ok {
				body = []byte(text)
			}
			req := &wire.Request{Header: wire.HTTPHeader(http.Header{"Content-Type": to.Header["Content-Type"]})}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var in sample.User
				if err := codec.Decode(&mirror, req, body, nil, &in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
