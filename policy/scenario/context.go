package scenario

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// setContext fills the request's condition keys: those that the request says
// itself, then those given, which stand in for them.
func (q *question) setContext(r *Request) {
	x := &q.context
	x.Reset()
	if owner := q.ownerKey(); owner != "" {
		x.Set("aws:ResourceAccount", owner)
	}
	if !q.vouchedFor() {
		x.SetPrincipal(q.Principal)
	}
	for i := range r.Context {
		k := &r.Context[i]
		if k.List {
			x.SetList(k.Name, k.Values...)
		} else {
			x.Set(k.Name, k.Values[0])
		}
	}
}

// vouchedFor tells the callers that an identity provider speaks for, who are
// nobody yet. A service's name may be a provider's, too: then the action tells.
func (q *question) vouchedFor() bool {
	if q.Principal == nil {
		return q.Provider != ""
	}
	return q.Principal.Kind == aws.ServiceCaller && strings.HasPrefix(strings.ToLower(q.Action), "sts:assumerolewith")
}

// ownerKey is aws:ResourceAccount: of a call without resource the caller's account.
func (q *question) ownerKey() string {
	if q.ResourceAccount == "" && q.Principal != nil {
		return q.Principal.Account
	}
	return q.ResourceAccount
}
