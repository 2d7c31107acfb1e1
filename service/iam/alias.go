package iam

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Alias is an account's other name, of which it has one at most.
type Alias struct{ Name string }

// aliasesByName places them all in one: no two accounts share an alias.
var aliasesByName = &store.Index[Alias]{Name: "name", Unique: true, Global: true,
	Of: func(a *Alias, add func(parts ...string)) { add(a.Name) }}

// aliases holds an account's alias as the one record of its scope.
var aliases = store.NewTable("iam/alias", aliasesByName)

// createAccountAlias gives the account an alias, in place of one that it has.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
func (s *Service) createAccountAlias(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.CreateAccountAliasInput) (*iam.CreateAccountAliasOutput, error) {
	err := aliases.Put(call.Tx, call.Account, &Alias{Name: in.AccountAlias})
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists("The account alias %s already exists.", in.AccountAlias)
	}
	return nil, err
}

func (s *Service) listAccountAliases(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.ListAccountAliasesInput) (*iam.ListAccountAliasesOutput, error) {
	if _, err := s.page(call, in.Marker, in.MaxItems, ""); err != nil {
		return nil, err
	}
	out := &iam.ListAccountAliasesOutput{AccountAliases: []string{}, IsTruncated: new(false)}
	a, err := aliases.Get(call.Tx, call.Account)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.AccountAliases = append(out.AccountAliases, a.Name)
	return out, nil
}

func (s *Service) deleteAccountAlias(_ context.Context, call *gateway.Call, _ gateway.Anything, in *iam.DeleteAccountAliasInput) (*iam.DeleteAccountAliasOutput, error) {
	a, err := aliases.Get(call.Tx, call.Account)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.Name != in.AccountAlias {
		return nil, noSuchEntity("The account alias %s cannot be found.", in.AccountAlias)
	}
	if err != nil {
		return nil, err
	}
	return nil, aliases.Delete(call.Tx, call.Account)
}
