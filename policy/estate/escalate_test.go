package estate

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/policy/reference"
)

// world is an account in which every published path leads on, for whoever has
// the permissions that it needs.
type world struct {
	grants   []string // the attacker's, an action each
	asRole   bool     // the attacker is a role
	when     string   // a condition on the first grant, as JSON
	boundary string   // a document
	scp      string
	services string // a condition of the trust policies that let services in
	trust    string // of those roles, instead
	more     []string
}

const attacker = "attacker"

var anyService = `{"Service":["lambda.amazonaws.com","ec2.amazonaws.com","ecs-tasks.amazonaws.com","glue.amazonaws.com","sagemaker.amazonaws.com",` +
	`"cloudformation.amazonaws.com","codebuild.amazonaws.com","datapipeline.amazonaws.com","bedrock-agentcore.amazonaws.com","tasks.apprunner.amazonaws.com"]}`

func (w world) files() map[string][]byte {
	var statements []string
	for i, action := range w.grants {
		condition := ""
		if i == 0 && w.when != "" {
			condition = `,"Condition":` + w.when
		}
		statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":"*"%s}`, action, condition))
	}
	doc := `{"Version":"2012-10-17","Statement":[` + strings.Join(append(statements, w.more...), ",") + `]}`
	attached := func(name string) string {
		return `,"AttachedManagedPolicies":[{"PolicyArn":"` + arn(prod, "policy/"+name) + `"}]`
	}
	managed := func(name, document string) string {
		return `{"Arn":"` + arn(prod, "policy/"+name) + `","PolicyVersionList":[{"IsDefaultVersion":true,"Document":` + document + `}]}`
	}
	policies := []string{managed("own", allow("iam:GetUser", "*")), managed("weak", allow("iam:GetRole", "*"))}
	rest := attached("own")
	if w.boundary != "" {
		rest += `,"PermissionsBoundary":{"PermissionsBoundaryArn":"` + arn(prod, "policy/limit") + `"}`
		policies = append(policies, managed("limit", w.boundary))
	}
	forServices := w.trust
	if forServices == "" {
		forServices = trust(anyService)
	}
	if w.services != "" {
		forServices = strings.Replace(forServices, `"Action"`, `"Condition":`+w.services+`,"Action"`, 1)
	}
	everything := allow("*", "*")
	users := []string{user(prod, "admin", everything, ""), user(prod, "weak", allow("iam:GetUser", "*"), "")}
	roles := []string{
		role(prod, "service", forServices, everything, `,"InstanceProfileList":[{"Arn":"`+arn(prod, "instance-profile/service")+`"}]`),
		role(prod, "open", trust(`{"AWS":"`+prod+`"}`), everything, ""),
		role(prod, "weak-open", trust(`{"AWS":"`+prod+`"}`), allow("iam:GetUser", "*"), attached("weak")),
		role(prod, "weak-closed", trust(`{"Service":"states.amazonaws.com"}`), allow("iam:GetUser", "*"), attached("weak")),
	}
	if w.asRole {
		roles = append(roles, role(prod, attacker, trust(`{"Service":"states.amazonaws.com"}`), doc, rest))
	} else {
		users = append(users, user(prod, attacker, doc, rest+`,"GroupList":["members"]`))
	}
	groups := []string{
		`{"Arn":"` + arn(prod, "group/members") + `","GroupName":"members","GroupPolicyList":[]}`,
		`{"Arn":"` + arn(prod, "group/admins") + `","GroupName":"admins","GroupPolicyList":[{"PolicyName":"all","PolicyDocument":` + everything + `}]}`,
	}
	files := map[string][]byte{"accounts/prod.json": exported(users, groups, roles, policies)}
	if w.scp != "" {
		files["guardrails/full.json"] = []byte(everything)
		files["guardrails/scp.json"] = []byte(w.scp)
		files["organization.json"] = []byte(`{"id":"o-a1b2c3d4e5","management":"123456789012","accounts":{"` + prod + `":{"scps":[["guardrails/full.json"],["guardrails/full.json","guardrails/scp.json"]]}}}`)
	}
	return files
}

// arn is the attacker's.
func (w world) arn() string {
	if w.asRole {
		return arn(prod, "role/"+attacker)
	}
	return arn(prod, "user/"+attacker)
}

// found are the attacker's escalations.
func found(t *testing.T, files map[string][]byte, ask *Hunt) []*Escalation {
	t.Helper()
	e, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Escalations(ask)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// direct is the escalation to an administrator through one path alone.
func (w world) direct(t *testing.T, id string) *Escalation {
	t.Helper()
	for _, f := range found(t, w.files(), &Hunt{Principals: []string{w.arn()}, AdministratorsOnly: true}) {
		if f.To == Administrator && len(f.Steps) == 1 && f.Steps[0].Path == id {
			return f
		}
	}
	return nil
}

func published65(t *testing.T) (list []struct {
	ID       string
	Required []string
}) {
	t.Helper()
	text, err := os.ReadFile(shared.Path(t, "data/escalation-paths.json"))
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Paths *[]struct {
			ID       string
			Required []string
		}
	}
	catalogue.Paths = &list
	if err := json.Unmarshal(text, &catalogue); err != nil {
		t.Fatal(err)
	}
	return list
}

