package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// Of an operation with seldom heavy work, only the calls that have it are
// prepared, and all are decided and recorded once.
func TestPrepareWhenPreparesWhatNeedsIt(t *testing.T) {
	var prepared atomic.Int32
	p := newPlane(t, service{gateway.PrepareWhen(iam.CreateUser,
		func(_ named, in *iam.CreateUserInput) bool { return in.Path != nil }, userToMake,
		func(_ context.Context, call *gateway.Call, _ named, _ *iam.CreateUserInput) (string, error) {
			if call.Tx != nil {
				t.Error("prepared inside a transaction")
			}
			prepared.Add(1)
			return "ready", nil
		},
		func(ctx context.Context, call *gateway.Call, on named, in *iam.CreateUserInput, ready string) (*iam.CreateUserOutput, error) {
			if (in.Path != nil) != (ready == "ready") {
				t.Errorf("CreateUser of %s is handled with %q", in.UserName, ready)
			}
			return makeUser(ctx, call, on, in)
		})})
	for _, in := range []*iam.CreateUserInput{{UserName: "light"}, {UserName: "heavy", Path: new("/x/")}} {
		if _, err := invoke(p, "ALICE", iam.CreateUser, in); err != nil {
			t.Error(err)
		}
	}
	if _, err := invoke(p, "MALLORY", iam.CreateUser, &iam.CreateUserInput{UserName: "denied", Path: new("/x/")}); codeOf(err) != "denied" {
		t.Errorf("CreateUser = %v", err)
	}
	if n := prepared.Load(); n != 1 {
		t.Errorf("prepared %d times", n)
	}
	p.wantRecords("alice iam:CreateUser", "alice iam:CreateUser", "mallory iam:CreateUser AccessDenied")
}

// A service that calls another in its caller's name is granted what the caller
// is, and both calls stand in the record, whatever the outer one comes to.
func TestForwardedCalls(t *testing.T) {
	inner := gateway.Op(iam.CreateGroup, func(call *gateway.Call, in *iam.CreateGroupInput) (named, error) {
		return named("group " + call.Via), nil
	}, func(_ context.Context, call *gateway.Call, _ named, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
		return &iam.CreateGroupOutput{Group: &iam.Group{GroupName: in.GroupName}}, rows.Insert(call.Tx, call.Account, &row{in.GroupName}, in.GroupName)
	})
	outer := gateway.Op(iam.CreateUser, userToMake, func(ctx context.Context, call *gateway.Call, on named, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
		if _, err := inner.Forward(ctx, call, "s3.amazonaws.com", &iam.CreateGroupInput{GroupName: "of-" + in.UserName}); err != nil {
			return nil, err
		}
		return makeUser(ctx, call, on, in)
	})
	p := newPlane(t, service{outer})
	p.policies["BOB"] = `{"Statement":{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}}`
	p.policies["CAROL"] = `{"Statement":[{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"},{"Effect":"Allow","Action":"iam:CreateGroup","Resource":"*",
		"Condition":{"StringEquals":{"aws:CalledViaFirst":"s3.amazonaws.com"},"Bool":{"aws:ViaAWSService":"true"},"Null":{"aws:SourceIp":"true"}}}]}`
	for _, c := range []struct{ who, name, want string }{
		{"ALICE", "one", ""}, {"BOB", "two", "denied"}, {"CAROL", "three", ""}, {"ALICE", "refused", "LimitExceededException"},
	} {
		if _, err := invoke(p, c.who, iam.CreateUser, &iam.CreateUserInput{UserName: c.name}); codeOf(err) != c.want {
			t.Errorf("CreateUser of %s by %s = %v", c.name, c.who, err)
		}
		if there := p.has("of-" + c.name); there != (c.want == "") {
			t.Errorf("the forwarded call's row of %s: %v", c.name, there)
		}
	}
	p.wantRecords("alice iam:CreateGroup", "alice iam:CreateUser", "bob iam:CreateGroup AccessDenied", "bob iam:CreateUser AccessDenied",
		"carol iam:CreateGroup", "carol iam:CreateUser", "alice iam:CreateGroup", "alice iam:CreateUser LimitExceededException")
	for _, e := range p.events() {
		if e.EventName == "CreateGroup" && (e.UserIdentity.InvokedBy != "s3.amazonaws.com" || e.SourceIPAddress != "s3.amazonaws.com" || e.RequestID == "") {
			t.Errorf("a forwarded call is recorded as %s", e.AppendJSON(nil))
		}
	}
	if _, err := invoke(p, "CAROL", iam.CreateGroup, &iam.CreateGroupInput{GroupName: "x"}); codeOf(err) != "not implemented" {
		t.Errorf("CreateGroup = %v", err)
	}
}

