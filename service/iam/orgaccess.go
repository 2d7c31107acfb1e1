package iam

import (
	"errors"
	"slices"
	"time"

	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// overallSubject is what a report on a node of an organisation is made of.
type overallSubject struct {
	limits   [][]*policy.Policy // service control policies by level; none: nothing is limited
	accounts []string
}

// overall makes the report of a root, unit or account: of the services that
// service control policies leave open, in which account they were tried last.
// The management account is told of alone.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateOrganizationsAccessReport.html
func (m *madeReport) overall(u *useRecorder, reader *accessReader, account string, j *AccessJob) error {
	var on *overallSubject
	err := u.engine.View(u.ctx, func(tx store.Tx) (err error) {
		on, err = u.overallSubject(tx, account, j)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return &jobFailure{"NoSuchEntity", "The entity with path " + j.Of + " cannot be found."}
	}
	if err != nil {
		return err
	}
	found := map[string]*ServiceAccess{}
	reach := policy.NewReach(u.reportWork)
	for _, namespace := range reachable(reach, on.limits...) {
		m.Services = append(m.Services, ServiceAccess{Namespace: namespace})
	}
	if err := tooDear(reach); err != nil {
		return err
	}
	for i := range m.Services {
		found[m.Services[i].Namespace] = &m.Services[i]
	}
	since := j.Created.Add(-trackingPeriod)
	for chunk := range slices.Chunk(on.accounts, entitiesAChunk) {
		var tried []map[string]Access
		var paths []string
		err := u.engine.View(u.ctx, func(tx store.Tx) error {
			tried, paths = tried[:0], paths[:0]
			for _, account := range chunk {
				services, err := reader.account(tx, account, since)
				if err != nil {
					return err
				}
				path, err := u.pathOf(tx, account)
				if err != nil {
					return err
				}
				tried, paths = append(tried, services), append(paths, path)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range chunk {
			for namespace, is := range tried[i] {
				if s := found[namespace]; s != nil {
					s.add(is, paths[i])
				}
			}
		}
	}
	return nil
}

// overallSubject finds what a job is about.
func (u *useRecorder) overallSubject(tx store.Tx, account string, j *AccessJob) (*overallSubject, error) {
	m, err := u.Organizations.Membership(tx, account)
	if err == nil && (m == nil || m.Management != account) {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	levels, err := u.Organizations.Node(tx, m, j.Of)
	if err != nil {
		return nil, err
	}
	last := levels[len(levels)-1]
	if last == m.Management {
		return &overallSubject{accounts: []string{last}}, nil
	}
	on := &overallSubject{accounts: []string{last}}
	if last[0] == 'r' || last[0] == 'o' {
		if on.accounts, err = u.Organizations.AccountsBelow(tx, m, last); err != nil {
			return nil, err
		}
		on.accounts = slices.DeleteFunc(on.accounts, func(account string) bool { return account == m.Management })
	}
	if j.Policy == "" {
		on.limits, err = u.Organizations.Limits(tx, &gateway.Membership{Management: m.Management, Levels: levels}, policy.SCP, nil)
		return on, err
	}
	limit, err := u.Organizations.ServicePolicy(tx, m, j.Policy)
	if err != nil {
		return nil, err
	}
	on.limits = [][]*policy.Policy{{limit}}
	on.accounts, err = u.under(tx, m, on.accounts, j.Policy)
	return on, err
}

// under are the accounts that a service control policy applies to, of some.
func (u *useRecorder) under(tx store.Tx, m *gateway.Membership, accounts []string, id string) (kept []string, err error) {
	attached := map[string]bool{} // by level
	for _, account := range accounts {
		of, err := u.Organizations.Membership(tx, account)
		if err != nil || of == nil {
			return nil, err
		}
		for _, level := range of.Levels {
			is, asked := attached[level]
			if !asked {
				ids, _, err := u.Organizations.ServicePolicies(tx, m, level)
				if err != nil {
					return nil, err
				}
				is = slices.Contains(ids, id)
				attached[level] = is
			}
			if is {
				kept = append(kept, account)
				break
			}
		}
	}
	return kept, nil
}

// pathOf is an account's path in its organisation; "" of none by now.
func (u *useRecorder) pathOf(tx store.Tx, account string) (string, error) {
	m, err := u.Organizations.Membership(tx, account)
	if err != nil || m == nil {
		return "", err
	}
	return m.Paths[0] + account, nil
}

// account are the services that anybody of an account tried since a time.
func (r *accessReader) account(tx store.Tx, account string, since time.Time) (map[string]Access, error) {
	found := map[string]Access{}
	for entry, err := range accountAccesses.List(tx, account, nil) {
		if err != nil {
			return nil, err
		}
		found[entry.Parts[0]] = *entry.Value
	}
	return r.newer(found, accessOf{account: account}, since), nil
}
