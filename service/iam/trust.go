package iam

import (
	"errors"
	"regexp"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// saveTrust checks a trust policy and answers it as it is stored: users and
// roles by their unique ids, accounts by their roots' ARNs. So a principal that
// is deleted and made again under its name is trusted no more.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
func (s *Service) saveTrust(call *gateway.Call, text string) (*Document, error) {
	doc, err := policy.Parse([]byte(text), policy.Trust)
	if err != nil {
		return nil, malformed(err)
	}
	if limit := s.quotas(call.Account).TrustPolicySize; policy.Size([]byte(text)) > limit {
		return nil, limitExceeded("ACLSizePerRole", limit)
	}
	if err := checkFederated(doc); err != nil {
		return nil, err
	}
	saved, err := doc.RewritePrincipals(func(p string) (string, error) { return savedPrincipal(call, p) })
	if err != nil {
		return nil, malformed(err)
	}
	return &Document{Text: string(saved)}, nil
}

var (
	domainForm   = regexp.MustCompile(`\A[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+\z`)
	providerForm = regexp.MustCompile(`\Aarn:[a-z-]+:iam::[0-9]{12}:(?:saml|oidc)-provider/.+\z`)
)

// checkFederated refuses federated principals that are neither a domain name,
// as web identity providers have that need no object, nor a provider's ARN.
func checkFederated(doc *policy.Document) error {
	for _, s := range doc.Statements {
		if s.Principal == nil {
			continue
		}
		for _, p := range s.Principal.Federated {
			if !domainForm.MatchString(p) && !providerForm.MatchString(p) {
				return malformedPolicy("Federated principals must be valid domain names or SAML metadata ARNs")
			}
		}
	}
	return nil
}

// savedPrincipal is a principal as it is stored. A user or role must exist,
// here. An account may be anyone's: one that is not of this installation can't
// call, and AWS's own answer would be no other for an account that exists.
func savedPrincipal(call *gateway.Call, p string) (string, error) {
	if aws.IsAccount(p) {
		return "arn:" + call.Partition + ":iam::" + p + ":root", nil
	}
	unknown := malformedPolicy(`Invalid principal in policy: "AWS":"` + p + `"`)
	if isUniqueID(p) {
		e, err := principalByID(call.Tx, p)
		if err == nil && e == nil {
			err = unknown
		}
		return p, err
	}
	a, err := aws.ParseARN(p)
	if err != nil || a.Partition != call.Partition {
		return "", unknown
	}
	if a.Service == "sts" || a.Resource == "root" {
		return p, nil
	}
	e, err := principalByARN(call.Tx, a, p)
	if errors.Is(err, store.ErrNotFound) {
		err = unknown
	}
	if err != nil {
		return "", err
	}
	return e.ID, nil
}

// principalByARN is the user or role with exactly that ARN; or store.ErrNotFound.
func principalByARN(tx store.Tx, a aws.ARN, arn string) (*Entity, error) {
	switch {
	case strings.HasPrefix(a.Resource, "role/"):
		r, err := roleByARN(tx, arn)
		if err != nil {
			return nil, err
		}
		return &r.Entity, nil
	case strings.HasPrefix(a.Resource, "user/"):
		found, err := users.Find(tx, usersByName, a.Account, fold(lastSegment(arn)))
		if err != nil {
			return nil, err
		}
		if found.Value.Arn != arn {
			return nil, store.ErrNotFound
		}
		return &found.Value.Entity, nil
	}
	return nil, store.ErrNotFound
}

// principalByID is the user or role that has a unique id; nil if none has it now.
func principalByID(tx store.Tx, id string) (*Entity, error) {
	account, ok := aws.AccountOfID(id)
	if !ok {
		return nil, nil
	}
	var e *Entity
	var err error
	if strings.HasPrefix(id, "AROA") {
		var r *Role
		if r, err = roles.Get(tx, account, id); err == nil {
			e = &r.Entity
		}
	} else {
		var u *User
		if u, err = users.Get(tx, account, id); err == nil {
			e = &u.Entity
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return e, err
}

// isUniqueID tells the unique id of a user or role.
func isUniqueID(s string) bool {
	return strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")
}

// shownTrust is a stored trust policy as answers show it: with ARNs, but for
// principals that are gone, whose unique ids show.
func shownTrust(tx store.Tx, d *Document) (string, error) {
	if !strings.Contains(d.Text, "AIDA") && !strings.Contains(d.Text, "AROA") {
		return d.Text, nil // without reading it: listings show many
	}
	doc, err := policy.Read([]byte(d.Text), policy.Trust)
	if err != nil {
		return d.Text, nil
	}
	shown, err := doc.RewritePrincipals(func(p string) (string, error) {
		if !isUniqueID(p) {
			return p, nil
		}
		e, err := principalByID(tx, p)
		if err != nil || e == nil {
			return p, err
		}
		return e.Arn, nil
	})
	return string(shown), err
}
