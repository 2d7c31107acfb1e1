package estate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/scenario"
)

// Estate is what is known of accounts. A method may not run beside another.
type Estate struct {
	principals []*principal          // users, roles and the accounts' roots, by ARN
	byARN      map[string]*principal // the same
	groups     []*group              // by ARN
	managed    map[string]*held      // managed policies, by ARN
	resources  map[string]*resource
	org        organization
	files      map[string][]byte
	accounts   map[string]bool         // that have a user or a role
	byName     map[string]*principal   // by unique id, and a role by what its sessions' ARNs begin with
	assumers   map[string][]*principal // an account's, who have a policy that lets them assume roles
	most       int                     // decisions that an answer may take
	places     map[string]place        // where the files describe whom, once it was asked
}

// maxDecisions bounds an answer: some minutes' work.
const maxDecisions = 100_000_000

// principal is a user, a role or a root.
type principal struct {
	arn, account, id string
	role             bool
	identity         []*held // its own policies and its groups'
	boundary         []*held
	trust            *held // of a role
	tags             []tag
	groups           []*group       // of a user
	profiles         []string       // ARNs of a role's instance profiles
	caller           *aws.Principal // nil: anonymous, or whom a provider speaks for
	provider         string         // that it is
	canonical        string         // its account's canonical user id, where that is all that is known
}

type tag struct{ Key, Value string }

// group is a group of users.
type group struct {
	arn, account string
	identity     []*held
}

// held is a policy that somebody or something has, read and compiled.
type held struct {
	scenario.Document
	arn      string // of a managed policy
	document *policy.Document
	compiled *policy.Policy
	sessions []string // ARNs of roles' sessions that it names
}

// compile reads a document as a policy of a kind.
func compile(d scenario.Document, kind policy.Kind) (*held, error) {
	document, compiled, err := d.Compile(kind)
	if err != nil {
		return nil, err
	}
	h := &held{Document: d, document: document, compiled: compiled}
	for name := range document.AWSPrincipals() {
		if roleOf(name) != "" {
			h.sessions = append(h.sessions, name)
		}
	}
	return h, nil
}

// resource is a resource that has a policy, or that runs as a role.
type resource struct {
	account string
	policy  *held
	role    string // ARN
}

// organization is who is limited by what.
type organization struct {
	id, management string
	accounts       map[string]limits
}

type limits struct {
	path       string // of the account: o-…/r-…/ou-…/
	scps, rcps [][]*policy.Policy
	documents  []*held // the SCPs of all levels
}

// New reads an estate's files, by their paths in its folder:
//
//	accounts/NAME.json    what `aws iam get-account-authorization-details` writes, a page or all of it
//	resources/NAME.json   {"arn", "account", "policy", "role"}: a policy as a document, or as its text; the account may be absent
//	                      where the ARN has it, the policy where there is a role: the ARN of the role that the resource runs as
//	organization.json     {"id", "management", "accounts": {ID: {"path", "scps": [[FILE]], "rcps": [[FILE]]}}}: a list a level, root to
//	                      account; the path as aws:PrincipalOrgPaths has it, o-…/r-…/ou-…/
//	guardrails/NAME.json  the documents that organization.json names, by their paths
//
// A file that has no place is an error, for it would not count; so is a policy that is attached and not exported.
func New(files map[string][]byte) (*Estate, error) {
	e := &Estate{byARN: map[string]*principal{}, managed: map[string]*held{}, resources: map[string]*resource{}, files: files, accounts: map[string]bool{}, byName: map[string]*principal{}, most: maxDecisions}
	var exports export
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		dir, base, nested := strings.Cut(name, "/")
		var err error
		switch {
		case !strings.HasSuffix(name, ".json"):
			err = errors.New("is no .json file")
		case nested && strings.Contains(base, "/"):
			err = errors.New("has no place there")
		case dir == "accounts" && nested:
			err = exports.read(files[name])
		case dir == "resources" && nested:
			err = e.readResource(name, files[name])
		case dir == "guardrails" && nested:
			// organization.json names it, or it is refused below
		case name == "organization.json":
			err = e.readOrganization(files, used)
		default:
			err = errors.New("has no place there")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for name := range files {
		if strings.HasPrefix(name, "guardrails/") && !used[name] {
			return nil, fmt.Errorf("%s: organization.json does not name it", name)
		}
	}
	if err := exports.principals(e); err != nil {
		return nil, err
	}
	if len(e.principals) == 0 {
		return nil, errors.New("there are no users and roles: accounts/ holds what aws iam get-account-authorization-details writes")
	}
	e.index()
	slices.SortFunc(e.principals, func(a, b *principal) int { return strings.Compare(a.arn, b.arn) })
	slices.SortFunc(e.groups, func(a, b *group) int { return strings.Compare(a.arn, b.arn) })
	return e, e.rolesExist()
}

// index files users and roles under their names, and adds the root of every
// account that has one.
func (e *Estate) index() {
	for _, p := range slices.Clone(e.principals) {
		e.accounts[p.account] = true
		if p.id != "" {
			e.byName[p.id] = p
		}
		if p.role {
			e.byName[p.sessions()] = p
		}
		partition := p.partition()
		root := &principal{arn: "arn:" + partition + ":iam::" + p.account + ":root", account: p.account, id: p.account}
		root.caller = &aws.Principal{Kind: aws.Root, Partition: partition, Account: p.account, ARN: root.arn, ID: p.account}
		if e.byARN[root.arn] == nil {
			e.byARN[root.arn] = root
			e.principals = append(e.principals, root)
		}
	}
}

// readStrictly reads one value of JSON that has no members but v's.
func readStrictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more than one value of JSON")
	}
	return nil
}

