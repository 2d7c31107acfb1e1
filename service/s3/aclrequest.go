package s3

import (
	"net/http"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// aclRequest is what a request says of an ACL: in one of three ways, or not at all.
type aclRequest struct {
	canned                             string // "": none
	full, read, write, readACP, putACP *string
	document                           *s3.AccessControlPolicy
}

// canned is the text of a canned ACL's header.
func canned[A ~string](name *A) string {
	if name == nil {
		return ""
	}
	return string(*name)
}

// headers are the grants by header, with the header's and the condition key's name.
func (r *aclRequest) headers() []struct {
	name       string
	text       *string
	permission s3.Permission
} {
	return []struct {
		name       string
		text       *string
		permission s3.Permission
	}{
		{"x-amz-grant-full-control", r.full, s3.PermissionFullControl}, {"x-amz-grant-read", r.read, s3.PermissionRead},
		{"x-amz-grant-write", r.write, s3.PermissionWrite}, {"x-amz-grant-read-acp", r.readACP, s3.PermissionReadAcp},
		{"x-amz-grant-write-acp", r.putACP, s3.PermissionWriteAcp},
	}
}

// given tells whether the request says anything of an ACL.
func (r *aclRequest) given() bool { return r.canned != "" || r.document != nil || r.byHeader() }

func (r *aclRequest) byHeader() bool {
	return r.full != nil || r.read != nil || r.write != nil || r.readACP != nil || r.putACP != nil
}

// conditions sets the condition keys of the request's headers.
func (r *aclRequest) conditions(call *gateway.Call) {
	if r.canned != "" {
		call.Condition("s3:x-amz-acl", r.canned)
	}
	for _, h := range r.headers() {
		if h.text != nil {
			call.Condition("s3:"+h.name, *h.text)
		}
	}
}

// cannedGroups are whom canned ACLs give what beside the owner.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
var cannedGroups = map[string][]Grant{
	"private":            nil,
	"public-read":        {{Group: allUsers, Permission: s3.PermissionRead}},
	"public-read-write":  {{Group: allUsers, Permission: s3.PermissionRead}, {Group: allUsers, Permission: s3.PermissionWrite}},
	"authenticated-read": {{Group: authenticatedUsers, Permission: s3.PermissionRead}},
	"log-delivery-write": {{Group: logDelivery, Permission: s3.PermissionWrite}, {Group: logDelivery, Permission: s3.PermissionReadAcp}},
}

// list is the ACL that the request means for what is or will be owner's; on an
// object, bucketOwner is whose bucket it lies in. Nil: it says nothing.
func (r *aclRequest) list(call *gateway.Call, owner, bucketOwner string, object bool) (*ACL, error) {
	switch {
	case !r.given():
		return nil, nil
	case r.canned != "" && r.byHeader():
		return nil, invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
	case r.document != nil && (r.canned != "" || r.byHeader()):
		return nil, fault(http.StatusBadRequest, "UnexpectedContent", "This request does not support content")
	case r.document != nil:
		return documentACL(r.document, owner)
	case r.canned != "":
		return r.cannedACL(call, owner, bucketOwner, object)
	}
	var l ACL
	for _, h := range r.headers() {
		if h.text == nil {
			continue
		}
		if err := l.addHeader(h.name, *h.text, h.permission); err != nil {
			return nil, err
		}
	}
	return &l, nil
}

func (r *aclRequest) cannedACL(call *gateway.Call, owner, bucketOwner string, object bool) (*ACL, error) {
	l := ownACL(owner)
	switch groups, ok := cannedGroups[r.canned]; {
	case ok:
		l.Grants = append(l.Grants, groups...)
	case object && r.canned == "bucket-owner-read" && owner != bucketOwner:
		l.Grants = append(l.Grants, Grant{ID: CanonicalID(bucketOwner), Permission: s3.PermissionRead})
	case object && r.canned == "bucket-owner-full-control" && owner != bucketOwner:
		l.Grants = append(l.Grants, Grant{ID: CanonicalID(bucketOwner), Permission: s3.PermissionFullControl})
	case object && (r.canned == "bucket-owner-read" || r.canned == "bucket-owner-full-control"):
	case r.canned == "aws-exec-read":
		return nil, gateway.NotImplemented(call.Operation, "ACL aws-exec-read")
	default:
		return nil, invalidArgument("", "x-amz-acl", r.canned)
	}
	return l, nil
}

// addHeader adds the grants of a header: id="…", uri="…", each any number of times.
func (l *ACL) addHeader(name, header string, permission s3.Permission) error {
	for part := range strings.SplitSeq(header, ",") {
		kind, value, ok := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		if !ok {
			return invalidArgument("Argument format not recognized", name, header)
		}
		var g Grant
		kind = strings.ToLower(strings.TrimSpace(kind))
		switch kind {
		case "id":
			g.ID = value
		case "uri":
			g.Group = value
		case "emailaddress":
			return byEmail()
		default:
			return invalidArgument("Argument format not recognized", name, header)
		}
		if err := l.add(g, permission, kind); err != nil {
			return err
		}
	}
	return nil
}

// byEmail is the refusal of grantees by e-mail address, which AWS took until October 2025.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Grantee.html
func byEmail() error {
	return fault(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// add adds a grant; name is what the request calls its grantee.
func (l *ACL) add(g Grant, permission s3.Permission, name string) error {
	switch {
	case len(l.Grants) == maxGrants:
		return malformedACL()
	case g.Group != "" && g.Group != allUsers && g.Group != authenticatedUsers && g.Group != logDelivery:
		return invalidArgument("Invalid group uri", name, g.Group)
	case g.Group == "" && !canonical(g.ID):
		return invalidArgument("Invalid id", name, g.ID)
	}
	g.Permission = permission
	l.Grants = append(l.Grants, g)
	return nil
}

// canonical tells whether s has the form of a canonical user id.
func canonical(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func malformedACL() error {
	return fault(http.StatusBadRequest, "MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema")
}

// documentACL is the ACL of an AccessControlPolicy, which must name the owner as it is.
func documentACL(d *s3.AccessControlPolicy, account string) (*ACL, error) {
	switch {
	case d.Owner == nil || d.Owner.ID == nil:
		return nil, malformedACL()
	case !canonical(*d.Owner.ID):
		return nil, invalidArgument("Invalid id", "CanonicalUser/ID", *d.Owner.ID)
	case *d.Owner.ID != CanonicalID(account):
		return nil, accessDenied()
	}
	var l ACL
	for i := range d.Grants {
		g := &d.Grants[i]
		if g.Grantee == nil || g.Permission == nil || !permissions[*g.Permission] {
			return nil, malformedACL()
		}
		var err error
		switch g.Grantee.Type {
		case s3.TypeCanonicalUser:
			err = l.add(Grant{ID: text(g.Grantee.ID)}, *g.Permission, "CanonicalUser/ID")
		case s3.TypeGroup:
			if text(g.Grantee.URI) == "" {
				return nil, malformedACL()
			}
			err = l.add(Grant{Group: *g.Grantee.URI}, *g.Permission, "Group/URI")
		case s3.TypeAmazonCustomerByEmail:
			err = byEmail()
		default:
			err = malformedACL()
		}
		if err != nil {
			return nil, err
		}
	}
	return &l, nil
}

var permissions = map[s3.Permission]bool{
	s3.PermissionFullControl: true, s3.PermissionRead: true, s3.PermissionWrite: true, s3.PermissionReadAcp: true, s3.PermissionWriteAcp: true,
}
