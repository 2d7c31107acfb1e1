package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// TestDecideAgreesWithSecondEvaluator compares the two evaluators on random
// policies and requests: ten thousand, in a soak a million. POLICY_CASES sets
// how many, POLICY_SEED where to begin.
func TestDecideAgreesWithSecondEvaluator(t *testing.T) {
	t.Parallel()
	cases, seed := 10_000, uint64(envInt("POLICY_SEED", 1))
	if os.Getenv("GARRISON_SOAK") != "" {
		cases = 1_000_000
	}
	cases = envInt("POLICY_CASES", cases)
	var (
		mu   sync.Mutex // guards seen
		seen = map[string]int{}
	)
	t.Run("parts", func(t *testing.T) {
		const parts = 8
		for part := range parts {
			t.Run(strconv.Itoa(part), func(t *testing.T) {
				t.Parallel()
				own := map[string]int{}
				for i := part; i < cases; i += parts {
					own[compareEvaluators(t, seed, uint64(i))]++
				}
				mu.Lock()
				defer mu.Unlock()
				for verdict, n := range own {
					seen[verdict] += n
				}
			})
		}
	})
	for _, v := range []string{"allow", "explicit", "implicit"} {
		if !t.Failed() && seen[v] < cases/20 {
			t.Errorf("%d of %d cases end in %s: too few to mean anything", seen[v], cases, v)
		}
	}
}

// compareEvaluators makes a case, and answers its verdict once both agree on it.
func compareEvaluators(t *testing.T, seed, i uint64) string {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, i))}
	c, compiled, texts := g.naiveCase(t)
	want, r := c.decide(), c.request()
	d := Decide(r, compiled)
	if got := verdict(d); got != want {
		t.Fatalf("POLICY_SEED=%d case %d: Decide = %s by %v, the second evaluator says %s\nrequest %s %s of %s by %+v, %s, %s, granted %v\ncontext %v\n%s",
			seed, i, got, d.By, want, c.action, c.resource, c.owner, c.principal, c.provider, c.canonical, c.granted, c.context, texts)
	}
	c.compareExplanation(t, d, Explain(r, compiled), texts)
	return want
}

// compareExplanation: an explanation decides as Decide did, each statement's
// outcome is the second evaluator's, and they bear the decision out.
func (c *naiveCase) compareExplanation(t *testing.T, d Decision, x Explanation, texts *strings.Builder) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("%s\nrequest %s %s of %s by %+v\ncontext %v\n%s", fmt.Sprintf(format, args...), c.action, c.resource, c.owner, c.principal, c.context, texts)
	}
	if x.Decision != d {
		fail("Explain = %+v, Decide = %+v", x.Decision, d)
	}
	docs := slices.Concat(slices.Concat(c.scps...), slices.Concat(c.rcps...))
	if c.resourcePolicy != nil {
		docs = append(docs, c.resourcePolicy)
	}
	docs = slices.Concat(docs, c.endpoint, c.identity, c.boundary, c.session)
	denied, allowing := false, map[Kind]bool{}
	for i, p := range x.Policies {
		if p.Unreadable != (docs[i] == nil) {
			fail("policy %d: unreadable = %v", i, p.Unreadable)
		}
		for j := range p.Statements {
			s := &p.Statements[j]
			if want := c.applies(docs[i], &docs[i].Statements[j]); s.Matched() != want || s.Deny != docs[i].Statements[j].Deny {
				fail("statement %d of policy %d (%v): matched = %v, the second evaluator says %v", j, i, p.Kind, s.Matched(), want)
			}
			denied = denied || p.Applies && s.Deny && s.Matched()
			allowing[p.Kind] = allowing[p.Kind] || p.Applies && !s.Deny && s.Matched()
		}
	}
	free := d.Barred || d.Allowed && d.By == 0
	switch {
	case slices.Contains(docs, nil): // which may end it before anything else is asked
	case denied != d.Explicit && !free:
		fail("an applying Deny matches: %v, the decision is %+v", denied, d)
	case d.Allowed && !free && !c.granted && !allowing[d.By]:
		fail("%+v, but no %v allows", d, d.By)
	case !d.Allowed && !d.Explicit && d.By != SCP && d.By != Resource && d.By != Trust && allowing[d.By]:
		fail("%+v, but a %v allows", d, d.By)
	}
}

