package validate

import (
	"reflect"
	"testing"
)

// TestAWSExample is the example of the AWS CLI's reference of validate-policy:
// the findings of AWS itself, with their places. The page has shortened the value
// of the condition since: its span has two characters more.
//
// https://docs.aws.amazon.com/cli/latest/reference/accessanalyzer/validate-policy.html
func TestAWSExample(t *testing.T) {
	const document = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "",
            "Effect": "Allow",
            "Principal": {
                "Federated": "cognito-identity.amazonaws.com"
            },
            "Action": [
                "sts:AssumeRole",
                "sts:TagSession"
            ],
            "Condition": {
                "StringEquals": {
                    "cognito-identity.amazonaws.com:aud": "us-west-2_EXAMPLE12"
                }
            }
        }
    ]
}`
	first := []Step{{Name: "Statement"}, {Kind: Index}}
	under := func(steps ...Step) []Step { return append(append([]Step{}, first...), steps...) }
	want := []struct {
		code, text string
		at         []Location
	}{
		{"EMPTY_SID_VALUE", "Add a value to the empty string in the Sid element.",
			[]Location{{under(Step{Name: "Sid"}), Span{Position{5, 19, 79}, Position{5, 21, 81}}}}},
		{"MISMATCHED_ACTION_FOR_PRINCIPAL", "The sts:AssumeRole action is invalid with the following principal(s): cognito-identity.amazonaws.com. Use a SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options.",
			[]Location{
				{under(Step{Name: "Action"}, Step{Kind: Index}), Span{Position{11, 16, 258}, Position{11, 32, 274}}},
				{under(Step{Name: "Principal"}, Step{Name: "Federated"}), Span{Position{8, 29, 170}, Position{8, 61, 202}}},
			}},
		{"UNSUPPORTED_ACTION_FOR_CONDITION_KEY", "The following actions: sts:TagSession are not supported by the condition key cognito-identity.amazonaws.com:aud. The condition will not be evaluated for these actions. We recommend that you move these actions to a different statement without this condition key.",
			[]Location{
				{under(Step{Name: "Action"}, Step{Kind: Index, Index: 1}), Span{Position{12, 16, 292}, Position{12, 32, 308}}},
				{under(Step{Name: "Condition"}, Step{Name: "StringEquals"}, Step{Name: "cognito-identity.amazonaws.com:aud"}), Span{Position{16, 58, 443}, Position{16, 79, 464}}},
			}},
	}
	got, err := Policy([]byte(document), Resource, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d findings, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i].Code != want[i].code || got[i].Text != want[i].text {
			t.Errorf("finding %d is %s %q", i, got[i].Code, got[i].Text)
		}
		if !reflect.DeepEqual(got[i].Locations, want[i].at) {
			t.Errorf("%s is at %v\nwant %v", got[i].Code, got[i].Locations, want[i].at)
		}
	}
}
