package wire_test

import (
	"errors"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// Organizations names a reason, of the first broken constraint alone.
func TestOrganizationsNamesAReason(t *testing.T) {
	type input struct {
		PolicyId, TargetId, AccountId string
		Type                          *string
		MaxResults                    *int32
	}
	text := func(name, pattern string, most float64) *aws.Shape {
		return &aws.Shape{Name: name, Kind: aws.String, Pattern: pattern, HasMax: true, Max: most}
	}
	shape := &aws.Shape{Name: "Request", Kind: aws.Structure, Members: []*aws.Member{
		{Name: "PolicyId", Shape: text("PolicyId", `p-\w{8}`, 130), Required: true},
		{Name: "TargetId", Shape: text("PolicyTargetId", `\d{12}`, 100), Required: true},
		{Name: "AccountId", Shape: text("AccountId", `\d{12}`, 12), Required: true},
		{Name: "Type", Shape: &aws.Shape{Name: "PolicyType", Kind: aws.String, Enum: []string{"TAG_POLICY"}}},
		{Name: "MaxResults", Shape: &aws.Shape{Name: "MaxResults", Kind: aws.Integer, HasMin: true, Min: 1, HasMax: true, Max: 20}},
	}}
	op := &aws.Operation{Service: &aws.Service{Name: "organizations", Protocols: []aws.Protocol{aws.AWSJSON11}}, Name: "AttachPolicy", Input: shape}
	const good = `"PolicyId":"p-12345678","TargetId":"111122223333","AccountId":"111122223333"`
	for _, c := range []struct{ body, reason string }{
		{`{` + good + `}`, ""},
		{`{"TargetId":"111122223333","AccountId":"111122223333"}`, "INPUT_REQUIRED"},
		{`{"PolicyId":"x","TargetId":"x","AccountId":"x"}`, "INVALID_SYNTAX_POLICY_ID"},
		{`{"PolicyId":"p-12345678","TargetId":"x","AccountId":"x"}`, "INVALID_PATTERN_TARGET_ID"},
		{`{"PolicyId":"p-12345678","TargetId":"111122223333","AccountId":"x"}`, "INVALID_PATTERN"},
		{`{"PolicyId":"p-12345678","TargetId":"111122223333","AccountId":"1111222233334"}`, "MAX_LENGTH_EXCEEDED"},
		{`{` + good + `,"Type":"MOTO"}`, "INVALID_ENUM"},
		{`{` + good + `,"MaxResults":21}`, "MAX_VALUE_EXCEEDED"},
		{`{` + good + `,"MaxResults":0}`, "MIN_VALUE_EXCEEDED"},
	} {
		in := new(input)
		err := codecs.For(aws.AWSJSON11).Decode(op, &wire.Request{}, []byte(c.body), nil, in)
		got := ""
		if e, ok := errors.AsType[*aws.Error](err); ok && e.Code == "InvalidInputException" && len(e.Fields) == 1 {
			got = e.Fields[0].Value
		} else if err != nil {
			got = err.Error()
		}
		if got != c.reason {
			t.Errorf("%s: %s, want %s", c.body, got, c.reason)
		}
		if err == nil {
			continue
		}
		var to wire.Response
		codecs.For(aws.AWSJSON11).EncodeError(&wire.Answer{Protocol: aws.AWSJSON11, Service: op.Service}, err, &to)
		e, _ := errors.AsType[*aws.Error](err)
		if want := `{"__type":"InvalidInputException","message":"` + e.Message + `","Reason":"` + c.reason + `"}`; string(to.Body) != want || to.Status != 400 {
			t.Errorf("%d %s, want %s", to.Status, to.Body, want)
		}
	}
}
