package gateway_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/accessanalyzer"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

var made int

// createAnalyzer is an operation whose model has a client token.
func createAnalyzer() gateway.Operation {
	return gateway.Op(accessanalyzer.CreateAnalyzer, gateway.Account,
		func(context.Context, *gateway.Call, gateway.Anything, *accessanalyzer.CreateAnalyzerInput) (*accessanalyzer.CreateAnalyzerOutput, error) {
			made++
			return &accessanalyzer.CreateAnalyzerOutput{Arn: new("arn:" + strconv.Itoa(made))}, nil
		})
}

func TestARepeatedClientTokenIsAnsweredAsTheFirst(t *testing.T) {
	now := start
	mismatch := &aws.Error{Kind: aws.Validation, Message: "the token was used with other parameters"}
	p := newPlane(t, service{createAnalyzer().Idempotent(time.Hour, mismatch)}, func(c *gateway.Config) {
		c.Clock = func() time.Time { return now }
	})
	call := func(who, token, name string) (string, error) {
		t.Helper()
		in := &accessanalyzer.CreateAnalyzerInput{AnalyzerName: name, Type: "ACCOUNT"}
		if token != "" {
			in.ClientToken = &token
		}
		out, err := invoke(p, who, accessanalyzer.CreateAnalyzer, in)
		if err != nil {
			return "", err
		}
		return *out.Arn, nil
	}
	first, err := call("ALICE", "t", "one")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := call("ALICE", "t", "one"); err != nil || again != first {
		t.Errorf("the same request again = %s, %v; want %s", again, err, first)
	}
	if _, err := call("ALICE", "t", "two"); codeOf(err) != "invalid" {
		t.Errorf("the token with other parameters: %v", err)
	}
	if _, err := call("MALLORY", "t", "one"); codeOf(err) != "denied" {
		t.Errorf("a stranger who knows the token: %v", err)
	}
	if other, err := call("ALICE", "", "one"); err != nil || other == first {
		t.Errorf("without a token = %s, %v", other, err)
	}
	now = now.Add(time.Hour + time.Second)
	if late, err := call("ALICE", "t", "one"); err != nil || late == first {
		t.Errorf("after the window = %s, %v", late, err)
	}
}
