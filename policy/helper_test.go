package policy

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
)

const (
	home  = "111122223333"
	other = "444455556666"
)

// compile reads and compiles a document. Single quotes stand for double ones.
func compile(t testing.TB, kind Kind, doc, id string) *Policy {
	t.Helper()
	d, err := Read([]byte(strings.ReplaceAll(doc, "'", `"`)), kind)
	if err != nil {
		t.Fatalf("Read(%s) = %v", doc, err)
	}
	return Compile(d, id)
}

// version2012Doc wraps statements in a document of the current version.
func version2012Doc(statements string) string {
	return "{'Version':'2012-10-17','Statement':[" + statements + "]}"
}

// statements compiles statements of a document of the current version.
func statements(t testing.TB, kind Kind, s string) *Policy {
	t.Helper()
	return compile(t, kind, version2012Doc(s), "")
}

// principalOf makes the principal that an ARN or a service's name stands for; "" is anonymous.
func principalOf(name string) *aws.Principal {
	if name == "" {
		return nil
	}
	arn, err := aws.ParseARN(name)
	if err != nil {
		return &aws.Principal{Kind: aws.ServiceCaller, Name: name}
	}
	p := &aws.Principal{Partition: arn.Partition, Account: arn.Account, ARN: name}
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	switch kind {
	case "root":
		p.Kind, p.ID = aws.Root, arn.Account
	case "user":
		p.Kind, p.Name, p.ID = aws.User, rest[strings.LastIndex(rest, "/")+1:], "AIDAUSER000000000001"
	case "assumed-role":
		role, session, _ := strings.Cut(rest, "/")
		p.Kind, p.ID = aws.AssumedRole, "AROAROLE000000000001:"+session
		if strings.HasPrefix(role, "AWSServiceRole") {
			role = "aws-service-role/logs.amazonaws.com/" + role
		}
		p.Session = &aws.Session{RoleARN: "arn:" + arn.Partition + ":iam::" + arn.Account + ":role/" + role, RoleID: "AROAROLE000000000001", Name: session}
	case "federated-user":
		p.Kind, p.ID = aws.FederatedUser, arn.Account+":"+rest
		p.Session = &aws.Session{IssuerARN: "arn:" + arn.Partition + ":iam::" + arn.Account + ":user/issuer"}
	}
	return p
}

const (
	alice     = "arn:aws:iam::111122223333:user/alice"
	rootUser  = "arn:aws:iam::111122223333:root"
	session   = "arn:aws:sts::111122223333:assumed-role/ops/blue"
	opsRole   = "arn:aws:iam::111122223333:role/ops"
	federated = "arn:aws:sts::111122223333:federated-user/fred"
	issuer    = "arn:aws:iam::111122223333:user/issuer"
	stranger  = "arn:aws:iam::444455556666:user/mallory"
)

// verdict is the decision in a word.
func verdict(d Decision) string {
	switch {
	case d.Allowed:
		return "allow"
	case d.Explicit:
		return "explicit"
	}
	return "implicit"
}

// contextOf reads key=value pairs: "a=b", "list=[x,y]", "empty=[]".
func contextOf(pairs ...string) *Context {
	c := new(Context)
	for _, pair := range pairs {
		key, v, _ := strings.Cut(pair, "=")
		if list, ok := strings.CutPrefix(v, "["); ok {
			if list = strings.TrimSuffix(list, "]"); list == "" {
				c.SetList(key)
			} else {
				c.SetList(key, strings.Split(list, ",")...)
			}
			continue
		}
		c.Set(key, v)
	}
	return c
}

type managedPolicy struct {
	ARN      string
	Document json.RawMessage
}

var readManaged = sync.OnceValues(func() (map[string]managedPolicy, error) {
	f, err := os.Open(managedPath)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var all struct{ Policies map[string]managedPolicy }
	return all.Policies, json.NewDecoder(z).Decode(&all)
})

var managedPath string

// managed are the AWS managed policies, by name.
func managed(t testing.TB) map[string]managedPolicy {
	t.Helper()
	managedPath = shared.Path(t, "data/aws-managed-policies.json.gz")
	all, err := readManaged()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func firstSorted(names []string, n int) []string {
	slices.Sort(names)
	return names[:n]
}
