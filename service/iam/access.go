package iam

import (
	"errors"
	"maps"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// Access is when a service, or an action of one, was last tried, as stored. An
// attempt counts whether or not it was allowed. It is written by the consumer
// of the trail that writes LastUse, to the same resolution.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
type Access struct {
	At     time.Time
	Region string
}

var (
	// serviceAccesses and actionAccesses are of users and roles: parts are the unique id, the service's
	// namespace and, of the latter, the action.
	serviceAccesses = store.NewTable[Access]("iam/service-access")
	actionAccesses  = store.NewTable[Access]("iam/action-access")
	// accountAccesses are of anybody of the account, its root included: the part is the namespace.
	accountAccesses = store.NewTable[Access]("iam/account-access")
)

// trackingPeriod is how far back reports look.
const trackingPeriod = 400 * 24 * time.Hour

// accessOf is what an Access is of. With no action it is of the service, with no id besides of the account.
type accessOf struct{ account, id, namespace, action string }

// put writes an Access, unless what is known of it is as good.
func (a accessOf) put(tx store.Tx, is Access) error {
	table, parts := accountAccesses, []string{a.namespace}
	switch {
	case a.action != "":
		table, parts = actionAccesses, []string{a.id, a.namespace, a.action}
	case a.id != "":
		table, parts = serviceAccesses, []string{a.id, a.namespace}
	}
	have, err := table.Get(tx, a.account, parts...)
	switch {
	case err == nil && is.At.Sub(have.At) < useResolution && (is.Region == have.Region || is.At.Before(have.At)):
		return nil
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	return table.Put(tx, a.account, &is, parts...)
}

// accesses are what records tell: of each service, and each action that is told apart, the latest attempt.
func (s *Service) accesses(records []trail.Record) map[accessOf]Access {
	latest := map[accessOf]Access{}
	for _, r := range records {
		if r.Event == nil {
			continue
		}
		id := tried(r.Event, r.Scope)
		if id == "" {
			continue
		}
		namespace, action := s.Calls.of(r.Event.EventSource, r.Event.EventName)
		if namespace == "" {
			continue
		}
		is := Access{second(r.Event.EventTime), r.Event.AWSRegion}
		add := func(of accessOf) {
			if have, ok := latest[of]; !ok || !is.At.Before(have.At) {
				latest[of] = is
			}
		}
		add(accessOf{account: r.Scope, namespace: namespace})
		if id == r.Scope {
			continue // a root's attempts count for the account alone
		}
		add(accessOf{account: r.Scope, id: id, namespace: namespace})
		if action != "" {
			add(accessOf{r.Scope, id, namespace, action})
		}
	}
	return latest
}

// unauthenticated are the errors of calls whose caller was not let in at all.
var unauthenticated = map[string]bool{
	"InvalidClientTokenId": true, "UnrecognizedClientException": true, "InvalidAccessKeyId": true,
	"ExpiredToken": true, "ExpiredTokenException": true, "InvalidToken": true,
}

// tried is the unique id of the user or role who made a call, or for whom it
// was made; the account's own of its root, "" of anybody else.
func tried(e *trail.Event, account string) string {
	u := &e.UserIdentity
	if u.AccountID != account || unauthenticated[e.ErrorCode] {
		return ""
	}
	switch aws.PrincipalKind(u.Type) {
	case aws.Root, aws.User:
		return u.PrincipalID
	case aws.AssumedRole, aws.FederatedUser:
		if c := u.SessionContext; c != nil && c.SessionIssuer != nil {
			return c.SessionIssuer.PrincipalID
		}
	}
	return ""
}

// recordAccesses writes down what users, roles and accounts that exist tried.
func recordAccesses(tx store.Tx, latest map[accessOf]Access) error {
	known := map[accessOf]bool{} // by account and id
	for of, is := range latest {
		if of.id != "" {
			who := accessOf{account: of.account, id: of.id}
			exists, asked := known[who]
			if !asked {
				var err error
				if exists, err = users.Has(tx, of.account, of.id); err == nil && !exists {
					exists, err = roles.Has(tx, of.account, of.id)
				}
				if err != nil {
					return err
				}
				known[who] = exists
			}
			if !exists {
				continue
			}
		}
		if err := of.put(tx, is); err != nil {
			return err
		}
	}
	return nil
}

// forgetAccesses drops what is known of a user or role that is deleted.
func forgetAccesses(tx store.Tx, account, id string) error {
	return errors.Join(serviceAccesses.DeleteAll(tx, account, id), actionAccesses.DeleteAll(tx, account, id))
}

// accessReader reads accesses with those laid over that are about to be
// written: by account and unique id, whose are looked for entity by entity.
type accessReader struct{ batch map[accessOf][]recentAccess }

type recentAccess struct {
	of accessOf
	is Access
}

func newAccessReader(latest map[accessOf]Access) *accessReader {
	r := &accessReader{map[accessOf][]recentAccess{}}
	for of, is := range latest {
		who := accessOf{account: of.account, id: of.id}
		r.batch[who] = append(r.batch[who], recentAccess{of, is})
	}
	return r
}

// services are the services that a user or role tried since a time.
func (r *accessReader) services(tx store.Tx, account, id string, since time.Time) (map[string]Access, error) {
	found := map[string]Access{}
	for entry, err := range serviceAccesses.List(tx, account, nil, id) {
		if err != nil {
			return nil, err
		}
		found[entry.Parts[1]] = *entry.Value
	}
	return r.newer(found, accessOf{account: account, id: id}, since), nil
}

// actions are the actions of a service that a user or role tried since a time.
func (r *accessReader) actions(tx store.Tx, account, id, namespace string, since time.Time) (map[string]Access, error) {
	found := map[string]Access{}
	for entry, err := range actionAccesses.List(tx, account, nil, id, namespace) {
		if err != nil {
			return nil, err
		}
		found[entry.Parts[2]] = *entry.Value
	}
	return r.newer(found, accessOf{account: account, id: id, namespace: namespace}, since), nil
}

// newer lays over found what the batch has of the same, services of an account
// or of a user or role, or actions of a service, and leaves out what is older
// than since.
func (r *accessReader) newer(found map[string]Access, of accessOf, since time.Time) map[string]Access {
	for _, recent := range r.batch[accessOf{account: of.account, id: of.id}] {
		in, is := recent.of, recent.is
		key := in.namespace
		if of.namespace != "" {
			key = in.action
		}
		if (of.namespace == "") == (in.action == "") && (of.namespace == "" || of.namespace == in.namespace) && found[key].At.Before(is.At) {
			found[key] = is
		}
	}
	maps.DeleteFunc(found, func(_ string, is Access) bool { return is.At.Before(since) })
	return found
}
