package ec2query

import (
	"time"

	"github.com/garrison-security/garrison/aws"
)

// service has an operation in EC2's manner: names that differ on both ways,
// lists of "item", one that does nothing, and an error with a member.
var service = &aws.Service{
	Name:         "ec2",
	Version:      "2016-11-15",
	Protocols:    []aws.Protocol{aws.EC2Query},
	XMLNamespace: "http://ec2.amazonaws.com/doc/2016-11-15",
	Source: `garrison-model 1 2 16 25 2
op DeleteTags POST / in=DescribeRequest
op DescribeInstances POST / in=DescribeRequest out=DescribeResult
	error Busy
structure DescribeRequest
	DryRun Flag name=dryRun
	InstanceIds Ids name=InstanceId
	Filters Filters name=Filter
	MaxResults Number name=maxResults
	UserData Blob query=UserDataText
	Since Time name=since
	State State name=state
	Spec Spec
	Name Short!
	price Double
structure DescribeResult
	Reservations Reservations name=reservationSet
	NextToken Text name=nextToken
	Launched Time name=launchTime
	UserData Blob name=userData
	DryRun Flag name=dryRun
	State State name=state
structure Spec
	Ids Ids name=id
	Spec Spec name=spec
structure Filter
	Name Text
	Values Ids name=Value
structure Busy error=Resource.Busy status=409 sender
	message Text
	Since Time
list Ids
	member Text name=item
list Filters
	member Filter name=Filter
list Reservations
	member Spec name=item
string Text
string Short max=5
string State
	=running
	=stopped
boolean Flag
integer Number
timestamp Time
blob Blob
double Double
`,
}

type describeInput struct {
	DryRun      *bool
	InstanceIds []string
	Filters     []filter
	MaxResults  *int32
	UserData    []byte
	Since       *time.Time
	State       *string
	Spec        *spec
	Name        string
	Price       *float64
}

type describeOutput struct {
	Reservations []spec
	NextToken    *string
	Launched     *time.Time
	UserData     []byte
	DryRun       *bool
	State        *string
}

type spec struct {
	Ids  []string
	Spec *spec
}

type filter struct {
	Name   *string
	Values []string
}

type busy struct {
	Message string
	Since   *time.Time
}

func (e *busy) Error() string      { return "Busy: " + e.Message }
func (e *busy) ErrorShape() string { return "Busy" }
func (e *busy) ErrorText() string  { return e.Message }
