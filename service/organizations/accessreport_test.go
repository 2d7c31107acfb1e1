package organizations_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/aws"
)

// report is a report on a node of the organisation, once it is there.
func (p *plane) report(who *aws.Principal, in iamapi.GenerateOrganizationsAccessReportInput, by iamapi.SortKeyType) *iamapi.GetOrganizationsAccessReportOutput {
	p.Helper()
	id := *call(p, who, iamapi.GenerateOrganizationsAccessReport, &in).JobId
	for range 1000 {
		out := call(p, who, iamapi.GetOrganizationsAccessReport, &iamapi.GetOrganizationsAccessReportInput{JobId: id, SortKey: &by, MaxItems: new(int32(1000))})
		if out.JobStatus == iamapi.JobStatusTypeCompleted {
			return out
		}
		if out.JobStatus != iamapi.JobStatusTypeInProgress || out.JobCompletionDate != nil || out.AccessDetails != nil {
			p.Fatalf("report %+v", out)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Fatal("the report was not made")
	return nil
}

// told finds a service in a report; nil: it is not in it.
func told(out *iamapi.GetOrganizationsAccessReportOutput, namespace string) *iamapi.AccessDetail {
	for i := range out.AccessDetails {
		if out.AccessDetails[i].ServiceNamespace == namespace {
			return &out.AccessDetails[i]
		}
	}
	return nil
}

// What members tried, by who lies where and what guardrails leave open.
func TestOrganizationsAccessReport(t *testing.T) {
	p := newPlane(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.iam.Run(ctx, p.trail) }()
	defer func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	r := p.found()
	p.invite(stranger)
	p.invite(other)
	unit := p.unit(r, "unit")
	call(p, root(head), api.MoveAccount, &api.MoveAccountInput{AccountId: other, SourceParentId: r, DestinationParentId: unit})
	org := *call(p, root(head), api.DescribeOrganization, &api.DescribeOrganizationInput{}).Organization.Id
	call(p, root(stranger), iamapi.ListUsers, &iamapi.ListUsersInput{})
	p.now = p.now.Add(time.Hour)
	call(p, root(other), iamapi.ListUsers, &iamapi.ListUsersInput{})
	guard := p.policy(scp, "guard", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":["iam:*","s3:*","kms:*"],"Resource":"*"}]}`)
	call(p, root(head), api.AttachPolicy, &api.AttachPolicyInput{PolicyId: guard, TargetId: unit})
	path := org + "/" + r
	for _, c := range []struct {
		name, path, policy string
		iam                int32  // accounts that tried IAM
		last               string // the account that did last
		s3                 bool   // S3 is open
	}{
		{"the root", path, "", 2, other, true},
		{"the unit", path + "/" + unit, "", 1, other, false},
		{"a member", path + "/" + stranger, "", 1, stranger, true},
		{"the management account", path + "/" + head + "/", "", 1, head, true},
		{"it, whatever the policy", path + "/" + head, guard, 1, head, true},
		{"a policy at the root", path, guard, 1, other, false},
		{"a policy that does not apply", path + "/" + stranger, guard, 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := iamapi.GenerateOrganizationsAccessReportInput{EntityPath: c.path}
			if c.policy != "" {
				in.OrganizationsPolicyId = &c.policy
			}
			out := p.report(root(head), in, iamapi.SortKeyTypeLastAuthenticatedTimeDescending)
			used := told(out, "iam")
			if used == nil || *used.TotalAuthenticatedEntities != c.iam || (used.EntityPath == nil) != (c.last == "") {
				t.Fatalf("iam: %+v", used)
			}
			if c.last != "" && (!strings.HasSuffix(*used.EntityPath, "/"+c.last) || *used.Region != "us-east-1" || used.LastAuthenticatedTime == nil) {
				t.Errorf("iam: %+v", used)
			}
			if (told(out, "s3") != nil) != c.s3 {
				t.Errorf("s3: %+v", told(out, "s3"))
			}
			if int(*out.NumberOfServicesAccessible) != len(out.AccessDetails) || *out.NumberOfServicesNotAccessed >= *out.NumberOfServicesAccessible && c.iam > 0 {
				t.Errorf("%d services, %d not tried, of %d", *out.NumberOfServicesAccessible, *out.NumberOfServicesNotAccessed, len(out.AccessDetails))
			}
		})
	}
	h := root(head)
	generate := func(who *aws.Principal, path, policy string) string {
		in := &iamapi.GenerateOrganizationsAccessReportInput{EntityPath: path}
		if policy != "" {
			in.OrganizationsPolicyId = &policy
		}
		return try(p, who, iamapi.GenerateOrganizationsAccessReport, in)
	}
	reader := p.user(head, "reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:*","organizations:ListRoots"],"Resource":"*"}}`)
	narrow := p.user(head, "narrow", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateOrganizationsAccessReport"],"Resource":"*","Condition":{"StringEquals":{"iam:OrganizationsPolicyId":"`+guard+`"}}},{"Effect":"Allow","Action":"organizations:*","Resource":"*"}]}`)
	for _, c := range []struct{ name, got, want string }{
		{"a member", generate(root(other), path, ""), "is not the management account"},
		{"another root", generate(h, org+"/r-none", ""), "cannot be found"},
		{"another organisation", generate(h, "o-aaaaaaaaaa/"+r, ""), "cannot be found"},
		{"a member where it does not lie", generate(h, path+"/"+other, ""), "cannot be found"},
		{"an unknown policy", generate(h, path, "p-12345678"), "cannot be found"},
		{"who may not read the organisation", generate(reader, path, ""), "is not authorized to perform: organizations:"},
		{"who may for one policy, for all", generate(narrow, path, ""), "is not authorized to perform: iam:GenerateOrganizationsAccessReport"},
		{"who may for one policy, for it", generate(narrow, path, guard), ""},
		{"an unknown job", try(p, h, iamapi.GetOrganizationsAccessReport, &iamapi.GetOrganizationsAccessReportInput{JobId: "01234567-89ab-cdef-0123-456789abcdef"}), "NoSuchEntity"},
	} {
		if c.want == "" && c.got != "" || !strings.Contains(c.got, c.want) {
			t.Errorf("%s: %q", c.name, c.got)
		}
	}
	call(p, h, api.DisablePolicyType, &api.DisablePolicyTypeInput{RootId: r, PolicyType: scp})
	if got := generate(h, path, ""); !strings.Contains(got, "not enabled") {
		t.Errorf("without service control policies: %q", got)
	}
}
