package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	everythingAllowed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	otherAccount      = "444455556666"
)

// identityProvider is SAML metadata, as short as they may be.
var identityProvider = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"><IDPSSODescriptor/></EntityDescriptor>` +
	strings.Repeat(" ", 1000)

func trusting(account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`
}

// recordedCall is a call whose record is compared with AWS's of the same
// operation, outcome and kind of caller.
type recordedCall struct {
	as, operation string // "iam:CreateUser"
	members       []string
	code          string // of the error it is answered with
}

// recordedCalls are called in this order. ACCOUNT stands for the account.
var recordedCalls = []recordedCall{
	{"root", "iam:CreateUser", []string{"UserName=alice"}, ""},
	{"root", "iam:PutUserPolicy", []string{"UserName=alice", "PolicyName=all", "PolicyDocument=" + everythingAllowed}, ""},
	{"root", "iam:CreateUser", []string{"UserName=mallory"}, ""},
	{"root", "iam:ListAccessKeys", []string{"UserName=alice"}, ""},
	{"root", "key", []string{"alice"}, ""},
	{"root", "key", []string{"mallory"}, ""},

	{"alice", "iam:CreateUser", []string{"UserName=bob", "Path=/"}, ""},
	{"alice", "iam:CreateLoginProfile", []string{"UserName=bob", "Password=Aa1!bcdefghij", "PasswordResetRequired=true"}, ""},
	{"alice", "iam:CreateAccessKey", []string{"UserName=bob"}, ""},
	{"alice", "iam:CreateAccessKey", []string{"UserName=bob"}, ""},
	{"alice", "iam:CreateAccessKey", []string{"UserName=bob"}, "LimitExceeded"},
	{"alice", "iam:ListAccessKeys", []string{"UserName=bob"}, ""},
	{"alice", "iam:CreateRole", []string{"RoleName=r", "Path=/", "MaxSessionDuration=3600", "Tags.0.Key=acme", "Tags.0.Value=true", "AssumeRolePolicyDocument=" + trusting("ACCOUNT")}, ""},
	{"alice", "iam:UpdateAssumeRolePolicy", []string{"RoleName=r", "PolicyDocument=" + trusting("ACCOUNT")}, ""},
	{"alice", "iam:PutRolePolicy", []string{"RoleName=r", "PolicyName=all", "PolicyDocument=" + everythingAllowed}, ""},
	{"alice", "iam:CreatePolicy", []string{"PolicyName=p", "PolicyDocument=" + everythingAllowed}, ""},
	{"alice", "iam:AttachRolePolicy", []string{"RoleName=r", "PolicyArn=arn:aws:iam::ACCOUNT:policy/p"}, ""},
	{"alice", "iam:CreateGroup", []string{"GroupName=g"}, ""},
	{"alice", "iam:PutGroupPolicy", []string{"GroupName=g", "PolicyName=all", "PolicyDocument=" + everythingAllowed}, ""},
	{"alice", "iam:GetUser", nil, ""},
	{"alice", "iam:GetUser", []string{"UserName=bob"}, ""},
	{"alice", "iam:GetRole", []string{"RoleName=r"}, ""},
	{"alice", "iam:GetRolePolicy", []string{"RoleName=r", "PolicyName=all"}, ""},
	{"alice", "iam:GetPolicy", []string{"PolicyArn=arn:aws:iam::ACCOUNT:policy/p"}, ""},
	{"alice", "iam:GetPolicyVersion", []string{"PolicyArn=arn:aws:iam::ACCOUNT:policy/p", "VersionId=v1"}, ""},
	{"alice", "iam:GetAccountSummary", nil, ""},
	{"alice", "iam:GetAccountAuthorizationDetails", nil, ""},
	{"alice", "iam:ListUsers", nil, ""},
	{"alice", "iam:ListMFADevices", nil, ""},
	{"alice", "iam:ListSSHPublicKeys", nil, ""},
	{"alice", "iam:ListRolePolicies", []string{"RoleName=r"}, ""},
	{"alice", "iam:ListAttachedRolePolicies", []string{"RoleName=r"}, ""},
	{"alice", "iam:GetInstanceProfile", []string{"InstanceProfileName=ip"}, "NoSuchEntity"},
	{"alice", "iam:CreateInstanceProfile", []string{"InstanceProfileName=ip", "Path=/", "Tags.0.Key=acme", "Tags.0.Value=true"}, ""},
	{"alice", "iam:AddRoleToInstanceProfile", []string{"InstanceProfileName=ip", "RoleName=r"}, ""},
	{"alice", "iam:GetInstanceProfile", []string{"InstanceProfileName=ip"}, ""},
	{"alice", "iam:TagInstanceProfile", []string{"InstanceProfileName=ip", "Tags.0.Key=acme", "Tags.0.Value=true"}, ""},
	{"alice", "iam:ListInstanceProfilesForRole", []string{"RoleName=r"}, ""},
	{"alice", "iam:RemoveRoleFromInstanceProfile", []string{"InstanceProfileName=ip", "RoleName=r"}, ""},
	{"alice", "iam:DeleteInstanceProfile", []string{"InstanceProfileName=ip"}, ""},
	{"alice", "iam:ListEntitiesForPolicy", []string{"PolicyArn=arn:aws:iam::ACCOUNT:policy/p"}, ""},
	{"alice", "iam:ListPolicyVersions", []string{"PolicyArn=arn:aws:iam::ACCOUNT:policy/p"}, ""},
	{"alice", "sts:GetCallerIdentity", nil, ""},
	{"alice", "cloudtrail:LookupEvents", []string{"LookupAttributes.0.AttributeKey=EventName", "LookupAttributes.0.AttributeValue=CreateUser"}, ""},
	{"alice", "sts:AssumeRole", []string{"RoleArn=arn:aws:iam::ACCOUNT:role/r", "RoleSessionName=ses", "DurationSeconds=900"}, ""},
	{"alice", "sts:AssumeRole", []string{"RoleArn=arn:aws:iam::ACCOUNT:role/none", "RoleSessionName=ses"}, "AccessDenied"},

	{"alice", "session", []string{"RoleArn=arn:aws:iam::ACCOUNT:role/r", "RoleSessionName=ses", "DurationSeconds=900"}, ""},
	{"alice", "sts:GetFederationToken", []string{"Name=fed", "Policy=" + everythingAllowed}, ""},
	{"alice", "federated", []string{"Name=fed", "Policy=" + everythingAllowed}, ""},
	{"federated", "sts:GetCallerIdentity", nil, ""},
	{"session", "sts:GetCallerIdentity", nil, ""},
	{"session", "iam:ListAccountAliases", nil, ""},
	{"session", "iam:CreateSAMLProvider", []string{"Name=idp", "SAMLMetadataDocument=" + identityProvider}, ""},
	{"session", "iam:UpdateSAMLProvider", []string{"SAMLProviderArn=arn:aws:iam::ACCOUNT:saml-provider/idp", "SAMLMetadataDocument=" + identityProvider}, ""},
	{"session", "iam:DeleteSAMLProvider", []string{"SAMLProviderArn=arn:aws:iam::ACCOUNT:saml-provider/idp"}, ""},
	{"session", "iam:ListGroups", nil, ""},
	{"session", "iam:GetGroup", []string{"GroupName=g"}, ""},
	{"session", "iam:GetGroupPolicy", []string{"GroupName=g", "PolicyName=all"}, ""},
	{"session", "iam:ListAttachedGroupPolicies", []string{"GroupName=g"}, ""},
	{"session", "iam:ListGroupsForUser", []string{"UserName=bob"}, ""},
	{"session", "iam:ListAttachedUserPolicies", []string{"UserName=none"}, "NoSuchEntity"},
	{"session", "iam:ListUserPolicies", []string{"UserName=none"}, "NoSuchEntity"},

	{"root", "organizations:CreateOrganization", nil, ""},
	{"session", "organizations:DescribeAccount", []string{"AccountId=ACCOUNT"}, ""},
	{"mallory", "organizations:DescribeOrganization", nil, "AccessDeniedException"},
	{"mallory", "organizations:ListAccounts", nil, "AccessDeniedException"},
	{"mallory", "organizations:ListOrganizationalUnitsForParent", []string{"ParentId=r-abcd"}, "AccessDeniedException"},

	{"mallory", "iam:AttachRolePolicy", []string{"RoleName=r", "PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess"}, "AccessDenied"},
	{"mallory", "iam:ChangePassword", []string{"OldPassword=Aa1!bcdefghij", "NewPassword=Bb2!cdefghijk"}, "AccessDenied"},
	{"mallory", "iam:CreateAccessKey", []string{"UserName=bob"}, "AccessDenied"},
	{"mallory", "iam:CreateGroup", []string{"GroupName=h"}, "AccessDenied"},
	{"mallory", "iam:CreateUser", []string{"UserName=eve"}, "AccessDenied"},
	{"mallory", "iam:DeleteAccessKey", []string{"UserName=bob", "AccessKeyId=AKIAIOSFODNN7EXAMPLE"}, "AccessDenied"},
	{"mallory", "iam:UpdateAccessKey", []string{"UserName=bob", "AccessKeyId=AKIAIOSFODNN7EXAMPLE", "Status=Inactive"}, "AccessDenied"},
	{"mallory", "iam:DeleteRolePermissionsBoundary", []string{"RoleName=r"}, "AccessDenied"},
	{"mallory", "iam:DeleteUserPermissionsBoundary", []string{"UserName=bob"}, "AccessDenied"},
	{"mallory", "iam:PutRolePermissionsBoundary", []string{"RoleName=r", "PermissionsBoundary=arn:aws:iam::ACCOUNT:policy/p"}, "AccessDenied"},
	{"mallory", "iam:PutUserPermissionsBoundary", []string{"UserName=bob", "PermissionsBoundary=arn:aws:iam::ACCOUNT:policy/p"}, "AccessDenied"},
	{"mallory", "iam:DeleteRolePolicy", []string{"RoleName=r", "PolicyName=all"}, "AccessDenied"},
	{"mallory", "iam:DeleteUserPolicy", []string{"UserName=bob", "PolicyName=all"}, "AccessDenied"},
	{"mallory", "iam:PutRolePolicy", []string{"RoleName=r", "PolicyName=all", "PolicyDocument=" + everythingAllowed}, "AccessDenied"},
	{"mallory", "iam:PutUserPolicy", []string{"UserName=bob", "PolicyName=all", "PolicyDocument=" + everythingAllowed}, "AccessDenied"},
	{"mallory", "iam:UpdateAssumeRolePolicy", []string{"RoleName=r", "PolicyDocument=" + trusting("ACCOUNT")}, "AccessDenied"},
	{"mallory", "iam:ListAccessKeys", []string{"UserName=bob"}, "AccessDenied"},
	{"mallory", "sts:GetFederationToken", []string{"Name=fed"}, "AccessDenied"},
	{"mallory", "iam:ListGroups", nil, "AccessDenied"},
	{"mallory", "iam:ListGroupsForUser", []string{"UserName=bob"}, "AccessDenied"},
	{"mallory", "iam:ListOpenIDConnectProviders", nil, "AccessDenied"},
	{"mallory", "iam:ListSAMLProviders", nil, "AccessDenied"},
	{"mallory", "iam:ListSSHPublicKeys", nil, "AccessDenied"},
	{"mallory", "iam:ListServiceSpecificCredentials", nil, "AccessDenied"},

	{otherAccount, "iam:CreateRole", []string{"RoleName=guest", "AssumeRolePolicyDocument=" + trusting("ACCOUNT")}, ""},
	{"alice", "sts:AssumeRole", []string{"RoleArn=arn:aws:iam::" + otherAccount + ":role/guest", "RoleSessionName=ses", "DurationSeconds=900"}, ""},

	{"alice", "iam:DetachRolePolicy", []string{"RoleName=r", "PolicyArn=arn:aws:iam::ACCOUNT:policy/p"}, ""},
	{"alice", "iam:DeletePolicy", []string{"PolicyArn=arn:aws:iam::ACCOUNT:policy/p"}, ""},
	{"alice", "iam:DeleteRolePolicy", []string{"RoleName=r", "PolicyName=all"}, ""},
	{"alice", "iam:DeleteRole", []string{"RoleName=r"}, ""},
}

// uncalled are the callers of AWS's records that nothing here can be, and why.
var uncalled = map[string]string{
	"AWSService": "no service of Garrison assumes a role yet",
}

// unmade are fields of AWS's records that ours need not have, and why.
var unmade = map[string]string{
	"sessionCredentialFromConsole": "AWS's call came from its console",
}

// servedOperations reads docs/coverage.md: "iam:CreateUser" …
func servedOperations(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash("../docs/coverage.md"))
	if err != nil {
		t.Fatal(err)
	}
	served, service := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			service = name
		}
		if names, ok := strings.CutPrefix(line, "Served: "); ok {
			for name := range strings.SplitSeq(strings.TrimSuffix(names, "."), ", ") {
				served[service+":"+name] = true
			}
		}
	}
	return served
}

// makeRecords calls the recordedCalls over HTTPS and reads their records.
func makeRecords(t *testing.T, served map[string]bool) (account string, records []map[string]any) {
	t.Helper()
	s, root := serving(t)
	if _, complaints, err := garrison(t.Context(), s.dir, "account", "create", "--id", otherAccount); err != nil {
		t.Fatalf("account create: %v: %s", err, complaints)
	}
	foreign, err := s.credential(otherAccount)
	if err != nil {
		t.Fatal(err)
	}
	https, err := transport(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	defer https.CloseIdleConnections()
	endpoint := "https" + strings.TrimPrefix(s.endpoint, "http")
	keys := map[string]key{"root": root, otherAccount: foreign}
	do := func(as, service, operation string, members []string) (any, error) {
		for i, member := range members {
			members[i] = strings.ReplaceAll(member, "ACCOUNT", account)
		}
		return callByName(t.Context(), config(endpoint, "us-east-1", keys[as], https), service, operation, members)
	}
	keep := func(name string, answer any) {
		text, _ := json.Marshal(answer)
		var k struct{ AccessKeyId, SecretAccessKey, SessionToken string }
		if err := json.Unmarshal(text, &k); err != nil || k.AccessKeyId == "" {
			t.Fatalf("%s: no key in %s", name, text)
		}
		keys[name] = key{k.AccessKeyId, k.SecretAccessKey, k.SessionToken}
	}
	who, err := do("root", "sts", "GetCallerIdentity", nil)
	if err != nil {
		t.Fatal(err)
	}
	account = *who.(map[string]any)["Account"].(*string)
	for _, c := range recordedCalls {
		var out any
		switch c.operation {
		case "key":
			if out, err = do(c.as, "iam", "CreateAccessKey", []string{"UserName=" + c.members[0]}); err == nil {
				keep(c.members[0], out.(map[string]any)["AccessKey"])
			}
		case "session":
			if out, err = do(c.as, "sts", "AssumeRole", c.members); err == nil {
				keep("session", out.(map[string]any)["Credentials"])
			}
		case "federated":
			if out, err = do(c.as, "sts", "GetFederationToken", c.members); err == nil {
				keep("federated", out.(map[string]any)["Credentials"])
			}
		default:
			if !served[c.operation] {
				continue
			}
			service, operation, _ := strings.Cut(c.operation, ":")
			_, err = do(c.as, service, operation, c.members)
		}
		if code, _, _ := strings.Cut(fmt.Sprint(err), ":"); c.code == "" && err != nil || c.code != "" && code != c.code {
			t.Fatalf("%s %s %s: %v, want %s", c.as, c.operation, c.members, err, c.code)
		}
	}
	out, complaints, err := garrison(t.Context(), s.dir, "trail", "--json")
	if err != nil {
		t.Fatalf("garrison trail: %v: %s", err, complaints)
	}
	for secret := range keys {
		if k := keys[secret]; strings.Contains(out, k.Secret) || k.Token != "" && strings.Contains(out, k.Token) {
			t.Errorf("the record holds the secret or token of %s", secret)
		}
	}
	for line := range strings.Lines(out) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(record["eventSource"].(string), ".amazonaws.com") {
			records = append(records, record)
		}
	}
	return account, records
}

// TestRecordsHaveAWSsFields compares our records with AWS's of the same
// operation, outcome and kind of caller: what each of theirs has, ours have;
// what none of theirs has, ours have not; and what both have is of the same type.
func TestRecordsHaveAWSsFields(t *testing.T) {
	t.Parallel()
	theirs, served := readRealRecords(t), servedOperations(t)
	account, records := makeRecords(t, served)
	compared := map[recordKey]int{}
	for _, record := range records {
		k := keyOf(record)
		identity := fieldSet{}
		caller := record["userIdentity"].(map[string]any)
		kind := callerKind(caller)
		identity.add("userIdentity", caller)
		if p := theirs.callers[kind]; p == nil {
			if k.Caller != "AWSAccount" && k.Caller != "Root" {
				t.Errorf("AWS has no record of a caller that is %s", kind)
			}
		} else {
			p.compare(t, kind, identity, func(string) bool { return false })
		}
		p := theirs.byKey[k]
		if p == nil {
			continue
		}
		compared[k]++
		anybody := k
		anybody.Caller = ""
		fields := fieldsOf(record)
		p.compare(t, fmt.Sprint(k), fields, func(field string) bool {
			return !p.sound || theirs.some[anybody][field]
		})
		if !p.sound {
			continue
		}
		for _, name := range constants {
			if text, _ := json.Marshal(record[name]); !p.values[name][string(text)] {
				t.Errorf("%v: %s is %s", k, name, text)
			}
		}
	}
	for k := range theirs.byKey {
		service, _, _ := strings.Cut(k.Source, ".")
		if served[service+":"+k.Name] && uncalled[k.Caller] == "" && compared[k] == 0 {
			t.Errorf("%v: AWS has such records, none was made here", k)
		}
	}
	t.Logf("%d kinds of records compared", len(compared))
	sharedByBoth(t, account, records)
}

// compare holds fields against AWS's; allowed says which of those that these records lack are all the same AWS's.
func (p *published) compare(t *testing.T, what string, fields fieldSet, allowed func(field string) bool) {
	t.Helper()
	for field := range p.every {
		if _, ok := fields[field]; !ok && unmade[field] == "" {
			t.Errorf("%s: %s is missing", what, field)
		}
	}
	for field, kind := range fields {
		kinds := p.kinds[field]
		switch {
		case kinds == nil && !allowed(field):
			t.Errorf("%s: %s is no field of AWS's", what, field)
		case kinds != nil && p.sound && !kinds[kind]:
			t.Errorf("%s: %s is %s, AWS's %v", what, field, kind, kinds)
		}
	}
}

// sharedByBoth holds that a role assumed across accounts stands in both
// records, and that its account is told no more of the caller than AWS tells.
func sharedByBoth(t *testing.T, account string, records []map[string]any) {
	t.Helper()
	ids := map[any]any{}
	for _, record := range records {
		if id, ok := record["sharedEventID"]; ok {
			ids[record["recipientAccountId"]] = id
			if record["recipientAccountId"] == otherAccount {
				identity, _ := json.Marshal(record["userIdentity"])
				if keyOf(record).Caller != "AWSAccount" || strings.Contains(string(identity), "alice") || strings.Contains(string(identity), "AKIA") {
					t.Errorf("the role's account is told %s", identity)
				}
			}
		}
	}
	if ids[account] == nil || ids[account] != ids[otherAccount] || len(ids) != 2 {
		t.Errorf("the shared event ids are %v", ids)
	}
}
