package estate

import (
	"errors"
	"fmt"
	"testing"
)

// large is an account of n principals: a tenth may assume some of a hundred
// roles, some may pass roles, some may write policies, one group of a hundred
// roles trust each other in a ring, and every policy differs.
func large(n int) map[string][]byte {
	var users, roles []string
	for i := range n / 2 {
		name := fmt.Sprintf("user-%05d", i)
		doc := allow("s3:Get*", fmt.Sprintf("arn:aws:s3:::bucket-%d/*", i))
		switch i % 20 {
		case 0:
			doc = allow("sts:AssumeRole", arn(prod, fmt.Sprintf("role/role-%05d", i)))
		case 1:
			doc = allow("sts:AssumeRole", "*")
		case 2:
			doc = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"}}`
		case 3:
			doc = allow("iam:CreateAccessKey", arn(prod, "user/${aws:username}"))
		}
		if i%400 == 4 { // may change nobody, which takes all to find
			doc = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}}`
		}
		users = append(users, user(prod, name, doc, ""))
	}
	for i := range n / 2 {
		name := fmt.Sprintf("role-%05d", i)
		trusts, doc := trust(`{"Service":"ec2.amazonaws.com"}`), allow("s3:*", fmt.Sprintf("arn:aws:s3:::bucket-%d", i))
		switch i % 10 {
		case 0:
			trusts = trust(`{"AWS":"` + prod + `"}`)
		case 1:
			trusts = trust(`{"Service":"lambda.amazonaws.com"}`)
		case 2:
			trusts = trust(fmt.Sprintf(`{"AWS":%q}`, arn(prod, fmt.Sprintf("role/role-%05d", (i+10)%(n/2)))))
		}
		if i%10 == 3 {
			doc = allow("ec2:*", fmt.Sprintf("arn:aws:ec2:*:*:instance/i-%d", i))
		}
		if i == 1 {
			doc = allow("*", "*")
		}
		roles = append(roles, role(prod, name, trusts, doc, `,"InstanceProfileList":[{"Arn":"`+arn(prod, "instance-profile/"+name)+`"}]`))
	}
	return map[string][]byte{"accounts/prod.json": exported(users, nil, roles, nil)}
}

// TestLargeEstates: what is asked grows with the ways that there are, not with
// all pairs of principals, and rings of roles end.
func TestLargeEstates(t *testing.T) {
	const n = 1_000
	e, err := New(large(n))
	if err != nil {
		t.Fatal(err)
	}
	h, err := e.hunt(&Hunt{})
	if err != nil {
		t.Fatal(err)
	}
	if most := 60 * n; h.decisions > most {
		t.Errorf("%d decisions for %d principals, at most %d", h.decisions, n, most)
	}
	if len(h.found) < n {
		t.Errorf("%d ways", len(h.found))
	}
	one, err := e.hunt(&Hunt{Principals: []string{arn(prod, "user/user-00001")}})
	if err != nil || one.decisions > h.decisions/2 || len(one.found) == 0 {
		t.Errorf("%d ways of one principal took %d of %d decisions (%v)", len(one.found), one.decisions, h.decisions, err)
	}
	for _, e.most = range []int{n, h.decisions / 2, h.decisions - 1} { // the last are those of the changes
		if _, err := e.Escalations(&Hunt{}); !errors.Is(err, errTooMany) {
			t.Errorf("bound to %d of %d decisions: %v", e.most, h.decisions, err)
		}
	}
}

func BenchmarkLargeEstate(b *testing.B) {
	files := large(10_000)
	for b.Loop() {
		e, err := New(files)
		if err != nil {
			b.Fatal(err)
		}
		h, err := e.hunt(&Hunt{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(h.decisions), "decisions")
		b.ReportMetric(float64(len(h.found)), "ways")
	}
}
