package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// holds tells whether a Condition element, in single quotes, holds in a context.
func holds(t *testing.T, block string, x *Context) bool {
	t.Helper()
	p := &Policies{Identity: []*Policy{statements(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'*','Condition':`+block+`}`)}}
	return Decide(&Request{Action: "x:Do", Resource: "*", Principal: principalOf(alice), Context: x}, p).Allowed
}

func TestConditionOperators(t *testing.T) {
	for _, c := range []struct {
		operator, want, got string
		holds               bool
	}{
		{"StringEquals", "blue", "blue", true},
		{"StringEquals", "blue", "Blue", false},
		{"StringEquals", "bl*", "blue", false},
		{"StringEquals", "bl*", "bl*", true},
		{"StringEquals", "${*}", "*", true},
		{"StringNotEquals", "blue", "red", true},
		{"StringNotEquals", "blue", "blue", false},
		{"StringEqualsIgnoreCase", "Blue", "bLUE", true},
		{"StringEqualsIgnoreCase", "STRASSE", "straße", false},
		{"StringEqualsIgnoreCase", "ÉCOLE", "école", true},
		{"StringNotEqualsIgnoreCase", "Blue", "bLUE", false},
		{"StringLike", "home/*/x?", "home/a/b/xy", true},
		{"StringLike", "home/*", "Home/a", false},
		{"StringLike", "arn:aws:someservice:*:111122223333:finance/*", "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", true},
		{"StringLike", "", "", true},
		{"StringLike", "*", "", true},
		{"StringLike", "${*}x", "*x", true},
		{"StringLike", "${*}x", "ax", false},
		{"StringNotLike", "home/*", "home/a", false},
		{"StringNotLike", "home/*", "work/a", true},

		{"NumericEquals", "10", "10", true},
		{"NumericEquals", "10", "10.0", true},
		{"NumericEquals", "1e1", "10", true},
		{"NumericEquals", "9007199254740993", "9007199254740992", false},
		{"NumericEquals", "10", "ten", false},
		{"NumericEquals", "0x10", "16", false},
		{"NumericEquals", "inf", "inf", false},
		{"NumericNotEquals", "10", "11", true},
		{"NumericNotEquals", "10", "10", false},
		{"NumericLessThan", "10", "9.99", true},
		{"NumericLessThan", "10", "10", false},
		{"NumericLessThanEquals", "10", "10", true},
		{"NumericLessThanEquals", "-1", "-2", true},
		{"NumericGreaterThan", "10", "10", false},
		{"NumericGreaterThan", "10", "100", true},
		{"NumericGreaterThanEquals", "10", "10", true},

		{"DateEquals", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00+01:00", true},
		{"DateEquals", "2026-11-24T09:00:00Z", "1795510800", true},
		{"DateEquals", "1795510800", "2026-11-24T09:00:00.000Z", true},
		{"DateEquals", "2026-11-24", "2026-11-24T00:00:00Z", true},
		{"DateEquals", "2026-11", "2026-11-01T00:00Z", true},
		{"DateEquals", "2026-11-24T09:00:00Z", "2026-11-24T09:00:00.5Z", false},
		{"DateEquals", "2026-02-30", "2026-03-02", false},
		{"DateNotEquals", "2026-11-24", "2026-11-25", true},
		{"DateLessThan", "2026-11-24", "2026-11-23T23:59:59Z", true},
		{"DateLessThan", "2026-11-24", "2026-11-24", false},
		{"DateLessThanEquals", "2026-11-24", "2026-11-24", true},
		{"DateGreaterThan", "2020-01-01T00:00:01Z", "2020-01-01T00:00:02Z", true},
		{"DateGreaterThan", "2020-01-01T00:00:01Z", "not a date", false},
		{"DateGreaterThanEquals", "2020-01-01T00:00:01Z", "2020-01-01T00:00:01Z", true},

		{"Bool", "true", "true", true},
		{"Bool", "True", "TRUE", true},
		{"Bool", "true", "false", false},
		{"Bool", "yes", "yes", false},

		{"BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", true},
		{"BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5", false},
		{"BinaryEquals", "not base64", "not base64", false},

		{"IpAddress", "203.0.113.0/24", "203.0.113.255", true},
		{"IpAddress", "203.0.113.0/24", "203.0.114.0", false},
		{"IpAddress", "203.0.113.77/24", "203.0.113.1", true},
		{"IpAddress", "203.0.113.9", "203.0.113.9", true},
		{"IpAddress", "203.0.113.9", "203.0.113.8", false},
		{"IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678:abcd::1", true},
		{"IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", false},
		{"IpAddress", "2001:db8::1", "2001:db8:0:0:0:0:0:1", true},
		{"IpAddress", "::/0", "203.0.113.9", false},
		{"IpAddress", "0.0.0.0/0", "2001:db8::1", false},
		{"IpAddress", "203.0.113.0/24", "::ffff:203.0.113.9", true},
		{"IpAddress", "203.0.113.0/33", "203.0.113.9", false},
		{"IpAddress", "203.0.113.0/24", "nowhere", false},
		{"NotIpAddress", "203.0.113.0/24", "198.51.100.1", true},
		{"NotIpAddress", "203.0.113.0/24", "203.0.113.1", false},
		{"NotIpAddress", "203.0.113.0/24", "2001:db8::1", true},

		{"ArnEquals", "arn:aws:sns:*:111122223333:t?pic", "arn:aws:sns:eu-west-1:111122223333:topic", true},
		{"ArnLike", "arn:aws:sns:*:111122223333:*", "arn:aws:sns:eu-west-1:111122223333:a:b", true},
		{"ArnLike", "arn:aws:someservice:*:111122223333:finance/*", "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", false},
		{"ArnLike", "arn:aws:sns:eu-west-1:111122223333:Topic", "arn:aws:sns:eu-west-1:111122223333:topic", false},
		{"ArnLike", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/a/b", true},
		{"ArnLike", "arn:aws:iam::*", "arn:aws:iam::111122223333:role/a", false},
		{"ArnLike", "arn:aws:iam::*:role/*", "no ARN", false},
		{"ArnNotEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:user/a", true},
		{"ArnNotLike", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/a", false},
	} {
		t.Run("reference_policies_elements_condition_operators/"+c.operator+" "+c.want+" "+c.got, func(t *testing.T) {
			x := new(Context)
			x.Set("aws:key", c.got)
			if got := holds(t, fmt.Sprintf("{'%s':{'aws:key':['%s']}}", c.operator, c.want), x); got != c.holds {
				t.Errorf("holds = %v, want %v", got, c.holds)
			}
			if !holds(t, fmt.Sprintf("{'%sIfExists':{'aws:key':['%s']}}", c.operator, c.want), new(Context)) {
				t.Error("IfExists does not hold without the key")
			}
			if got, negated := holds(t, fmt.Sprintf("{'%s':{'aws:key':['%s']}}", c.operator, c.want), new(Context)), strings.Contains(c.operator, "Not"); got != negated {
				t.Errorf("holds without the key = %v, want %v", got, negated)
			}
		})
	}
}

func TestConditionLogic(t *testing.T) {
	const (
		logic = "reference_policies_condition-logic-multiple-context-keys-or-values"
		multi = "reference_policies_condition-single-vs-multi-valued-context-keys"
		null  = "reference_policies_elements_condition_operators"
		vars  = "reference_policies_variables"
	)
	for _, c := range []struct {
		page, name, block string
		context           []string
		want              bool
	}{
		{logic, "values are alternatives", "{'StringEquals':{'aws:a':['x','y']}}", []string{"aws:a=y"}, true},
		{logic, "keys must all hold", "{'StringEquals':{'aws:a':'x','aws:b':'y'}}", []string{"aws:a=x", "aws:b=z"}, false},
		{logic, "keys all hold", "{'StringEquals':{'aws:a':'x','aws:b':'y'}}", []string{"aws:a=x", "aws:b=y"}, true},
		{logic, "operators must all hold", "{'StringEquals':{'aws:a':'x'},'NumericLessThan':{'aws:b':'3'}}", []string{"aws:a=x", "aws:b=3"}, false},
		{logic, "a negated operator excludes every value", "{'StringNotEquals':{'aws:a':['x','y']}}", []string{"aws:a=y"}, false},
		{logic, "and holds for any other", "{'StringNotEquals':{'aws:a':['x','y']}}", []string{"aws:a=z"}, true},
		{logic, "no value: nothing equals", "{'StringEquals':{'aws:a':[]}}", []string{"aws:a=x"}, false},
		{logic, "no value: nothing is excluded", "{'StringNotEquals':{'aws:a':[]}}", []string{"aws:a=x"}, true},
		{logic, "no condition holds", "{}", nil, true},
		{logic, "key names ignore case", "{'StringEquals':{'AWS:PRINCIPALTAG/TEAM':'x'}}", []string{"aws:PrincipalTag/team=x"}, true},
		{logic, "one key in two spellings must hold twice", "{'StringEquals':{'aws:A':'x','aws:a':'y'}}", []string{"aws:a=x"}, false},
		{logic, "numbers and booleans need no quotes", "{'NumericEquals':{'aws:n':3},'Bool':{'aws:SecureTransport':true}}", []string{"aws:n=3", "aws:SecureTransport=true"}, true},

		{multi, "ForAllValues: every value", "{'ForAllValues:StringEquals':{'aws:TagKeys':['a','b']}}", []string{"aws:TagKeys=[a,b]"}, true},
		{multi, "ForAllValues: a value more", "{'ForAllValues:StringEquals':{'aws:TagKeys':['a','b']}}", []string{"aws:TagKeys=[a,c]"}, false},
		{multi, "ForAllValues: no key", "{'ForAllValues:StringEquals':{'aws:TagKeys':['a']}}", nil, true},
		{multi, "ForAllValues: no value", "{'ForAllValues:StringEquals':{'aws:TagKeys':['a']}}", []string{"aws:TagKeys=[]"}, true},
		{multi, "ForAllValues: an empty string is a null data set", "{'ForAllValues:StringEquals':{'aws:TagKeys':['a']}}", []string{"aws:TagKeys="}, true},
		{multi, "ForAnyValue: one value", "{'ForAnyValue:StringEquals':{'aws:TagKeys':['a','b']}}", []string{"aws:TagKeys=[c,b]"}, true},
		{multi, "ForAnyValue: none", "{'ForAnyValue:StringEquals':{'aws:TagKeys':['a','b']}}", []string{"aws:TagKeys=[c,d]"}, false},
		{multi, "ForAnyValue: no key", "{'ForAnyValue:StringEquals':{'aws:TagKeys':['a']}}", nil, false},
		{multi, "ForAnyValue: no value", "{'ForAnyValue:StringEquals':{'aws:TagKeys':['a']}}", []string{"aws:TagKeys=[]"}, false},
		{multi, "ForAnyValue, negated: no key", "{'ForAnyValue:StringNotEquals':{'aws:TagKeys':['a']}}", nil, false},
		{multi, "ForAnyValue, negated: one other value", "{'ForAnyValue:StringNotEquals':{'aws:TagKeys':['a','b']}}", []string{"aws:TagKeys=[a,c]"}, true},
		{multi, "ForAllValues, negated: one of them", "{'ForAllValues:StringNotEquals':{'aws:TagKeys':['a','b']}}", []string{"aws:TagKeys=[a,c]"}, false},
		{multi, "ForAllValues, negated: none of them", "{'ForAllValues:StringNotLike':{'aws:TagKeys':['a*']}}", []string{"aws:TagKeys=[b,c]"}, true},
		{multi, "ForAnyValue with IfExists holds without the key", "{'ForAnyValue:StringEqualsIfExists':{'aws:TagKeys':['a']}}", nil, true},
		{multi, "a set operator takes a single value", "{'ForAnyValue:StringLike':{'aws:a':'x*'}}", []string{"aws:a=xy"}, true},
		{multi, "a multivalued key needs a set operator", "{'StringEquals':{'aws:TagKeys':'a'}}", []string{"aws:TagKeys=[a]"}, false},
		{multi, "even negated", "{'StringNotEquals':{'aws:TagKeys':'a'}}", []string{"aws:TagKeys=[b]"}, false},
		{multi, "numbers in sets", "{'ForAllValues:NumericLessThan':{'aws:n':'5'}}", []string{"aws:n=[1,4]"}, true},
		{multi, "addresses in sets", "{'ForAnyValue:IpAddress':{'aws:VpcSourceIp':'10.0.0.0/8'}}", []string{"aws:VpcSourceIp=[192.0.2.1,10.1.1.1]"}, true},

		{null, "Null true: the key is absent", "{'Null':{'aws:TokenIssueTime':'true'}}", nil, true},
		{null, "Null true: the key is there", "{'Null':{'aws:TokenIssueTime':'true'}}", []string{"aws:TokenIssueTime=2026-11-24T09:00:00Z"}, false},
		{null, "Null false: the key is there", "{'Null':{'aws:TokenIssueTime':false}}", []string{"aws:TokenIssueTime=2026-11-24T09:00:00Z"}, true},
		{null, "Null false: the key is absent", "{'Null':{'aws:TokenIssueTime':'false'}}", nil, false},
		{null, "a key without values is null", "{'Null':{'aws:TagKeys':'true'}}", []string{"aws:TagKeys=[]"}, true},
		{null, "an empty string is none", "{'Null':{'aws:a':'true'}}", []string{"aws:a="}, false},
		{null, "Null with both always holds", "{'Null':{'aws:a':['true','false']}}", nil, true},
		{null, "Null with neither never does", "{'Null':{'aws:a':'maybe'}}", nil, false},

		{vars, "StringEquals takes variables", "{'StringEquals':{'aws:ResourceTag/owner':'${aws:username}'}}", []string{"aws:ResourceTag/owner=alice", "aws:username=alice"}, true},
		{vars, "StringLike takes variables", "{'StringLike':{'s3:prefix':['','home/${aws:username}/*']}}", []string{"s3:prefix=home/alice/x", "aws:username=alice"}, true},
		{vars, "a wildcard in a value is none in StringLike", "{'StringLike':{'aws:a':'${aws:b}'}}", []string{"aws:a=xyz", "aws:b=*"}, false},
		{vars, "StringEqualsIgnoreCase takes variables", "{'StringEqualsIgnoreCase':{'aws:a':'${aws:b}x'}}", []string{"aws:a=YX", "aws:b=y"}, true},
		{vars, "ArnLike takes variables in any part", "{'ArnLike':{'aws:SourceArn':'arn:aws:sns:*:${aws:PrincipalAccount}:*'}}", []string{"aws:SourceArn=arn:aws:sns:eu-west-1:111122223333:t", "aws:PrincipalAccount=111122223333"}, true},
		{vars, "ArnEquals takes a whole ARN", "{'ArnEquals':{'aws:SourceArn':'${aws:b}'}}", []string{"aws:SourceArn=arn:aws:sns:eu-west-1:111122223333:t", "aws:b=arn:aws:sns:eu-west-1:111122223333:t"}, true},
		{vars, "Bool takes variables", "{'Bool':{'aws:a':'${aws:b}'}}", []string{"aws:a=true", "aws:b=True"}, true},
		{vars, "Numeric takes none", "{'NumericEquals':{'aws:a':'${aws:b}'}}", []string{"aws:a=1", "aws:b=1"}, false},
		{vars, "IpAddress takes none", "{'IpAddress':{'aws:a':'${aws:b}'}}", []string{"aws:a=192.0.2.1", "aws:b=192.0.2.1"}, false},
		{vars, "no value: nothing equals", "{'StringEquals':{'aws:a':'${aws:b}'}}", []string{"aws:a="}, false},
		{vars, "no value: nothing is like it", "{'StringLike':{'aws:a':'${aws:b}*'}}", []string{"aws:a=x"}, false},
		{vars, "no value: negated operators hold", "{'StringNotEquals':{'aws:a':'${aws:b}'}}", []string{"aws:a=x"}, true},
		{vars, "no value: ArnNotLike holds", "{'ArnNotLike':{'aws:a':'${aws:b}'}}", []string{"aws:a=arn:aws:s3:::b"}, true},
		{vars, "an empty string is no value", "{'StringEquals':{'aws:a':'${aws:b}'}}", []string{"aws:a=", "aws:b="}, false},
		{vars, "another value may still equal", "{'StringEquals':{'aws:a':['${aws:b}','x']}}", []string{"aws:a=x"}, true},
		{vars, "a default counts in conditions", "{'StringEquals':{'aws:a':'${aws:b, \\u0027x\\u0027}'}}", []string{"aws:a=x"}, true},
	} {
		t.Run(c.page+"/"+c.name, func(t *testing.T) {
			if got := holds(t, c.block, contextOf(c.context...)); got != c.want {
				t.Errorf("holds = %v, want %v", got, c.want)
			}
		})
	}
}

// TestTypedValues: values set as what they are compare as their text would.
func TestTypedValues(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	x := new(Context)
	x.SetTime("aws:CurrentTime", at)
	x.SetNumber("aws:EpochTime", float64(at.Unix()))
	x.SetNumber("aws:MultiFactorAuthAge", 299.5)
	x.SetBool("aws:SecureTransport", true)
	x.SetAddr("aws:SourceIp", netip.MustParseAddr("::ffff:203.0.113.9"))
	x.SetAddr("aws:VpcSourceIp", netip.MustParseAddr("2001:db8::1"))
	for block, want := range map[string]bool{
		"{'DateGreaterThan':{'aws:CurrentTime':'2026-11-24T08:59:59Z'}}":                     true,
		"{'DateLessThan':{'aws:CurrentTime':'1795510800'}}":                                  false,
		"{'DateLessThanEquals':{'aws:EpochTime':'2026-11-24T09:00:00Z'}}":                    true,
		"{'NumericEquals':{'aws:EpochTime':'1795510800'}}":                                   true,
		"{'StringEquals':{'aws:EpochTime':'1795510800'}}":                                    true,
		"{'StringEquals':{'aws:CurrentTime':'2026-11-24T09:00:00Z'}}":                        true,
		"{'StringLike':{'aws:CurrentTime':'2026-*'}}":                                        true,
		"{'NumericLessThan':{'aws:MultiFactorAuthAge':'300'}}":                               true,
		"{'NumericGreaterThan':{'aws:MultiFactorAuthAge':'299'}}":                            true,
		"{'Bool':{'aws:SecureTransport':'true'}}":                                            true,
		"{'StringEquals':{'aws:SecureTransport':'true'}}":                                    true,
		"{'Bool':{'aws:SecureTransport':'false'}}":                                           false,
		"{'IpAddress':{'aws:SourceIp':'203.0.113.0/24'}}":                                    true,
		"{'StringEquals':{'aws:SourceIp':'203.0.113.9'}}":                                    true,
		"{'IpAddress':{'aws:VpcSourceIp':'2001:db8::/32'}}":                                  true,
		"{'IpAddress':{'aws:CurrentTime':'203.0.113.0/24'}}":                                 false,
		"{'NumericEquals':{'aws:SecureTransport':'1'}}":                                      false,
		"{'DateEquals':{'aws:SecureTransport':'1'}}":                                         false,
		"{'BinaryEquals':{'aws:SecureTransport':'dHJ1ZQ=='}}":                                false,
		"{'ForAnyValue:StringEquals':{'aws:SecureTransport':'true'}}":                        true,
		"{'StringEquals':{'aws:SourceIp':'${aws:SourceIp}'}}":                                true,
		"{'ArnLike':{'aws:SourceIp':'arn:aws:s3:::*'}}":                                      false,
		"{'StringEquals':{'aws:MultiFactorAuthAge':'299.5'},'Null':{'aws:EpochTime':false}}": true,
	} {
		if got := holds(t, block, x); got != want {
			t.Errorf("%s holds = %v, want %v", block, got, want)
		}
	}
}

func TestContext(t *testing.T) {
	x := new(Context)
	x.Set("aws:username", "alice")
	x.Set("AWS:USERNAME", "bob")
	x.SetTag("aws:PrincipalTag/", "Team", "red")
	x.Set("aws:principaltag/team", "blue")
	x.SetList("aws:TagKeys")
	for key, want := range map[string]bool{"aws:UserName": true, "AWS:PrincipalTag/TEAM": true, "aws:TagKeys": true, "aws:PrincipalTag/tea": false, "aws:PrincipalTag/teams": false, "aws:userid": false} {
		if got := x.Has(key); got != want {
			t.Errorf("Has(%s) = %v, want %v", key, got, want)
		}
	}
	if !holds(t, "{'StringEquals':{'aws:username':'bob','aws:PrincipalTag/team':'blue'}}", x) {
		t.Error("a key set twice, in two spellings, does not have its last value")
	}
	x.Reset()
	for _, key := range []string{"aws:username", "aws:PrincipalTag/team", "aws:TagKeys"} {
		if x.Has(key) {
			t.Errorf("%s is left after Reset", key)
		}
	}
	x.SetList("aws:TagKeys", "")
	if !holds(t, "{'ForAllValues:StringEquals':{'aws:TagKeys':'a'}}", x) || holds(t, "{'ForAnyValue:StringEquals':{'aws:TagKeys':''}}", x) {
		t.Error("an empty string alone in a list is no null data set")
	}
	if !holds(t, "{'Null':{'aws:username':'true'}}", nil) {
		t.Error("no context is not an empty one")
	}
}

// TestWellKnownKeys: each is found by its own name, in any case.
func TestWellKnownKeys(t *testing.T) {
	for i, name := range wellKnown {
		for _, spelling := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if got := wellKnownID(hashFold(hashStart, spelling), spelling); got != uint8(i+1) {
				t.Errorf("wellKnownID(%s) = %d, want %d", spelling, got, i+1)
			}
		}
	}
}