// What a forwarded operation needs to have prepared is prepared outside the
// transaction, once, for callers who may ask for it; each call stands in the
// record once.
func TestForwardedCallsArePrepared(t *testing.T) {
	var prepared atomic.Int32
	inner := gateway.PrepareWhen(iam.CreateGroup, func(_ named, in *iam.CreateGroupInput) bool { return !strings.HasPrefix(in.GroupName, "plain-") },
		func(_ *gateway.Call, in *iam.CreateGroupInput) (named, error) {
			in.Path = new("/default/") // as targets set what AWS records, though nobody asked for it
			return "group", nil
		},
		func(_ context.Context, call *gateway.Call, _ named, in *iam.CreateGroupInput) (string, error) {
			if call.Tx != nil {
				t.Error("prepared inside a transaction")
			}
			prepared.Add(1)
			if in.GroupName == "of-failing" {
				return "", &iam.LimitExceededException{Message: "outside"}
			}
			return "ready " + in.GroupName, nil
		},
		func(_ context.Context, call *gateway.Call, _ named, in *iam.CreateGroupInput, ready string) (*iam.CreateGroupOutput, error) {
			if ready != "ready "+in.GroupName && !strings.HasPrefix(in.GroupName, "plain-") {
				t.Errorf("%s is handled with %q", in.GroupName, ready)
			}
			return &iam.CreateGroupOutput{Group: &iam.Group{GroupName: in.GroupName}}, rows.Insert(call.Tx, call.Account, &row{in.GroupName}, in.GroupName)
		})
	var attempts atomic.Int32
	outer := gateway.Op(iam.CreateUser, userToMake, func(ctx context.Context, call *gateway.Call, on named, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
		names := []string{"of-" + in.UserName}
		switch in.UserName {
		case "both":
			names = append(names, "too-"+in.UserName)
		case "second":
			names = []string{"plain-" + in.UserName, "of-" + in.UserName}
		case "fickle":
			names[0] += fmt.Sprint(attempts.Add(1))
		}
		for _, name := range names {
			if _, err := inner.Forward(ctx, call, "s3.amazonaws.com", &iam.CreateGroupInput{GroupName: name}); err != nil {
				return nil, fmt.Errorf("in the caller's name: %w", err)
			}
		}
		return makeUser(ctx, call, on, in)
	})
	p := newPlane(t, service{outer})
	p.policies["BOB"] = `{"Statement":{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}}`
	for _, c := range []struct {
		who, name, want string
		prepared        int32
	}{
		{"ALICE", "one", "", 1}, {"ALICE", "both", "", 2}, {"ALICE", "second", "", 1}, {"BOB", "two", "denied", 0}, {"ALICE", "failing", "LimitExceededException", 1},
	} {
		prepared.Store(0)
		if _, err := invoke(p, c.who, iam.CreateUser, &iam.CreateUserInput{UserName: c.name}); codeOf(err) != c.want {
			t.Errorf("CreateUser of %s by %s = %v", c.name, c.who, err)
		}
		if n := prepared.Load(); n != c.prepared {
			t.Errorf("%s: prepared %d times, want %d", c.name, n, c.prepared)
		}
		if there := p.has("of-" + c.name); there != (c.want == "") {
			t.Errorf("the forwarded call's row of %s: %v", c.name, there)
		}
	}
	p.wantRecords("alice iam:CreateGroup", "alice iam:CreateUser", "alice iam:CreateGroup", "alice iam:CreateGroup", "alice iam:CreateUser",
		"alice iam:CreateGroup", "alice iam:CreateGroup", "alice iam:CreateUser",
		"bob iam:CreateGroup AccessDenied", "bob iam:CreateUser AccessDenied",
		"alice iam:CreateGroup LimitExceededException", "alice iam:CreateUser LimitExceededException")
	// One that asks for something else each time is given up.
	if _, err := invoke(p, "ALICE", iam.CreateUser, &iam.CreateUserInput{UserName: "fickle"}); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("CreateUser = %v", err)
	}
}

