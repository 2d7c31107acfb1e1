package estate

import (
	"errors"
	"fmt"
	"testing"

	"github.com/garrison-security/garrison/policy/scenario"
)

// TestWhoToTheEdges: who is let in by something else than the ARN of a user or role.
func TestWhoToTheEdges(t *testing.T) {
	queue, vault := "arn:aws:sqs:eu-west-1:"+prod+":jobs", "arn:aws:kms:eu-west-1:"+prod+":key/1"
	lets := func(on, principal, condition string) []byte {
		return fmt.Appendf(nil, `{"arn":%q,"account":%q,"policy":{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":%s,"Action":"*","Resource":"*"%s}}}`, on, prod, principal, condition)
	}
	inOrg := `,"Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12/ou-dev/*"}}`
	files := func(resource []byte) map[string][]byte {
		f := sample()
		f["resources/x.json"] = resource
		f["organization.json"] = []byte(`{"id":"o-a1b2c3d4e5","management":"123456789012","accounts":{"` + dev + `":{"path":"o-a1b2c3d4e5/r-ab12/ou-dev/"},"` + prod + `":{"path":"o-a1b2c3d4e5/r-ab12/"}}}`)
		f["accounts/sqs.json"] = exported([]string{user(dev, "sender", allow("sqs:*", "*"), ""), user(prod, "clerk", allow("sqs:*", "*"), "")}, nil,
			[]string{role(dev, "worker", trust(`{"Federated":"arn:aws:iam::`+dev+`:oidc-provider/ci.example.com"}`), allow("sqs:*", "*"), "")}, nil)
		return f
	}
	send := Question{Action: "sqs:SendMessage", Resource: queue}
	for _, c := range []struct {
		name     string
		resource []byte
		q        Question
		want     string
	}{
		{"an organisation's unit", lets(queue, `"*"`, inOrg), send,
			"prod:root prod:user/clerk dev:oidc-provider/ci.example.com→dev:role/worker dev:role/worker dev:root dev:user/sender"},
		{"a session by its ARN", lets(queue, `{"AWS":"arn:aws:sts::`+prod+`:assumed-role/runner/job"}`, ""), send,
			"prod:role/runner prod:root prod:user/clerk lambda.amazonaws.com→prod:role/runner"},
		{"a user by its unique id", lets(queue, `{"AWS":"AIDAsender"}`, ""), send, "prod:root prod:user/clerk dev:user/sender"},
		{"a federated user", lets(queue, `{"AWS":"arn:aws:sts::`+prod+`:federated-user/fay"}`, ""), send, "prod:root prod:user/clerk arn:aws:sts::prod:federated-user/fay"},
		{"a canonical user", lets(queue, `{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, ""), send,
			"prod:root prod:user/clerk canonical user 79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be?"},
		{"a service that acts for somebody", lets(queue, `{"Service":"sns.amazonaws.com"}`, `,"Condition":{"StringEquals":{"aws:SourceAccount":"`+prod+`"}}`),
			Question{Action: send.Action, Resource: queue, Context: []scenario.Key{key("aws:SourceAccount", prod)}}, "prod:root prod:user/clerk sns.amazonaws.com"},
		{"a key by its account", lets(vault, `{"AWS":"`+dev+`"}`, ""), Question{Action: "kms:Decrypt", Resource: vault}, "dev:root"},
		{"a provider's token", lets(queue, `{"AWS":"`+dev+`"}`, ""), send,
			"prod:root prod:user/clerk dev:oidc-provider/ci.example.com→dev:role/worker dev:role/worker dev:root dev:user/sender"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(t, files(c.resource), &c.q); got != c.want {
				t.Errorf("\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// TestWhoEndsInLargeEstates: a chain of roles asks those whom each one's trust may mean.
func TestWhoEndsInLargeEstates(t *testing.T) {
	e, err := New(large(2_000))
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Who(&Question{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:" + prod + ":jobs"})
	if err != nil || len(list) < 3 { // an administrator, root, and the service that runs as it
		t.Errorf("%d may (%v)", len(list), err)
	}
	e.most = 2_100
	if _, err := e.Who(&Question{Action: "s3:ListBucket", Resource: "arn:aws:s3:::bucket-2", Account: prod}); !errors.Is(err, errTooLong) {
		t.Errorf("a chain beyond the bound: %v", err)
	}
}
