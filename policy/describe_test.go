package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
)

// TestSetPrincipal: each kind of caller tells what AWS documents, and no more.
func TestSetPrincipal(t *testing.T) {
	session := &aws.Session{RoleARN: "arn:aws:iam::1:role/path/r"}
	for _, c := range []struct {
		name string
		p    *aws.Principal
		want string
	}{
		{"nobody", nil, "aws:PrincipalAccount=anonymous aws:PrincipalType=Anonymous aws:userid=anonymous"},
		{"a service", &aws.Principal{Kind: aws.ServiceCaller, Name: "ec2.amazonaws.com"}, "aws:PrincipalIsAWSService=true aws:PrincipalServiceName=ec2.amazonaws.com aws:PrincipalServiceNamesList=ec2.amazonaws.com"},
		{"root", &aws.Principal{Kind: aws.Root, Account: "1", ARN: "arn:aws:iam::1:root", ID: "1"},
			"aws:PrincipalAccount=1 aws:PrincipalArn=arn:aws:iam::1:root aws:PrincipalIsAWSService=false aws:PrincipalType=Account aws:userid=1"},
		{"a root that was assumed for a task", &aws.Principal{Kind: aws.Root, Account: "1", ARN: "arn:aws:iam::1:root", ID: "1", Session: &aws.Session{TaskPolicy: "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}},
			"aws:AssumedRoot=true aws:PrincipalAccount=1 aws:PrincipalArn=arn:aws:iam::1:root aws:PrincipalIsAWSService=false aws:PrincipalType=Account aws:userid=1"},
		{"a user", &aws.Principal{Kind: aws.User, Account: "1", ARN: "arn:aws:iam::1:user/p/u", ID: "AIDA", Name: "u"},
			"aws:PrincipalAccount=1 aws:PrincipalArn=arn:aws:iam::1:user/p/u aws:PrincipalIsAWSService=false aws:PrincipalType=User aws:userid=AIDA aws:username=u"},
		{"a session tells its role", &aws.Principal{Kind: aws.AssumedRole, Account: "1", ARN: "arn:aws:sts::1:assumed-role/r/s", ID: "AROA:s", Session: session},
			"aws:PrincipalAccount=1 aws:PrincipalArn=arn:aws:iam::1:role/path/r aws:PrincipalIsAWSService=false aws:PrincipalType=AssumedRole aws:userid=AROA:s"},
		{"a session of which the name alone is known", &aws.Principal{Kind: aws.AssumedRole, Partition: "aws", Account: "1", ARN: "arn:aws:sts::1:assumed-role/r/s"},
			"aws:PrincipalAccount=1 aws:PrincipalArn=arn:aws:iam::1:role/r aws:PrincipalIsAWSService=false aws:PrincipalType=AssumedRole"},
		{"a federated user", &aws.Principal{Kind: aws.FederatedUser, Account: "1", ARN: "arn:aws:sts::1:federated-user/f", ID: "1:f"},
			"aws:PrincipalAccount=1 aws:PrincipalArn=arn:aws:sts::1:federated-user/f aws:PrincipalIsAWSService=false aws:PrincipalType=FederatedUser aws:userid=1:f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var x Context
			x.SetPrincipal(c.p)
			told := map[string][]string{}
			maps.Insert(told, x.All())
			var got []string
			for _, key := range slices.Sorted(maps.Keys(told)) {
				got = append(got, fmt.Sprint(key, "=", strings.Join(told[key], ",")))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}
