package kms

import (
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// everything allows all: what a caller's own policies might say at most.
var everything = func() *policy.Policy {
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), policy.Identity)
	if err != nil {
		panic(err)
	}
	return policy.Compile(doc, "")
}()

// checkLockout refuses a key policy that would keep its author from changing
// it again, unless the caller says that this is meant: it must let in the
// caller, or the account whose own policies then decide.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
func checkLockout(call *gateway.Call, arn string, d *Document, bypass *bool) error {
	if bypass != nil && *bypass {
		return nil
	}
	x := new(policy.Context)
	x.Set("kms:CallerAccount", call.Account)
	x.SetPrincipal(call.Principal)
	q := policy.Request{Action: "kms:PutKeyPolicy", Resource: arn, ResourceAccount: call.Account, Principal: call.Principal, Context: x}
	if policy.Decide(&q, &policy.Policies{Identity: []*policy.Policy{everything}, Resource: d.policy()}).Allowed {
		return nil
	}
	return malformedPolicy("The new key policy will not allow you to update the key policy in the future.")
}
