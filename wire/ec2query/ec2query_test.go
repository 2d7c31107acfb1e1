package ec2query

import (
	"encoding/xml"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

func decode(query, body string) (describeInput, error) {
	var in describeInput
	req := &wire.Request{Method: "POST", RawPath: "/", RawQuery: query, Header: wire.HTTPHeader(http.Header{})}
	err := Codec{}.Decode(service.Operation("DescribeInstances"), req, []byte(body), nil, &in)
	return in, err
}

func TestDecodeTakes(t *testing.T) {
	const action = "Action=DescribeInstances&Version=2016-11-15&Name=n&"
	for _, c := range []struct {
		name, query, body string
		want              describeInput
	}{
		{"names with their first letter raised", "", "DryRun=true&MaxResults=5&Price=1.5", describeInput{DryRun: new(true), MaxResults: new(int32(5)), Price: new(1.5)}},
		{"a name for queries alone", "", "UserDataText=AAH%2F", describeInput{UserData: []byte{0, 1, 255}}},
		{"lists without a name between", "", "InstanceId.1=i-1&InstanceId.2=i-2", describeInput{InstanceIds: []string{"i-1", "i-2"}}},
		{"lists in the order of their numbers", "", "InstanceId.10=b&InstanceId.9=a&InstanceId.300000=c", describeInput{InstanceIds: []string{"a", "b", "c"}}},
		{"lists in structures in lists", "", "Filter.1.Name=tag%3Aa&Filter.1.Value.1=x+y&Filter.1.Value.2=&Filter.2.Name=b",
			describeInput{Filters: []filter{{Name: new("tag:a"), Values: []string{"x y", ""}}, {Name: new("b")}}}},
		{"structures in structures", "", "Spec.Spec.Id.1=x", describeInput{Spec: &spec{Spec: &spec{Ids: []string{"x"}}}}},
		{"a list that is there and empty", "", "InstanceId=", describeInput{InstanceIds: []string{}}},
		{"times", "", "Since=2015-01-25T08:00:00.5%2B01:00", describeInput{Since: new(time.Date(2015, 1, 25, 7, 0, 0, 500e6, time.UTC))}},
		{"parameters in the query string", "InstanceId.1=a", "InstanceId.2=b", describeInput{InstanceIds: []string{"a", "b"}}},
		{"what no member is called", "", "Other=1&dryRun=true&InstanceId.x=1&InstanceId.member.1=2&Spec.Other.1=2&filter.1.Name=x", describeInput{Spec: &spec{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Name = "n"
			got, err := decode(c.query, action+c.body)
			if err != nil {
				t.Fatal(err)
			}
			if got.Since != nil {
				*got.Since = got.Since.UTC()
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct {
		name, query, body string
		kind              aws.Kind
		want              string
	}{
		{"a parameter twice", "", "Name=a&Name=b", aws.Serialization, "more than once"},
		{"a parameter in query and body", "Name=a", "Name=b", aws.Serialization, "more than once"},
		{"a parameter twice, once encoded", "", "Name=a&Na%6de=b", aws.Serialization, "more than once"},
		{"a broken escape", "", "Name=%zz", aws.Serialization, "URL-encoded"},
		{"a text that is no UTF-8", "", "Name=%ff", aws.Serialization, "URL-encoded"},
		{"a number that is none", "", "Name=n&MaxResults=0x10", aws.Serialization, "MaxResults is not an integer"},
		{"a number too large", "", "Name=n&MaxResults=2147483648", aws.Serialization, "MaxResults is not an integer"},
		{"a boolean that is none", "", "Name=n&DryRun=True", aws.Serialization, "DryRun is not true or false"},
		{"a time that is none", "", "Name=n&Since=now", aws.Serialization, "Since is not a timestamp"},
		{"bytes that are not base64", "", "Name=n&UserDataText=%21", aws.Serialization, "UserDataText is not base64"},
		{"a value for a list", "", "Name=n&InstanceId=i-1", aws.Serialization, "InstanceId is not a single value"},
		{"structures without end", "", "Name=n&" + strings.Repeat("Spec.", 65) + "Id.1=x", aws.Serialization, "too deeply"},
		{"more parameters than there may be", "", strings.Repeat("a&", 20_001), aws.Serialization, "too many"},
		{"no required parameter", "", "", aws.Custom, "The request must contain the parameter Name"},
		{"a parameter too long", "", "Name=abcdef", aws.Validation, "Value (abcdef) for parameter name is invalid"},
		{"a value that the enum does not have", "", "Name=n&State=x", aws.Validation, "Value (x) for parameter state is invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decode(c.query, c.body)
			e, ok := errors.AsType[*aws.Error](err)
			if !ok || e.Kind != c.kind || !strings.Contains(e.Message, c.want) {
				t.Errorf("got %+v, %v, want an error with %q", got, err, c.want)
			}
		})
	}
}

func answerTo(operation string) *wire.Answer {
	return &wire.Answer{Protocol: aws.EC2Query, Service: service, Operation: service.Operation(operation), RequestID: "id-1"}
}

func TestEncode(t *testing.T) {
	const ns = ` xmlns="http://ec2.amazonaws.com/doc/2016-11-15"`
	for _, c := range []struct {
		name, operation string
		out             any
		want            string
	}{
		{"lists and structures", "DescribeInstances", &describeOutput{Reservations: []spec{{Ids: []string{"a<b", ""}}, {Spec: &spec{}}}, NextToken: new("t")},
			"<DescribeInstancesResponse" + ns + "><requestId>id-1</requestId><reservationSet><item><id><item>a&lt;b</item><item></item></id></item>" +
				"<item><spec></spec></item></reservationSet><nextToken>t</nextToken></DescribeInstancesResponse>"},
		{"an empty list", "DescribeInstances", &describeOutput{Reservations: []spec{}},
			"<DescribeInstancesResponse" + ns + "><requestId>id-1</requestId><reservationSet></reservationSet></DescribeInstancesResponse>"},
		{"nothing in it", "DescribeInstances", &describeOutput{},
			"<DescribeInstancesResponse" + ns + "><requestId>id-1</requestId></DescribeInstancesResponse>"},
		{"scalars", "DescribeInstances", &describeOutput{Launched: new(time.Unix(1422172800, 0)), UserData: []byte{0, 255}, DryRun: new(false), State: new("running")},
			"<DescribeInstancesResponse" + ns + "><requestId>id-1</requestId><launchTime>2015-01-25T08:00:00Z</launchTime><userData>AP8=</userData>" +
				"<dryRun>false</dryRun><state>running</state></DescribeInstancesResponse>"},
		{"no output", "DeleteTags", &struct{}{}, "<DeleteTagsResponse" + ns + "><requestId>id-1</requestId><return>true</return></DeleteTagsResponse>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to wire.Response
			if err := (Codec{}).Encode(answerTo(c.operation), c.out, &to); err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, &to, 200, c.want)
		})
	}
}

func TestEncodeError(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		want   string
	}{
		{"modelled", &busy{Message: "a & b", Since: new(time.Unix(0, 0))}, 409, "<Code>Resource.Busy</Code><Message>a &amp; b</Message><Since>1970-01-01T00:00:00Z</Since>"},
		{"a refusal", &aws.Error{Kind: aws.AccessDenied, Message: "no"}, 403, "<Code>UnauthorizedOperation</Code><Message>no</Message>"},
		{"of the service's own", &aws.Error{Kind: aws.Custom, Code: "InvalidInstanceID.NotFound", Message: "none"}, 400, "<Code>InvalidInstanceID.NotFound</Code><Message>none</Message>"},
		{"of which nothing is told", errors.New("disk on fire"), 500, "<Code>InternalError</Code><Message>An internal error occurred.</Message>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to wire.Response
			Codec{}.EncodeError(answerTo("DescribeInstances"), c.err, &to)
			checkAnswer(t, &to, c.status, "<Response><Errors><Error>"+c.want+"</Error></Errors><RequestID>id-1</RequestID></Response>")
		})
	}
}

func checkAnswer(t *testing.T, to *wire.Response, status int, want string) {
	t.Helper()
	if got := string(to.Body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if to.Status != status || to.Header.Get("Content-Type") != "text/xml;charset=UTF-8" {
		t.Errorf("status %d, header %v", to.Status, to.Header)
	}
	if err := xml.Unmarshal(to.Body, new(struct{})); err != nil {
		t.Errorf("%v: %s", err, to.Body)
	}
}

// FuzzDecode: no form makes the decoder panic, and what it takes is within
// the constraints.
func FuzzDecode(f *testing.F) {
	f.Add("Action=DescribeInstances", "Name=n&DryRun=true&InstanceId.1=a&Filter.1.Value.2=x+%26&UserDataText=AAA%3D")
	f.Add("Spec.Spec.Id.1=x", "Name=n&Since=2015-01-25T08:00:00Z&Price=-1e3&InstanceId=")
	op := service.Operation("DescribeInstances")
	f.Fuzz(func(t *testing.T, query, body string) {
		in, err := decode(query, body)
		if err == nil {
			if err := wire.Validate(op, &in); err != nil {
				t.Errorf("taken, and %v", err)
			}
		} else if _, ok := errors.AsType[*aws.Error](err); !ok {
			t.Errorf("%v is no error for a caller", err)
		}
	})
}

// BenchmarkDecode reads a request of ten filters.
func BenchmarkDecode(b *testing.B) {
	body := []byte("Action=DescribeInstances&Version=2016-11-15&Name=n&MaxResults=100")
	for i := range 10 {
		n := string(rune('1' + i))
		body = append(body, "&Filter."+n+".Name=tag%3AName&Filter."+n+".Value.1=alpha&Filter."+n+".Value.2=beta"...)
	}
	op := service.Operation("DescribeInstances")
	req := &wire.Request{Method: "POST", Header: wire.HTTPHeader(http.Header{})}
	b.ReportAllocs()
	for b.Loop() {
		if err := (Codec{}).Decode(op, req, body, nil, new(describeInput)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncode writes twenty reservations of three ids.
func BenchmarkEncode(b *testing.B) {
	out := &describeOutput{NextToken: new("token")}
	for range 20 {
		out.Reservations = append(out.Reservations, spec{Ids: []string{"i-0123456789abcdef0", "i-0123456789abcdef1", "i-0123456789abcdef2"}})
	}
	answer := answerTo("DescribeInstances")
	b.ReportAllocs()
	for b.Loop() {
		if err := (Codec{}).Encode(answer, out, &wire.Response{}); err != nil {
			b.Fatal(err)
		}
	}
}
