package iam

import (
	"errors"

	"github.com/garrison-security/garrison/store"
)

var counts = store.NewCounter("iam/count")

// Nouns that are counted.
const (
	countUsers    = "user"
	countGroups   = "group"
	countRoles    = "role"
	countPolicies = "policy"
	countVersions = "policy version"
	countProfiles = "instance profile"
	countOIDC     = "oidc provider"
	countSAML     = "saml provider"

	countMFADevices         = "MFA device"
	countServerCertificates = "server certificate"
	countMFAInUse           = "MFA device in use"
)

// counted is a noun's whole count.
func counted(tx store.Tx, account, noun string) (int, error) { return counts.Total(tx, account, noun) }

// count counts one more of a noun, with that id; or refuses, with quota's
// name, what would exceed limit.
func count(tx store.Tx, account, noun, id, quota string, limit int) error {
	err := counts.Add(tx, account, noun, id, limit)
	if errors.Is(err, store.ErrQuota) {
		return limitExceeded(quota, limit)
	}
	return err
}

// uncount counts one less of a noun, with that id.
func uncount(tx store.Tx, account, noun, id string) error {
	return counts.Remove(tx, account, noun, id)
}
