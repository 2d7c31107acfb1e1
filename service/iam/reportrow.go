package iam

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/store"
)

// reportColumns are those of AWS's report as it was recorded (2026-09): the
// guide's additional_credentials_info is not among them.
var reportColumns = []string{
	"user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation",
	"mfa_active",
	"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
	"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
}

const (
	usersAtOnce   = 500 // in one read
	notApplicable = "N/A"
	notSupported  = "not_supported"
	noInformation = "no_information"
)

// writeReport is the account's credential report: its root, then its users by
// name, lines ended by a line feed but for the last.
func writeReport(ctx context.Context, engine store.Engine, account string) ([]byte, error) {
	var text bytes.Buffer
	rows := csv.NewWriter(&text)
	if err := rows.Write(reportColumns); err != nil {
		return nil, err
	}
	write := func(all [][]string) error {
		for _, row := range all {
			if err := rows.Write(row); err != nil {
				return err
			}
		}
		return nil
	}
	var after []byte
	for first := true; first || after != nil; first = false {
		var page [][]string
		var next []byte
		err := engine.View(ctx, func(tx store.Tx) (err error) {
			page, next, err = reportPage(tx, account, first, after)
			return err
		})
		if err != nil {
			return nil, err
		}
		if err := write(page); err != nil {
			return nil, err
		}
		after = next
	}
	rows.Flush()
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), rows.Error()
}

// reportPage is the rows of the users after a place, and where to go on.
func reportPage(tx store.Tx, account string, withRoot bool, after []byte) (rows [][]string, next []byte, err error) {
	rules, err := passwordPolicyOf(tx, account)
	if err != nil {
		return nil, nil, err
	}
	if withRoot {
		root, err := roots.Get(tx, account)
		if err != nil {
			return nil, nil, err
		}
		row, err := reportRow(tx, account, root, rules)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	found, next, err := store.Page(users.ListBy(tx, usersByName, account, after), usersAtOnce, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range found {
		row, err := reportRow(tx, account, u, rules)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return rows, next, nil
}

func reportRow(tx store.Tx, account string, u *User, rules *PasswordPolicy) ([]string, error) {
	row := make([]string, 0, len(reportColumns))
	name := u.Name
	if u.root() {
		name = "<root_account>"
	}
	row = append(row, name, u.Arn, reportTime(u.Created))
	row = append(row, u.passwordColumns(rules)...)
	row = append(row, strconv.FormatBool(len(u.MFA) > 0))
	ids := slices.Sorted(slices.Values(u.Keys))
	for i := range 2 {
		if i >= len(ids) {
			row = append(row, "false", notApplicable, notApplicable, notApplicable, notApplicable)
			continue
		}
		columns, err := keyColumns(tx, account, ids[i])
		if err != nil {
			return nil, err
		}
		row = append(row, columns...)
	}
	certificates, err := certificateColumns(tx, account, u)
	return append(row, certificates...), err
}

// certificateColumns are those of active and last rotated, of two signing
// certificates, the inactive one first as AWS has it.
func certificateColumns(tx store.Tx, account string, u *User) ([]string, error) {
	var all []*SigningCertificate
	for entry, err := range signingCertificates.List(tx, account, nil, u.ID) {
		if err != nil {
			return nil, err
		}
		all = append(all, entry.Value)
	}
	slices.SortStableFunc(all, func(a, b *SigningCertificate) int {
		if a.Inactive != b.Inactive {
			if a.Inactive {
				return -1
			}
			return 1
		}
		return a.Uploaded.Compare(b.Uploaded)
	})
	columns := []string{"false", notApplicable, "false", notApplicable}
	for i, c := range all[:min(2, len(all))] {
		columns[2*i], columns[2*i+1] = strconv.FormatBool(!c.Inactive), reportTime(c.Uploaded)
	}
	return columns, nil
}

// passwordColumns are those of enabled, last used, last changed and next
// rotation. Nobody signs in with a password here, so none was ever used.
func (u *User) passwordColumns(rules *PasswordPolicy) []string {
	switch {
	case u.root():
		return []string{notSupported, noInformation, notSupported, notSupported}
	case u.PasswordHash == nil:
		return []string{"false", notApplicable, notApplicable, notApplicable}
	}
	set := *u.PasswordAt
	if u.PasswordSet != nil {
		set = *u.PasswordSet
	}
	next := notApplicable
	if rules != nil && rules.MaxAge > 0 {
		next = reportTime(set.AddDate(0, 0, int(rules.MaxAge)))
	}
	return []string{"true", noInformation, reportTime(set), next}
}

// keyColumns are those of active, last rotated, and date, Region and service of the last use.
func keyColumns(tx store.Tx, account, id string) ([]string, error) {
	key, err := keys.Get(tx, account, id)
	if err != nil {
		return nil, err
	}
	columns := []string{strconv.FormatBool(!key.Inactive), reportTime(key.Created), notApplicable, notApplicable, notApplicable}
	use, err := lastUses.Get(tx, account, id)
	if errors.Is(err, store.ErrNotFound) {
		return columns, nil
	}
	if err != nil {
		return nil, err
	}
	return append(columns[:2], reportTime(use.At), use.Region, use.Service), nil
}

func reportTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
