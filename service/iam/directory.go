package iam

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

var _ gateway.Directory = (*Service)(nil)

// Credential implements gateway.Directory.
func (s *Service) Credential(tx store.Tx, id string) (*gateway.Credential, error) {
	account, key, err := findKey(tx, id)
	if err != nil {
		return nil, err
	}
	holder, err := key.holder(tx, account)
	if err != nil {
		return nil, err
	}
	if held := key.credential.Load(); held != nil && held.of == holder {
		return held.credential, nil
	}
	arn, err := aws.ParseARN(holder.Arn)
	if err != nil {
		return nil, err
	}
	made := &gateway.Credential{
		Secret: key.Secret, Active: !key.Inactive, Principal: principalOf(holder, account, arn.Partition, key.ID),
	}
	key.credential.Store(&heldCredential{of: holder, credential: made})
	return made, nil
}

// findKey is a long-term key and its account; or store.ErrNotFound.
func findKey(tx store.Tx, id string) (account string, key *AccessKey, err error) {
	if account, ok := aws.AccountOfID(id); ok {
		key, err := keys.Get(tx, account, id)
		if !errors.Is(err, store.ErrNotFound) {
			return account, key, err
		}
	}
	place, err := keyAccounts.Get(tx, "", id)
	if err != nil {
		return "", nil, err
	}
	key, err = keys.Get(tx, place.Account, id)
	return place.Account, key, err
}

// holder is the user or root whose key k is; or store.ErrNotFound.
func (k *AccessKey) holder(tx store.Tx, account string) (*User, error) {
	if k.Holder == "" {
		return roots.Get(tx, account)
	}
	return users.Get(tx, account, k.Holder)
}

// Policies implements gateway.Directory.
func (s *Service) Policies(tx store.Tx, principal *aws.Principal, p *policy.Policies) (map[string]string, error) {
	p.Identity, p.Boundary, p.Session = p.Identity[:0], p.Boundary[:0], p.Session[:0]
	p.HasBoundary, p.HasSession = false, false
	switch principal.Kind {
	case aws.Root:
		if s := principal.Session; s != nil && s.TaskPolicy != "" {
			p.HasSession, p.Session = true, append(p.Session, rootTaskPolicy(principal.Partition, s.TaskPolicy))
		}
		_, err := roots.Get(tx, principal.Account)
		return nil, gone(err)
	case aws.User:
		u, err := users.Get(tx, principal.Account, principal.ID)
		if err == nil && u.Arn != principal.ARN {
			// A session keeps the name that its user had. Under a new one it is no longer theirs: another
			// may bear the old name, in other accounts' policies, too.
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, gone(err)
		}
		return u.ResourceTags(), userPolicies(tx, principal, u, p)
	case aws.AssumedRole:
		r, err := roles.Get(tx, principal.Account, principal.Session.RoleID)
		if err != nil {
			return nil, gone(err)
		}
		if err := entityPolicies(tx, principal, &r.Entity, p); err != nil {
			return nil, err
		}
		if err := s.addSessionPolicies(tx, principal, p); err != nil {
			return nil, err
		}
		return r.sessionTags(principal.Session), nil
	case aws.FederatedUser:
		return s.federatedPolicies(tx, principal, p)
	}
	return nil, nil // services and the like have no policies of their own: nothing is allowed but by resources' policies
}

// federatedPolicies are a federated user's: the policies and tags of the user
// who federated, as they are now, and the session's. policy.Decide knows that a
// root who federated needs no policies, and the session cannot do without.
func (s *Service) federatedPolicies(tx store.Tx, principal *aws.Principal, p *policy.Policies) (map[string]string, error) {
	session := principal.Session
	issuer := &User{}
	var err error
	if session.IssuerID == principal.Account {
		_, err = roots.Get(tx, principal.Account)
	} else if issuer, err = users.Get(tx, principal.Account, session.IssuerID); err == nil && issuer.Arn != session.IssuerARN {
		err = store.ErrNotFound // as for a session of the user's own
	}
	if err != nil {
		return nil, gone(err)
	}
	if err := userPolicies(tx, principal, issuer, p); err != nil {
		return nil, err
	}
	return issuer.sessionTags(session), s.addSessionPolicies(tx, principal, p)
}

