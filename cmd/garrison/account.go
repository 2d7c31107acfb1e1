package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/service/iam"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// AccountCmd is about accounts.
type AccountCmd struct {
	Create AccountCreateCmd `cmd:"" help:"Make an account. Its root's key becomes a profile, named by the id, of DIR/credentials."`
	List   AccountListCmd   `cmd:"" help:"List the accounts."`
}

// AccountCreateCmd makes an account.
type AccountCreateCmd struct {
	House
	ID    string `name:"id" help:"Its id, 12 digits; by default a random one." placeholder:"ID"`
	Name  string `help:"A name for people." placeholder:"NAME"`
	Email string `help:"Its owner's address, by which it can be invited to an organisation." placeholder:"ADDRESS"`
}

// AccountListCmd lists the accounts.
type AccountListCmd struct{ House }

// Run implements the subcommand.
func (c *AccountCreateCmd) Run(ctx context.Context, io streams) error {
	if c.ID != "" && !accountID.MatchString(c.ID) {
		return usageError{fmt.Errorf("--id: %q is not 12 digits", c.ID)}
	}
	return ask(ctx, io, c.House, "/1/account/create", &createAccount{c.ID, c.Name, c.Email}, func(text json.RawMessage) error {
		var made accountLine
		if err := json.Unmarshal(text, &made); err != nil {
			return err
		}
		_, err := fmt.Fprintln(io.out, made.ID)
		return err
	})
}

// Run implements the subcommand.
func (c *AccountListCmd) Run(ctx context.Context, io streams) error {
	return ask(ctx, io, c.House, "/1/account/list", &listAccounts{}, func(text json.RawMessage) error {
		var a accountLine
		if err := json.Unmarshal(text, &a); err != nil {
			return err
		}
		_, err := fmt.Fprintf(io.out, "%s  %s  %s\n", a.ID, a.Created.Format(time.RFC3339), a.Name)
		return err
	})
}

type accountLine struct {
	ID      string    `json:"accountId"`
	Name    string    `json:"name,omitempty"`
	Created time.Time `json:"created,omitzero"`
}

// createAccount makes an account with a root of its own.
type createAccount struct {
	ID    string `json:"accountId,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"` // of the owner
}

func (t *createAccount) perform(ctx context.Context, h *house, by operator, tell func(any) error) error {
	n, err := newAccount(t.ID, t.Name, h.Partition, nil)
	if err != nil {
		return err
	}
	n.Email = t.Email
	if err := n.Check(); err != nil {
		return err
	}
	event, err := operatorEvent(by, "CreateAccount", accountLine{ID: n.ID, Name: n.Name})
	if err != nil {
		return err
	}
	h.writing.Lock()
	defer h.writing.Unlock()
	if exists, err := h.accountExists(ctx, n.ID); err != nil || exists {
		return cmp.Or(err, fmt.Errorf("account %s exists already", n.ID))
	}
	credentials := credentialsFile(h.dir.credentials())
	if err := credentials.add(n.ID, accessKey{n.AccessKeyID, n.SecretAccessKey}); err != nil {
		return err
	}
	if err = h.keys.Ensure(ctx, n.ID); err == nil {
		err = h.engine.Update(ctx, func(tx store.Tx) error {
			if err := makeAccount(tx, event.EventTime, n); err != nil {
				return err
			}
			return trail.Append(tx, event)
		})
	}
	if err != nil {
		return errors.Join(err, credentials.remove(n.ID))
	}
	return tell(accountLine{ID: n.ID, Name: n.Name})
}

// listAccounts tells the accounts, by id.
type listAccounts struct{}

// accountsAtOnce is how many accounts one transaction reads.
const accountsAtOnce = 500

func (t *listAccounts) perform(ctx context.Context, h *house, by operator, tell func(any) error) error {
	if err := h.note(ctx, by, "ListAccounts", nil); err != nil {
		return err
	}
	for after := ""; ; {
		var page []*iam.Account
		err := h.engine.View(ctx, func(tx store.Tx) (err error) {
			page, err = iam.ListAccounts(tx, after, accountsAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		for _, a := range page {
			if err := tell(accountLine{a.ID, a.Name, a.Created}); err != nil {
				return err
			}
		}
		if len(page) < accountsAtOnce {
			return nil
		}
		after = page[len(page)-1].ID
	}
}
