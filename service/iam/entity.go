package iam

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Entity is what users, groups and roles have in common, as stored. Records
// are shared between calls and not changed; edit copies. All that bears on a
// decision stands in the record itself, so that one read finds it.
type Entity struct {
	Name, Path string
	ID         string // AIDA…, AGPA…, AROA…
	Arn        string
	Created    time.Time
	Inline     []*Inline `cbor:",omitempty"` // sorted by name
	Attached   []string  `cbor:",omitempty"` // ARNs of managed policies, sorted by the policies' names
	Boundary   string    `cbor:",omitempty"` // ARN of a managed policy; "" = none
	Tags       []Tag     `cbor:",omitempty"` // in the order in which they were set

	tags   lazyTags
	tagged atomic.Pointer[taggedSession]
}

// Tag is a tag. Keys are unique in a list whatever their case.
type Tag struct{ Key, Value string }

// Inline is an inline policy.
type Inline struct {
	Name string
	Document
}

// Document is a policy's text, as it was given, with what is compiled of it.
type Document struct {
	Text string

	compile  sync.Once
	compiled *policy.Policy
}

// policy is the compiled document; nil, which denies, if it can't be read. The kind
// and the id are always the same for one document.
func (d *Document) policy(kind policy.Kind, id string) *policy.Policy {
	d.compile.Do(func() {
		if doc, err := policy.Read([]byte(d.Text), kind); err == nil {
			d.compiled = policy.Compile(doc, id)
		}
	})
	return d.compiled
}

// lazyTags is a record's tags as conditions see them, made once. Keys that
// differ in case alone are one condition key: the tag that was set first has it,
// so that no later one stands in for it.
type lazyTags struct {
	once sync.Once
	m    map[string]string
}

func (l *lazyTags) of(tags []Tag) map[string]string {
	l.once.Do(func() {
		if len(tags) == 0 {
			return
		}
		l.m = make(map[string]string, len(tags))
		for i, t := range tags {
			if anyCase.at(tags[:i], t.Key) < 0 {
				l.m[t.Key] = t.Value
			}
		}
	})
	return l.m
}

// ARN implements gateway.Resource.
func (e *Entity) ARN() string { return e.Arn }

// ResourceTags implements gateway.Tagged.
func (e *Entity) ResourceTags() map[string]string { return e.tags.of(e.Tags) }

// inline finds an inline policy by its name, in whatever case, or the place for it.
func (e *Entity) inline(name string) (int, bool) {
	key := fold(name)
	if i := slices.IndexFunc(e.Inline, func(p *Inline) bool { return fold(p.Name) == key }); i >= 0 {
		return i, true
	}
	return slices.BinarySearchFunc(e.Inline, name, func(p *Inline, name string) int { return strings.Compare(p.Name, name) })
}

// attached finds an attached policy.
func (e *Entity) attached(arn string) (int, bool) {
	return slices.BinarySearchFunc(e.Attached, arn, compareAttached)
}

