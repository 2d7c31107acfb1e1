package iam

import (
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// memberPolicy is what a new member account's access role may do: everything.
// It is named as the AWS managed policy that says the same.
const (
	memberPolicyName = "AdministratorAccess"
	memberPolicy     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// AccountNamed tells service/organizations an account's name and its owner's
// address, "" where none is known. An account that does not exist is
// store.ErrNotFound.
func (s *Service) AccountNamed(tx store.Tx, id string) (name, email string, err error) {
	a, err := accounts.Get(tx, "", id)
	if err != nil {
		return "", "", err
	}
	return a.Name, a.Email, nil
}

// AccountOfEmail tells service/organizations the account whose owner has an
// address; or store.ErrNotFound.
func (s *Service) AccountOfEmail(tx store.Tx, email string) (id string, err error) {
	found, err := accounts.Find(tx, accountsByEmail, "", emailHash(email))
	if err != nil {
		return "", err
	}
	return found.Value.ID, nil
}

// CreateMember makes an account for service/organizations: a root without
// credentials, and a role that the management account may assume and that may
// do everything. It answers ErrEmailExists where another account has the
// address. The account's key must stand in the keyring.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
func (s *Service) CreateMember(tx store.Tx, now time.Time, partition, id, name, email, role, management string) error {
	n := NewAccount{ID: id, Name: name, Email: email, Partition: partition}
	if err := n.Check(); err != nil {
		return err
	}
	created := second(now)
	if err := insertAccount(tx, created, &n); err != nil {
		return err
	}
	if err := insertRoot(tx, created, &n); err != nil {
		return err
	}
	r := &Role{
		Entity: Entity{
			Name: role, Path: "/", ID: aws.NewUniqueID("AROA", id), Arn: "arn:" + partition + ":iam::" + id + ":role/" + role,
			Created: created, Inline: []*Inline{{Name: memberPolicyName, Document: Document{Text: memberPolicy}}},
		},
		Trust: &Document{Text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:` + partition +
			`:iam::` + management + `:root"},"Action":"sts:AssumeRole"}]}`},
		MaxSession: defaultMaxSession,
	}
	if err := roles.Insert(tx, id, r, r.ID); err != nil {
		return err
	}
	return count(tx, id, countRoles, r.ID, "RolesPerAccount", s.quotas(id).Roles)
}