// perishable is a prepared value that counts how often it was wiped.
type perishable struct{ wiped *atomic.Int32 }

func (p perishable) Wipe() { p.wiped.Add(1) }

// What was prepared is wiped, whatever became of the call, and not before.
func TestPreparedValuesAreWiped(t *testing.T) {
	var wiped atomic.Int32
	prepare := func(name string) (perishable, error) {
		if strings.HasSuffix(name, "failing") {
			return perishable{&wiped}, &iam.LimitExceededException{Message: "outside"}
		}
		return perishable{&wiped}, nil
	}
	use := func(name string, _ perishable) error {
		if wiped.Load() != 0 {
			t.Errorf("%s is handled with what was wiped", name)
		}
		if strings.HasSuffix(name, "refused") {
			return &iam.EntityAlreadyExistsException{Message: "there"}
		}
		return nil
	}
	direct := gateway.Prepare(iam.CreateGroup, func(*gateway.Call, *iam.CreateGroupInput) (named, error) { return "group", nil },
		func(_ context.Context, _ *gateway.Call, _ named, in *iam.CreateGroupInput) (perishable, error) {
			return prepare(in.GroupName)
		},
		func(_ context.Context, _ *gateway.Call, _ named, in *iam.CreateGroupInput, made perishable) (*iam.CreateGroupOutput, error) {
			return &iam.CreateGroupOutput{}, use(in.GroupName, made)
		})
	inner := gateway.PrepareWhen(iam.DeleteGroup, func(named, *iam.DeleteGroupInput) bool { return true },
		func(*gateway.Call, *iam.DeleteGroupInput) (named, error) { return "group", nil },
		func(_ context.Context, _ *gateway.Call, _ named, in *iam.DeleteGroupInput) (perishable, error) {
			return prepare(in.GroupName)
		},
		func(_ context.Context, _ *gateway.Call, _ named, in *iam.DeleteGroupInput, made perishable) (*iam.DeleteGroupOutput, error) {
			return &iam.DeleteGroupOutput{}, use(in.GroupName, made)
		})
	outer := gateway.Op(iam.CreateUser, userToMake, func(ctx context.Context, call *gateway.Call, _ named, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
		_, err := inner.Forward(ctx, call, "s3.amazonaws.com", &iam.DeleteGroupInput{GroupName: in.UserName})
		return &iam.CreateUserOutput{}, err
	})
	p := newPlane(t, service{direct, outer})
	for _, c := range []struct {
		name string
		call func(name string) error
	}{
		{"direct", func(name string) error {
			_, err := invoke(p, "ALICE", iam.CreateGroup, &iam.CreateGroupInput{GroupName: name})
			return err
		}},
		{"forwarded", func(name string) error {
			_, err := invoke(p, "ALICE", iam.CreateUser, &iam.CreateUserInput{UserName: name})
			return err
		}},
	} {
		for _, name := range []string{"good", "refused", "failing"} {
			wiped.Store(0)
			if err := c.call(name); (err == nil) != (name == "good") {
				t.Errorf("%s %s: %v", c.name, name, err)
			}
			if n := wiped.Load(); n != 1 {
				t.Errorf("%s %s: wiped %d times", c.name, name, n)
			}
		}
	}
}