// FuzzDecide lets the fuzzer choose the cases.
func FuzzDecide(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, seed, i uint64) { compareEvaluators(t, seed, i) })
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// request is the case's request as the package takes it.
func (c *naiveCase) request() *Request {
	return &Request{Action: c.action, Resource: c.resource, ResourceAccount: c.owner, Principal: c.principal,
		Provider: c.provider, CanonicalUser: c.canonical, Context: c.compiledContext()}
}

// compiledContext is the case's context as the package takes it.
func (c *naiveCase) compiledContext() *Context {
	x := new(Context)
	for _, key := range slices.Sorted(maps.Keys(c.context)) {
		if v := c.context[key]; v.list {
			x.SetList(key, v.text...)
		} else {
			x.Set(key, v.text[0])
		}
	}
	return x
}

// generator makes cases that lie near the edges.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

// some picks at least one, seldom many.
func (g generator) some(from []string) []string {
	list := []string{pick(g, from...)}
	for g.chance(35) {
		list = append(list, pick(g, from...))
	}
	return list
}

var (
	genActions = []string{"s3:GetObject", "s3:PutObject", "iam:GetUser", "kms:Decrypt", "sts:AssumeRole", "s3:ListAllMyBuckets", "sts:GetCallerIdentity",
		"s3:GetObject", "kms:Decrypt", "sts:AssumeRole", "kms:RetireGrant", "ec2:RunInstances", "sts:TagSession", "sts:AssumeRoleWithWebIdentity", "sts:GetSessionToken", "sts:GetFederationToken"}
	genPatterns  = []string{"*", "s3:*", "S3:get*", "s3:GetObject", "s3:*Object", "s3:?etObject", "iam:*", "iam:GetUser", "kms:*", "kms:Decrypt", "sts:*", "sts:AssumeRole", "s3:List*", "*:*", "s?:GetObject", "s3:", "k*s:decrypt"}
	genResources = []string{"arn:aws:s3:::bucket/a", "arn:aws:s3:::bucket/alice/x", "arn:aws:s3:::bucket", "*",
		"arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/ops", "arn:aws:kms:eu-west-1:111122223333:key/k1", "arn:aws:kms:eu-west-1:111122223333:alias/a",
		"arn:aws:sqs:eu-west-1:111122223333:q:x:111122223333:q", "arn:aws:s3:::bucket/*/a:b"}
	genCovers = []string{"*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/${aws:username}/*", "arn:aws:s3:::buck?t/a", "arn:aws:s3:::*",
		"arn:aws:iam::*:user/*", "arn:aws:iam::111122223333:*", "arn:aws:kms:*:*:key/*", "arn:aws:kms", "arn:aws:s3*", "arn:AWS:S3:::bucket",
		"arn:aws:sqs:*:q", "arn:aws:sqs:eu*:111122223333:q", "arn:aws:sqs:*1:q:x:*", "arn:*:*:*:*:*", "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'a'}",
		"arn:aws:s3:::bucket/${*}/*", "arn:aws:iam::${aws:PrincipalAccount}:user/alice", "arn:aws:iam::111122223333:role/ops",
		"arn:aws:sqs:eu-?est-1:*:q", "arn:aws:s?s:*:*:*q"}
	genPrincipals = []string{"111122223333", "444455556666", rootUser, alice, session, opsRole, federated, issuer, stranger,
		"AIDAUSER000000000001", "AROAROLE000000000001", "arn:aws-cn:iam::111122223333:root", "arn:aws:iam::111122223333:role/a/path/ops", strangeRole, "AIDAUSER000000000002"}
	genCallers = []string{alice, alice, session, session, federated, rootUser, stranger, "", "logs.amazonaws.com",
		"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForLogs/x", strangeRole, "arn:aws:iam::444455556666:root", "arn:aws:sts::444455556666:assumed-role/r/s",
		alice, session}
	genProviders  = []string{"accounts.google.com", "arn:aws:iam::111122223333:saml-provider/corp"}
	genCanonicals = []string{"79a59df900b949e5", "79a59df900b949e6"}
	genKeys       = []string{"aws:username", "AWS:SourceIp", "aws:PrincipalTag/Team", "aws:TagKeys", "s3:prefix", "aws:CurrentTime", "aws:SourceArn", "s3:max-keys", "aws:SecureTransport", "kms:bytes"}
	genTexts      = []string{"alice", "Alice", "", "al*", "a?ice", "*", "${aws:username}", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/none, 'alice'}", "${aws:TagKeys}", "red", "blue", "${*}", "home/${aws:username}/*", "true", "TRUE", "10", "1e1", "9007199254740993",
		"10.0", "203.0.113.9", "203.0.113.0/24", "2001:db8::/32", "2001:db8::1", "::/0", "0.0.0.0/0", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00+01:00", "1795510800", "2026-11-24",
		"arn:aws:sns:*:111122223333:*", "arn:aws:sns:eu-west-1:111122223333:t", "arn:aws:iam::111122223333:user/${aws:username}", "YWxpY2U=", "${aws:SourceArn}"}
	genValues = []string{"alice", "Alice", "", "al*", "*", "red", "blue", "true", "false", "10", "9", "9007199254740993", "203.0.113.9", "2001:db8::1", "2026-11-24T09:00:00Z", "1795510800",
		"arn:aws:sns:eu-west-1:111122223333:t", "arn:aws:sns:eu-west-1:444455556666:t:111122223333:u", "arn:aws:iam::111122223333:user/alice", "YWxpY2U=", "home/alice/x"}
)

func (g generator) condition() map[string]any {
	block := map[string]any{}
	for {
		name := pick(g, slices.Sorted(maps.Keys(operators))...)
		if g.chance(50) {
			name = pick(g, "StringEquals", "StringLike", "StringNotEquals", "ArnLike", "IpAddress", "Null", "Bool")
		}
		if name != "Null" && g.chance(25) {
			name += "IfExists"
		}
		if g.chance(25) {
			name = pick(g, "ForAllValues:", "ForAnyValue:") + name
		}
		keys := map[string]any{}
		for range 1 + g.IntN(2) {
			values := g.some(genTexts)
			if g.chance(5) {
				values = []string{}
			}
			if strings.HasSuffix(name, "Null") {
				values = []string{pick(g, "true", "false", "True")}
			}
			keys[pick(g, genKeys...)] = values
		}
		block[name] = keys
		if g.chance(60) {
			return block
		}
	}
}

func (g generator) statement(kind Kind) map[string]any {
	s := map[string]any{"Effect": pick(g, "Allow", "Allow", "Allow", "Deny")}
	s[pick(g, "Action", "Action", "Action", "NotAction")] = g.some(genPatterns)
	if kind != Trust {
		s[pick(g, "Resource", "Resource", "Resource", "NotResource")] = g.some(genCovers)
	}
	if kind == Trust || kind == Resource {
		if name := pick(g, "Principal", "Principal", "Principal", "NotPrincipal"); name == "Principal" || kind == Resource && s["Effect"] == "Deny" {
			s[name] = g.principals()
		} else {
			s["Principal"] = "*"
		}
	}
	if kind == RCP {
		s["Principal"] = "*"
	}
	if g.chance(40) {
		s["Condition"] = g.condition()
	}
	return s
}

func (g generator) principals() any {
	switch g.IntN(8) {
	case 0:
		return "*"
	case 1:
		return map[string]any{"AWS": "*"}
	case 2:
		return map[string]any{"Service": "logs.amazonaws.com"}
	case 3:
		return map[string]any{"Federated": pick(g, genProviders...), "CanonicalUser": pick(g, genCanonicals...), "AWS": g.some(genPrincipals)}
	}
	return map[string]any{"AWS": g.some(genPrincipals)}
}

// documents makes n documents, and their compiled policies.
func (g generator) documents(t *testing.T, kind Kind, n int, texts *strings.Builder) (docs []*Document, compiled []*Policy) {
	for range n {
		root := map[string]any{}
		if version := pick(g, "2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", ""); version != "" {
			root["Version"] = version
		}
		list := []any{}
		for len(list) == 0 || g.chance(40) {
			list = append(list, g.statement(kind))
		}
		root["Statement"] = list
		text, _ := json.Marshal(root)
		fmt.Fprintf(texts, "%v: %s\n", kind, text)
		d, err := Read(text, kind)
		if err != nil {
			t.Fatalf("Read(%s) = %v", text, err)
		}
		docs, compiled = append(docs, d), append(compiled, Compile(d, ""))
	}
	return docs, compiled
}

func (g generator) levels(t *testing.T, kind Kind, texts *strings.Builder) (docs [][]*Document, compiled [][]*Policy) {
	for range g.IntN(3) {
		d, p := g.documents(t, kind, 1+g.IntN(2), texts)
		full := version2012Doc(`{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*'}`)
		if kind == SCP {
			full = version2012Doc(`{'Effect':'Allow','Action':'*','Resource':'*'}`)
		}
		if g.chance(70) {
			doc, err := Read([]byte(strings.ReplaceAll(full, "'", `"`)), kind)
			if err != nil {
				t.Fatal(err)
			}
			d, p = append(d, doc), append(p, Compile(doc, ""))
		}
		d, p = g.spoil(d, p)
		docs, compiled = append(docs, d), append(compiled, p)
	}
	return docs, compiled
}

// strangeRole is a session of which its ARN alone is known.
const strangeRole = "arn:aws:sts::111122223333:assumed-role/ops/unknown"

// caller fills in who calls.
func (g generator) caller(c *naiveCase) {
	c.principal = principalOf(pick(g, genCallers...))
	if g.chance(20) {
		c.canonical = pick(g, genCanonicals...)
	}
	switch p := c.principal; {
	case p == nil:
		if g.chance(70) {
			c.provider = pick(g, genProviders...)
		}
	case p.ARN == strangeRole:
		p.Session = nil
	case (p.Kind == aws.User || p.Kind == aws.Root) && g.chance(25): // of GetSessionToken
		p.Session = &aws.Session{IssuerARN: p.ARN}
		if g.chance(50) {
			p.Session.MFAAt = time.Unix(1795510800, 0)
		}
	case p.Kind == aws.FederatedUser && g.chance(30):
		p.Session.IssuerARN = rootUser
	}
}

// spoil makes some of a kind's policies unreadable, or all of them gone.
func (g generator) spoil(docs []*Document, compiled []*Policy) ([]*Document, []*Policy) {
	if len(docs) > 0 && g.chance(4) {
		i := g.IntN(len(docs))
		docs[i], compiled[i] = nil, nil
	}
	return docs, compiled
}

func (g generator) naiveCase(t *testing.T) (*naiveCase, *Policies, *strings.Builder) {
	texts := new(strings.Builder)
	c := &naiveCase{
		action:   pick(g, genActions...),
		resource: pick(g, genResources...),
		owner:    pick(g, home, home, home, other, "aws"),
		context:  map[string]naiveValue{},
	}
	g.caller(c)
	for _, key := range genKeys {
		switch g.IntN(8) {
		case 0, 1, 2:
		case 3:
			c.context[strings.ToLower(key)] = naiveValue{list: true, text: []string{}}
		case 4:
			c.context[strings.ToLower(key)] = naiveValue{list: true, text: g.some(genValues)}
		default:
			c.context[strings.ToLower(key)] = naiveValue{text: []string{pick(g, genValues...)}}
		}
	}
	p := new(Policies)
	if c.principal != nil && c.principal.Kind != aws.ServiceCaller {
		c.identity, p.Identity = g.spoil(g.documents(t, Identity, g.IntN(4), texts))
		if g.chance(25) {
			c.boundary, p.Boundary = g.spoil(g.documents(t, Boundary, g.IntN(3), texts))
			c.hasBoundary, p.HasBoundary = true, true
		}
		if c.principal.Session != nil && g.chance(40) {
			c.session, p.Session = g.spoil(g.documents(t, Session, g.IntN(3), texts))
			c.hasSession, p.HasSession = true, true
		}
		if g.chance(20) {
			c.scps, p.SCPs = g.levels(t, SCP, texts)
		}
	}
	if g.chance(15) {
		c.rcps, p.RCPs = g.levels(t, RCP, texts)
	}
	if g.chance(15) {
		c.endpoint, p.Endpoint = g.spoil(g.documents(t, Endpoint, g.IntN(3), texts))
		c.hasEndpoint, p.HasEndpoint = true, true
	}
	if g.chance(60) {
		kind := Resource
		if strings.HasPrefix(c.action, "sts:AssumeRole") || c.action == "sts:TagSession" {
			kind = Trust
		}
		docs, compiled := g.documents(t, kind, 1, texts)
		c.resourcePolicy, p.Resource = docs[0], compiled[0]
	}
	c.granted = strings.HasPrefix(c.action, "kms:") && g.chance(30)
	p.Granted = c.granted
	return c, p, texts
}
