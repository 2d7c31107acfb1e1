package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// histories is how many are looked at; GARRISON_SOAK says how many times as many.
const histories = 12

// policyCall is what a client asked about a user's policy, and policyAnswer what it was told.
type (
	policyCall struct {
		action, user, document string
	}
	policyAnswer struct {
		document string
		missing  bool // NoSuchEntity
	}
)

// policies is a user's inline policy as a register: "" where there is none.
var policies = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		users := map[string][]porcupine.Operation{}
		for _, op := range all {
			user := op.Input.(policyCall).user
			users[user] = append(users[user], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range users {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		call, answer := input.(policyCall), output.(policyAnswer)
		switch call.action {
		case "put":
			return !answer.missing, call.document
		case "delete":
			return answer.missing == (state == ""), ""
		}
		return answer.document == state && answer.missing == (state == ""), state
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, " → ", output) },
}

// TestHistoriesAreLinearisable lets clients on three nodes change, take away and read
// the same policies, and looks for an order of each resource's calls that explains every answer
// and keeps to the times at which calls began and ended.
func TestHistoriesAreLinearisable(t *testing.T) {
	t.Parallel()
	rounds := histories
	if n, err := strconv.Atoi(os.Getenv("GARRISON_SOAK")); err == nil {
		rounds *= n
	}
	where := pgtest.URL(t)
	nodes, root := startNodes(t, where, where, where)
	const clients, calls, users = 6, 6, 2
	var apis [clients]*iam.Client
	for i := range apis {
		apis[i] = iam.NewFromConfig(config(nodes[i%len(nodes)].endpoint, "us-east-1", root, &http.Transport{}))
	}
	for round := range rounds {
		var names [users]string
		for i := range names {
			names[i] = fmt.Sprintf("u%d-%d", round, i)
			if _, err := apis[0].CreateUser(t.Context(), &iam.CreateUserInput{UserName: &names[i]}); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		var history []porcupine.Operation
		began := time.Now()
		for c, api := range apis {
			all.Go(func() {
				for n := range calls {
					call := policyCall{
						action: []string{"put", "put", "delete", "get", "get"}[rand.IntN(5)], user: names[rand.IntN(users)],
						document: fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Sid":"c%dn%d","Effect":"Allow","Action":"s3:*","Resource":"*"}}`, c, n),
					}
					from := time.Since(began)
					answer, err := call.make(t, api)
					to := time.Since(began)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: c, Input: call, Call: int64(from), Output: answer, Return: int64(to)})
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if t.Failed() {
			t.FailNow()
		}
		if verdict := porcupine.CheckOperationsTimeout(policies, history, 30*time.Second); verdict != porcupine.Ok {
			t.Fatalf("round %d: %s: %+v", round, verdict, history)
		}
	}
	for _, n := range nodes {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	}
}

func (c policyCall) make(t *testing.T, api *iam.Client) (answer policyAnswer, err error) {
	name := new("p")
	switch c.action {
	case "put":
		_, err = api.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &c.user, PolicyName: name, PolicyDocument: &c.document})
	case "delete":
		_, err = api.DeleteUserPolicy(t.Context(), &iam.DeleteUserPolicyInput{UserName: &c.user, PolicyName: name})
	default:
		out, failed := api.GetUserPolicy(t.Context(), &iam.GetUserPolicyInput{UserName: &c.user, PolicyName: name})
		if err = failed; err == nil {
			answer.document, err = url.QueryUnescape(*out.PolicyDocument)
		}
	}
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "NoSuchEntity" {
		return policyAnswer{missing: true}, nil
	}
	return answer, err
}

// TestTheModelRefusesAStaleAnswer shows that the model can say no.
func TestTheModelRefusesAStaleAnswer(t *testing.T) {
	history := []porcupine.Operation{
		{Input: policyCall{"put", "u", "one"}, Call: 0, Output: policyAnswer{}, Return: 10},
		{Input: policyCall{"delete", "u", ""}, Call: 20, Output: policyAnswer{}, Return: 30},
		{Input: policyCall{"get", "u", ""}, Call: 40, Output: policyAnswer{document: "one"}, Return: 50},
	}
	if porcupine.CheckOperations(policies, history) {
		t.Error("what was deleted was read afterwards, and that is called linearisable")
	}
}
