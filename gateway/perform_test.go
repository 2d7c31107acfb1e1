package gateway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// named is a user by name alone.
type named string

func (n named) ARN() string { return "arn:aws:iam::" + account + ":user/" + string(n) }

// row is what handlers of these tests write.
type row struct{ Name string }

var rows = store.NewTable[row]("gateway_test/row")

func userToMake(_ *gateway.Call, in *iam.CreateUserInput) (named, error) {
	return named(in.UserName), nil
}

func makeUser(_ context.Context, call *gateway.Call, on named, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	if err := rows.Insert(call.Tx, call.Account, &row{in.UserName}, in.UserName); err != nil {
		return nil, err
	}
	switch in.UserName {
	case "refused":
		return nil, &iam.LimitExceededException{Message: "enough"}
	case "broken":
		return nil, errors.New("a disk full of secrets")
	case "panicking":
		panic("a secret")
	}
	return &iam.CreateUserOutput{User: &iam.User{Arn: on.ARN()}}, nil
}

func (p *plane) has(name string) (there bool) {
	p.Helper()
	err := p.engine.View(p.Context(), func(tx store.Tx) (err error) {
		there, err = rows.Has(tx, account, name)
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return there
}

func TestACallIsRecordedWhateverItComesTo(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	for _, c := range []struct{ who, name, want string }{
		{"ALICE", "good", ""},
		{"MALLORY", "denied", "denied"},
		{"ALICE", "refused", "LimitExceededException"},
		{"ALICE", "broken", "internal"},
		{"ALICE", "panicking", "internal"},
		{"ALICE", "not a name", "invalid"},
	} {
		_, err := invoke(p, c.who, iam.CreateUser, &iam.CreateUserInput{UserName: c.name})
		if got := codeOf(err); got != c.want {
			t.Errorf("CreateUser of %q = %v, want %s", c.name, err, c.want)
		}
		if there := p.has(c.name); there != (c.want == "") {
			t.Errorf("CreateUser of %q answered %v and left a row: %v", c.name, err, there)
		}
	}
	p.wantRecords("alice iam:CreateUser", "mallory iam:CreateUser AccessDenied", "alice iam:CreateUser LimitExceededException",
		"alice iam:CreateUser InternalFailure", "alice iam:CreateUser InternalFailure", "alice iam:CreateUser ValidationException")
	for _, e := range p.events() {
		if strings.Contains(string(e.AppendJSON(nil)), "secret") {
			t.Errorf("the record tells what an internal failure said: %s", e.AppendJSON(nil))
		}
	}
}

func TestAnInternalFailureTellsItsCallerNothing(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	for _, name := range []string{"broken", "panicking"} {
		status, body := p.post("ALICE", "iam", "Action=CreateUser&Version=2010-05-08&UserName="+name)
		if status != 500 || strings.Contains(body, "secret") {
			t.Errorf("CreateUser of %s = %d %s", name, status, body)
		}
	}
	if !strings.Contains(p.log.String(), "a disk full") {
		t.Errorf("the log does not say what went wrong: %s", &p.log)
	}
}

// missingUser is a target whose user never exists.
func missingUser(_ *gateway.Call, in *iam.GetUserInput) (named, error) {
	return named(*in.UserName), &iam.NoSuchEntityException{Message: "no such user"}
}

func TestOnlyWhoMayAskIsToldWhatIsMissing(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.GetUser, missingUser,
		func(context.Context, *gateway.Call, named, *iam.GetUserInput) (*iam.GetUserOutput, error) {
			t.Error("a handler ran without its target")
			return nil, nil
		})})
	for who, want := range map[string]string{"ALICE": "NoSuchEntityException", "MALLORY": "denied"} {
		if _, err := invoke(p, who, iam.GetUser, &iam.GetUserInput{UserName: new("nobody")}); codeOf(err) != want {
			t.Errorf("GetUser by %s = %v, want %s", who, err, want)
		}
	}
}

// twice is a resource whose call needs iam:PassRole on another besides.
type twice struct{ named }

func (t twice) Further() []gateway.Authorization {
	return []gateway.Authorization{{Action: "iam:PassRole", On: named("other"), Conditions: []string{"iam:PassedToService", "ec2.amazonaws.com"}}}
}

