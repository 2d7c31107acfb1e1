package gateway_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/api/accessanalyzer"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
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

// What was kept for client tokens goes when its time is over, however much it
// is, and only then.
func TestAnswersOfOldTokensAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t, service{createAnalyzer().Idempotent(time.Hour, &aws.Error{Kind: aws.Validation})}, func(c *gateway.Config) {
			c.Clock = time.Now
		})
		call := func(token string) string {
			out, err := invoke(p, "ALICE", accessanalyzer.CreateAnalyzer, &accessanalyzer.CreateAnalyzerInput{AnalyzerName: "a", Type: "ACCOUNT", ClientToken: &token})
			if err != nil {
				t.Fatal(err)
			}
			return *out.Arn
		}
		kept := func() (n int) {
			if err := p.engine.View(t.Context(), func(tx store.Tx) (err error) { n, err = gateway.KeptAnswers(tx); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		for i := range 1100 { // more than two steps
			call("old" + strconv.Itoa(i))
		}
		time.Sleep(80 * time.Minute)
		young := call("young")
		time.Sleep(50 * time.Minute) // the hour in which the old ones ended is over, the young one's is not
		synctest.Wait()
		if n := kept(); n != 1 {
			t.Errorf("%d answers are kept, want the young one", n)
		}
		if again := call("young"); again != young {
			t.Errorf("a token within its time is answered %s, then %s", young, again)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
	})
}
