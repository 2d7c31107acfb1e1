package sample

import (
	"fmt"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Users has the members of IAM's ListUsersOutput.
type Users struct {
	Users       []User
	IsTruncated *bool
	Marker      *string
}

// User has the members of IAM's User.
type User struct {
	Path, UserName, UserId, Arn string
	CreateDate                  time.Time
	PasswordLastUsed            *time.Time
	Tags                        []Tag
}

// Tag has the members of a tag.
type Tag struct{ Key, Value string }

var userShape = &aws.Shape{Name: "User", Kind: aws.Structure, Members: []*aws.Member{
	{Name: "Path", Shape: text, Required: true}, {Name: "UserName", Shape: name, Required: true},
	{Name: "UserId", Shape: text, Required: true}, {Name: "Arn", Shape: text, Required: true},
	{Name: "CreateDate", Shape: when, Required: true}, {Name: "PasswordLastUsed", Shape: when},
	{Name: "Tags", Shape: &aws.Shape{Name: "tagListType", Kind: aws.List, Elem: &aws.Member{Name: "member", Shape: tagShape}}},
}}

var tagShape = &aws.Shape{Name: "Tag", Kind: aws.Structure, Members: []*aws.Member{
	{Name: "Key", Shape: name, Required: true}, {Name: "Value", Shape: text, Required: true}}}

// ListUsers takes a user, as CreateUser does, and answers a list of them.
var ListUsers = &aws.Operation{Service: Service, Name: "ListUsers", Method: "POST", URI: "/", Input: userShape, ResultWrapper: "ListUsersResult",
	Output: &aws.Shape{Name: "ListUsersResponse", Kind: aws.Structure, Members: []*aws.Member{
		{Name: "Users", Required: true, Shape: &aws.Shape{Name: "userListType", Kind: aws.List, Elem: &aws.Member{Name: "member", Shape: userShape}}},
		{Name: "IsTruncated", Shape: flag}, {Name: "Marker", Shape: text}}}}

// SomeUsers are n users.
func SomeUsers(n int) *Users {
	truncated := false
	users := &Users{IsTruncated: &truncated}
	for i := range n {
		users.Users = append(users.Users, User{Path: "/", UserName: fmt.Sprintf("user-%02d", i), UserId: fmt.Sprintf("AIDAEXAMPLE%08d", i),
			Arn: fmt.Sprintf("arn:aws:iam::123456789012:user/user-%02d", i), CreateDate: time.Unix(1_700_000_000, 0)})
	}
	return users
}
