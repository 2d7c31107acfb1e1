package accessanalyzer

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/accessanalyzer"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

// everybody is a directory whose users may do everything, but mallory.
type everybody struct{}

func (everybody) Credential(store.Tx, string) (*gateway.Credential, error) {
	return nil, store.ErrNotFound
}
func (everybody) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}
func (everybody) Policies(_ store.Tx, who *aws.Principal, p *policy.Policies) (map[string]string, error) {
	if who.Name == "mallory" {
		return nil, nil
	}
	document, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`), policy.Identity)
	if err == nil {
		p.Identity = append(p.Identity[:0], policy.Compile(document, ""))
	}
	return nil, err
}

// plane is a gateway that serves the service from memory.
func plane(t testing.TB) *gateway.Gateway {
	t.Helper()
	options := storetest.Options()
	options.Journal = trail.NewJournal(options.Sealer)
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	g, err := gateway.New(gateway.Config{
		Engine: engine, Directory: everybody{}, Sessions: everybody{}, Services: []gateway.Service{New(Options{Tokens: store.Tokens{Sealer: options.Sealer}})},
		Unattributed: new(trail.Unattributed), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func user(account, name string) *aws.Principal {
	return &aws.Principal{Kind: aws.User, Partition: "aws", Account: account, Name: name,
		ARN: "arn:aws:iam::" + account + ":user/" + name, ID: "AIDA" + name, AccessKeyID: "AKIA" + name}
}

const (
	home  = "111122223333"
	other = "444455556666"
	empty = `{}`
)

func TestValidatePolicyRefuses(t *testing.T) {
	g := plane(t)
	first, err := gateway.Invoke(t.Context(), g, user(home, "alice"), api.ValidatePolicy, &api.ValidatePolicyInput{
		PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy, MaxResults: new(int32(1))})
	if err != nil || first.NextToken == nil {
		t.Fatalf("the first page: %v, %v", first, err)
	}
	for _, c := range []struct {
		name, account, who string
		in                 api.ValidatePolicyInput
		want               string
	}{
		{"who may not", home, "mallory", api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy}, "AccessDenied"},
		{"a type of resource of another type of policy", home, "alice",
			api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy, ValidatePolicyResourceType: new(api.ValidatePolicyResourceTypeAwsS3Bucket)}, "ValidationException validatePolicyResourceType"},
		{"no results", home, "alice", api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy, MaxResults: new(int32(0))}, "ValidationException maxResults"},
		{"a token of another account", other, "bob", api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy, NextToken: first.NextToken}, "ValidationException nextToken"},
		{"a token of another policy", home, "alice", api.ValidatePolicyInput{PolicyDocument: "[]", PolicyType: api.PolicyTypeIdentityPolicy, NextToken: first.NextToken}, "ValidationException nextToken"},
		{"a token of another type", home, "alice", api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeServiceControlPolicy, NextToken: first.NextToken}, "ValidationException nextToken"},
		{"a token that is none", home, "alice", api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy, NextToken: new("x")}, "ValidationException nextToken"},
		{"too long a policy", home, "alice", api.ValidatePolicyInput{PolicyDocument: strings.Repeat(" ", 1<<20), PolicyType: api.PolicyTypeIdentityPolicy}, "ValidationException policyDocument"},
		{"another language", home, "alice", api.ValidatePolicyInput{PolicyDocument: empty, PolicyType: api.PolicyTypeIdentityPolicy, Locale: new(api.LocaleJa)}, "NotImplemented"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := gateway.Invoke(t.Context(), g, user(c.account, c.who), api.ValidatePolicy, &c.in)
			if got := describe(err); got != c.want {
				t.Errorf("ValidatePolicy = %v, want %s", err, c.want)
			}
		})
	}
}

func describe(err error) string {
	if bad, ok := errors.AsType[*api.ValidationException](err); ok && len(bad.FieldList) == 1 {
		return "ValidationException " + bad.FieldList[0].Name
	}
	if bad, ok := errors.AsType[*aws.Error](err); ok {
		switch bad.Kind {
		case aws.NotImplemented:
			return "NotImplemented"
		case aws.AccessDenied:
			return "AccessDenied"
		}
	}
	return fmt.Sprint(err)
}

// TestPages: pages hold all findings, in order, each once.
func TestPages(t *testing.T) {
	g := plane(t)
	document := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(`{"Sid":"","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b"},`, 149) + `{"Effect":1}]}`
	in := api.ValidatePolicyInput{PolicyDocument: document, PolicyType: api.PolicyTypeIdentityPolicy}
	var all []string
	for page := 0; ; page++ {
		out, err := gateway.Invoke(t.Context(), g, user(home, "alice"), api.ValidatePolicy, &in)
		if err != nil {
			t.Fatal(err)
		}
		if page == 0 && len(out.Findings) != usualResults {
			t.Errorf("%d findings on the first page", len(out.Findings))
		}
		for _, f := range out.Findings {
			all = append(all, fmt.Sprint(f.IssueCode, f.Locations[0].Span.Start.Offset))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
		in.MaxResults = new(int32(7))
	}
	in.MaxResults, in.NextToken = new(int32(5000)), nil
	out, err := gateway.Invoke(t.Context(), g, user(home, "alice"), api.ValidatePolicy, &in)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(out.Findings) || len(all) < 150 {
		t.Errorf("%d findings on pages, %d on one", len(all), len(out.Findings))
	}
	for i, f := range out.Findings[:min(len(all), len(out.Findings))] {
		if want := fmt.Sprint(f.IssueCode, f.Locations[0].Span.Start.Offset); all[i] != want {
			t.Fatalf("finding %d is %s, want %s", i, all[i], want)
		}
	}
}
