package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// thing has a member for each constraint.
type thing struct {
	RoleName string
	Status   *string
	Count    *int32
	Secret   *string
	Data     []byte
	Keys     []string
	Tags     []tag
	Pairs    map[string]string
	Unique   []string
	Nested   map[string]inner
	Either   *either
	Weights  map[string]float64
}

type tag struct{ Key, Value string }

type inner struct{ ID *string }

type either struct{ A, B *string }

func length(name string, low, high float64) *aws.Shape {
	return &aws.Shape{Name: name, Kind: aws.String, HasMin: low >= 0, Min: low, HasMax: high >= 0, Max: high}
}

func list(name string, elem *aws.Shape) *aws.Shape {
	return &aws.Shape{Name: name, Kind: aws.List, Elem: &aws.Member{Name: "member", Shape: elem}}
}

func mapOf(name string, key, elem *aws.Shape) *aws.Shape {
	return &aws.Shape{Name: name, Kind: aws.Map, Key: &aws.Member{Name: "key", Shape: key}, Elem: &aws.Member{Name: "value", Shape: elem}}
}

var (
	roleName = &aws.Shape{Name: "RoleName", Kind: aws.String, HasMin: true, Min: 1, HasMax: true, Max: 8, Pattern: `[\w+=,.@-]+`}
	status   = &aws.Shape{Name: "Status", Kind: aws.String, Enum: []string{"Active", "Inactive", "Old"}, HiddenEnum: []string{"Old"}}
	count    = &aws.Shape{Name: "Count", Kind: aws.Integer, HasMin: true, Min: 1, HasMax: true, Max: 1000}
	keyShape = &aws.Shape{Name: "Key", Kind: aws.String, HasMax: true, Max: 4, Pattern: `[a-z]*`}
	tagShape = &aws.Shape{Name: "Tag", Kind: aws.Structure, Members: []*aws.Member{
		{Name: "Key", Shape: length("TagKey", 1, 4), Required: true}, {Name: "Value", Shape: length("TagValue", -1, 4), Required: true}}}
	thingShape = &aws.Shape{Name: "Thing", Kind: aws.Structure, Members: []*aws.Member{
		{Name: "RoleName", Shape: roleName, Required: true},
		{Name: "Status", Shape: status}, {Name: "Count", Shape: count},
		{Name: "Secret", Shape: &aws.Shape{Name: "Secret", Kind: aws.String, Sensitive: true, HasMax: true, Max: 3}},
		{Name: "Data", Shape: &aws.Shape{Name: "Data", Kind: aws.Blob, HasMax: true, Max: 2}},
		{Name: "Keys", Shape: list("Keys", keyShape)}, {Name: "Tags", Shape: list("Tags", tagShape)},
		{Name: "Pairs", Shape: mapOf("Pairs", keyShape, length("PairValue", 1, 2))},
		{Name: "Unique", Shape: func() *aws.Shape { s := list("Unique", length("U", -1, -1)); s.UniqueItems = true; return s }()},
		{Name: "Nested", Shape: mapOf("Nested", length("K", -1, -1), &aws.Shape{Name: "Inner", Kind: aws.Structure, Members: []*aws.Member{{Name: "ID", Shape: length("ID", 2, -1)}}})},
		{Name: "Either", Shape: &aws.Shape{Name: "Either", Kind: aws.Union, Members: []*aws.Member{
			{Name: "A", Shape: length("A", -1, -1)}, {Name: "B", Shape: length("B", -1, -1)}}}},
		{Name: "Weights", Shape: mapOf("Weights", length("K", -1, -1), &aws.Shape{Name: "Weight", Kind: aws.Double, HasMin: true, HasMax: true, Max: 1})},
	}}
)

func operation(service string, p aws.Protocol) *aws.Operation {
	return &aws.Operation{Service: &aws.Service{Name: service, Protocols: []aws.Protocol{p}}, Name: "Op", Input: thingShape}
}

