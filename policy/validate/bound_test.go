package validate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestBounds: what is made to be dear is looked at in little time, or refused.
func TestBounds(t *testing.T) {
	list := func(n int, item string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(item, i)
		}
		return strings.Join(items, ",")
	}
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }
	for name, c := range map[string]struct {
		document string
		refusal  error
	}{
		"ten megabytes":                {strings.Repeat(" ", 10<<20), ErrTooLong},
		"nested deep":                  {strings.Repeat("[", 100_000), nil},
		"a hundred thousand wildcards": {statement(`{"Effect":"Allow","Action":"s3:` + strings.Repeat("*a", 100_000) + `","Resource":"*"}`), nil},
		"patterns of actions":          {statement(`{"Effect":"Allow","Resource":"*","Action":[` + list(9000, `"ec2:*a*e*%d"`) + `]}`), ErrTooComplex},
		"patterns of ARNs":             {statement(`{"Effect":"Allow","Action":"s3:GetObject","Resource":[` + list(7000, `"arn:aws:ec2:*:*:*a*b*%d"`) + `]}`), ErrTooComplex},
		"names nearly right":           {statement(`{"Effect":"Allow","Resource":"*","Action":[` + list(12000, `"ec2:Describe%d"`) + `]}`), ErrTooComplex},
		"a session for each role":      {statement(`{"Effect":"Allow","Resource":"*","Action":"s3:GetObject","Principal":{"AWS":[` + list(6000, `"arn:aws:sts::1:assumed-role/%d"`) + `]}}`), ErrTooComplex},
		"many statements":              {statement(list(10_001, `{"Sid":"a%d"}`)), ErrTooComplex},
		"keys of one letter":           {statement(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{` + list(9000, `"s%d:a":"*"`) + `}}}`), ErrTooComplex},
		"a key for each action":        {statement(`{"Effect":"Allow","Resource":"*","Action":["s3:PutObject"` + strings.Repeat(`,"s3:GetObject"`, 3000) + `],"Condition":{"StringLike":{` + list(3000, `"s3:ExistingObjectTag/%d":"a"`) + `}}}`), ErrTooComplex},
		"a tag for each action":        {statement(`{"Effect":"Allow","Resource":"*","Action":["s3:PutObject"` + strings.Repeat(`,"s3:ListAllMyBuckets"`, 3000) + `],"Condition":{"StringLike":{` + list(3000, `"aws:ResourceTag/%d":"a"`) + `}}}`), ErrTooComplex},
	} {
		began := time.Now()
		_, err := Policy([]byte(c.document), Identity, "")
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%s took %v: %v", name, took, err)
		}
		if !errors.Is(err, c.refusal) {
			t.Errorf("%s: %v, want %v", name, err, c.refusal)
		}
	}
}

// FuzzPolicy: no document makes it panic, and every finding has places in the text.
func FuzzPolicy(f *testing.F) {
	for _, c := range statementCases {
		f.Add(c.document(), uint8(c.kind))
	}
	for _, c := range conditionCases {
		f.Add(c.document(), uint8(c.kind))
	}
	f.Add("{\"Version\":\"2012-10-17\",\"Id\":\"\xc3\xa9\n\u65e5\",\"Statement\":{\"Sid\":\"\u65e5\",\"Resource\":\"b/${\u65e5 }\"}}", uint8(0))
	kinds := []string{"", Bucket, AccessPoint, MultiRegionPoint, ObjectLambdaPoint, AssumeRolePolicy, DynamoDBTable}
	f.Fuzz(func(t *testing.T, document string, n uint8) {
		kind := Type(n % 4)
		of := ""
		if kind == Resource {
			of = kinds[int(n/4)%len(kinds)]
		}
		found, err := Policy([]byte(document), kind, of)
		if err != nil {
			return
		}
		end := newLines([]byte(document)).position(len(document))
		for _, x := range found {
			if len(x.Locations) == 0 {
				t.Errorf("%s has no place", x.Code)
			}
			for _, at := range x.Locations {
				if at.Span.Start.Offset > at.Span.End.Offset || at.Span.End.Offset > end.Offset || at.Span.Start.Line < 1 || at.Span.Start.Column < 0 {
					t.Errorf("%s is at %v of %v", x.Code, at.Span, end)
				}
			}
		}
	})
}