// compareAttached orders ARNs of policies by the policies' names, then whole.
func compareAttached(a, b string) int {
	if c := strings.Compare(lastSegment(a), lastSegment(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func lastSegment(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// User is an IAM user, or an account's root, as stored.
type User struct {
	Entity
	Groups       []string   `cbor:",omitempty"` // ids, in the order in which the user joined
	Keys         []string   `cbor:",omitempty"` // ids of access keys, in the order of creation
	PasswordHash []byte     `cbor:",omitempty"` // of the login profile; nil = none
	PasswordAt   *time.Time `cbor:",omitempty"` // when the login profile was made
	PasswordSet  *time.Time `cbor:",omitempty"` // when the password was set last
	ResetNeeded  bool       `cbor:",omitempty"` // the password must be changed at the next sign-in
	MFA          []string   `cbor:",omitempty"` // serial numbers of MFA devices, in the order in which they were assigned
}

// ShownARN implements gateway.Shown: denials name an existing user as "user NAME".
func (u *User) ShownARN() string {
	if u.root() {
		return u.Arn
	}
	return "user " + u.Name
}

// root tells whether u is the account's root.
func (u *User) root() bool { return u.Name == "" }

// Group is a group of users, as stored. Its members are the users that name it.
type Group struct{ Entity }

// ShownARN implements gateway.Shown.
func (g *Group) ShownARN() string { return "group " + g.Name }

// Role is a role, as stored.
type Role struct {
	Entity
	// Trust is the trust policy. User and role ARNs in it were replaced by unique
	// ids, so that it means those very users and roles and no later namesakes.
	Trust       *Document
	Description string `cbor:",omitempty"`
	MaxSession  int32  // seconds
	// LinkedTo is the principal of the service whose role it is, which alone may change it; "" = none.
	LinkedTo string `cbor:",omitempty"`
}

// ShownARN implements gateway.Shown.
func (r *Role) ShownARN() string { return "role " + r.Name }

// TrustPolicy is the compiled trust policy.
func (r *Role) TrustPolicy() *policy.Policy { return r.Trust.policy(policy.Trust, "") }

// Records stand under their unique ids, which never change, so that a new name
// or path moves nothing else; indexes find them by name.
var (
	usersByName  = nameIndex(func(u *User) *Entity { return &u.Entity })
	groupsByName = nameIndex(func(g *Group) *Entity { return &g.Entity })
	rolesByName  = nameIndex(func(r *Role) *Entity { return &r.Entity })
	// usersByGroup places users under the ids of their groups, by name.
	usersByGroup = &store.Index[User]{Name: "group", Of: func(u *User, add func(parts ...string)) {
		for _, id := range u.Groups {
			add(id, fold(u.Name))
		}
	}}
	// …ByPolicy places entities under the ARNs of the policies attached to them, by name; …ByBoundary
	// under their boundaries'.
	usersByPolicy   = policyIndex(func(u *User) *Entity { return &u.Entity })
	groupsByPolicy  = policyIndex(func(g *Group) *Entity { return &g.Entity })
	rolesByPolicy   = policyIndex(func(r *Role) *Entity { return &r.Entity })
	usersByBoundary = boundaryIndex(func(u *User) *Entity { return &u.Entity })
	rolesByBoundary = boundaryIndex(func(r *Role) *Entity { return &r.Entity })

	users  = store.NewTable("iam/user", usersByName, usersByGroup, usersByPolicy, usersByBoundary)
	groups = store.NewTable("iam/group", groupsByName, groupsByPolicy)
	roles  = store.NewTable("iam/role", rolesByName, rolesByPolicy, rolesByBoundary)
	// roots holds each account's root as the one record of its scope.
	roots = store.NewTable[User]("iam/root")
)

func nameIndex[V any](entity func(*V) *Entity) *store.Index[V] {
	return &store.Index[V]{Name: "name", Unique: true, Of: func(v *V, add func(parts ...string)) { add(fold(entity(v).Name)) }}
}

func policyIndex[V any](entity func(*V) *Entity) *store.Index[V] {
	return &store.Index[V]{Name: "policy", Of: func(v *V, add func(parts ...string)) {
		for _, arn := range entity(v).Attached {
			add(arn, fold(entity(v).Name))
		}
	}}
}

func boundaryIndex[V any](entity func(*V) *Entity) *store.Index[V] {
	return &store.Index[V]{Name: "boundary", Of: func(v *V, add func(parts ...string)) {
		if e := entity(v); e.Boundary != "" {
			add(e.Boundary, fold(e.Name))
		}
	}}
}

// fold is a name as keys have it: names are unique whatever their case.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
func fold(name string) string { return strings.ToLower(name) }

// entityARN names an entity of the call's account. Path begins and ends with a slash.
func entityARN(call *gateway.Call, kind, path, name string) string {
	return call.ARN("iam", kind+path+name, false)
}

// principalOf is a user's principal.
func principalOf(u *User, account, partition, keyID string) *aws.Principal {
	p := &aws.Principal{
		Kind: aws.User, Partition: partition, Account: account, ARN: u.Arn, ID: u.ID, Name: u.Name, Path: u.Path, AccessKeyID: keyID,
	}
	if u.root() {
		p.Kind, p.ID = aws.Root, account
	}
	return p
}
