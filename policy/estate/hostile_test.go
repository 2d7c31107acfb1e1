package estate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestHostileExports: an export that was made to be dear, or that is broken
// anywhere, is refused or searched, without a panic and without end.
func TestHostileExports(t *testing.T) {
	t.Run("patterns that all name everyone", func(t *testing.T) {
		const n = 150
		var patterns, users, roles []string
		for i := range n {
			patterns = append(patterns, fmt.Sprintf(`"arn:aws:iam::%s:user/*%d"`, prod, i), fmt.Sprintf(`"arn:aws:lambda:*:*:function:*%d*"`, i), fmt.Sprintf(`"arn:*:*:*:*:*?*%d"`, i))
			users = append(users, user(prod, fmt.Sprintf("u-%d-x", i), allow("s3:*", "*"), ""))
			roles = append(roles, role(prod, fmt.Sprintf("r-%d", i), trust(anyService), allow("s3:*", "*"), ""))
		}
		document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:*","lambda:*"],"Resource":[` + strings.Join(patterns, ",") + `]}}`
		users = append(users, user(prod, attacker, document, ""))
		e, err := New(map[string][]byte{"accounts/a.json": exported(users, nil, roles, nil)})
		if err != nil {
			t.Fatal(err)
		}
		h, err := e.hunt(&Hunt{})
		if err != nil {
			t.Fatal(err)
		}
		if h.decisions > 100*n {
			t.Errorf("%d decisions", h.decisions)
		}
	})
	t.Run("roles that trust everyone under a condition", func(t *testing.T) {
		const n = 60
		var users, roles []string
		for i := range n {
			users = append(users, user(prod, fmt.Sprintf("u-%d", i), allow("sts:AssumeRole", "*"), ""))
			roles = append(roles, role(prod, fmt.Sprintf("r-%d", i), strings.Replace(trust(`"*"`), `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"secret"}},"Action"`, 1), allow("s3:*", "*"), ""))
		}
		e, err := New(map[string][]byte{"accounts/a.json": exported(users, nil, roles, nil)})
		if err != nil {
			t.Fatal(err)
		}
		h, err := e.hunt(&Hunt{})
		if err != nil {
			t.Fatal(err)
		}
		if kept := len(h.pickedKeys); h.decisions < n*n || kept > 10*n {
			t.Errorf("after %d decisions %d picks are kept", h.decisions, kept)
		}
	})
	t.Run("bytes that changed", func(t *testing.T) {
		files := world{grants: []string{"iam:PassRole", "lambda:*", "iam:CreatePolicyVersion", "sts:AssumeRole"}, scp: deny("ec2:*")}.files()
		random := rand.New(rand.NewPCG(1, 2))
		names := sortedKeys(files)
		taken := 0
		for range 300 {
			changed := map[string][]byte{}
			for name, text := range files {
				changed[name] = slices.Clone(text)
			}
			text := changed[names[random.IntN(len(names))]]
			for range 1 + random.IntN(3) {
				text[random.IntN(len(text))] = `"{}[]:,*?$/arnx0`[random.IntN(16)]
			}
			if e, err := New(changed); err == nil {
				taken++
				if list, err := e.Escalations(&Hunt{}); err == nil {
					for _, f := range list {
						for _, p := range f.Steps[0].Permissions {
							e.Locate(p.Policy, 0)
						}
					}
				}
			}
		}
		if taken == 0 {
			t.Error("nothing but refusals")
		}
	})
}

// TestLocateFindsStatements in the files that they came from.
func TestLocateFindsStatements(t *testing.T) {
	files := map[string][]byte{
		"accounts/a.json": []byte("{\"UserDetailList\": [\n {\"Arn\": \"" + arn(prod, "user/a") + "\", \"UserPolicyList\": [\n  {\"PolicyName\": \"p\", \"PolicyDocument\": {\"Statement\": [\n   " +
			"{\"Effect\": \"Allow\", \"Action\": \"a:b\", \"Resource\": \"*\"},\n   {\"Effect\": \"Allow\", \"Action\": \"c:d\", \"Resource\": \"*\"}]}}]}]}"),
		"accounts/b.json":  exported(nil, nil, []string{role(dev, "r", trust(`"*"`), allow("a:b", "*"), "")}, nil),
		"accounts/a0.json": exported(nil, nil, []string{role(prod, "r", trust(`{"AWS":"`+arn(dev, "role/r")+`"}`), allow("a:b", "*"), "")}, nil), // names one of another file
		"resources/q.json": []byte("{\"arn\": \"arn:aws:sqs:eu-west-1:" + prod + ":q\",\n \"policy\": {\"Statement\": {\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": \"*\"}}}"),
	}
	e, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		policy    string
		statement int
		want      string
	}{
		{arn(prod, "user/a") + " p", 1, "accounts/a.json 5"},
		{arn(prod, "user/a") + " p", 0, "accounts/a.json 4"},
		{arn(dev, "role/r") + " trust policy", 0, "accounts/b.json 1"},
		{"resources/q.json", 0, "resources/q.json 2"},
		{"arn:aws:iam::aws:policy/AdministratorAccess", 0, " 1"},
	} {
		file, line := e.Locate(c.policy, c.statement)
		if got := fmt.Sprint(file, " ", line); got != c.want {
			t.Errorf("Locate(%s, %d) = %s, want %s", c.policy, c.statement, got, c.want)
		}
	}
}
