package codecs_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/internal/sample"
)

// show writes an answer as a test reads it.
func show(to *wire.Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", to.Status)
	var names []string
	for name := range to.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "\n%s: %s", name, strings.Join(to.Header[name], "|"))
	}
	return b.String() + "\n" + strings.ReplaceAll(string(to.Body), "?>\n", "?>")
}

// TestAnswers is what each protocol's answers look like.
func TestAnswers(t *testing.T) {
	out := &sample.Everything{Required: "a<&>\"\r\x01é", Flag: new(false), Single: new(float32(0.1)), Double: new(1e21),
		When: new(time.Unix(1_700_000_000, 5e8)), Bytes: []byte("hi"), Texts: []string{}, Flat: []string{"x", "y"},
		Pairs: map[string]string{"k": "v", "a": "b"}, Inner: &sample.Everything{Required: "i"}}
	const fields = `<Required>a&lt;&amp;&gt;&quot;&#xd;&#x1;é</Required><Flag>false</Flag><Single>0.1</Single><Double>1e+21</Double><When>2023-11-14T22:13:20.5Z</When>` +
		`<Bytes>aGk=</Bytes><Texts></Texts><Flat>x</Flat><Flat>y</Flat><Pairs><entry><key>a</key><value>b</value></entry><entry><key>k</key><value>v</value></entry></Pairs><Inner><Required>i</Required></Inner>`
	const json = `{"Required":"a<&>\"\r\u0001é","Flag":false,"Single":0.1,"Double":1e+21,"When":1700000000.5,"Bytes":"aGk=","Texts":[],"Flat":["x","y"],"Pairs":{"a":"b","k":"v"},"Inner":{"Required":"i"}}`
	none := *sample.Do
	none.Output, none.ResultWrapper = nil, ""
	queried := none
	word := &aws.Shape{Name: "Word", Kind: aws.String}
	queried.Output = &aws.Shape{Name: "Queried", Kind: aws.Structure, Members: []*aws.Member{
		{Name: "A", Shape: word, Location: aws.InURI}, {Name: "B", Shape: word, Location: aws.InQuery, LocationName: "b"}}}
	for _, c := range []struct {
		name string
		p    aws.Protocol
		op   *aws.Operation
		out  any
		want string
	}{
		{"json 1.1", aws.AWSJSON11, sample.Do, out, "200\nContent-Type: application/x-amz-json-1.1\n" + json},
		{"json 1.0", aws.AWSJSON10, sample.Do, out, "200\nContent-Type: application/x-amz-json-1.0\n" + json},
		{"json without output", aws.AWSJSON11, &none, nil, "200\nContent-Type: application/x-amz-json-1.1\n{}"},
		{"rest json", aws.RESTJSON, sample.Do, out, "200\nContent-Type: application/json\n" + json},
		{"query", aws.AWSQuery, sample.Do, out, "200\nContent-Type: text/xml\n<DoResponse xmlns=\"https://sample.example/\"><DoResult>" + fields + "</DoResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>"},
		{"query without output", aws.AWSQuery, &none, nil, "200\nContent-Type: text/xml\n<DoResponse xmlns=\"https://sample.example/\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>"},
		{"ec2", aws.EC2Query, sample.Do, out, "200\nContent-Type: text/xml;charset=UTF-8\n<DoResponse xmlns=\"https://sample.example/\"><requestId>id</requestId>" + fields + "</DoResponse>"},
		{"ec2 without output", aws.EC2Query, &none, nil, "200\nContent-Type: text/xml;charset=UTF-8\n<DoResponse xmlns=\"https://sample.example/\"><requestId>id</requestId><return>true</return></DoResponse>"},
		{"rest xml", aws.RESTXML, sample.Do, out, "200\nContent-Type: application/xml\n<?xml version=\"1.0\" encoding=\"UTF-8\"?><Everything xmlns=\"https://sample.example/\">" + fields + "</Everything>"},
		{"rest xml without output", aws.RESTXML, &none, nil, "200\n"},
		{"cbor without output", aws.RPCV2CBOR, &none, nil, "200\nSmithy-Protocol: rpc-v2-cbor\n"},
		{"what a path or query string would hold", aws.RESTJSON, &queried, &struct{ A, B *string }{new("x"), new("y")}, "200\nContent-Type: application/json\n{\"A\":\"x\",\"b\":\"y\"}"},
		{"rest's parts", aws.RESTJSON, sample.Locate, &sample.Located{Header: new("a\r\nX-Evil: b"), Headers: []string{"a", `b,"c"`}, Whole: new(int32(3)),
			When: new(time.Unix(1_700_000_000, 0)), Meta: map[string]string{"k": "v", "bad name": "x"}, Body: &sample.Everything{Required: "r"}},
			"200\nContent-Type: application/json\nX-Header: a  X-Evil: b\nX-Headers: a, \"b,\\\"c\\\"\"\nX-Meta-k: v\nX-When: Tue, 14 Nov 2023 22:13:20 GMT\nX-Whole: 3\n{\"Required\":\"r\"}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to wire.Response
			if err := codecs.For(c.p).Encode(&wire.Answer{Protocol: c.p, Service: sample.Service, Operation: c.op, RequestID: "id"}, c.out, &to); err != nil {
				t.Fatal(err)
			}
			if got := show(&to); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// modelled is a service that knows sample.Fault.
func modelled(quirk func(*aws.Service)) *aws.Service {
	s := &aws.Service{Name: "sample", XMLNamespace: "https://sample.example/", Source: "garrison-model 1 0 3 2 0\n" +
		"structure FaultException error=Fault status=409 sender\n\tmessage Text\n\tRetry Whole\nstring Text\ninteger Whole\n"}
	if quirk != nil {
		quirk(s)
	}
	return s
}

// TestErrorAnswers is what each protocol's errors look like.
func TestErrorAnswers(t *testing.T) {
	fault := &sample.Fault{Message: "busy <now>", Retry: new(int32(5))}
	kind := &aws.Error{Kind: aws.AccessDenied, Message: "no", Fields: []aws.Field{{Name: "BucketName", Value: "b"}}}
	queryMode := &wire.Request{Header: wire.HTTPHeader(http.Header{"X-Amzn-Query-Mode": {"true"}})}
	bare := func(s *aws.Service) { s.NoErrorWrapping = true }
	for _, c := range []struct {
		name    string
		p       aws.Protocol
		service *aws.Service
		req     *wire.Request
		err     error
		want    string
	}{
		{"json 1.1", aws.AWSJSON11, modelled(nil), nil, fault, "400\nContent-Type: application/x-amz-json-1.1\n" + `{"__type":"FaultException","message":"busy <now>","Retry":5}`},
		{"json 1.0", aws.AWSJSON10, modelled(nil), nil, fault, "400\nContent-Type: application/x-amz-json-1.0\n" + `{"__type":"com.amazonaws.sample#FaultException","message":"busy <now>","Retry":5}`},
		{"a kind in json 1.0", aws.AWSJSON10, modelled(nil), nil, kind, "400\nContent-Type: application/x-amz-json-1.0\n" + `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}`},
		{"query-compatible", aws.AWSJSON11, modelled(nil), queryMode, fault, "400\nContent-Type: application/x-amz-json-1.1\nX-Amzn-Query-Error: Fault;Sender\n" + `{"__type":"FaultException","message":"busy <now>","Retry":5}`},
		{"a kind, query-compatible", aws.AWSJSON11, modelled(func(s *aws.Service) { s.QueryCompatible = true }), nil, kind, "400\nContent-Type: application/x-amz-json-1.1\nX-Amzn-Query-Error: AccessDenied;Sender\n" + `{"__type":"AccessDeniedException","message":"no"}`},
		{"rest json", aws.RESTJSON, modelled(nil), nil, fault, "409\nContent-Type: application/json\nX-Amzn-Errortype: FaultException\n" + `{"message":"busy <now>","Retry":5}`},
		{"lambda's", aws.RESTJSON, &aws.Service{Name: "lambda"}, nil, kind, "403\nContent-Type: application/json\nX-Amzn-Errortype: AccessDeniedException\n" + `{"Type":"User","message":"no"}`},
		{"sso-oidc's", aws.RESTJSON, &aws.Service{Name: "sso-oidc"}, nil, kind, "403\nContent-Type: application/json\nX-Amzn-Errortype: AccessDeniedException\n" + `{"error":"invalid_request","error_description":"no","message":"no"}`},
		{"query", aws.AWSQuery, modelled(nil), nil, fault, "409\nContent-Type: text/xml\n" + `<ErrorResponse xmlns="https://sample.example/"><Error><Type>Sender</Type><Code>Fault</Code><Message>busy &lt;now&gt;</Message><Retry>5</Retry></Error><RequestId>id</RequestId></ErrorResponse>`},
		{"not ours to tell", aws.AWSQuery, modelled(nil), nil, errors.New("disk /dev/x"), "500\nContent-Type: text/xml\n" + `<ErrorResponse xmlns="https://sample.example/"><Error><Type>Receiver</Type><Code>InternalFailure</Code><Message>An internal error occurred.</Message></Error><RequestId>id</RequestId></ErrorResponse>`},
		{"no service", aws.AWSQuery, nil, nil, kind, "403\nContent-Type: text/xml\n" + `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message><BucketName>b</BucketName></Error><RequestId>id</RequestId></ErrorResponse>`},
		{"a text with what XML has no place for", aws.AWSQuery, nil, nil, &aws.Error{Kind: aws.AccessDenied, Message: "a\x01\t\uffffb"}, "403\nContent-Type: text/xml\n" + "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>a\ufffd\t\ufffdb</Message></Error><RequestId>id</RequestId></ErrorResponse>"},
		{"ec2", aws.EC2Query, modelled(nil), nil, kind, "403\nContent-Type: text/xml;charset=UTF-8\n" + `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message><BucketName>b</BucketName></Error></Errors><RequestID>id</RequestID></Response>`},
		{"s3", aws.RESTXML, modelled(bare), nil, kind, "403\nContent-Type: application/xml\n" + `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>no</Message><BucketName>b</BucketName><RequestId>id</RequestId><HostId>host</HostId></Error>`},
		{"s3 HEAD", aws.RESTXML, modelled(bare), &wire.Request{Method: "HEAD"}, kind, "403\n"},
		{"s3control", aws.RESTXML, modelled(nil), nil, fault, "409\nContent-Type: application/xml\n" + `<?xml version="1.0" encoding="UTF-8"?><ErrorResponse xmlns="https://sample.example/"><Error><Type>Sender</Type><Code>Fault</Code><Message>busy &lt;now&gt;</Message><Retry>5</Retry></Error><RequestId>id</RequestId><HostId>host</HostId></ErrorResponse>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to wire.Response
			codecs.For(c.p).EncodeError(&wire.Answer{Protocol: c.p, Service: c.service, Request: c.req, RequestID: "id", HostID: "host"}, c.err, &to)
			if got := show(&to); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