// deny is a document that denies an action.
func deny(action string) string { return strings.Replace(allow(action, "*"), "Allow", "Deny", 1) }

// TestEveryPathLeadsOnAndIsClosed walks each published path with what it needs,
// and then with one thing in its way: a permission that is missing, a condition
// that does not hold, a boundary, a guardrail, a role's trust.
func TestEveryPathLeadsOnAndIsClosed(t *testing.T) {
	catalogue := published65(t)
	if len(catalogue) != 65 || len(paths()) != len(catalogue) {
		t.Errorf("%d paths are published, %d walked", len(catalogue), len(paths()))
	}
	for _, c := range catalogue {
		t.Run(c.ID, func(t *testing.T) {
			open := world{grants: c.Required, asRole: c.ID == "iam-005" || c.ID == "iam-009"}
			f := open.direct(t, c.ID)
			if f == nil {
				t.Fatal("it leads nowhere")
			}
			for i, p := range f.Steps[0].Permissions {
				if p.Statement == nil || !slices.Contains(c.Required, p.Action) || p.Policy != open.arn()+" own" || c.Required[*p.Statement] != p.Action {
					t.Errorf("permission %d: %+v", i, p)
				}
			}
			if f.Change == nil || len(f.Change.Statements) != 1 {
				t.Fatalf("nothing closes it: %+v", f.Change)
			}
			changed := open
			changed.grants = slices.Clone(c.Required)
			changed.grants[f.Change.Statements[0].Statement] = "iam:GetUser"
			first := c.Required[0]
			closed := map[string]world{
				"the change":                          changed,
				"a condition that does not hold":      {grants: c.Required, asRole: open.asRole, when: `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`},
				"a boundary without the first action": {grants: c.Required, asRole: open.asRole, boundary: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"` + first + `","Resource":"*"}}`},
				"a boundary without the last action":  {grants: c.Required, asRole: open.asRole, boundary: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"` + c.Required[len(c.Required)-1] + `","Resource":"*"}}`},
				"a guardrail against the last action": {grants: c.Required, asRole: open.asRole, scp: deny(c.Required[len(c.Required)-1])},
			}
			for i, missing := range c.Required {
				closed["without "+missing] = world{grants: slices.Delete(slices.Clone(c.Required), i, i+1), asRole: open.asRole}
			}
			if _, ok := routes[c.ID].(serviceRoute); ok {
				closed["the service acts for another account"] = world{grants: c.Required, services: `{"StringEquals":{"aws:SourceAccount":"` + dev + `"}}`}
				closed["the role trusts another service"] = world{grants: c.Required, trust: trust(`{"Service":"states.amazonaws.com"}`)}
				if first == "iam:PassRole" {
					closed["the role is passed to another service"] = world{grants: c.Required, when: `{"StringEquals":{"iam:PassedToService":"states.amazonaws.com"}}`}
				}
			}
			for name, w := range closed {
				if f := w.direct(t, c.ID); f != nil {
					t.Errorf("%s: it leads on, with %+v", name, f.Steps[0].Permissions)
				}
			}
		})
	}
}

// TestPathsNameResourcesAsAWSDoes holds actions, and the types of resource that
// they are decided on, against AWS's reference.
func TestPathsNameResourcesAsAWSDoes(t *testing.T) {
	placeholder := regexp.MustCompile(`\$\{[^}]*\}`)
	for _, x := range paths() {
		r, ok := x.route.(serviceRoute)
		if !ok {
			continue
		}
		var asked []string
		if r.passes {
			asked = append(asked, "iam:PassRole")
		}
		for _, n := range r.needs {
			asked = append(asked, n.action)
			service, name, _ := strings.Cut(n.action, ":")
			action := reference.Find(service).Action(name)
			if action == nil {
				t.Errorf("%s: AWS has no %s", x.id, n.action)
				continue
			}
			formats := reference.Find(service).Formats(action)
			if len(n.types) == 0 && len(formats) > 0 {
				t.Errorf("%s: %s acts on %s", x.id, n.action, formats)
			}
			for _, kind := range n.types {
				want := strings.NewReplacer("{partition}", "{}", "{region}", "{}", "{account}", "{}", "::document/AWS-RunShellScript", ":{}:document/{}").Replace(string(kind))
				if !slices.ContainsFunc(formats, func(format string) bool { return placeholder.ReplaceAllString(format, "{}") == want }) {
					t.Errorf("%s: %s acts on %s, not on %s", x.id, n.action, formats, want)
				}
			}
		}
		if !slices.Equal(asked, x.actions) {
			t.Errorf("%s asks for %s, the catalogue for %s", x.id, asked, x.actions)
		}
	}
}
