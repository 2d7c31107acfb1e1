package iam

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// PrincipalID is the unique id of the user or role with exactly that ARN, or store.ErrNotFound.
func (s *Service) PrincipalID(tx store.Tx, arn string) (string, error) {
	a, err := aws.ParseARN(arn)
	if err != nil || a.Service != "iam" {
		return "", store.ErrNotFound
	}
	e, err := principalByARN(tx, a, arn)
	if err != nil {
		return "", err
	}
	return e.ID, nil
}

// PrincipalARN is the ARN of the user or role that has a unique id now, or store.ErrNotFound.
func (s *Service) PrincipalARN(tx store.Tx, id string) (string, error) {
	e, err := principalByID(tx, id)
	if err != nil {
		return "", err
	}
	if e == nil {
		return "", store.ErrNotFound
	}
	return e.Arn, nil
}
