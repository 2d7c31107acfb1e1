package validate

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// policyCase is a policy and all findings of it, each with the text at its
// first place, a bar between.
type policyCase struct {
	kind      Type
	of        string
	statement string // or a whole document, after the word "document"
	want      string
}

// document is the case's policy.
func (c *policyCase) document() string {
	if doc, whole := strings.CutPrefix(c.statement, "document "); whole {
		return doc
	}
	return `{"Version":"2012-10-17","Statement":` + c.statement + "}"
}

// TestPolicy: each policy has the findings that stand beside it and no other,
// and every check of the catalogue has one.
func TestPolicy(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range slices.Concat(statementCases, conditionCases, sizeCases()) {
		doc := c.document()
		found, err := Policy([]byte(doc), c.kind, c.of)
		if err != nil {
			t.Errorf("%s: %v", doc, err)
		}
		var got []string
		for _, f := range found {
			seen[f.Code] = true
			at := f.Locations[0].Span
			if strings.Contains(f.Text, "{{") {
				t.Errorf("%s: %s is not filled in", doc, f.Text)
			}
			got = append(got, strings.TrimSpace(f.Code+" "+doc[at.Start.Offset:at.End.Offset]))
		}
		if g := strings.Join(got, " | "); g != c.want {
			t.Errorf("%.300s\nhas  %.300s\nwant %.300s", doc, g, c.want)
		}
	}
	for _, k := range Catalogue() {
		if !seen[k.Code] {
			t.Errorf("no policy has the finding %s", k.Code)
		}
	}
}

// sizeCases are policies of one character more than their quota.
func sizeCases() (list []policyCase) {
	for _, c := range []struct {
		kind      Type
		of        string
		statement string
		quota     int
		code      string
	}{
		{Identity, "", `{"Sid":"%","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, 6144, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"},
		{SCP, "", `{"Sid":"%","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`, 10_240, "POLICY_SIZE_EXCEEDS_SCP_QUOTA"},
		{RCP, "", `{"Sid":"%","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}`, 5120, "POLICY_SIZE_EXCEEDS_RCP_QUOTA"},
		{Resource, "", `{"Sid":"%","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}`, 20_480, "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA"},
		{Resource, AssumeRolePolicy, `{"Sid":"%","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`, 2048, "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA"},
	} {
		x := policyCase{c.kind, c.of, c.statement, ""}
		room := c.quota - len(x.document()) + len("%")
		x.statement = strings.Replace(c.statement, "%", strings.Repeat("a", room), 1)
		list = append(list, x)
		x.statement = strings.Replace(c.statement, "%", strings.Repeat("a", room+1), 1)
		x.want = c.code + " " + x.document()
		list = append(list, x)
	}
	return list
}

// TestTexts are the words of some findings, as AWS's pages and answers have them.
func TestTexts(t *testing.T) {
	for action, want := range map[string]string{
		"sqs:DeleteMessageBatch": "The action sqs:DeleteMessageBatch does not exist.",
		"s3:GetObjekt":           "The action s3:GetObjekt does not exist. Did you mean s3:GetObject?",
		"S3:GetObject":           "The service S3 specified in the action does not exist. Did you mean s3?",
	} {
		found, err := Policy([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*","Action":`+strconv.Quote(action)+`}}`), Identity, "")
		if err != nil || len(found) != 1 || found[0].Text != want {
			t.Errorf("%s: %v, %v", action, found, err)
		}
	}
	const link = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-"
	for k, anchor := range map[*Check]string{invalidAction: "error-invalid-action", emptySIDValue: "suggestion-empty-sid-value", missingVersion: "general-warning-missing-version",
		passRoleWithStarInResource: "security-warning-pass-role-with-star-in-resource"} {
		if k.LearnMore() != link+anchor {
			t.Errorf("%s: %s", k.Code, k.LearnMore())
		}
	}
}
