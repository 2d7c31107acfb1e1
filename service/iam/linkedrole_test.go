package iam

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/service/iam/managed"
)

// The table agrees with itself and with what AWS's own managed policies say of service-linked roles.
func TestLinkedServices(t *testing.T) {
	lines := 0
	last := ""
	for line := range strings.Lines(linkedRoles) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		if line <= last {
			t.Errorf("out of order: %s", line)
		}
		last = line
	}
	all := linkedServices()
	if len(all) != lines || lines < 150 {
		t.Errorf("%d services of %d lines", len(all), lines)
	}
	names := map[string]bool{}
	for _, l := range all {
		if names[l.role] || !strings.HasPrefix(l.role, "AWSServiceRoleFor") || len(l.role) > 64 || !strings.HasSuffix(l.principal, ".amazonaws.com") {
			t.Errorf("role %s of %s", l.role, l.principal)
		}
		names[l.role] = true
		for _, arn := range l.policyARNs("aws") {
			if managed.Get("aws", arn) == nil {
				t.Errorf("%s: no policy %s", l.role, arn)
			}
		}
	}
	// Recorded as …EmailService, which AWS's policy names …Email.
	const differs = "email.cognito-idp.amazonaws.com"
	named := regexp.MustCompile(`role/aws-service-role/([a-z0-9.\-]+\.amazonaws\.com)/(AWSServiceRoleFor\w+)([*"])`)
	checked := 0
	for p := range managed.All("") {
		for _, m := range named.FindAllStringSubmatch(p.Document(), -1) {
			l, ok := all[m[1]]
			if !ok || m[1] == differs {
				continue
			}
			checked++
			if l.role != strings.TrimSuffix(m[2], "_") && !(m[3] == "*" && strings.HasPrefix(l.role, m[2])) && m[1] != "elasticbeanstalk.amazonaws.com" {
				t.Errorf("%s: %s, but %s says %s", m[1], l.role, p.Name, m[2])
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d were compared", checked)
	}
}

func TestServiceLinkedRole(t *testing.T) {
	p := newPlane(t)
	root := p.root
	create := func(service string, suffix *string) string {
		return try(p, root, iam.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: service, CustomSuffix: suffix})
	}
	for _, c := range []struct{ name, got, want string }{
		{"a service without", create("account.amazonaws.com", nil), "Cannot find Service Linked Role template for account.amazonaws.com"},
		{"a service in another case", create("Batch.amazonaws.com", nil), "Cannot find Service Linked Role template for Batch.amazonaws.com"},
		{"a suffix", create("batch.amazonaws.com", new("x")), "InvalidInputException: Custom suffix is not allowed for batch.amazonaws.com"},
		{"create", create("batch.amazonaws.com", nil), ""},
		{"create twice", create("batch.amazonaws.com", nil), "InvalidInputException: Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix."},
		{"a suffix where one is taken", create("autoscaling.amazonaws.com", new("x")), ""},
		{"another", create("autoscaling.amazonaws.com", new("y")), ""},
		{"too long a suffix", create("autoscaling.amazonaws.com", new(strings.Repeat("x", 64))), "InvalidInputException: The role name AWSServiceRoleForAutoScaling_" + strings.Repeat("x", 64) + " is too long."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	name := "AWSServiceRoleForAutoScaling_x"
	r := call(p, root, iam.GetRole, &iam.GetRoleInput{RoleName: name}).Role
	trust, _ := url.PathUnescape(*r.AssumeRolePolicyDocument)
	if r.Arn != "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/"+name || !strings.Contains(trust, `{"Service":"autoscaling.amazonaws.com"}`) {
		t.Errorf("role %s, trust %s", r.Arn, trust)
	}
	policy := "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"
	if got := call(p, root, iam.ListAttachedRolePolicies, &iam.ListAttachedRolePoliciesInput{RoleName: name}).AttachedPolicies; len(got) != 1 || *got[0].PolicyArn != policy {
		t.Errorf("policies %v", got)
	}
	if n := *call(p, root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: policy}).Policy.AttachmentCount; n != 2 {
		t.Errorf("%d attachments", n)
	}
	call(p, root, iam.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: "ip"})
	protected := "UnmodifiableEntityException: Cannot perform the operation on the protected role '" + name + "' - this role is only modifiable by AWS"
	for _, c := range []struct{ name, got, want string }{
		{"UpdateAssumeRolePolicy", try(p, root, iam.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: trustRoot}), protected},
		{"PutRolePolicy", try(p, root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: name, PolicyName: "p", PolicyDocument: allowAll}), protected},
		{"DeleteRolePolicy", try(p, root, iam.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: "p"}), protected},
		{"AttachRolePolicy", try(p, root, iam.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: readOnly}), protected},
		{"DetachRolePolicy", try(p, root, iam.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: policy}), protected},
		{"PutRolePermissionsBoundary", try(p, root, iam.PutRolePermissionsBoundary, &iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: readOnly}), protected},
		{"DeleteRolePermissionsBoundary", try(p, root, iam.DeleteRolePermissionsBoundary, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name}), protected},
		{"DeleteRole", try(p, root, iam.DeleteRole, &iam.DeleteRoleInput{RoleName: name}), protected},
		{"AddRoleToInstanceProfile", try(p, root, iam.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: "ip", RoleName: name}), protected},
		{"UpdateRole's duration", try(p, root, iam.UpdateRole, &iam.UpdateRoleInput{RoleName: name, MaxSessionDuration: new(int32(7200))}), "UnmodifiableEntityException: " + name + " is an AWS service linked role, max session duration cannot be changed."},
		{"UpdateRole's description", try(p, root, iam.UpdateRole, &iam.UpdateRoleInput{RoleName: name, Description: new("d")}), ""},
		{"UpdateRoleDescription", try(p, root, iam.UpdateRoleDescription, &iam.UpdateRoleDescriptionInput{RoleName: name, Description: "d"}), ""},
		{"TagRole", try(p, root, iam.TagRole, &iam.TagRoleInput{RoleName: name, Tags: []iam.Tag{{Key: "a", Value: "b"}}}), ""},
		{"UntagRole", try(p, root, iam.UntagRole, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"a"}}), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	// Who may do nothing is told no more of a service's role than of another.
	who := delegate(p, "d", `{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}`)
	if got := try(p, who, iam.DeleteRole, &iam.DeleteRoleInput{RoleName: name}); !strings.Contains(got, "not authorized to perform: iam:DeleteRole") {
		t.Errorf("a stranger: %s", got)
	}
}

