package estate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy/scenario"
)

// Estate is what is known of accounts. A method may not run beside another.
type Estate struct {
	principals []*principal          // users, roles and the accounts' roots, by ARN
	byARN      map[string]*principal // the same
	resources  map[string]*resource
	org        organization
	judge      scenario.Judge
}

// principal is a user, a role or a root.
type principal struct {
	arn, account, id string
	role             bool
	identity         []scenario.Document
	boundary         []scenario.Document
	trust            *scenario.Document // of a role
	tags             []tag
}

type tag struct{ Key, Value string }

// resource is a resource that has a policy.
type resource struct {
	account string
	policy  scenario.Document
}

// organization is who is limited by what.
type organization struct {
	id, management string
	accounts       map[string]limits
}

type limits struct{ scps, rcps [][]scenario.Document }

// New reads an estate's files, by their paths in its folder:
//
//	accounts/NAME.json    what `aws iam get-account-authorization-details` writes, a page or all of it
//	resources/NAME.json   {"arn", "account", "policy"}: a policy as a document, or as its text; the account may be absent where the ARN has it
//	organization.json     {"id", "management", "accounts": {ID: {"scps": [[FILE]], "rcps": [[FILE]]}}}: a list a level, root to account
//	guardrails/NAME.json  the documents that organization.json names, by their paths
//
// A file that has no place is an error, for it would not count; so is a policy that is attached and not exported.
func New(files map[string][]byte) (*Estate, error) {
	e := &Estate{byARN: map[string]*principal{}, resources: map[string]*resource{}}
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
	if err := exports.principals(e.add); err != nil {
		return nil, err
	}
	if len(e.principals) == 0 {
		return nil, errors.New("there are no users and roles: accounts/ holds what aws iam get-account-authorization-details writes")
	}
	e.addRoots()
	slices.SortFunc(e.principals, func(a, b *principal) int { return strings.Compare(a.arn, b.arn) })
	return e, nil
}

func (e *Estate) add(p *principal) error {
	if e.byARN[p.arn] != nil {
		return fmt.Errorf("accounts/ has %s twice", p.arn)
	}
	e.byARN[p.arn] = p
	e.principals = append(e.principals, p)
	return nil
}

// addRoots adds the root of every account that has a user or a role.
func (e *Estate) addRoots() {
	for _, p := range slices.Clone(e.principals) {
		partition, _, _ := strings.Cut(strings.TrimPrefix(p.arn, "arn:"), ":")
		root := &principal{arn: "arn:" + partition + ":iam::" + p.account + ":root", account: p.account, id: p.account}
		if e.byARN[root.arn] == nil {
			e.byARN[root.arn] = root
			e.principals = append(e.principals, root)
		}
	}
}

// readStrictly reads JSON that has no members but v's.
func readStrictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func (e *Estate) readResource(name string, text []byte) error {
	var in struct {
		ARN     string          `json:"arn"`
		Account string          `json:"account"`
		Policy  json.RawMessage `json:"policy"`
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
	doc, err := documentText(in.Policy)
	if err != nil {
		return err
	}
	e.resources[in.ARN] = &resource{account: in.Account, policy: scenario.Document{Name: name, Text: doc}}
	return nil
}

func (e *Estate) readOrganization(files map[string][]byte, used map[string]bool) error {
	var in struct {
		ID         string `json:"id"`
		Management string `json:"management"`
		Accounts   map[string]struct {
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
	levels := func(names [][]string) (to [][]scenario.Document, err error) {
		for _, level := range names {
			list := []scenario.Document{}
			for _, name := range level {
				text, there := files[name]
				if !there || !strings.HasPrefix(name, "guardrails/") {
					return nil, fmt.Errorf("there is no %q", name)
				}
				used[name] = true
				list = append(list, scenario.Document{Name: name, Text: text})
			}
			to = append(to, list)
		}
		return to, nil
	}
	e.org = organization{id: in.ID, management: in.Management, accounts: map[string]limits{}}
	for _, id := range slices.Sorted(maps.Keys(in.Accounts)) {
		if !aws.IsAccount(id) {
			return fmt.Errorf("%q is no account", id)
		}
		scps, err := levels(in.Accounts[id].SCPs)
		if err != nil {
			return err
		}
		rcps, err := levels(in.Accounts[id].RCPs)
		if err != nil {
			return err
		}
		e.org.accounts[id] = limits{scps, rcps}
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