func (e *Estate) readResource(name string, text []byte) error {
	var in struct {
		ARN     string          `json:"arn"`
		Account string          `json:"account"`
		Policy  json.RawMessage `json:"policy"`
		Role    string          `json:"role"`
	}
	if err := readStrictly(text, &in); err != nil {
		return err
	}
	arn, err := aws.ParseARN(in.ARN)
	if err != nil {
		return fmt.Errorf("%q is no ARN", in.ARN)
	}
	if in.Account == "" {
		in.Account = arn.Account
	}
	if !aws.IsAccount(in.Account) || arn.Account != "" && arn.Account != in.Account {
		return fmt.Errorf("%q is not the account of %s", in.Account, in.ARN)
	}
	if e.resources[in.ARN] != nil {
		return fmt.Errorf("%s is there twice", in.ARN)
	}
	r := &resource{account: in.Account, role: in.Role}
	if in.Policy != nil || in.Role == "" {
		text, err := documentText(in.Policy)
		if err != nil {
			return err
		}
		if r.policy, err = compile(scenario.Document{Name: name, Text: text}, policy.Resource); err != nil {
			return err
		}
	}
	e.resources[in.ARN] = r
	return nil
}

// rolesExist refuses a resource that runs as a role that is not exported.
func (e *Estate) rolesExist() error {
	for _, arn := range slices.Sorted(maps.Keys(e.resources)) {
		if role := e.resources[arn].role; role != "" && (e.byARN[role] == nil || !e.byARN[role].role) {
			return fmt.Errorf("resources/: %s runs as %s, which is not exported", arn, role)
		}
	}
	return nil
}

func (e *Estate) readOrganization(files map[string][]byte, used map[string]bool) error {
	var in struct {
		ID         string `json:"id"`
		Management string `json:"management"`
		Accounts   map[string]struct {
			Path string     `json:"path"`
			SCPs [][]string `json:"scps"`
			RCPs [][]string `json:"rcps"`
		} `json:"accounts"`
	}
	if err := readStrictly(files["organization.json"], &in); err != nil {
		return err
	}
	if !aws.IsAccount(in.Management) {
		return fmt.Errorf("management %q is no account", in.Management)
	}
	compiled := map[string]*held{} // once, whatever the number of accounts
	levels := func(names [][]string, kind policy.Kind) (to [][]*policy.Policy, all []*held, err error) {
		for _, level := range names {
			list := []*policy.Policy{}
			for _, name := range level {
				text, there := files[name]
				if !there || !strings.HasPrefix(name, "guardrails/") {
					return nil, nil, fmt.Errorf("there is no %q", name)
				}
				used[name] = true
				key := kind.String() + " " + name
				if compiled[key] == nil {
					if compiled[key], err = compile(scenario.Document{Name: name, Text: text}, kind); err != nil {
						return nil, nil, err
					}
				}
				list, all = append(list, compiled[key].compiled), append(all, compiled[key])
			}
			to = append(to, list)
		}
		return to, all, nil
	}
	e.org = organization{id: in.ID, management: in.Management, accounts: map[string]limits{}}
	for _, id := range slices.Sorted(maps.Keys(in.Accounts)) {
		if !aws.IsAccount(id) {
			return fmt.Errorf("%q is no account", id)
		}
		l := limits{path: in.Accounts[id].Path}
		if l.path != "" && (!strings.HasPrefix(l.path, in.ID+"/r-") || !strings.HasSuffix(l.path, "/")) {
			return fmt.Errorf("%q is no path of an account of %s", l.path, in.ID)
		}
		var err error
		if l.scps, l.documents, err = levels(in.Accounts[id].SCPs, policy.SCP); err != nil {
			return err
		}
		if l.rcps, _, err = levels(in.Accounts[id].RCPs, policy.RCP); err != nil {
			return err
		}
		e.org.accounts[id] = l
	}
	return nil
}

// has tells whether an account belongs to the organisation.
func (o *organization) has(account string) bool {
	_, listed := o.accounts[account]
	return listed || account != "" && account == o.management
}

// limits are what binds an account: nothing binds the management account.
func (o *organization) limits(account string) limits {
	if account == o.management {
		return limits{}
	}
	return o.accounts[account]
}
