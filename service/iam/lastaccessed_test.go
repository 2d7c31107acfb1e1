package iam

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// follow runs the consumer of the record for as long as the test.
func follow(p *plane) {
	p.Helper()
	p.service.Calls = CallsOf([]gateway.Service{p.service})
	ctx, stop := context.WithCancel(p.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.service.Run(ctx, p.trail) }()
	p.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			p.Errorf("Run = %v", err)
		}
	})
}

// accessReport is the report that who asks for, once it is there.
func accessReport(p *plane, who *aws.Principal, in *iam.GenerateServiceLastAccessedDetailsInput) (id string, out *iam.GetServiceLastAccessedDetailsOutput) {
	p.Helper()
	id = *call(p, who, iam.GenerateServiceLastAccessedDetails, in).JobId
	return id, finished(p, who, id)
}

// finished is a report once it is there.
func finished(p *plane, who *aws.Principal, id string) *iam.GetServiceLastAccessedDetailsOutput {
	p.Helper()
	for range 1000 {
		out := call(p, who, iam.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: id, MaxItems: new(int32(1000))})
		if out.JobStatus != iam.JobStatusTypeInProgress {
			if out.JobCompletionDate == nil || out.JobCompletionDate.Before(out.JobCreationDate) {
				p.Errorf("asked for at %v, done at %v", out.JobCreationDate, out.JobCompletionDate)
			}
			return out
		}
		if out.JobCompletionDate != nil {
			p.Fatalf("in progress and completed: %+v", out)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Fatal("the report was not made")
	return nil
}

func namespaces(out *iam.GetServiceLastAccessedDetailsOutput) (all []string) {
	for _, s := range out.ServicesLastAccessed {
		all = append(all, s.ServiceNamespace)
	}
	return all
}

func TestServiceLastAccessed(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":["iam:List*","kms:Encrypt","s3:*"],"Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)
	other := delegate(p, "other", `{"Effect":"Allow","Action":"sts:*","Resource":"*"}`)
	follow(p)
	call(p, who, iam.ListUsers, &iam.ListUsersInput{})
	if text := try(p, who, iam.CreateGroup, &iam.CreateGroupInput{GroupName: "g"}); text == "" {
		t.Fatal("a group was made")
	}
	in := &iam.GenerateServiceLastAccessedDetailsInput{Arn: who.ARN, Granularity: new(iam.AccessAdvisorUsageGranularityTypeActionLevel)}
	id, out := accessReport(p, p.root, in)
	if out.JobStatus != iam.JobStatusTypeCompleted || *out.JobType != "ACTION_LEVEL" || out.JobCompletionDate == nil || *out.IsTruncated {
		t.Errorf("report %+v", out)
	}
	if got := namespaces(out); !slices.Equal(got, []string{"iam", "kms"}) {
		t.Fatalf("services %v", got)
	}
	used, unused := out.ServicesLastAccessed[0], out.ServicesLastAccessed[1]
	if used.ServiceName != "AWS Identity and Access Management (IAM)" || used.LastAuthenticated == nil || *used.LastAuthenticatedEntity != who.ARN ||
		*used.LastAuthenticatedRegion != "us-east-1" || *used.TotalAuthenticatedEntities != 1 {
		t.Errorf("iam: %+v", used)
	}
	if unused.LastAuthenticated != nil || unused.LastAuthenticatedEntity != nil || *unused.TotalAuthenticatedEntities != 0 || unused.TrackedActionsLastAccessed != nil {
		t.Errorf("kms: %+v", unused)
	}
	// Of the actions, those that the policies reach: what was refused counts for the service alone.
	tried := map[string]bool{}
	for _, a := range used.TrackedActionsLastAccessed {
		tried[*a.ActionName] = a.LastAccessedTime != nil
	}
	if is, told := tried["ListUsers"]; !is || !told {
		t.Errorf("actions %v", tried)
	}
	if is, told := tried["ListRoles"]; is || !told {
		t.Errorf("actions %v", tried)
	}
	if _, told := tried["CreateGroup"]; told {
		t.Error("an action that no policy reaches is told of")
	}
	// Services alone; and for whoever asked alone.
	if _, out := accessReport(p, p.root, &iam.GenerateServiceLastAccessedDetailsInput{Arn: who.ARN}); *out.JobType != "SERVICE_LEVEL" || out.ServicesLastAccessed[0].TrackedActionsLastAccessed != nil {
		t.Errorf("service level: %+v", out)
	}
	reader := delegate(p, "reader", `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`)
	for _, c := range []struct {
		name, id, want string
		who            *aws.Principal
	}{
		{"another's job", id, "NoSuchEntityException", reader},
		{"no job", "01234567-89ab-cdef-0123-456789abcdef", "NoSuchEntityException", p.root},
		{"without permission", id, "is not authorized to perform: iam:GetServiceLastAccessedDetails", other},
	} {
		_, err := gateway.Invoke(t.Context(), p.Gateway, c.who, iam.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: c.id})
		if !refusedWith(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A page at a time.
	first := call(p, p.root, iam.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: id, MaxItems: new(int32(1))})
	second := call(p, p.root, iam.GetServiceLastAccessedDetails, &iam.GetServiceLastAccessedDetailsInput{JobId: id, MaxItems: new(int32(1)), Marker: first.Marker})
	if got := append(namespaces(first), namespaces(second)...); !slices.Equal(got, []string{"iam", "kms"}) || *second.IsTruncated {
		t.Errorf("pages %v", got)
	}
}

