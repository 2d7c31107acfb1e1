package policy

import "testing"

// decideCase is one line of a table: a request, the policies that bear on it,
// and the verdict with the kind of policy that gave it.
type decideCase struct {
	name     string
	who      string // an ARN, a service's name, "" for anonymous
	provider string
	action   string
	resource string
	owner    string   // "" is the ARN's account
	context  []string // key=value, key=[a,b]
	granted  bool     // a grant of the resource permits it
	on       on
	want     string
}

// on holds statements by kind of policy: a string a policy; for SCP and RCP a string a level.
type on map[Kind][]string

func (c *decideCase) decide(t *testing.T) string {
	t.Helper()
	p := &Policies{Granted: c.granted}
	for kind, list := range c.on {
		for _, s := range list {
			compiled := compile(t, kind, version2012Doc(s), "")
			switch kind {
			case Identity:
				p.Identity = append(p.Identity, compiled)
			case Boundary:
				p.Boundary = append(p.Boundary, compiled)
			case Session:
				p.Session = append(p.Session, compiled)
			case Resource, Trust:
				p.Resource = compiled
			case SCP:
				p.SCPs = append(p.SCPs, []*Policy{compiled})
			case RCP:
				p.RCPs = append(p.RCPs, []*Policy{compiled})
			case Endpoint:
				p.Endpoint = append(p.Endpoint, compiled)
			}
		}
	}
	r := &Request{Action: c.action, Resource: c.resource, ResourceAccount: c.owner, Principal: principalOf(c.who), Provider: c.provider, Context: contextOf(c.context...)}
	d := Decide(r, p)
	if d.Allowed || d.By == 0 {
		return verdict(d)
	}
	return verdict(d) + ": " + d.By.String()
}

// run runs a table. page is the AWS page that settles its cases.
func run(t *testing.T, page string, cases []decideCase) {
	t.Helper()
	t.Run(page, func(t *testing.T) {
		for i := range cases {
			c := &cases[i]
			t.Run(c.name, func(t *testing.T) {
				if got := c.decide(t); got != c.want {
					t.Errorf("Decide = %s, want %s", got, c.want)
				}
			})
		}
	})
}

// Statements that many cases share.
const (
	allowAll  = `{'Effect':'Allow','Action':'*','Resource':'*'}`
	denyAll   = `{'Effect':'Deny','Action':'*','Resource':'*'}`
	allowGet  = `{'Effect':'Allow','Action':'s3:GetObject','Resource':'*'}`
	denyGet   = `{'Effect':'Deny','Action':'s3:GetObject','Resource':'*'}`
	allowList = `{'Effect':'Allow','Action':'s3:ListBucket','Resource':'*'}`
	anyoneGet = `{'Effect':'Allow','Principal':'*','Action':'s3:GetObject','Resource':'*'}`
	noOneGet  = `{'Effect':'Deny','Principal':'*','Action':'s3:GetObject','Resource':'*'}`
)

// objectGet is s3:GetObject by a caller on an object of the home account.
func objectGet(name, who, want string, policies on) decideCase {
	return decideCase{name: name, who: who, action: "s3:GetObject", resource: "arn:aws:s3:::bucket/a", owner: home, on: policies, want: want}
}

// lets is an Allow of s3:GetObject in a resource's policy.
func lets(principal string) string {
	return `{'Effect':'Allow','Principal':` + principal + `,'Action':'s3:GetObject','Resource':'*'}`
}

func awsNamed(arn string) string { return `{'AWS':'` + arn + `'}` }
