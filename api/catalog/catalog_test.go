package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
)

func TestCatalogHoldsAllOfAWS(t *testing.T) {
	operations := 0
	for _, s := range Services() {
		ops := s.Operations()
		operations += len(ops)
		if len(s.Protocols) == 0 || s.SigningName == "" || s.EndpointPrefix == "" || s.ServiceID == "" || s.Version == "" {
			t.Errorf("%s lacks a fact: %+v", s.Name, s)
		}
		if !slices.IsSortedFunc(ops, func(a, b Operation) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%s: operations are not sorted", s.Name)
		}
		for _, op := range ops {
			if op.Name == "" || op.Method == "" || !strings.HasPrefix(op.URI, "/") {
				t.Errorf("%s: %+v", s.Name, op)
			}
		}
	}
	if len(Services()) != 424 || operations != 18378 {
		t.Errorf("%d services, %d operations; botocore 1.43.11 has 424 and 18378", len(Services()), operations)
	}
	if !slices.IsSortedFunc(Services(), func(a, b *Service) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("services are not sorted")
	}
}

func TestOperationTells(t *testing.T) {
	for _, c := range []struct {
		service string
		want    Operation
	}{
		{"sts", Operation{Name: "AssumeRoleWithSAML", Method: "POST", URI: "/", Unsigned: true}},
		{"sts", Operation{Name: "AssumeRole", Method: "POST", URI: "/"}},
		{"s3", Operation{Name: "PutObject", Method: "PUT", URI: "/{Bucket}/{Key+}"}},
		{"s3control", Operation{Name: "GetJobTagging", Method: "GET", URI: "/v20180820/jobs/{id}/tagging", HostPrefix: "{AccountId}."}},
		{"lambda", Operation{Name: "GetLayerVersionByArn", Method: "GET", URI: "/2018-10-31/layers?find=LayerVersion"}},
		{"sso", Operation{Name: "Logout", Method: "POST", URI: "/logout", Unsigned: true}},
		{"dynamodb", Operation{Name: "GetItem", Method: "POST", URI: "/"}},
	} {
		got, ok := Lookup(c.service).Operation(c.want.Name)
		if !ok || got != c.want {
			t.Errorf("%s = %+v, want %+v", c.service, got, c.want)
		}
	}
	if _, ok := Lookup("sts").Operation("AssumeRol"); ok {
		t.Error("an operation that AWS does not have was found")
	}
	if Lookup("stt") != nil || Lookup("") != nil {
		t.Error("a service that AWS does not have was found")
	}
}

func TestServiceTells(t *testing.T) {
	sqs := Lookup("sqs")
	if want := []aws.Protocol{aws.AWSJSON10, aws.AWSQuery}; !slices.Equal(sqs.Protocols, want) {
		t.Errorf("sqs speaks %v, want %v", sqs.Protocols, want)
	}
	if trail := Lookup("cloudtrail"); trail.TargetPrefix != "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" ||
		trail.SmithyName != "CloudTrail_20131101" {
		t.Errorf("cloudtrail = %+v", trail)
	}
	if tagging := Lookup("resourcegroupstaggingapi"); tagging.SigningName != "tagging" || tagging.ServiceID != "Resource Groups Tagging API" {
		t.Errorf("resourcegroupstaggingapi = %+v", tagging)
	}
}

func TestOperationDoesNotAllocate(t *testing.T) {
	s := Lookup("ec2")
	s.Operations()
	if n := testing.AllocsPerRun(100, func() { s.Operation("RunInstances") }); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}
