package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// startNodes starts servers at once with one root key, each on its URL of one new
// database, and answers with the key of root that one of them has made.
func startNodes(t *testing.T, urls ...string) (nodes []*server, root key) {
	t.Helper()
	return startNodesWith(t, nil, nil, urls...)
}

// startNodesWith is startNodes with further flags and variables.
func startNodesWith(t *testing.T, args, env []string, urls ...string) (nodes []*server, root key) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(urls))
	for i, url := range urls {
		n := &server{
			dir: filepath.Join(t.TempDir(), "data"), args: append([]string{"--engine", url}, args...), log: new(logBuffer),
			env: append([]string{"GARRISON_ROOT_PASSPHRASE=one root key for all of the nodes"}, env...),
		}
		nodes = append(nodes, n)
		all.Go(func() { errs[i] = n.start() })
		t.Cleanup(n.kill)
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, n := range nodes {
		if k, err := n.credential("default"); err == nil {
			root, found = k, found+1
		}
	}
	if found != 1 {
		t.Fatalf("%d first starts at once wrote %d keys of root", len(nodes), found)
	}
	return nodes, root
}

// TestNodesShareAnInstallation asks each node for what the other was told.
func TestNodesShareAnInstallation(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	nodes, root := startNodes(t, url, url, url)
	clients := make([]*iam.Client, len(nodes))
	for i, n := range nodes {
		clients[i] = iam.NewFromConfig(config(n.endpoint, "us-east-1", root, &http.Transport{}))
	}
	name := aws.String("alice")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := clients[0].CreateUser(t.Context(), &iam.CreateUserInput{UserName: name})
	check(err)
	made, err := clients[1].CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	check(err)
	alice := key{ID: *made.AccessKey.AccessKeyId, Secret: *made.AccessKey.SecretAccessKey}
	mayList := aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`)
	hers := make([]*iam.Client, len(nodes))
	for i, n := range nodes {
		hers[i] = iam.NewFromConfig(config(n.endpoint, "us-east-1", alice, &http.Transport{}))
	}
	trials := 20
	if n, err := strconv.Atoi(os.Getenv("GARRISON_SOAK")); err == nil {
		trials *= n
	}
	for i := range trials { // a permission is given on one node and taken on another, and each call obeys
		one, other := clients[i%3], clients[(i+1)%3]
		_, err := one.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"), PolicyDocument: mayList})
		check(err)
		for _, alice := range hers {
			_, err = alice.ListUsers(t.Context(), &iam.ListUsersInput{})
			check(err)
		}
		_, err = other.DeleteUserPolicy(t.Context(), &iam.DeleteUserPolicyInput{UserName: name, PolicyName: aws.String("p")})
		check(err)
		for node, alice := range hers {
			_, err = alice.ListUsers(t.Context(), &iam.ListUsersInput{})
			if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "AccessDenied" {
				t.Fatalf("on node %d, after the permission was taken away: %v", node, err)
			}
		}
	}
	useSessionEverywhere(t, nodes, clients[0], alice)
	account, complaints, err := nodes[0].garrison(t, "account", "create")
	if err != nil {
		t.Fatalf("account create: %v: %s", err, complaints)
	}
	theirs, err := nodes[0].credential(strings.TrimSpace(account))
	check(err)
	who, err := sts.NewFromConfig(config(nodes[1].endpoint, "us-east-1", theirs, &http.Transport{})).GetCallerIdentity(t.Context(), nil)
	check(err)
	if *who.Account != strings.TrimSpace(account) {
		t.Errorf("the other node says %s of an account that is %s", *who.Account, account)
	}
	for _, n := range nodes {
		if out, complaints, err := n.garrison(t, "verify"); err != nil {
			t.Errorf("verify: %v\n%s%s", err, out, complaints)
		}
		if err := n.sound(); err != nil {
			t.Error(err)
		}
	}
}

// useSessionEverywhere makes a session on one node, uses it on all, and takes from it on one what it may do.
func useSessionEverywhere(t *testing.T, nodes []*server, root *iam.Client, user key) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	role, name := aws.String("nodes"), aws.String("p")
	self, err := sts.NewFromConfig(config(nodes[0].endpoint, "us-east-1", user, &http.Transport{})).GetCallerIdentity(t.Context(), nil)
	check(err)
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}}`, *self.Arn)
	made, err := root.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: &trust})
	check(err)
	_, err = root.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: role, PolicyName: name,
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`)})
	check(err)
	assumed, err := sts.NewFromConfig(config(nodes[1].endpoint, "us-east-1", user, &http.Transport{})).AssumeRole(t.Context(),
		&sts.AssumeRoleInput{RoleArn: made.Role.Arn, RoleSessionName: aws.String("session")})
	check(err)
	session := key{*assumed.Credentials.AccessKeyId, *assumed.Credentials.SecretAccessKey, *assumed.Credentials.SessionToken}
	list := func(n *server) error {
		_, err := iam.NewFromConfig(config(n.endpoint, "us-east-1", session, &http.Transport{})).ListUsers(t.Context(), &iam.ListUsersInput{})
		return err
	}
	for _, n := range nodes {
		check(list(n))
	}
	_, err = root.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: name})
	check(err)
	for i, n := range nodes {
		if refused, ok := errors.AsType[smithy.APIError](list(n)); !ok || refused.ErrorCode() != "AccessDenied" {
			t.Errorf("node %d lets the session do what its role may no longer", i)
		}
	}
}

func (s *server) garrison(t *testing.T, args ...string) (stdout, stderr string, err error) {
	return garrison(t.Context(), s.dir, args...)
}

// TestANodeNeedsTheInstallationsRootKey starts nodes that have none, or another.
func TestANodeNeedsTheInstallationsRootKey(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	first, _ := serving(t, "--engine", url)
	for _, c := range []struct {
		name, want string
		rootKey    string
	}{
		{"none", "copy the first node's there", ""},
		{"another", "made with another root key", "another"},
	} {
		dir := t.TempDir()
		if c.rootKey != "" {
			other, _ := serving(t, "--engine", pgtest.URL(t))
			text, err := os.ReadFile(filepath.Join(other.dir, "root.key"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "root.key"), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := start(dir, "--engine", url)
		if err == nil {
			s.kill()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := first.stop(); err != nil {
		t.Error(err)
	}
}

// TestCheckConfigSaysWhatAStartWouldDo asks about databases in several states.
func TestCheckConfigSaysWhatAStartWouldDo(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	ask := func(engine, want string) {
		t.Helper()
		out, complaints, err := garrison(t.Context(), t.TempDir(), "check-config", "--engine", engine)
		if all := fmt.Sprint(out, complaints, err); !strings.Contains(all, want) || strings.Contains(all, "s3cret") {
			t.Errorf("check-config says %s, want %q", all, want)
		}
	}
	ask(url, "empty; a start makes the tables, of format 1")
	s, _ := serving(t, "--engine", url)
	ask(url, "tables of format 1, as this release wants them")
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := pgtest.Exec(url, "UPDATE garrison_meta SET format = 99, release = 'v9.0.0'"); err != nil {
		t.Fatal(err)
	}
	ask(url, "the store was written by release v9.0.0 (format 99)")
	ask(url, "S3 is not served")
	ask("postgres://garrison:s3cret@127.0.0.1:1/postgres?sslmode=disable", "store: unavailable")
	ask("postgres://garrison:s3cret@db.example.com/postgres?sslmode=prefer", "in the clear")
	ask("postgress://garrison:s3cret@db.example.com", "is no engine")
}
