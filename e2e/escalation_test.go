package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// A known path to more rights is a list of calls. A stands for the attacker's
// name, and for the names of all that is made for one attack: user A and the
// role A that A may take, user A-victim, role A-admin …
type escalation struct {
	as    string // who walks it: "user", or "role" for A's role
	setup []string
	calls []string
	proof string // who then has all rights: "self", "taken" (a key or session that a call answered), "" (nobody here can sign in)
}

const (
	adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
	lookPolicy  = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
	anything    = `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	little      = `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetAccountSummary","Resource":"*"}}`
	trustsA     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::ACCOUNT:user/A"},"Action":"sts:AssumeRole"}}`
	trustsAll   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"ACCOUNT"},"Action":"sts:AssumeRole"}}`
	trustsEC2   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`

	own        = "PolicyArn=arn:aws:iam::ACCOUNT:policy/A"
	ownPolicy  = "CreatePolicy PolicyName=A " + little
	victim     = "CreateUser UserName=A-victim"
	adminUser  = "AttachUserPolicy UserName=A-victim PolicyArn=" + adminPolicy
	closedRole = "CreateRole RoleName=A-admin AssumeRolePolicyDocument=" + trustsEC2
	openRole   = "CreateRole RoleName=A-admin AssumeRolePolicyDocument=" + trustsAll
	adminRole  = "AttachRolePolicy RoleName=A-admin PolicyArn=" + adminPolicy
	ownRole    = "AttachRolePolicy RoleName=A-admin " + own
	openUp     = "UpdateAssumeRolePolicy RoleName=A-admin PolicyDocument=" + trustsA
	take       = "sts:AssumeRole RoleArn=arn:aws:iam::ACCOUNT:role/A-admin RoleSessionName=taken"
	newVersion = "CreatePolicyVersion " + own + " SetAsDefault=true " + anything
	newKey     = "CreateAccessKey UserName=A-victim"
	password   = "Password=correct-Horse-7-battery"
)

// escalations are the paths by their ids in the published catalogue.
var escalations = map[string]escalation{
	"iam-001": {"user", []string{ownPolicy, "AttachUserPolicy UserName=A " + own}, []string{newVersion}, "self"},
	"iam-002": {"user", []string{victim, adminUser}, []string{newKey}, "taken"},
	"iam-003": {"user", []string{victim, adminUser, newKey, newKey}, []string{"DeleteAccessKey UserName=A-victim AccessKeyId=KEY", newKey}, "taken"},
	"iam-004": {"user", []string{victim, adminUser}, []string{"CreateLoginProfile UserName=A-victim " + password}, ""},
	"iam-005": {"role", nil, []string{"PutRolePolicy RoleName=A PolicyName=all " + anything}, "self"},
	"iam-006": {"user", []string{victim, adminUser, "CreateLoginProfile UserName=A-victim " + password}, []string{"UpdateLoginProfile UserName=A-victim Password=another-Horse-8-battery"}, ""},
	"iam-007": {"user", nil, []string{"PutUserPolicy UserName=A PolicyName=all " + anything}, "self"},
	"iam-008": {"user", nil, []string{"AttachUserPolicy UserName=A PolicyArn=" + adminPolicy}, "self"},
	"iam-009": {"role", nil, []string{"AttachRolePolicy RoleName=A PolicyArn=" + adminPolicy}, "self"},
	"iam-010": {"user", []string{"CreateGroup GroupName=A", "AddUserToGroup GroupName=A UserName=A"}, []string{"AttachGroupPolicy GroupName=A PolicyArn=" + adminPolicy}, "self"},
	"iam-011": {"user", []string{"CreateGroup GroupName=A", "AddUserToGroup GroupName=A UserName=A"}, []string{"PutGroupPolicy GroupName=A PolicyName=all " + anything}, "self"},
	"iam-012": {"user", []string{closedRole, adminRole}, []string{openUp, take}, "taken"},
	"iam-013": {"user", []string{"CreateGroup GroupName=A", "AttachGroupPolicy GroupName=A PolicyArn=" + adminPolicy}, []string{"AddUserToGroup GroupName=A UserName=A"}, "self"},
	"iam-014": {"user", []string{openRole}, []string{adminRole, take}, "taken"},
	"iam-015": {"user", []string{victim}, []string{adminUser, newKey}, "taken"},
	"iam-016": {"user", []string{ownPolicy, openRole, ownRole}, []string{newVersion, take}, "taken"},
	"iam-017": {"user", []string{openRole}, []string{"PutRolePolicy RoleName=A-admin PolicyName=all " + anything, take}, "taken"},
	"iam-018": {"user", []string{victim}, []string{"PutUserPolicy UserName=A-victim PolicyName=all " + anything, newKey}, "taken"},
	"iam-019": {"user", []string{closedRole}, []string{adminRole, openUp, take}, "taken"},
	"iam-020": {"user", []string{ownPolicy, closedRole, ownRole}, []string{newVersion, openUp, take}, "taken"},
	"iam-021": {"user", []string{closedRole}, []string{"PutRolePolicy RoleName=A-admin PolicyName=all " + anything, openUp, take}, "taken"},
	"sts-001": {"user", []string{openRole, adminRole}, []string{take}, "taken"},
}

