package iam

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

func TestUserLives(t *testing.T) {
	p := newPlane(t)
	made := call(p, p.root, iam.CreateUser, &iam.CreateUserInput{
		UserName: "Alice", Path: new("/eng/"), Tags: []iam.Tag{{Key: "team", Value: "blue"}},
	}).User
	if want := "arn:aws:iam::111122223333:user/eng/Alice"; made.Arn != want || made.UserId[:4] != "AIDA" || len(made.Tags) != 1 {
		t.Errorf("CreateUser = %+v, want ARN %s", made, want)
	}
	got := call(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: new("Alice")}).User
	if fmt.Sprint(*got) != fmt.Sprint(*made) {
		t.Errorf("GetUser = %+v, want %+v", got, made)
	}
	call(p, p.root, iam.UpdateUser, &iam.UpdateUserInput{UserName: "Alice", NewUserName: new("alice2"), NewPath: new("/")})
	if got := call(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: new("alice2")}).User; got.Arn != "arn:aws:iam::111122223333:user/alice2" || got.UserId != made.UserId {
		t.Errorf("renamed user = %+v", got)
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "alice2"})
	for name, in := range map[string]string{"old": "Alice", "deleted": "alice2"} {
		if got := try(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: &in}); got != "NoSuchEntityException: The user with name "+in+" cannot be found." {
			t.Errorf("GetUser of the %s name = %s", name, got)
		}
	}
}

func TestGetUserOfRootIsTheAccount(t *testing.T) {
	p := newPlane(t)
	got := call(p, p.root, iam.GetUser, &iam.GetUserInput{}).User
	if got.Arn != "arn:aws:iam::111122223333:root" || got.UserId != testAccount || got.UserName != "" {
		t.Errorf("GetUser = %+v", got)
	}
}

func TestListUsersPagesStayStable(t *testing.T) {
	p := newPlane(t)
	for i := range 1000 {
		call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: fmt.Sprintf("user-%04d", i)})
	}
	seen := map[string]int{}
	var marker *string
	for pages := 0; ; pages++ {
		out := call(p, p.root, iam.ListUsers, &iam.ListUsersInput{MaxItems: new(int32(77)), Marker: marker})
		for _, u := range out.Users {
			seen[u.UserName]++
		}
		if !*out.IsTruncated {
			break
		}
		marker = out.Marker
		// What comes and goes meanwhile does not move what stays.
		call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: fmt.Sprintf("user-%04d-new", pages)})
		call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: fmt.Sprintf("user-%04d", pages*2)})
	}
	for i := range 1000 {
		if name := fmt.Sprintf("user-%04d", i); seen[name] > 1 || seen[name] == 0 && i%2 == 1 {
			t.Errorf("%s was listed %d times", name, seen[name])
		}
	}
}

func TestListUsersRefusesAMarkerOfAnotherListing(t *testing.T) {
	p := newPlane(t)
	for i := range 3 {
		call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: fmt.Sprint("u", i)})
	}
	marker := call(p, p.root, iam.ListUsers, &iam.ListUsersInput{MaxItems: new(int32(1))}).Marker
	if marker == nil || len(*marker) > 320 {
		t.Fatalf("marker %v", marker)
	}
	altered := "Z" + (*marker)[1:]
	for _, in := range []iam.ListUsersInput{{Marker: marker, PathPrefix: new("/x/")}, {Marker: &altered}, {Marker: new("x")}} {
		if got := try(p, p.root, iam.ListUsers, &in); got != "Invalid Marker." {
			t.Errorf("ListUsers = %s", got)
		}
	}
	if got := try(p, p.root, iam.ListGroups, &iam.ListGroupsInput{Marker: marker}); got != "Invalid Marker." {
		t.Errorf("ListGroups = %s", got)
	}
}

// One wins, whatever the case of the letters.
func TestCreateUserOfOneNameAtOnce(t *testing.T) {
	p := newPlane(t)
	var wins, exists atomic.Int32
	var all sync.WaitGroup
	for i := range 100 {
		name := "bob"
		if i%2 == 1 {
			name = "BOB"
		}
		all.Go(func() {
			switch got := try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: name}); got {
			case "":
				wins.Add(1)
			case "EntityAlreadyExistsException: User with name " + name + " already exists.":
				exists.Add(1)
			default:
				t.Error(got)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 || exists.Load() != 99 {
		t.Errorf("%d made the user, %d were told it exists", wins.Load(), exists.Load())
	}
}

func TestUserQuotaHolds(t *testing.T) {
	p := newPlane(t, func(o *Options) { o.Quotas.Users = 2 })
	for i := range 2 {
		call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: fmt.Sprint("u", i)})
	}
	if got := try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u2"}); got != "LimitExceededException: Cannot exceed quota for UsersPerAccount: 2" {
		t.Errorf("CreateUser = %s", got)
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u0"})
	call(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "u2"})
}