// gone refuses the credentials of whoever no longer exists.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &aws.Error{Kind: aws.UnknownKey, Message: "The security token included in the request is invalid."}
	}
	return err
}

func userPolicies(tx store.Tx, principal *aws.Principal, u *User, p *policy.Policies) error {
	if err := entityPolicies(tx, principal, &u.Entity, p); err != nil {
		return err
	}
	for _, id := range u.Groups {
		g, err := groups.Get(tx, principal.Account, id)
		if err != nil {
			return err
		}
		if err := identityPolicies(tx, principal, &g.Entity, p); err != nil {
			return err
		}
	}
	return nil
}

// entityPolicies appends an entity's identity policies and its boundary.
func entityPolicies(tx store.Tx, principal *aws.Principal, e *Entity, p *policy.Policies) error {
	if e.Boundary != "" {
		boundary, err := compiledPolicy(tx, principal.Account, principal.Partition, e.Boundary)
		if err != nil {
			return err
		}
		p.HasBoundary, p.Boundary = true, append(p.Boundary, boundary)
	}
	return identityPolicies(tx, principal, e, p)
}

func identityPolicies(tx store.Tx, principal *aws.Principal, e *Entity, p *policy.Policies) error {
	for _, i := range e.Inline {
		p.Identity = append(p.Identity, i.policy(policy.Identity, i.Name))
	}
	for _, arn := range e.Attached {
		attached, err := compiledPolicy(tx, principal.Account, principal.Partition, arn)
		if err != nil {
			return err
		}
		p.Identity = append(p.Identity, attached)
	}
	return nil
}

// addSessionPolicies appends the policies that the session was made with. A
// managed one counts as it is now; one that was deleted since denies.
func (s *Service) addSessionPolicies(tx store.Tx, principal *aws.Principal, p *policy.Policies) error {
	session := principal.Session
	if len(session.Policies) == 0 && len(session.PolicyARNs) == 0 {
		return nil
	}
	p.HasSession = true
	for _, text := range session.Policies {
		p.Session = append(p.Session, s.sessionPolicies.compiled(text))
	}
	for _, arn := range session.PolicyARNs {
		limit, err := compiledPolicy(tx, principal.Account, principal.Partition, arn)
		if err != nil {
			return err
		}
		p.Session = append(p.Session, limit)
	}
	return nil
}

// sessionTags lays a session's tags over those of its role or user, where keys
// are the same whatever their case.
func (e *Entity) sessionTags(session *aws.Session) map[string]string {
	if len(session.Tags) == 0 {
		return e.ResourceTags()
	}
	if last := e.tagged.Load(); last != nil && last.session == session {
		return last.tags
	}
	all, keys := maps.Clone(session.Tags), slices.Collect(maps.Keys(session.Tags))
	for _, t := range e.Tags {
		if !slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, t.Key) }) {
			all[t.Key] = t.Value
		}
	}
	e.tagged.Store(&taggedSession{session, all})
	return all
}

// taggedSession is the session of a role or user that called last, with all its tags.
type taggedSession struct {
	session *aws.Session
	tags    map[string]string
}

// sessionPolicies keeps inline session policies compiled, by their text: a
// session's policies come with its token and not from the store.
type sessionPolicies struct {
	mu     sync.RWMutex
	byText map[string]*policy.Policy
}

// sessionPoliciesKept bounds them; when there are more, all are forgotten. Each
// text is at most 2,048 characters.
const sessionPoliciesKept = 1024

func (c *sessionPolicies) compiled(text string) *policy.Policy {
	c.mu.RLock()
	p, ok := c.byText[text]
	c.mu.RUnlock()
	if ok {
		return p
	}
	if doc, err := policy.Read([]byte(text), policy.Session); err == nil {
		p = policy.Compile(doc, "")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byText == nil || len(c.byText) >= sessionPoliciesKept {
		c.byText = make(map[string]*policy.Policy)
	}
	c.byText[text] = p
	return p
}
