package policy

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// isUniqueID tells the unique id of a user or role, as IAM stores it in trust policies.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func isUniqueID(s string) bool {
	if len(s) < 16 || !strings.HasPrefix(s, "AIDA") && !strings.HasPrefix(s, "AROA") {
		return false
	}
	return !strings.ContainsFunc(s, notAlphanumeric)
}

// validAWSPrincipal tells whether s can name an AWS principal: an account, a
// unique id, or the ARN of an account, user, role or session. No part of a
// name may be a wildcard.
func validAWSPrincipal(s string) bool {
	if aws.IsAccount(s) || isUniqueID(s) {
		return true
	}
	arn, err := aws.ParseARN(s)
	if err != nil || arn.Region != "" || arn.Account == "" || strings.ContainsAny(s, "*?") {
		return false
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	switch arn.Service {
	case "iam":
		return arn.Resource == "root" && aws.IsAccount(arn.Account) || (kind == "user" || kind == "role") && name != ""
	case "sts":
		role, session, _ := strings.Cut(name, "/")
		return aws.IsAccount(arn.Account) && (kind == "assumed-role" && role != "" && session != "" || kind == "federated-user" && name != "")
	}
	return false
}

// grant is how a statement's principal names the caller. In the caller's own
// account it decides which implicit denials an Allow overrides.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
type grant uint8

const (
	noGrant      grant = iota
	accountGrant       // by the account: identity policies decide
	entityGrant        // a session by its role or user: boundary and session policies still limit
	directGrant        // the very caller, or everyone: nothing limits but a Deny
)

// caller is the request's principal as principals name it. An empty string names nobody.
type caller struct {
	account   string
	partition string
	arn       string
	entity    string // ARN of the session's role, or of a federated session's user
	role      string // the role's name, where its ARN is not known
	id        string // unique id of a user
	entityID  string // unique id of the session's role
	service   string
	provider  string
	canonical string
	identity  bool // has an identity side: a user, a session or root
	attached  bool // may have identity policies and a boundary: a user or a session
	root      bool // has root's rights
}

func newCaller(r *Request) caller {
	c := caller{provider: r.Provider}
	p := r.Principal
	if p == nil {
		return c
	}
	switch p.Kind {
	case aws.ServiceCaller:
		c.service = p.Name
		return c
	case aws.Root, aws.User, aws.AssumedRole, aws.FederatedUser:
	default:
		return c
	}
	c.identity = p.Account != ""
	if c.identity { // the id is the account's: who has no account has none
		c.canonical = r.CanonicalUser
	}
	c.account, c.partition, c.arn = p.Account, p.Partition, p.ARN
	c.root = p.Kind == aws.Root
	c.attached = c.identity && !c.root
	switch {
	case p.Kind == aws.User:
		c.id = p.ID
	case p.Kind == aws.AssumedRole && (p.Session == nil || p.Session.RoleARN == ""):
		_, c.role, _ = strings.Cut(c.arn, ":assumed-role/")
		c.role, _, _ = strings.Cut(c.role, "/")
	case p.Session == nil:
	case p.Kind == aws.AssumedRole:
		c.entity, c.entityID = p.Session.RoleARN, p.Session.RoleID
	case p.Kind == aws.FederatedUser:
		c.entity = p.Session.IssuerARN
		c.root = strings.HasSuffix(c.entity, ":root")
	}
	return c
}

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	any       bool
	aws       []awsPrincipal
	service   []string
	federated []string
	canonical []string
}

// awsPrincipal is one entry: an account, or the name (ARN or unique id) of one caller or entity.
type awsPrincipal struct {
	account   string
	partition string // "" if the entry is a bare account id
	name      string
}

// principals compiles the element for those kinds of policy that have one. A
// statement of a resource's policy without it is nobody's.
func (c *compiler) principals(from *Principals) *principals {
	to := new(principals)
	if from == nil {
		if c.kind == Trust || c.kind == Resource {
			return to
		}
		return nil
	}
	to.any = from.Any
	for _, s := range from.AWS {
		to.aws = append(to.aws, c.awsPrincipal(s))
	}
	to.service = c.internAll(from.Service)
	to.federated = c.internAll(from.Federated)
	to.canonical = c.internAll(from.Canonical)
	return to
}

func (c *compiler) internAll(from []string) []string {
	var to []string
	for _, s := range from {
		to = append(to, c.intern(s))
	}
	return to
}

func (c *compiler) awsPrincipal(s string) awsPrincipal {
	if aws.IsAccount(s) {
		return awsPrincipal{account: c.intern(s)}
	}
	if arn, err := aws.ParseARN(s); err == nil && arn.Service == "iam" && arn.Region == "" && arn.Resource == "root" {
		return awsPrincipal{account: c.intern(arn.Account), partition: c.intern(arn.Partition)}
	}
	return awsPrincipal{name: c.intern(s)}
}

// grant is the strongest way in which the element names the caller.
func (p *principals) grant(who *caller) grant {
	if p.any {
		return directGrant
	}
	best := noGrant
	for i := range p.aws {
		best = max(best, p.aws[i].grant(who))
	}
	if contains(p.service, who.service) || contains(p.federated, who.provider) {
		return directGrant
	}
	if contains(p.canonical, who.canonical) {
		best = max(best, accountGrant)
	}
	return best
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s && s != "" {
			return true
		}
	}
	return false
}

func (p *awsPrincipal) grant(who *caller) grant {
	switch {
	case !who.identity || p.account == "" && p.name == "":
		return noGrant
	case p.account != "":
		if p.account == who.account && (p.partition == "" || p.partition == who.partition) {
			return accountGrant
		}
	case p.name == who.arn || p.name == who.id:
		return directGrant
	case p.name == who.entity || p.name == who.entityID || who.role != "" && p.namesRole(who):
		return entityGrant
	}
	return noGrant
}

// namesRole tells whether the entry is the ARN, under any path, of the role of
// which the caller's name alone is known: names are unique in an account.
func (p *awsPrincipal) namesRole(who *caller) bool {
	rest, ok := strings.CutPrefix(p.name, "arn:")
	if !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, who.partition); !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, ":iam::"); !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, who.account); !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, ":role/"); !ok {
		return false
	}
	return rest[strings.LastIndexByte(rest, '/')+1:] == who.role
}
