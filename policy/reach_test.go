package policy

import (
	"strings"
	"testing"
)

func TestReaches(t *testing.T) {
	for _, c := range []struct {
		name, statements, action string
		want                     bool
	}{
		{"nothing without an Allow", `{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}`, "kms:Encrypt", false},
		{"what an Allow names, in whatever case", `{"Effect":"Allow","Action":"KMS:enc*","Resource":"*"}`, "kms:Encrypt", true},
		{"it on a single resource", `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`, "s3:GetObject", true},
		{"it under conditions", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, "s3:GetObject", true},
		{"what NotAction leaves", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, "s3:GetObject", true},
		{"nothing that NotAction names", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, "iam:GetUser", false},
		{"nothing that a Deny takes away", `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}`, "iam:GetUser", false},
		{"what a Deny takes away here and there", `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b"}`, "s3:ListBucket", true},
		{"what a Deny takes away at times", `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`, "s3:ListBucket", true},
		{"nothing that is no action", `{"Effect":"Allow","Action":"*","Resource":"*"}`, "s3", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[`+c.statements+`]}`), Identity)
			if err != nil {
				t.Fatal(err)
			}
			if got := NewReach(1).Reaches([]*Policy{Compile(doc, "")}, c.action); got != c.want {
				t.Errorf("Reaches(%s) = %t", c.action, got)
			}
		})
	}
	if NewReach(1).Reaches([]*Policy{nil}, "s3:GetObject") {
		t.Error("a policy that can't be read reaches something")
	}
}

// A policy that is made to be dear is not asked of every action there is.
func TestReachIsBounded(t *testing.T) {
	dear := `"*:` + strings.Repeat("*a?", 1500) + `*"`
	doc, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":`+dear+`,"Resource":"*"}]}`), Identity)
	if err != nil {
		t.Fatal(err)
	}
	r, policies := NewReach(1), []*Policy{Compile(doc, "")}
	asked := 0
	for ; !r.TooDear() && asked < 1_000_000; asked++ {
		if r.Reaches(policies, "s3:"+strings.Repeat("ab", 40)) {
			t.Fatal("it is reached")
		}
	}
	if !r.TooDear() {
		t.Errorf("%d questions took no end", asked)
	}
}