func TestServiceLinkedRoleDeletion(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	root := p.root
	call(p, root, iam.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: "batch.amazonaws.com"})
	task := call(p, root, iam.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: "AWSServiceRoleForBatch"}).DeletionTaskId
	if !strings.HasPrefix(task, "task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/") {
		t.Errorf("task %s", task)
	}
	if status := call(p, root, iam.GetServiceLinkedRoleDeletionStatus, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}).Status; status != "SUCCEEDED" {
		t.Errorf("status %s", status)
	}
	status := func(id string) string {
		return try(p, root, iam.GetServiceLinkedRoleDeletionStatus, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: id})
	}
	p.account("222233334444")
	stranger := p.principal("222233334444", "root222233334444")
	unknown := task[:len(task)-12] + "000000000000"
	for _, c := range []struct{ name, got, want string }{
		{"an unknown task", status(unknown), "NoSuchEntityException: Cannot find deletion status for given id."},
		{"a malformed one", status("task/x"), "InvalidInputException: Invalid task id"},
		{"one of a role that is none", status("task/aws-service-role/x/../y/" + task[len(task)-36:]), "InvalidInputException: Invalid task id"},
		{"another account's", try(p, stranger, iam.GetServiceLinkedRoleDeletionStatus, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}), "NoSuchEntityException: Cannot find deletion status for given id."},
		{"delete it again", try(p, root, iam.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: "AWSServiceRoleForBatch"}), "NoSuchEntityException: The role with name AWSServiceRoleForBatch cannot be found."},
		{"delete a role of one's own", try(p, root, iam.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: "r"}), "NoSuchEntityException: The role with name r cannot be found."},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	if n := *call(p, root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: "arn:aws:iam::aws:policy/aws-service-role/BatchServiceRolePolicy"}).Policy.AttachmentCount; n != 0 {
		t.Errorf("%d attachments are left", n)
	}
	if got := try(p, root, iam.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: "batch.amazonaws.com"}); got != "" {
		t.Errorf("made again: %s", got)
	}
	// The right to make one service's role is the right to make no other's.
	who := delegate(p, "d", `{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":"ecs.amazonaws.com"}}}`)
	if got := try(p, who, iam.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: "spot.amazonaws.com"}); !strings.Contains(got, "not authorized to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::111122223333:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot") {
		t.Errorf("another service's: %s", got)
	}
	if got := try(p, who, iam.CreateServiceLinkedRole, &iam.CreateServiceLinkedRoleInput{AWSServiceName: "ecs.amazonaws.com"}); got != "" {
		t.Errorf("the service's: %s", got)
	}
}
