package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
)

// Keys of users' and roles' tags are the same in whatever case; others' are as written.
func TestTagKeys(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	two := []iam.Tag{{Key: "Team", Value: "one"}, {Key: "team", Value: "two"}}
	const twice = "InvalidInputException: Duplicate tag keys found. Please note that Tag keys are case insensitive."
	if got := try(p, p.root, iam.TagRole, &iam.TagRoleInput{RoleName: "r", Tags: two}); got != twice {
		t.Errorf("TagRole = %s", got)
	}
	for _, tag := range two {
		call(p, p.root, iam.TagRole, &iam.TagRoleInput{RoleName: "r", Tags: []iam.Tag{tag}})
	}
	if got := call(p, p.root, iam.ListRoleTags, &iam.ListRoleTagsInput{RoleName: "r"}).Tags; !slices.Equal(got, two[1:]) {
		t.Errorf("a role's tags: %v", got)
	}
	if got := try(p, p.root, iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: own, Tags: []iam.Tag{two[0], two[0]}}); got != "InvalidInputException: Duplicate tag keys found." {
		t.Errorf("TagPolicy = %s", got)
	}
	call(p, p.root, iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: own, Tags: two})
	if got := call(p, p.root, iam.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: own}).Tags; !slices.Equal(got, two) {
		t.Errorf("a policy's tags: %v", got)
	}
	call(p, p.root, iam.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: own, TagKeys: []string{"team"}})
	if got := call(p, p.root, iam.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: own}).Tags; !slices.Equal(got, two[:1]) {
		t.Errorf("a policy's tags after one was removed: %v", got)
	}
	reserved := try(p, p.root, iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: own, Tags: []iam.Tag{{Key: "AWS:x", Value: "1"}}})
	if reserved != "InvalidInputException: Tag keys beginning with aws: are reserved for system use." {
		t.Errorf("a reserved key: %s", reserved)
	}
	many := make([]iam.Tag, 50)
	for i := range many {
		many[i] = iam.Tag{Key: fmt.Sprint("k", i), Value: "v"}
	}
	full := try(p, p.root, iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: own, Tags: many})
	if full != "LimitExceededException: The number of tags has reached the maximum limit." {
		t.Errorf("51 tags: %s", full)
	}
}

// A tag whose key differs in case alone stands in for no other, in a request or on a resource.
func TestTagsOfAnotherCaseShadowNothing(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	tag := func(who *aws.Principal, tags ...iam.Tag) string {
		return try(p, who, iam.TagPolicy, &iam.TagPolicyInput{PolicyArn: own, Tags: tags})
	}
	who := delegate(p, "d", `{"Effect":"Allow","Action":"iam:TagPolicy","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}}`)
	if got := tag(who, iam.Tag{Key: "team", Value: "red"}, iam.Tag{Key: "Team", Value: "blue"}); !strings.Contains(got, "not authorized") {
		t.Errorf("a second tag in the request: %s", got)
	}
	if got := tag(who, iam.Tag{Key: "Team", Value: "blue"}, iam.Tag{Key: "team", Value: "red"}); got != "" {
		t.Errorf("the first tag in the request: %s", got)
	}
	reader := delegate(p, "e", `{"Effect":"Allow","Action":"iam:GetPolicy","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}`)
	for range 20 {
		if got := try(p, reader, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: own}); !strings.Contains(got, "not authorized") {
			t.Fatalf("a second tag of the resource: %s", got)
		}
	}
}

// Names are found in whatever case, and answered as they were given.
func TestNamesInAnyCase(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	if u := call(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: new("U")}).User; u.UserName != "u" {
		t.Errorf("user %s", u.UserName)
	}
	if g := call(p, p.root, iam.GetGroup, &iam.GetGroupInput{GroupName: "G"}).Group; g.GroupName != "g" {
		t.Errorf("group %s", g.GroupName)
	}
	if r := call(p, p.root, iam.GetRole, &iam.GetRoleInput{RoleName: "R"}).Role; r.RoleName != "r" {
		t.Errorf("role %s", r.RoleName)
	}
	// An inline policy is put in its namesake's place, and answered under the name that was asked for.
	deny := strings.Replace(allowAll, "Allow", "Deny", 1)
	call(p, p.root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: "MixedName", PolicyDocument: allowAll})
	call(p, p.root, iam.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: "r", PolicyName: "MIXEDNAME", PolicyDocument: deny})
	if got := call(p, p.root, iam.ListRolePolicies, &iam.ListRolePoliciesInput{RoleName: "r"}).PolicyNames; !slices.Equal(got, []string{"MixedName"}) {
		t.Errorf("inline policies %v", got)
	}
	if got := call(p, p.root, iam.GetRolePolicy, &iam.GetRolePolicyInput{RoleName: "r", PolicyName: "MIXEDNAME"}); got.PolicyName != "MIXEDNAME" || got.PolicyDocument != encoded(deny) {
		t.Errorf("inline policy %+v", got)
	}
	call(p, p.root, iam.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: "r", PolicyName: "mixedname"})
	// What is decided on is what is there, however a caller spells it.
	who := delegate(p, "d", `{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"arn:aws:iam::111122223333:role/r"}`)
	if got := try(p, who, iam.DeleteRole, &iam.DeleteRoleInput{RoleName: "R"}); !strings.Contains(got, "explicit deny") {
		t.Errorf("DeleteRole = %s", got)
	}
}