// attacks is a server with the keys of those who attack it.
type attacks struct {
	*testing.T
	endpoint, account string
	transport         *http.Transport
	root              key
}

// call calls as a holder and answers the code of the error, and the key that was answered.
func (a *attacks) call(as key, name, text string) (code string, got key) {
	a.Helper()
	fields := strings.Fields(strings.ReplaceAll(text, "ACCOUNT", a.account))
	service, operation, ok := strings.Cut(fields[0], ":")
	if !ok {
		service, operation = "iam", fields[0]
	}
	for i, f := range fields[1:] {
		member, value, _ := strings.Cut(f, "=")
		switch {
		case value == "A" || strings.HasPrefix(value, "A-"):
			value = name + value[1:]
		case strings.HasPrefix(value, "arn:") || strings.HasPrefix(value, "{"):
			for _, kind := range []string{":user/A", ":role/A", ":policy/A"} {
				if rest, found := strings.CutPrefix(value[max(strings.Index(value, kind), 0):], kind); found && (rest == "" || rest[0] == '-' || rest[0] == '"') {
					value = strings.Replace(value, kind, kind[:len(kind)-1]+name, 1)
				}
			}
		}
		fields[i+1] = member + "=" + value
	}
	out, err := callByName(a.Context(), config(a.endpoint, "us-east-1", as, a.transport), service, operation, fields[1:])
	if err != nil {
		code, _, _ = strings.Cut(err.Error(), ":")
		return code, key{}
	}
	answer, _ := json.Marshal(out)
	var k struct {
		AccessKey, Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	}
	if err := json.Unmarshal(answer, &k); err != nil {
		a.Fatal(err)
	}
	if c := k.Credentials; c.AccessKeyId != "" {
		return "", key{c.AccessKeyId, c.SecretAccessKey, c.SessionToken}
	}
	return "", key{k.AccessKey.AccessKeyId, k.AccessKey.SecretAccessKey, ""}
}

func (a *attacks) must(as key, name, text string) key {
	a.Helper()
	code, got := a.call(as, name, text)
	if code != "" {
		a.Fatalf("%s: %s", text, code)
	}
	return got
}

