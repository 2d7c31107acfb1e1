package s3

import (
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// A grant lets in whom it names and nobody else, with the permission that it gives.
func TestGrantsLetInWhomTheyName(t *testing.T) {
	const owner, other = "111122223333", "444455556666"
	var (
		nobody  = &aws.Principal{Kind: aws.Anonymous}
		service = &aws.Principal{Kind: aws.ServiceCaller, Name: "logging.s3.amazonaws.com"}
		mine    = &aws.Principal{Kind: aws.User, Account: owner}
		theirs  = &aws.Principal{Kind: aws.AssumedRole, Account: other}
	)
	group := func(uri string) Grant { return Grant{Group: uri, Permission: s3.PermissionRead} }
	id := func(account string, p s3.Permission) Grant { return Grant{ID: CanonicalID(account), Permission: p} }
	for _, c := range []struct {
		name         string
		grant        Grant
		caller       *aws.Principal
		ignorePublic bool
		want         s3.Permission
		lets         bool
	}{
		{"all", group(allUsers), nobody, false, s3.PermissionRead, true},
		{"all, ignored", group(allUsers), nobody, true, s3.PermissionRead, false},
		{"all, another permission", group(allUsers), nobody, false, s3.PermissionWrite, false},
		{"authenticated", group(authenticatedUsers), theirs, false, s3.PermissionRead, true},
		{"authenticated, ignored", group(authenticatedUsers), theirs, true, s3.PermissionRead, false},
		{"authenticated, anonymous", group(authenticatedUsers), nobody, false, s3.PermissionRead, false},
		{"authenticated, a service", group(authenticatedUsers), service, false, s3.PermissionRead, false},
		{"log delivery", group(logDelivery), service, false, s3.PermissionRead, false},
		{"the account", id(other, s3.PermissionRead), theirs, true, s3.PermissionRead, true},
		{"the account, full control", id(other, s3.PermissionFullControl), theirs, false, s3.PermissionWriteAcp, true},
		{"the account, write is no read", id(other, s3.PermissionWrite), theirs, false, s3.PermissionRead, false},
		{"another account", id("777788889999", s3.PermissionFullControl), theirs, false, s3.PermissionRead, false},
		{"the owner's users have policies", id(owner, s3.PermissionFullControl), mine, false, s3.PermissionRead, false},
		{"nobody has no id", Grant{ID: CanonicalID(""), Permission: s3.PermissionRead}, nobody, false, s3.PermissionRead, false},
		{"no grantee", Grant{Permission: s3.PermissionRead}, theirs, false, s3.PermissionRead, false},
	} {
		if l := (&ACL{[]Grant{c.grant}}); l.grants(c.caller, owner, c.ignorePublic, c.want) != c.lets {
			t.Errorf("%s: lets in %t", c.name, !c.lets)
		}
	}
	if (*ACL)(nil).grants(nobody, owner, false, s3.PermissionRead) {
		t.Error("no list lets in")
	}
}

// Lists in headers are bounded, and read in one way or not at all.
func TestGrantHeaders(t *testing.T) {
	me := CanonicalID("111122223333")
	for _, c := range []struct {
		header string
		grants int // 0: refused
	}{
		{"id=" + me, 1}, {`id="` + me + `", uri="` + allUsers + `"`, 2}, {"ID=" + me, 1},
		{"", 0}, {",", 0}, {"id", 0}, {"id=", 0}, {`id="`, 0}, {"id=" + strings.ToUpper(me), 0}, {"id=" + me + "0", 0}, {"id=" + me + ",", 0},
		{"uri=" + allUsers + "/", 0}, {"uri=", 0}, {"emailAddress=a@example.com", 0}, {"name=" + me, 0}, {strings.Repeat("id="+me+",", maxGrants) + "id=" + me, 0},
	} {
		l, err := (&aclRequest{read: &c.header}).list(&gateway.Call{}, "111122223333", "111122223333", false)
		if (err != nil) != (c.grants == 0) || err == nil && len(l.Grants) != c.grants {
			t.Errorf("%.80q: %v, %v", c.header, l, err)
		}
	}
}

func TestWildcardsOfOrigins(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		is         bool
	}{
		{"*", "", true}, {"*", "https://a", true}, {"https://a", "https://a", true}, {"https://a", "https://A", false}, {"https://a", "https://ab", false},
		{"https://*.b", "https://a.b", true}, {"https://*.b", "https://b", false}, {"https://*.b", "https://a.b.c", false}, {"ab*bc", "abc", false}, {"ab*bc", "abbc", true},
	} {
		if like(c.pattern, c.s) != c.is {
			t.Errorf("like(%q, %q) = %t", c.pattern, c.s, !c.is)
		}
	}
}