// refusedWith tells whether an error is of that shape, or has that text.
func refusedWith(err error, want string) bool {
	if m, ok := errors.AsType[aws.Modelled](err); ok && m.ErrorShape() == want {
		return true
	}
	return err != nil && strings.Contains(err.Error(), want)
}

func TestLastAccessedOfGroupsAndPolicies(t *testing.T) {
	p := newPlane(t)
	follow(p)
	doc := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`
	arn := *call(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "lists", PolicyDocument: doc}).Policy.Arn
	call(p, p.root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: "g"})
	call(p, p.root, iam.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: "g", PolicyArn: arn})
	var members []*aws.Principal
	for i := range 3 {
		name := "m" + strconv.Itoa(i)
		members = append(members, delegate(p, name, `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`))
		call(p, p.root, iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: "g", UserName: name})
	}
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "m1", PolicyArn: arn}) // and comes once
	call(p, members[0], iam.ListUsers, &iam.ListUsersInput{})
	call(p, members[1], iam.ListUsers, &iam.ListUsersInput{})
	group := call(p, p.root, iam.GetGroup, &iam.GetGroupInput{GroupName: "g"}).Group
	for _, of := range []string{group.Arn, arn} {
		id, out := accessReport(p, p.root, &iam.GenerateServiceLastAccessedDetailsInput{Arn: of})
		if got := namespaces(out); !slices.Equal(got, []string{"iam"}) {
			t.Fatalf("%s reaches %v", of, got)
		}
		if s := out.ServicesLastAccessed[0]; *s.TotalAuthenticatedEntities != 2 || s.LastAuthenticated == nil {
			t.Errorf("%s: %+v", of, s)
		}
		with := call(p, p.root, iam.GetServiceLastAccessedDetailsWithEntities, &iam.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: id, ServiceNamespace: "iam"})
		if len(with.EntityDetailsList) != 3 {
			t.Fatalf("%s: %+v", of, with)
		}
		if last := with.EntityDetailsList[2]; last.EntityInfo.Name != "m2" || last.LastAuthenticated != nil || last.EntityInfo.Type != "USER" || last.EntityInfo.Id == "" {
			t.Errorf("%s: %+v", of, last)
		}
		none := call(p, p.root, iam.GetServiceLastAccessedDetailsWithEntities, &iam.GetServiceLastAccessedDetailsWithEntitiesInput{JobId: id, ServiceNamespace: "kms"})
		if len(none.EntityDetailsList) != 0 {
			t.Errorf("a service that %s does not reach: %+v", of, none)
		}
	}
}

func TestGenerateServiceLastAccessedDetailsRefuses(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ name, arn, want string }{
		{"what is no ARN", "not an arn at all, this is", "InvalidInputException"},
		{"an ARN of something else", "arn:aws:iam::" + testAccount + ":mfa/device", "InvalidInputException"},
		{"a user who does not exist", "arn:aws:iam::" + testAccount + ":user/nobody", "NoSuchEntityException"},
		{"a policy that does not exist", "arn:aws:iam::" + testAccount + ":policy/none", "NoSuchEntityException"},
		{"another account's", "arn:aws:iam::444455556666:role/r", "NoSuchEntityException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := gateway.Invoke(t.Context(), p.Gateway, p.root, iam.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: c.arn})
			if !refusedWith(err, c.want) && !refusedWith(err, "not authorized") {
				t.Errorf("= %v", err)
			}
		})
	}
}

func TestAccessesAreThoseOfWhomTheyAre(t *testing.T) {
	s := New(Options{})
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	event := func(kind, id string, change func(*trail.Event)) trail.Record {
		e := &trail.Event{EventTime: start, EventSource: "kms.amazonaws.com", EventName: "Encrypt", AWSRegion: "eu-west-1",
			UserIdentity: trail.UserIdentity{Type: kind, PrincipalID: id, AccountID: testAccount}}
		if change != nil {
			change(e)
		}
		return trail.Record{Scope: testAccount, Event: e}
	}
	issuer := func(e *trail.Event) {
		e.UserIdentity.SessionContext = &trail.SessionContext{SessionIssuer: &trail.SessionIssuer{PrincipalID: "AROA1"}}
	}
	for _, c := range []struct {
		name   string
		record trail.Record
		want   string // unique id; "" none; "account" that alone
	}{
		{"a user's", event("IAMUser", "AIDA1", nil), "AIDA1"},
		{"a session's, the role's", event("AssumedRole", "AROA1:s", issuer), "AROA1"},
		{"a federated user's, the issuer's", event("FederatedUser", testAccount+":f", issuer), "AROA1"},
		{"a root's, the account's", event("Root", testAccount, nil), "account"},
		{"refused, all the same", event("IAMUser", "AIDA1", func(e *trail.Event) { e.ErrorCode = "AccessDenied" }), "AIDA1"},
		{"with an expired token, nobody's", event("IAMUser", "AIDA1", func(e *trail.Event) { e.ErrorCode = "ExpiredTokenException" }), ""},
		{"of another account, nobody's", event("AWSAccount", "AIDA1", func(e *trail.Event) { e.UserIdentity.AccountID = "444455556666" }), ""},
		{"of a service, nobody's", event("AWSService", "", nil), ""},
		{"of Garrison itself, nobody's", event("IAMUser", "AIDA1", func(e *trail.Event) { e.EventSource = "operator.garrison" }), ""},
		{"erased, nobody's", trail.Record{Scope: testAccount}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.accesses([]trail.Record{c.record})
			want := map[accessOf]Access{}
			if c.want != "" {
				want[accessOf{account: testAccount, namespace: "kms"}] = Access{start, "eu-west-1"}
				if c.want != "account" {
					want[accessOf{account: testAccount, id: c.want, namespace: "kms"}] = Access{start, "eu-west-1"}
				}
			}
			if len(got) != len(want) {
				t.Fatalf("accesses = %v", got)
			}
			for of, is := range want {
				if got[of] != is {
					t.Errorf("accesses = %v", got)
				}
			}
		})
	}
}

// What a user tried goes with the user, and a namesake begins anew.
func TestDeletedUsersLeaveNoAccesses(t *testing.T) {
	p := newPlane(t)
	p.service.Calls = CallsOf([]gateway.Service{p.service})
	id := call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u"}).User.UserId
	record := trail.Record{Scope: testAccount, Event: &trail.Event{EventTime: time.Now(), EventSource: "iam.amazonaws.com", EventName: "ListUsers",
		UserIdentity: trail.UserIdentity{Type: "IAMUser", PrincipalID: id, AccountID: testAccount}}}
	have := func() (n int) {
		p.update(func(tx store.Tx) error {
			n = 0
			for _, table := range []*store.Table[Access]{serviceAccesses, actionAccesses} {
				for _, err := range table.List(tx, testAccount, nil, id) {
					if err != nil {
						return err
					}
					n++
				}
			}
			return nil
		})
		return n
	}
	write := func() {
		p.update(func(tx store.Tx) error { return recordAccesses(tx, p.service.accesses([]trail.Record{record})) })
	}
	if write(); have() != 2 {
		t.Fatalf("%d accesses", have())
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
	if write(); have() != 0 {
		t.Errorf("%d accesses of a user who is gone", have())
	}
}

func TestListPoliciesGrantingServiceAccess(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`)
	call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess"})
	call(p, p.root, iam.CreateGroup, &iam.CreateGroupInput{GroupName: "g"})
	call(p, p.root, iam.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: "g", PolicyName: "gp", PolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}`})
	call(p, p.root, iam.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: "g", UserName: "u"})
	out := call(p, p.root, iam.ListPoliciesGrantingServiceAccess, &iam.ListPoliciesGrantingServiceAccessInput{Arn: who.ARN, ServiceNamespaces: []string{"kms", "iam", "sqs"}})
	got := map[string][]string{}
	for _, e := range out.PoliciesGrantingServiceAccess {
		got[*e.ServiceNamespace] = nil
		for _, g := range e.Policies {
			text := string(g.PolicyType) + " " + g.PolicyName
			if g.EntityName != nil {
				text += " " + string(*g.EntityType) + " " + *g.EntityName
			}
			got[*e.ServiceNamespace] = append(got[*e.ServiceNamespace], text)
		}
	}
	if len(got) != 3 || got["sqs"] != nil || !slices.Equal(got["iam"], []string{"MANAGED IAMReadOnlyAccess"}) ||
		len(got["kms"]) != 2 || got["kms"][1] != "INLINE gp GROUP g" {
		t.Errorf("%v", got)
	}
	_, err := gateway.Invoke(t.Context(), p.Gateway, p.root, iam.ListPoliciesGrantingServiceAccess, &iam.ListPoliciesGrantingServiceAccessInput{Arn: who.ARN, ServiceNamespaces: []string{"nosuchservice"}})
	if !refusedWith(err, "InvalidInputException") {
		t.Errorf("an unknown service: %v", err)
	}
}

// Reports go after a day, the oldest first where there are too many, and an
// account that asks faster than it is answered is told to wait.
func TestAccessJobsAreBounded(t *testing.T) {
	p := newPlane(t)
	start := time.Now()
	var all []*AccessJob
	add := func(after time.Duration) error {
		j := &AccessJob{Of: "arn:aws:iam::" + testAccount + ":user/u"}
		err := p.engine.Update(t.Context(), func(tx store.Tx) error {
			return j.add(&gateway.Call{Tx: tx, Time: start.Add(after), Principal: p.root, Account: testAccount})
		})
		all = append(all, j)
		return err
	}
	there := func(j *AccessJob, after time.Duration) bool {
		var found error
		p.update(func(tx store.Tx) error {
			_, found = jobOf(&gateway.Call{Tx: tx, Time: start.Add(after), Principal: p.root, Account: testAccount}, j.ID, false)
			return nil
		})
		return found == nil
	}
	for i := range jobsPending {
		if err := add(time.Duration(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(time.Minute); !isKind(err, aws.Throttled) {
		t.Errorf("one more than can wait: %v", err)
	}
	if !there(all[0], jobAge) || there(all[0], jobAge+time.Second) {
		t.Error("a report is not there for a day")
	}
	p.update(func(tx store.Tx) error {
		for _, j := range all[:10] { // as the consumer ends them
			if err := new(madeReport).store(tx, testAccount, *j, start); err != nil {
				return err
			}
		}
		return nil
	})
	if err := add(jobAge + time.Minute); err != nil {
		t.Fatal(err)
	}
	p.update(func(tx store.Tx) error {
		n, err := counted(tx, testAccount, countJobs)
		if want := jobsPending + 1 - jobsPerSweep; n != want || err != nil {
			t.Errorf("%d reports are kept, %v; want %d", n, err, want)
		}
		for _, j := range all[:jobsPerSweep] {
			if found, err := accessReports.Has(tx, testAccount, j.ID); found || err != nil {
				t.Errorf("what an old report found is kept: %v", err)
			}
		}
		return nil
	})
}

// Policies that are made to be dear keep nobody busy: AWS's twenty thousand
// actions are not all compared with what matches none of them in the end.
func TestDearPoliciesMakeNoReport(t *testing.T) {
	p := newPlane(t)
	p.service.reportWork, p.service.grantingWork = 2, 1
	follow(p)
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u"})
	for i := range 10 {
		var actions []string
		for j := range 150 {
			actions = append(actions, `"*:*e*e*t*e*s*r*e*t*e*`+strconv.Itoa(j)+`z"`)
		}
		doc := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + strings.Join(actions, ",") + `],"Resource":"*"}}`
		arn := call(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "dear" + strconv.Itoa(i), PolicyDocument: doc}).Policy.Arn
		call(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: "u", PolicyArn: *arn})
	}
	_, out := accessReport(p, p.root, &iam.GenerateServiceLastAccessedDetailsInput{Arn: "arn:aws:iam::" + testAccount + ":user/u"})
	if out.JobStatus != iam.JobStatusTypeFailed || out.Error == nil || out.Error.Code != "LimitExceeded" || out.JobCompletionDate == nil {
		t.Errorf("report %+v %+v", out, out.Error)
	}
	everything := []string{"s3", "ec2", "iam", "kms", "sagemaker", "chime", "connect", "glue", "iot", "quicksight", "rds", "ssm", "wellarchitected", "bedrock"}
	got := try(p, p.root, iam.ListPoliciesGrantingServiceAccess, &iam.ListPoliciesGrantingServiceAccessInput{Arn: "arn:aws:iam::" + testAccount + ":user/u", ServiceNamespaces: everything})
	if !strings.HasPrefix(got, "InvalidInputException") {
		t.Errorf("ListPoliciesGrantingServiceAccess = %q", got)
	}
}

// Reports that are too large to be written together are made in turns, and one
// that is too large by itself fails: the consumer goes on.
func TestLargeReportsAreMadeInTurns(t *testing.T) {
	p := newPlane(t)
	p.service.Calls = CallsOf([]gateway.Service{p.service})
	arn := *call(p, p.root, iam.CreatePolicy, &iam.CreatePolicyInput{PolicyName: "common",
		PolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`}).Policy.Arn
	path := "/" + strings.Repeat("p", 510) + "/"
	p.update(func(tx store.Tx) error {
		for i := range 5000 {
			name := "u" + strconv.Itoa(i)
			u := &User{Entity: Entity{ID: "AIDA" + name, Name: name, Path: path, Arn: "arn:aws:iam::" + testAccount + ":user" + path + name, Attached: []string{arn}}}
			if err := users.Put(tx, testAccount, u, u.ID); err != nil {
				return err
			}
		}
		return nil
	})
	var ids []string
	for range 14 { // of 6 MB each
		ids = append(ids, *call(p, p.root, iam.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: arn}).JobId)
	}
	follow(p)
	for _, id := range ids {
		if out := finished(p, p.root, id); out.JobStatus != iam.JobStatusTypeCompleted {
			t.Errorf("report %+v", out)
		}
	}
	p.service.reportBytes = 1 << 20
	if _, out := accessReport(p, p.root, &iam.GenerateServiceLastAccessedDetailsInput{Arn: arn}); out.JobStatus != iam.JobStatusTypeFailed || out.Error.Code != "LimitExceeded" {
		t.Errorf("report %+v", out)
	}
}