func TestEveryAuthorizationMustBeAllowed(t *testing.T) {
	target := func(_ *gateway.Call, in *iam.CreateUserInput) (twice, error) { return twice{named(in.UserName)}, nil }
	p := newPlane(t, service{gateway.Op(iam.CreateUser, target,
		func(context.Context, *gateway.Call, twice, *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
			return nil, nil
		})})
	for _, c := range []struct{ name, policy, want string }{
		{"the first alone", `"Action":"iam:CreateUser","Resource":"*"`, "denied"},
		{"the second alone", `"Action":"iam:PassRole","Resource":"*"`, "denied"},
		{"both", `"Action":["iam:CreateUser","iam:PassRole"],"Resource":"*"`, ""},
		{"both, for another service", `"Action":["iam:CreateUser","iam:PassRole"],"Resource":"*",
			"Condition":{"StringEqualsIfExists":{"iam:PassedToService":"lambda.amazonaws.com"}}`, "denied"},
	} {
		p.policies["ALICE"] = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + c.policy + `}]}`
		if _, err := invoke(p, "ALICE", iam.CreateUser, &iam.CreateUserInput{UserName: "new"}); codeOf(err) != c.want {
			t.Errorf("allowed %s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestPrepareWorksOutsideTheTransactionAndAuthorisesAgain(t *testing.T) {
	var prepared atomic.Int32
	var p *plane
	op := gateway.Prepare(iam.CreateUser, userToMake,
		func(_ context.Context, call *gateway.Call, on named, _ *iam.CreateUserInput) (string, error) {
			prepared.Add(1)
			if call.Tx != nil {
				t.Error("prepare was given a transaction")
			}
			if on == "revoked" {
				p.policies["ALICE"] = ""
			}
			if on == "failing" {
				return "", &iam.ServiceFailureException{Message: "the HSM is away"}
			}
			return "hash of " + string(on), nil
		},
		func(_ context.Context, call *gateway.Call, on named, _ *iam.CreateUserInput, hash string) (*iam.CreateUserOutput, error) {
			if call.Tx == nil || hash != "hash of "+string(on) {
				t.Errorf("handle was given %v and %q", call.Tx, hash)
			}
			return nil, rows.Put(call.Tx, call.Account, &row{hash}, string(on))
		})
	p = newPlane(t, service{op})
	for _, c := range []struct {
		who, name, want string
		prepared        int32
	}{
		{"ALICE", "good", "", 1},
		{"MALLORY", "denied", "denied", 0}, // and no work was done for a stranger
		{"ALICE", "failing", "ServiceFailureException", 1},
		{"ALICE", "revoked", "denied", 1},
	} {
		prepared.Store(0)
		_, err := invoke(p, c.who, iam.CreateUser, &iam.CreateUserInput{UserName: c.name})
		if codeOf(err) != c.want || prepared.Load() != c.prepared || p.has(c.name) != (c.want == "") {
			t.Errorf("%s: %v, prepared %d times, row %v", c.name, err, prepared.Load(), p.has(c.name))
		}
	}
	p.wantRecords("alice iam:CreateUser", "mallory iam:CreateUser AccessDenied", "alice iam:CreateUser ServiceFailureException",
		"alice iam:CreateUser AccessDenied")
}

func TestWaitEndsWithItsContextAndThenLooks(t *testing.T) {
	waiting := make(chan struct{})
	op := gateway.Wait(iam.CreateUser, userToMake,
		func(ctx context.Context, _ *gateway.Call, _ named, _ *iam.CreateUserInput) error {
			close(waiting)
			<-ctx.Done()
			return nil
		}, makeUser)
	p := newPlane(t, service{op})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-waiting; cancel() }()
	if _, err := gateway.Invoke(ctx, p.Gateway, user("ALICE"), iam.CreateUser, &iam.CreateUserInput{UserName: "late"}); err != nil {
		t.Fatal(err)
	}
	p.wantRecords("alice iam:CreateUser")
}

func TestACallerWhoLeavesIsRecordedAllTheSame(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake,
		func(_ context.Context, call *gateway.Call, _ named, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
			cancel()
			return nil, rows.Insert(call.Tx, call.Account, &row{}, in.UserName)
		})})
	if _, err := gateway.Invoke(ctx, p.Gateway, user("ALICE"), iam.CreateUser, &iam.CreateUserInput{UserName: "gone"}); err != nil {
		t.Fatal(err)
	}
	if !p.has("gone") {
		t.Error("the call was not carried out")
	}
	p.wantRecords("alice iam:CreateUser")
}

func TestWhatNobodyServesIsRefusedByNameAndRecorded(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	status, body := p.post("ALICE", "iam", "Action=DeleteUser&Version=2010-05-08&UserName=x")
	if status != 501 || !strings.Contains(body, "Garrison does not implement iam:DeleteUser yet") {
		t.Errorf("DeleteUser = %d %s", status, body)
	}
	status, body = p.post("MALLORY", "rds", "Action=DescribeDBInstances&Version=2014-10-31")
	if status != 501 || !strings.Contains(body, "rds:DescribeDBInstances") {
		t.Errorf("DescribeDBInstances = %d %s", status, body)
	}
	p.wantRecords("alice iam:DeleteUser NotImplemented", "mallory rds:DescribeDBInstances NotImplemented")
}

func TestNewRefusesTablesThatForget(t *testing.T) {
	create := gateway.Op(iam.CreateUser, userToMake, makeUser)
	for _, c := range []struct {
		name  string
		table service
	}{
		{"the same row twice", service{create, create}},
		{"a client token", service{createAnalyzer()}},
	} {
		config := gateway.Config{Services: []gateway.Service{c.table}}
		p := newPlane(t, nil)
		config.Engine, config.Directory, config.Sessions = p.engine, p.identities, p.identities
		config.Unattributed, config.Log = p.unknown, p.logger
		if _, err := gateway.New(config); err == nil {
			t.Errorf("New took a table that forgets %s", c.name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Free took an operation without a reason")
		}
	}()
	gateway.Free(iam.GetUser, "", func(context.Context, *gateway.Call, *iam.GetUserInput) (*iam.GetUserOutput, error) { return nil, nil })
}

func TestASharedCallStandsInBothRecords(t *testing.T) {
	const other = "210987654321"
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake,
		func(_ context.Context, call *gateway.Call, _ named, _ *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
			call.Shared(other)
			return nil, nil
		})})
	if _, err := invoke(p, "ALICE", iam.CreateUser, &iam.CreateUserInput{UserName: "x"}); err != nil {
		t.Fatal(err)
	}
	events := p.events()
	i := slices.IndexFunc(events, func(e *trail.Event) bool { return e.RecipientAccountID == other })
	if len(events) != 2 || i < 0 {
		t.Fatalf("%d events, other account's is %d", len(events), i)
	}
	theirs, ours := events[i], events[1-i]
	if theirs.SharedEventID == "" || theirs.SharedEventID != ours.SharedEventID || theirs.EventID == ours.EventID {
		t.Errorf("shared event ids %q and %q", theirs.SharedEventID, ours.SharedEventID)
	}
	if u := theirs.UserIdentity; u.Type != string(aws.AccountCaller) || u.UserName != "" || u.AccountID != account {
		t.Errorf("the other account is told %+v", u)
	}
}