// walk makes an attacker with the actions given, and a boundary or none, and
// walks the path. It answers the first error's code, and whether the path led
// to rights over everything.
func (a *attacks) walk(name string, e escalation, actions []string, boundary string) (code string, raised bool) {
	a.Helper()
	grant, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{"Effect": "Allow", "Action": append([]string{"iam:GetUser"}, actions...), "Resource": "*"}})
	a.must(a.root, name, "CreateUser UserName=A")
	self := a.must(a.root, name, "CreateAccessKey UserName=A")
	if e.as == "role" {
		a.must(a.root, name, "CreateRole RoleName=A AssumeRolePolicyDocument="+trustsA)
		a.must(a.root, name, "PutRolePolicy RoleName=A PolicyName=given PolicyDocument="+string(grant))
		self = a.must(self, name, "sts:AssumeRole RoleArn=arn:aws:iam::ACCOUNT:role/A RoleSessionName=session")
	} else {
		a.must(a.root, name, "PutUserPolicy UserName=A PolicyName=given PolicyDocument="+string(grant))
	}
	var made key
	for _, text := range e.setup {
		if k := a.must(a.root, name, text); k.ID != "" {
			made = k
		}
	}
	if boundary != "" {
		of := map[string]string{"user": "PutUserPermissionsBoundary UserName=A", "role": "PutRolePermissionsBoundary RoleName=A"}[e.as]
		a.must(a.root, name, of+" PermissionsBoundary="+boundary)
	}
	proof := func(as key) bool {
		code, _ := a.call(as, name, "CreateGroup GroupName=A-proof")
		return code == ""
	}
	if proof(self) {
		a.Fatalf("%s: the attacker has all rights before", name)
	}
	taken := key{}
	for _, text := range e.calls {
		var got key
		if code, got = a.call(self, name, strings.ReplaceAll(text, "KEY", made.ID)); code != "" {
			return code, proof(self)
		}
		if got.ID != "" {
			taken = got
		}
	}
	switch e.proof {
	case "self":
		return "", proof(self)
	case "taken":
		return "", proof(taken)
	}
	return "", true
}

// TestEscalationPathsAreThePolicys walks every published path to more rights
// whose operations are served: it leads on with the permissions that it is said
// to need, ends where one of them is missing, and nowhere under a boundary.
func TestEscalationPathsAreThePolicys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(shared.Path(t, "data/escalation-paths.json"))
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Paths []struct {
			ID       string
			Required []string
		}
	}
	if err := json.Unmarshal(text, &catalogue); err != nil {
		t.Fatal(err)
	}
	s, root := serving(t, "--engine", "mem")
	who, err := callByName(t.Context(), config(s.endpoint, "us-east-1", root, &http.Transport{}), "sts", "GetCallerIdentity", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &attacks{T: t, endpoint: s.endpoint, account: *who.(map[string]any)["Account"].(*string), transport: &http.Transport{}, root: root}
	defer a.transport.CloseIdleConnections()
	served := servedOperations(t)
	walked := map[string]bool{}
	for _, path := range catalogue.Paths {
		if slices.ContainsFunc(path.Required, func(action string) bool { return !served[action] }) {
			continue
		}
		e, ok := escalations[path.ID]
		if !ok {
			t.Errorf("%s (%s) can be walked now: write it down", path.ID, strings.Join(path.Required, ", "))
			continue
		}
		walked[path.ID] = true
		if code, raised := a.walk(path.ID, e, path.Required, ""); code != "" || !raised {
			t.Errorf("%s with the permissions: %q, raised %t", path.ID, code, raised)
		}
		for i, missing := range path.Required {
			others := slices.Delete(slices.Clone(path.Required), i, i+1)
			if code, raised := a.walk(fmt.Sprint(path.ID, "-", i), e, others, ""); code != "AccessDenied" || raised {
				t.Errorf("%s without %s: %q, raised %t", path.ID, missing, code, raised)
			}
		}
		if code, raised := a.walk(path.ID+"-b", e, path.Required, lookPolicy); code != "AccessDenied" || raised {
			t.Errorf("%s under a boundary: %q, raised %t", path.ID, code, raised)
		}
	}
	for id := range maps.Keys(escalations) {
		if !walked[id] {
			t.Errorf("%s was not walked", id)
		}
	}
}