// TestValidationMessages pins AWS's wording.
func TestValidationMessages(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"absent", `{}`, `1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null`},
		{"null is absent", `{"RoleName":null}`, `1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null`},
		{"empty, twice wrong", `{"RoleName":""}`, `2 validation errors detected: Value '' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+; Value '' at 'roleName' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"too long", `{"RoleName":"abcdefghi"}`, `1 validation error detected: Value 'abcdefghi' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 8`},
		{"characters count, not bytes", `{"RoleName":"éééééé"}`, `1 validation error detected: Value 'éééééé' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		{"enum", `{"RoleName":"a","Status":"Gone"}`, `1 validation error detected: Value 'Gone' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]`},
		{"a hidden value counts", `{"RoleName":"a","Status":"Old"}`, ``},
		{"range", `{"RoleName":"a","Count":0}`, `1 validation error detected: Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or equal to 1`},
		{"range above", `{"RoleName":"a","Count":1001}`, `1 validation error detected: Value '1001' at 'count' failed to satisfy constraint: Member must have value less than or equal to 1000`},
		{"a secret is not echoed", `{"RoleName":"a","Secret":"hunter2"}`, `1 validation error detected: Value at 'secret' failed to satisfy constraint: Member must have length less than or equal to 3`},
		{"a blob", `{"RoleName":"a","Data":"YWJj"}`, `1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]' at 'data' failed to satisfy constraint: Member must have length less than or equal to 2`},
		{"what a list holds", `{"RoleName":"a","Keys":["ok","TOO"]}`, `1 validation error detected: Value '[ok, TOO]' at 'keys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 4, Member must satisfy regular expression pattern: [a-z]*]`},
		{"within a structure of a list", `{"RoleName":"a","Tags":[{"Key":"a","Value":"b"},{"Key":""}]}`, `2 validation errors detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null`},
		{"a map's key", `{"RoleName":"a","Pairs":{"TOO":"b"}}`, `1 validation error detected: Value '{TOO=b}' at 'pairs' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 4, Member must satisfy regular expression pattern: [a-z]*]`},
		{"a map's value", `{"RoleName":"a","Pairs":{"a":""}}`, `1 validation error detected: Value '{a=}' at 'pairs' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2, Member must have length greater than or equal to 1]`},
		{"within a map", `{"RoleName":"a","Nested":{"k":{"ID":"x"}}}`, `1 validation error detected: Value 'x' at 'nested.k.member.iD' failed to satisfy constraint: Member must have length greater than or equal to 2`},
		{"a value twice", `{"RoleName":"a","Unique":["x","x"]}`, `1 validation error detected: Value '[x, x]' at 'unique' failed to satisfy constraint: Member must have unique values`},
		{"a number that is no integer", `{"RoleName":"a","Weights":{"a":2,"b":0.5}}`, `1 validation error detected: Value '{a=2.0, b=0.5}' at 'weights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0]`},
		{"nothing wrong", `{"RoleName":"a","Status":"Active","Count":5,"Unique":["x","y"],"Either":{"A":"x"}}`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in thing
			err := codecs.For(aws.AWSJSON11).Decode(operation("kms", aws.AWSJSON11), &wire.Request{}, []byte(c.body), nil, &in)
			if got := message(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestIAMLeavesValuesOut: IAM repeats neither values nor an enum's list.
func TestIAMLeavesValuesOut(t *testing.T) {
	var in thing
	err := codecs.For(aws.AWSQuery).Decode(operation("iam", aws.AWSQuery), &wire.Request{}, []byte("RoleName=a&Status=Gone"), nil, &in)
	want := "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"
	if message(err) != want {
		t.Errorf("got %s, want %s", message(err), want)
	}
}

// TestS3CallsABodyMalformed: what a body breaks has S3's one error, what stands elsewhere the model's words.
func TestS3CallsABodyMalformed(t *testing.T) {
	status := &aws.Shape{Name: "Status", Kind: aws.String, Enum: []string{"Enabled", "Suspended"}}
	op := operation("s3", aws.RESTXML)
	op.Input = &aws.Shape{Name: "Put", Kind: aws.Structure, Payload: "Rule", Members: []*aws.Member{
		{Name: "Mode", Shape: status, Location: aws.InHeader, LocationName: "x-amz-mode"},
		{Name: "Rule", Shape: &aws.Shape{Name: "Rule", Kind: aws.Structure, Members: []*aws.Member{{Name: "Status", Shape: status, Required: true}}}},
	}}
	for _, c := range []struct{ mode, body, want string }{
		{"Enabled", "<Rule><Status>Enabled</Status></Rule>", ""},
		{"Enabled", "<Rule><Status>enabled</Status></Rule>", "MalformedXML"},
		{"Enabled", "<Rule></Rule>", "MalformedXML"},
		{"on", "<Rule><Status>Enabled</Status></Rule>", "InvalidArgument"},
	} {
		var in struct {
			Mode *string
			Rule *struct{ Status string }
		}
		err := codecs.For(aws.RESTXML).Decode(op, &wire.Request{Header: wire.HTTPHeader(http.Header{"X-Amz-Mode": {c.mode}})}, []byte(c.body), nil, &in)
		code := ""
		if err != nil {
			code = wire.FaultOf(aws.RESTXML, nil, err).Code
		}
		if code != c.want {
			t.Errorf("%s %s: %v, want %s", c.mode, c.body, err, c.want)
		}
	}
}

// TestComplaints: where a service has words of its own for a pattern, it says
// them if nothing else is wrong, once.
func TestComplaints(t *testing.T) {
	name := &aws.Shape{Name: "Name", Kind: aws.String, HasMin: true, Min: 1, HasMax: true, Max: 8, Pattern: `[\w+=,.@-]+`, Complaint: "It must be a name."}
	op := operation("iam", aws.AWSQuery)
	op.Input = &aws.Shape{Name: "Pair", Kind: aws.Structure, Members: []*aws.Member{
		{Name: "UserName", Shape: name, Required: true}, {Name: "Path", Shape: name}}}
	for form, want := range map[string]string{
		"UserName=alice&Path=x": "",
		"UserName=a/b":          "The specified value for userName is invalid. It must be a name.",
		"UserName=a/b&Path=c/d": "The specified value for userName is invalid. It must be a name.",
		"UserName=ok&Path=c/d":  "The specified value for path is invalid. It must be a name.",
		"UserName=":             "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"UserName=a/b/c/d/e":    "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 8",
		"Path=c/d":              "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null",
	} {
		var in struct {
			UserName string
			Path     *string
		}
		err := codecs.For(aws.AWSQuery).Decode(op, &wire.Request{}, []byte(form), nil, &in)
		if message(err) != want {
			t.Errorf("%s: got %s, want %s", form, message(err), want)
		}
	}
}

// TestEC2NamesTheParameter: EC2 has errors of its own for both.
func TestEC2NamesTheParameter(t *testing.T) {
	for body, want := range map[string]string{
		"Count=5":            "MissingParameter: The request must contain the parameter RoleName",
		"RoleName=a&Count=0": "InvalidParameterValue: Value (0) for parameter count is invalid. Member must have value greater than or equal to 1.",
	} {
		var in thing
		err := codecs.For(aws.EC2Query).Decode(operation("ec2", aws.EC2Query), &wire.Request{}, []byte(body), nil, &in)
		f := wire.FaultOf(aws.EC2Query, nil, err)
		if got := f.Code + ": " + f.Message; got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

// TestValidateInProcess: a call that never was on the wire is held to the same.
func TestValidateInProcess(t *testing.T) {
	op := operation("kms", aws.AWSJSON11)
	if err := wire.Validate(op, &thing{}); !strings.Contains(message(err), "Value null at 'roleName'") {
		t.Errorf("no name: %v", err)
	}
	if err := wire.Validate(op, &thing{RoleName: "a", Either: &either{A: new("x"), B: new("y")}}); !strings.Contains(message(err), "exactly one") {
		t.Errorf("a union with two members: %v", err)
	}
	if err := wire.Validate(op, &thing{RoleName: "a", Tags: []tag{{Key: "k"}}}); err != nil {
		t.Errorf("an empty value is one: %v", err)
	}
}

// TestViolationsAreBounded: a request that is wrong a million times gets a short answer.
func TestViolationsAreBounded(t *testing.T) {
	body := `{"RoleName":"a","Tags":[` + strings.Repeat(`{},`, 20_000) + `{}]}`
	var in thing
	err := codecs.For(aws.AWSJSON11).Decode(operation("kms", aws.AWSJSON11), &wire.Request{}, []byte(body), nil, &in)
	if err == nil || len(err.Error()) > 10_000 {
		t.Errorf("%d bytes of answer", len(message(err)))
	}
}
