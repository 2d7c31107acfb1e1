package scenario

// setContext fills the request's condition keys: those that the request says
// itself, then those given, which stand in for them.
func (q *question) setContext(r *Request) {
	x := &q.context
	x.Reset()
	if owner := q.ownerKey(); owner != "" {
		x.Set("aws:ResourceAccount", owner)
	}
	x.SetCaller(&q.Request)
	for i := range r.Context {
		k := &r.Context[i]
		if k.List {
			x.SetList(k.Name, k.Values...)
		} else {
			x.Set(k.Name, k.Values[0])
		}
	}
}

// ownerKey is aws:ResourceAccount: of a call without resource the caller's account.
func (q *question) ownerKey() string {
	if q.ResourceAccount == "" && q.Principal != nil {
		return q.Principal.Account
	}
	return q.ResourceAccount
}
