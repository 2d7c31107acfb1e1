package route

import (
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
)

const formHeader = "application/x-www-form-urlencoded; charset=utf-8"

// TestRoutes holds requests as AWS's clients send them, where the catalog's
// templates don't say it all.
func TestRoutes(t *testing.T) {
	r := newRouter(t)
	v4a := strings.ReplaceAll(strings.ReplaceAll(scoped("events"), "/eu-west-1", ""), "HMAC", "ECDSA-P256")
	for _, c := range []struct {
		name, line, form string
		headers          []string
		service, op      string
		protocol         aws.Protocol
	}{
		{"the CLI's iam", "POST /", "Action=CreateUser&Version=2010-05-08&UserName=a", []string{"Content-Type", formHeader, "Authorization", scoped("iam")}, "iam", "CreateUser", aws.AWSQuery},
		{"unsigned web identity", "POST /", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", []string{"Content-Type", formHeader}, "sts", "AssumeRoleWithWebIdentity", aws.AWSQuery},
		{"a presigned identity, as EKS's", "GET /?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261124%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Signature=1", "", nil, "sts", "GetCallerIdentity", aws.AWSQuery},
		{"Action in the query of a form", "POST /?Action=ListUsers&Version=2010-05-08", "MaxItems=1", []string{"Content-Type", formHeader, "Authorization", scoped("iam")}, "iam", "ListUsers", aws.AWSQuery},
		{"Action in both, the same", "POST /?Action=ListUsers", "Action=ListUsers&Version=2010-05-08", []string{"Content-Type", formHeader, "Authorization", scoped("iam")}, "iam", "ListUsers", aws.AWSQuery},
		{"a POST without a body", "POST /?Action=ListUsers&Version=2010-05-08", "", []string{"Authorization", scoped("iam")}, "iam", "ListUsers", aws.AWSQuery},
		{"ec2", "POST /", "Action=DescribeInstances&Version=2016-11-15", []string{"Content-Type", formHeader, "Authorization", scoped("ec2")}, "ec2", "DescribeInstances", aws.EC2Query},
		{"elb", "POST /", "Action=DescribeLoadBalancers&Version=2012-06-01", []string{"Content-Type", formHeader, "Authorization", scoped("elasticloadbalancing")}, "elb", "DescribeLoadBalancers", aws.AWSQuery},
		{"elbv2", "POST /", "Action=DescribeLoadBalancers&Version=2015-12-01", []string{"Content-Type", formHeader, "Authorization", scoped("elasticloadbalancing")}, "elbv2", "DescribeLoadBalancers", aws.AWSQuery},
		{"an SNS link", "GET /?Action=ConfirmSubscription&TopicArn=a&Token=b", "", nil, "sns", "ConfirmSubscription", aws.AWSQuery},
		{"old SQS, to the queue's path", "POST /123456789012/q", "Action=SendMessage&Version=2012-11-05", []string{"Content-Type", formHeader, "Authorization", scoped("sqs")}, "sqs", "SendMessage", aws.AWSQuery},
		{"SQS", "POST /123456789012/q", "", []string{"X-Amz-Target", "AmazonSQS.SendMessage", "Content-Type", "application/x-amz-json-1.0", "Authorization", scoped("sqs")}, "sqs", "SendMessage", aws.AWSJSON10},
		{"CloudTrail, botocore", "POST /", "", []string{"X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", "Content-Type", "application/x-amz-json-1.1"}, "cloudtrail", "LookupEvents", aws.AWSJSON11},
		{"CloudTrail, Go", "POST /", "", []string{"X-Amz-Target", "CloudTrail_20131101.LookupEvents", "Content-Type", "application/x-amz-json-1.1; charset=utf-8"}, "cloudtrail", "LookupEvents", aws.AWSJSON11},
		{"KMS speaking 1.0", "POST /", "", []string{"X-Amz-Target", "TrentService.Encrypt", "Content-Type", "application/x-amz-json-1.0"}, "kms", "Encrypt", aws.AWSJSON10},
		{"a target signed for another service", "POST /", "", []string{"X-Amz-Target", "TrentService.Encrypt", "Content-Type", "application/x-amz-json-1.1", "Authorization", scoped("iam")}, "kms", "Encrypt", aws.AWSJSON11},
		{"CloudWatch, Go", "POST /service/GraniteServiceVersion20100801/operation/PutMetricData", "", []string{"Smithy-Protocol", "rpc-v2-cbor", "Content-Type", "application/cbor"}, "cloudwatch", "PutMetricData", aws.RPCV2CBOR},
		{"the same under a path", "POST /x/y/service/GraniteServiceVersion20100801/operation/PutMetricData", "", []string{"Smithy-Protocol", "rpc-v2-cbor"}, "cloudwatch", "PutMetricData", aws.RPCV2CBOR},
		{"CloudWatch, JSON", "POST /", "", []string{"X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData", "Content-Type", "application/x-amz-json-1.0"}, "cloudwatch", "PutMetricData", aws.AWSJSON10},
		{"CloudWatch, query", "POST /", "Action=PutMetricData&Version=2010-08-01", []string{"Content-Type", formHeader, "Authorization", scoped("monitoring")}, "cloudwatch", "PutMetricData", aws.AWSQuery},
		{"a rule before a label", "GET /automationrulesv2/list", "", []string{"Authorization", scoped("securityhub")}, "securityhub", "ListAutomationRulesV2", aws.RESTJSON},
		{"tags, by signer", "GET /tags/arn%3Aaws%3Alambda", "", []string{"Authorization", scoped("guardduty")}, "guardduty", "ListTagsForResource", aws.RESTJSON},
		{"layers by ARN", "GET /2018-10-31/layers?find=LayerVersion&Arn=a", "", []string{"Authorization", scoped("lambda")}, "lambda", "GetLayerVersionByArn", aws.RESTJSON},
		{"layers", "GET /2018-10-31/layers?Marker=a", "", []string{"Authorization", scoped("lambda")}, "lambda", "ListLayers", aws.RESTJSON},
		{"sso by its token", "GET /federation/credentials?role_name=a&account_id=1", "", []string{"X-Amz-Sso_bearer_token", "t"}, "sso", "GetRoleCredentials", aws.RESTJSON},
		{"sso-oidc", "POST /token", "", []string{"Content-Type", "application/json"}, "sso-oidc", "CreateToken", aws.RESTJSON},
		{"sso-oidc signed", "POST /token?aws_iam=t", "", []string{"Content-Type", "application/json", "Authorization", scoped("sso-oauth")}, "sso-oidc", "CreateTokenWithIAM", aws.RESTJSON},
		{"s3control", "GET /v20180820/mrap/instances/a/b/policy", "", []string{"X-Amz-Account-Id", "123456789012", "Authorization", scoped("s3")}, "s3control", "GetMultiRegionAccessPointPolicy", aws.RESTXML},
		{"anonymous", "GET /b/k", "", nil, "s3", "GetObject", aws.RESTXML},
		{"a browser's form", "POST /b", "", []string{"Content-Type", "multipart/form-data; boundary=x"}, "s3", PostObject, aws.RESTXML},
		{"signature version 2", "GET /b/k?AWSAccessKeyId=a&Signature=b&Expires=1", "", nil, "s3", "GetObject", aws.RESTXML},
		{"version 2 in the header", "GET /b/k", "", []string{"Authorization", "AWS AKID:c2ln"}, "s3", "GetObject", aws.RESTXML},
		{"a form posted to S3", "POST /b?delete", "Action=CreateUser&Version=2010-05-08", []string{"Content-Type", formHeader, "Authorization", scoped("s3")}, "s3", "DeleteObjects", aws.RESTXML},
		{"Action in a bucket's listing", "GET /b?Action=CreateUser&Version=2010-05-08", "", []string{"Authorization", scoped("s3")}, "s3", "ListObjects", aws.RESTXML},
		{"a scope without a Region", "POST /", "", []string{"X-Amz-Target", "AWSEvents.PutEvents", "Content-Type", "application/x-amz-json-1.1", "Authorization", v4a}, "events", "PutEvents", aws.AWSJSON11},
		{"an iam form signed for kms", "POST /", "Action=CreateUser&Version=2010-05-08", []string{"Content-Type", formHeader, "Authorization", scoped("kms")}, "iam", "CreateUser", aws.AWSQuery},
		{"method override headers", "POST /b?delete", "", []string{"X-Http-Method-Override", "DELETE", "X-Http-Method", "DELETE", "X-Method-Override", "DELETE", "Authorization", scoped("s3")}, "s3", "DeleteObjects", aws.RESTXML},
		{"a broken signature, by host", "POST /", "", []string{"Authorization", "AWS4-HMAC-SHA256 x"}, "iam", "", aws.AWSQuery},
	} {
		t.Run(c.name, func(t *testing.T) {
			method, target, _ := strings.Cut(c.line, " ")
			req := request(method, target, c.headers...)
			if c.op == "" && c.service == "iam" {
				req.Host = "iam.localhost:4566"
			}
			m, err := r.Route(req, []byte(c.form))
			if err != nil || m.Service.Name != c.service || c.op != "" && m.Operation != c.op || m.Protocol != c.protocol {
				t.Errorf("%v:%s %d, %v", m.Service, m.Operation, m.Protocol, err)
			}
			if (c.form != "") != r.WantsForm(req) && m.Protocol != aws.RESTXML {
				t.Error("WantsForm")
			}
		})
	}
}

// TestRefuses: what means nothing, or two things, is refused in its own shape.
func TestRefuses(t *testing.T) {
	r := newRouter(t)
	iam := []string{"Content-Type", formHeader, "Authorization", scoped("iam")}
	for _, c := range []struct {
		name, line, form string
		headers          []string
		protocol         aws.Protocol
		kind             aws.Kind
		text             string
	}{
		{"two Actions", "POST /", "Action=ListUsers&Action=DeleteUser&Version=2010-05-08", iam, aws.AWSQuery, aws.Custom, "once"},
		{"an Action escaped", "POST /", "Action=ListUsers&%41ction=DeleteUser&Version=2010-05-08", iam, aws.AWSQuery, aws.Custom, "once"},
		{"form against query", "POST /?Action=DeleteUser", "Action=ListUsers&Version=2010-05-08", iam, aws.AWSQuery, aws.Custom, "once"},
		{"two Actions in the query", "GET /?Action=ListUsers&Action=ListUsers&Version=2010-05-08", "", []string{"Authorization", scoped("iam")}, aws.AWSQuery, aws.Custom, "once"},
		{"two Versions", "POST /", "Action=ListUsers&Version=2010-05-08&Version=2011-06-15", iam, aws.AWSQuery, aws.Custom, "once"},
		{"Versions that differ", "POST /?Version=2011-06-15", "Action=ListUsers&Version=2010-05-08", iam, aws.AWSQuery, aws.Custom, "once"},
		{"no Action", "POST /", "Version=2010-05-08", iam, aws.AWSQuery, aws.Custom, "must contain the parameter Action"},
		{"a broken escape", "POST /", "Action=%zz&Version=2010-05-08", iam, aws.AWSQuery, aws.Custom, "once"},
		{"another service's Version", "POST /", "Action=ListUsers&Version=2011-06-15", iam, aws.AWSQuery, aws.UnknownOperation, "Could not find operation ListUsers for version 2011-06-15"},
		{"no Version", "POST /", "Action=ListUsers", iam, aws.AWSQuery, aws.UnknownOperation, "Could not find operation ListUsers for version NO_VERSION_SPECIFIED"},
		{"an unknown Action", "POST /", "Action=Frobnicate&Version=2010-05-08", iam, aws.AWSQuery, aws.UnknownOperation, "Could not find operation Frobnicate for version 2010-05-08"},
		{"an Action in other case", "POST /", "Action=listusers&Version=2010-05-08", iam, aws.AWSQuery, aws.UnknownOperation, "Could not find operation listusers"},
		{"an unknown Version, unsigned", "POST /", "Action=ListUsers&Version=1999-01-01", []string{"Content-Type", formHeader}, aws.AWSQuery, aws.UnknownOperation, "for version 1999-01-01"},
		{"two targets", "POST /", "", []string{"X-Amz-Target", "TrentService.Encrypt", "X-Amz-Target", "TrentService.Decrypt", "Content-Type", "application/x-amz-json-1.1"}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a target twice", "POST /", "", []string{"X-Amz-Target", "TrentService.Encrypt", "X-Amz-Target", "TrentService.Encrypt"}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"an unknown target", "POST /", "", []string{"X-Amz-Target", "Nobody.Encrypt", "Content-Type", "application/x-amz-json-1.0"}, aws.AWSJSON10, aws.UnknownOperation, ""},
		{"a target in other case", "POST /", "", []string{"X-Amz-Target", "trentservice.Encrypt"}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"an unknown operation", "POST /", "", []string{"X-Amz-Target", "TrentService.Frobnicate"}, aws.AWSJSON11, aws.UnknownOperation, "Frobnicate"},
		{"a target without a dot", "POST /", "", []string{"X-Amz-Target", "Encrypt"}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"an empty target", "POST /", "", []string{"X-Amz-Target", ""}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a target that is fetched", "GET /", "", []string{"X-Amz-Target", "TrentService.Encrypt"}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a target with a form", "POST /", "Action=CreateUser&Version=2010-05-08", []string{"X-Amz-Target", "TrentService.Encrypt", "Content-Type", formHeader}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a target and an Action", "POST /?Action=CreateUser", "", []string{"X-Amz-Target", "TrentService.Encrypt", "Content-Type", "application/x-amz-json-1.1"}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a target and CBOR", "POST /service/TrentService/operation/Decrypt", "", []string{"X-Amz-Target", "TrentService.Encrypt", "Smithy-Protocol", "rpc-v2-cbor"}, aws.RESTXML, aws.UnknownOperation, ""},
		{"another Smithy protocol", "POST /service/TrentService/operation/Decrypt", "", []string{"Smithy-Protocol", "rpc-v2-json"}, aws.RPCV2CBOR, aws.UnknownOperation, ""},
		{"CBOR of nobody", "POST /service/Nobody/operation/Decrypt", "", []string{"Smithy-Protocol", "rpc-v2-cbor"}, aws.RPCV2CBOR, aws.UnknownOperation, ""},
		{"CBOR of a REST service", "POST /service/AWSGirApiService/operation/Invoke", "", []string{"Smithy-Protocol", "rpc-v2-cbor"}, aws.RPCV2CBOR, aws.UnknownOperation, ""},
		{"CBOR behind its path", "POST /service/TrentService/operation/Decrypt/", "", []string{"Smithy-Protocol", "rpc-v2-cbor"}, aws.RPCV2CBOR, aws.UnknownOperation, ""},
		{"no path of the service", "GET /2015-03-31/frobs", "", []string{"Authorization", scoped("lambda")}, aws.RESTJSON, aws.UnknownOperation, ""},
		{"another method", "PATCH /2015-03-31/functions", "", []string{"Authorization", scoped("lambda")}, aws.RESTJSON, aws.UnknownOperation, ""},
		{"a path with an empty label", "GET /2015-03-31/functions//policy", "", []string{"Authorization", scoped("lambda")}, aws.RESTJSON, aws.UnknownOperation, ""},
		{"a path that dots lead away from", "GET /2015-03-31/x/../functions/f/policy", "", []string{"Authorization", scoped("lambda")}, aws.RESTJSON, aws.UnknownOperation, ""},
		{"a path escaped", "GET /2015-03-31%2Ffunctions/f/policy", "", []string{"Authorization", scoped("lambda")}, aws.RESTJSON, aws.UnknownOperation, ""},
		{"a literal member twice", "GET /2018-10-31/layers/x?find=LayerVersion&find=x", "", []string{"Authorization", scoped("lambda")}, aws.RESTJSON, aws.UnknownOperation, ""},
		{"sso signed", "GET /federation/credentials", "", []string{"Authorization", scoped("sso")}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"an rpc service without a target", "POST /", "", []string{"Content-Type", "application/x-amz-json-1.1", "Authorization", scoped("kms")}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a query service without an Action", "GET /", "", []string{"Authorization", scoped("monitoring")}, aws.AWSQuery, aws.UnknownOperation, ""},
		{"a query service's JSON without a target", "POST /", "", []string{"Content-Type", "application/x-amz-json-1.0", "Authorization", scoped("iam")}, aws.AWSJSON10, aws.UnknownOperation, ""},
		{"a service of nobody", "POST /", "", []string{"Content-Type", "application/x-amz-json-1.1", "Authorization", scoped("nobody")}, aws.AWSJSON11, aws.UnknownOperation, ""},
		{"a service of nobody, otherwise", "GET /", "", []string{"Authorization", scoped("nobody")}, aws.RESTXML, aws.UnknownOperation, ""},
		{"unsigned, to a service's host", "GET /functions", "", []string{"Host", "lambda.localhost"}, aws.RESTJSON, aws.MissingAuthentication, "Request is missing Authentication Token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			method, target, _ := strings.Cut(c.line, " ")
			req := request(method, target, c.headers...)
			if host := req.Header.Get("Host"); host != "" {
				req.Host = host
			}
			m, err := r.Route(req, []byte(c.form))
			e, ok := err.(*aws.Error)
			if !ok || e.Kind != c.kind || !strings.Contains(e.Message, c.text) || m.Protocol != c.protocol || m.Operation != "" {
				t.Errorf("%s %d, %v, want %d, kind %d %s", m.Operation, m.Protocol, err, c.protocol, c.kind, c.text)
			}
		})
	}
}

func TestInternal(t *testing.T) {
	r := newRouter(t)
	for _, c := range []struct {
		host, target, auth string
		want               bool
	}{
		{"localhost:4566", "/_garrison/health", "", true},
		{"10.0.0.1", "/_garrison/health", "Bearer x", true},
		{"garrison.example", "/_garrison/", "", true},
		{"b.localhost", "/_garrison/health", "", false},
		{"b.s3.garrison.example", "/_garrison/health", "", false},
		{"aws.garrison.example", "/_garrison/health", "", true}, // a name of the endpoint's, though below another
		{"b.aws.garrison.example", "/_garrison/health", "", false},
		{"b.second.example:4566", "/_garrison/health", "", false},
		{"notgarrison.example", "/_garrison/health", "", true},
		{"localhost", "/_garrison", "", false},
		{"localhost", "/%5Fgarrison/health", "", false},
		{"localhost", "//_garrison/health", "", false},
		{"localhost", "/_Garrison/health", "", false},
		{"localhost", "/x/../_garrison/health", "", false},
		{"localhost", "/_garrison/health", scoped("s3"), false},
		{"localhost", "/_garrison/health", "AWS4-HMAC-SHA256 x", false},
		{"localhost", "/_garrison/health?X-Amz-Signature=1", "", false},
	} {
		req := request("GET", c.target)
		if c.auth != "" {
			req = request("GET", c.target, "Authorization", c.auth)
		}
		req.Host = c.host
		if got := r.Internal(req); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for _, base := range []string{"", "a b", "x..y", "-x", "http://x", "x:80"} {
		if _, err := New(Options{Hosts: []string{base}}); err == nil {
			t.Errorf("base %q passes", base)
		}
	}
}

// FuzzRoute: every request has one answer, and what is routed is in the catalog.
func FuzzRoute(f *testing.F) {
	f.Add("POST", "/", "", "localhost", formHeader, scoped("iam"), "", "Action=CreateUser&Version=2010-05-08")
	f.Add("GET", "/b/k%2F", "acl&x-id=a", "b.s3.eu-west-1.localhost:1", "", scoped("s3"), "", "")
	f.Add("GET", "/2018-10-31/layers/a/b", "find=LayerVersion", "[::1]", "application/json", scoped("lambda"), "", "")
	f.Add("POST", "/service/TrentService/operation/Encrypt", "", "", "application/cbor", "", "TrentService.Encrypt", "")
	r := newRouter(f)
	f.Fuzz(func(t *testing.T, method, path, query, host, kind, auth, target, form string) {
		headers := []string{}
		for _, h := range [][2]string{{"Content-Type", kind}, {"Authorization", auth}, {"X-Amz-Target", target}} {
			if h[1] != "" {
				headers = append(headers, h[0], h[1])
			}
		}
		req := request(method, "", headers...)
		req.RawPath, req.RawQuery, req.Host = path, query, host
		r.Internal(req)
		m, err := r.Route(req, []byte(form))
		again, err2 := r.Route(req, []byte(form))
		if m.Operation != again.Operation || m.Service != again.Service || (err == nil) != (err2 == nil) || m.Protocol == aws.NoProtocol {
			t.Errorf("%+v, %v; then %+v, %v", m, err, again, err2)
		}
		if err != nil {
			if _, ok := err.(*aws.Error); !ok {
				t.Errorf("%v", err)
			}
			return
		}
		if _, ok := m.Service.Operation(m.Operation); !ok && m.Operation != "" && m.Operation != PostObject && m.Operation != Preflight {
			t.Errorf("%s:%s", m.Service.Name, m.Operation)
		}
	})
}

func BenchmarkRoute(b *testing.B) {
	r := newRouter(b)
	for _, c := range []struct {
		name, line, form string
		headers          []string
	}{
		{"query", "POST /", "Action=CreateUser&Version=2010-05-08&UserName=a", []string{"Content-Type", formHeader, "Authorization", scoped("iam")}},
		{"target", "POST /", "", []string{"X-Amz-Target", "TrentService.Encrypt", "Content-Type", "application/x-amz-json-1.1", "Authorization", scoped("kms")}},
		{"cbor", "POST /service/GraniteServiceVersion20100801/operation/PutMetricData", "", []string{"Smithy-Protocol", "rpc-v2-cbor", "Authorization", scoped("monitoring")}},
		{"rest", "GET /2015-03-31/functions/f/policy?Qualifier=1", "", []string{"Authorization", scoped("lambda")}},
		{"s3", "GET /b/a/b/c?x-id=GetObject", "", []string{"Authorization", scoped("s3")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			method, target, _ := strings.Cut(c.line, " ")
			req, form := request(method, target, c.headers...), []byte(c.form)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Route(req, form); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
