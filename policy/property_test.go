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
	"testing"

	"github.com/garrison-security/garrison/aws"
)

// TestDecideAgreesWithSecondEvaluator compares the two evaluators on random
// policies and requests. POLICY_CASES sets how many, POLICY_SEED where to begin.
func TestDecideAgreesWithSecondEvaluator(t *testing.T) {
	t.Parallel()
	cases, seed := envInt("POLICY_CASES", 10_000), uint64(envInt("POLICY_SEED", 1))
	seen := map[string]int{}
	for i := range uint64(cases) {
		g := generator{rand.New(rand.NewPCG(seed, i))}
		c, compiled, texts := g.naiveCase(t)
		want := c.decide()
		r := &Request{Action: c.action, Resource: c.resource, ResourceAccount: c.owner, Principal: c.principal, Context: c.compiledContext()}
		d := Decide(r, compiled)
		seen[want]++
		c.compareExplanation(t, d, Explain(r, compiled), texts)
		if got := verdict(d); got != want {
			t.Fatalf("POLICY_SEED=%d case %d: Decide = %s by %v, the second evaluator says %s\nrequest %s %s of %s by %+v\ncontext %v\n%s",
				seed, i, got, d.By, want, c.action, c.resource, c.owner, c.principal, c.context, texts)
		}
	}
	for _, v := range []string{"allow", "explicit", "implicit"} {
		if seen[v] < cases/20 {
			t.Errorf("%d of %d cases end in %s: too few to mean anything", seen[v], cases, v)
		}
	}
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
	f.Fuzz(func(t *testing.T, a, b uint64) {
		g := generator{rand.New(rand.NewPCG(a, b))}
		c, compiled, texts := g.naiveCase(t)
		r := &Request{Action: c.action, Resource: c.resource, ResourceAccount: c.owner, Principal: c.principal, Context: c.compiledContext()}
		if got, want := verdict(Decide(r, compiled)), c.decide(); got != want {
			t.Fatalf("Decide = %s, the second evaluator says %s\n%s", got, want, texts)
		}
	})
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
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
	genActions   = []string{"s3:GetObject", "s3:PutObject", "iam:GetUser", "kms:Decrypt", "sts:AssumeRole", "s3:ListAllMyBuckets", "sts:GetCallerIdentity"}
	genPatterns  = []string{"*", "s3:*", "S3:get*", "s3:GetObject", "s3:*Object", "s3:?etObject", "iam:*", "iam:GetUser", "kms:*", "kms:Decrypt", "sts:*", "sts:AssumeRole", "s3:List*", "*:*", "s?:GetObject", "s3:", "k*s:decrypt"}
	genResources = []string{"arn:aws:s3:::bucket/a", "arn:aws:s3:::bucket/alice/x", "arn:aws:s3:::bucket", "*",
		"arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/ops", "arn:aws:kms:eu-west-1:111122223333:key/k1",
		"arn:aws:sqs:eu-west-1:111122223333:q:x:111122223333:q", "arn:aws:s3:::bucket/*/a:b"}
	genCovers = []string{"*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/${aws:username}/*", "arn:aws:s3:::buck?t/a", "arn:aws:s3:::*",
		"arn:aws:iam::*:user/*", "arn:aws:iam::111122223333:*", "arn:aws:kms:*:*:key/*", "arn:aws:kms", "arn:aws:s3*", "arn:AWS:S3:::bucket",
		"arn:aws:sqs:*:q", "arn:aws:sqs:eu*:111122223333:q", "arn:aws:sqs:*1:q:x:*", "arn:*:*:*:*:*", "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'a'}",
		"arn:aws:s3:::bucket/${*}/*", "arn:aws:iam::${aws:PrincipalAccount}:user/alice", "arn:aws:iam::111122223333:role/ops",
		"arn:aws:sqs:eu-?est-1:*:q", "arn:aws:s?s:*:*:*q"}
	genPrincipals = []string{"111122223333", "444455556666", rootUser, alice, session, opsRole, federated, issuer, stranger,
		"AIDAUSER000000000001", "AROAROLE000000000001", "arn:aws-cn:iam::111122223333:root"}
	genCallers = []string{alice, alice, session, session, federated, rootUser, stranger, "", "logs.amazonaws.com",
		"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForLogs/x"}
	genKeys  = []string{"aws:username", "AWS:SourceIp", "aws:PrincipalTag/Team", "aws:TagKeys", "s3:prefix", "aws:CurrentTime", "aws:SourceArn", "s3:max-keys", "aws:SecureTransport", "kms:bytes"}
	genTexts = []string{"alice", "Alice", "", "al*", "a?ice", "*", "${aws:username}", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/none, 'alice'}", "${aws:TagKeys}", "red", "blue", "${*}", "home/${aws:username}/*", "true", "TRUE", "10", "1e1", "9007199254740993",
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
	switch g.IntN(6) {
	case 0:
		return "*"
	case 1:
		return map[string]any{"AWS": "*"}
	case 2:
		return map[string]any{"Service": "logs.amazonaws.com"}
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
		docs, compiled = append(docs, d), append(compiled, p)
	}
	return docs, compiled
}

func (g generator) naiveCase(t *testing.T) (*naiveCase, *Policies, *strings.Builder) {
	texts := new(strings.Builder)
	c := &naiveCase{
		action:    pick(g, genActions...),
		resource:  pick(g, genResources...),
		owner:     pick(g, home, home, home, other),
		principal: principalOf(pick(g, genCallers...)),
		context:   map[string]naiveValue{},
	}
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
	anonymous := c.principal == nil || c.principal.Kind == aws.ServiceCaller
	if !anonymous {
		c.identity, p.Identity = g.documents(t, Identity, g.IntN(4), texts)
		if g.chance(25) {
			c.boundary, p.Boundary = g.documents(t, Boundary, 1, texts)
		}
		if c.principal.Session != nil && g.chance(40) {
			c.session, p.Session = g.documents(t, Session, 1+g.IntN(2), texts)
		}
		if g.chance(20) {
			c.scps, p.SCPs = g.levels(t, SCP, texts)
		}
	}
	if g.chance(15) {
		c.rcps, p.RCPs = g.levels(t, RCP, texts)
	}
	if g.chance(15) {
		c.endpoint, p.Endpoint = g.documents(t, Endpoint, 1, texts)
	}
	if g.chance(60) {
		kind := Resource
		if c.action == "sts:AssumeRole" {
			kind = Trust
		}
		docs, compiled := g.documents(t, kind, 1, texts)
		c.resourcePolicy, p.Resource = docs[0], compiled[0]
	}
	c.granted = c.action == "kms:Decrypt" && g.chance(30)
	p.Granted = c.granted
	return c, p, texts
}
