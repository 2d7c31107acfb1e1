package iam

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/policy/reference"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// AccessReport is what a job found, as stored under its id: the services that
// policies reach, by namespace.
type AccessReport struct{ Services []ServiceAccess }

// ServiceAccess is a service of a report. At is zero where nobody tried it.
type ServiceAccess struct {
	_         struct{} `cbor:",toarray"`
	Namespace string
	At        time.Time
	By        string // ARN of the user or role who tried it last; of a report on an organisation, the account's path
	Region    string
	Count     int // of users and roles, or of accounts, that tried it
	Actions   []ActionAccess
}

// ActionAccess is an action of a service. At is zero where nobody tried it.
type ActionAccess struct {
	_          struct{} `cbor:",toarray"`
	Name       string
	At         time.Time
	By, Region string
}

// AccessEntities are some of the users and roles of a report, as stored under its id and their number.
type AccessEntities struct{ List []EntityAccess }

// EntityAccess is a user or role, and when it tried which service.
type EntityAccess struct {
	_                   struct{} `cbor:",toarray"`
	Name, Path, ID, Arn string
	Role                bool
	Tried               map[string]Access // by namespace
}

var (
	accessReports  = store.NewTable[AccessReport]("iam/access-report")
	accessEntities = store.NewTable[AccessEntities]("iam/access-report-entities")
)

// entitiesAChunk is how many users and roles are looked at in one read, and stored as one record.
const entitiesAChunk = 200

// useRecorder follows the trail: it writes down uses and accesses, and makes
// the reports that are asked for. A report is made when the record of its
// request comes by, so that it knows of all that was recorded before; or, where
// those before it fill the transaction, when that of somebody who looks does.
// It reads in reads of its own, as reportMaker does.
type useRecorder struct {
	*Service
	ctx    context.Context
	engine store.Engine
	made   map[string]*madeReport // by job: those of this batch, kept for when its transaction is run again
}

type madeReport struct {
	AccessReport
	chunks []AccessEntities
	failed *jobFailure
}

func (u *useRecorder) record(tx store.Tx, records []trail.Record) error {
	if tx.Attempt() == 1 {
		clear(u.made)
	}
	if err := u.RecordUse(tx, records); err != nil {
		return err
	}
	latest := u.accesses(records)
	if err := recordAccesses(tx, latest); err != nil {
		return err
	}
	var reader *accessReader
	done := map[string]bool{}
	room := u.reportBytes
	for _, r := range records {
		e := r.Event
		if e == nil || e.EventSource != "iam.amazonaws.com" || done[r.Scope] || !reportCalls[e.EventName] {
			continue
		}
		done[r.Scope] = true
		if reader == nil {
			reader = newAccessReader(latest)
		}
		if err := u.finishJobs(tx, reader, r.Scope, e.EventTime, &room); err != nil {
			return err
		}
	}
	return nil
}

// reportCalls are the calls that ask for reports, and for what became of them.
var reportCalls = map[string]bool{
	"GenerateServiceLastAccessedDetails": true, "GenerateOrganizationsAccessReport": true,
	"GetServiceLastAccessedDetails": true, "GetServiceLastAccessedDetailsWithEntities": true, "GetOrganizationsAccessReport": true,
}

// finishJobs makes the reports that an account waits for, as long as there is room.
func (u *useRecorder) finishJobs(tx store.Tx, reader *accessReader, account string, at time.Time, room *int) error {
	pending, err := pendingJobs(tx, account)
	if err != nil {
		return err
	}
	for _, j := range pending {
		if *room <= 0 {
			return nil
		}
		made, ok := u.made[j.ID]
		if !ok {
			if made, err = u.make(reader, account, j); err != nil {
				return err
			}
			u.made[j.ID] = made
		}
		*room -= made.size()
		if err := made.store(tx, account, *j, at); err != nil {
			return err
		}
	}
	return nil
}

// size is about how many bytes a report is stored as, or more.
func (m *madeReport) size() int {
	n := 0
	for i := range m.Services {
		s := &m.Services[i]
		n += 64 + len(s.Namespace) + len(s.By) + len(s.Region)
		for j := range s.Actions {
			a := &s.Actions[j]
			n += 48 + len(a.Name) + len(a.By) + len(a.Region)
		}
	}
	for _, chunk := range m.chunks {
		for i := range chunk.List {
			e := &chunk.List[i]
			n += 24 + len(e.Name) + len(e.Path) + len(e.ID) + len(e.Arn)
			for namespace, is := range e.Tried {
				n += 56 + len(namespace) + len(is.Region)
			}
		}
	}
	return n
}

// store ends a job, of which it is given a copy.
func (m *madeReport) store(tx store.Tx, account string, j AccessJob, at time.Time) error {
	if at.Before(j.Created) { // the record that it is made for may be another's
		at = j.Created
	}
	j.Done = &at
	if m.failed != nil {
		j.Code, j.Message = m.failed.code, m.failed.message
		return accessJobs.Put(tx, account, &j, j.ID)
	}
	j.Chunks = len(m.chunks)
	for i := range m.chunks {
		if err := accessEntities.Put(tx, account, &m.chunks[i], j.ID, partNumber(i)); err != nil {
			return err
		}
	}
	if err := accessReports.Put(tx, account, &m.AccessReport, j.ID); err != nil {
		return err
	}
	return accessJobs.Put(tx, account, &j, j.ID)
}

// tooDear refuses policies that were made to keep the consumer busy.
func tooDear(reach *policy.Reach) error {
	if reach.TooDear() {
		return &jobFailure{"LimitExceeded", "The policies take too much work to evaluate."}
	}
	return nil
}

// make makes a report, or one that says why there is none.
func (u *useRecorder) make(reader *accessReader, account string, j *AccessJob) (*madeReport, error) {
	m := &madeReport{}
	var err error
	if j.Overall {
		err = m.overall(u, reader, account, j)
	} else {
		err = m.ofEntity(u, reader, account, j)
	}
	if err == nil && m.size() > u.reportBytes {
		err = &jobFailure{"LimitExceeded", "The report is too large."}
	}
	if failed, ok := errors.AsType[*jobFailure](err); ok {
		return &madeReport{failed: failed}, nil
	}
	return m, err
}

// jobFailure is why a report can't be made.
type jobFailure struct{ code, message string }

func (f *jobFailure) Error() string { return f.message }

// ofEntity makes the report of a user, group, role or policy: of the services
// that its policies reach, who tried them last.
func (m *madeReport) ofEntity(u *useRecorder, reader *accessReader, account string, j *AccessJob) error {
	var on *reported
	var list []EntityAccess
	err := u.engine.View(u.ctx, func(tx store.Tx) (err error) {
		if on, err = reportedBy(tx, account, j.Of); err == nil {
			list, err = on.entities(tx, account)
		}
		return err
	})
	if err != nil {
		return err
	}
	found := map[string]*ServiceAccess{}
	reach := policy.NewReach(u.reportWork)
	for _, namespace := range reachable(reach, on.policies) {
		m.Services = append(m.Services, ServiceAccess{Namespace: namespace})
	}
	for i := range m.Services {
		found[m.Services[i].Namespace] = &m.Services[i]
	}
	since := j.Created.Add(-trackingPeriod)
	actions := triedActions{}
	for chunk := range slices.Chunk(list, entitiesAChunk) {
		var tried []triedActions
		err := u.engine.View(u.ctx, func(tx store.Tx) error {
			tried = tried[:0]
			for i := range chunk {
				of, err := reader.entity(tx, account, &chunk[i], found, j.Actions, since)
				if err != nil {
					return err
				}
				tried = append(tried, of)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range chunk {
			for namespace, is := range chunk[i].Tried {
				found[namespace].add(is, chunk[i].Arn)
			}
			actions.merge(tried[i])
		}
		m.chunks = append(m.chunks, AccessEntities{chunk})
	}
	for namespace, of := range actions {
		found[namespace].Actions = u.Calls.told(reach, namespace, of, on.policies)
	}
	return tooDear(reach)
}

// add counts somebody's last attempt.
func (s *ServiceAccess) add(is Access, by string) {
	s.Count++
	if s.Count == 1 || is.At.After(s.At) || is.At.Equal(s.At) && by < s.By {
		s.At, s.By, s.Region = is.At, by, is.Region
	}
}

// triedActions are the last attempts by service and action.
type triedActions map[string]map[string]ActionAccess

func (t triedActions) merge(of triedActions) {
	for namespace, actions := range of {
		if t[namespace] == nil {
			t[namespace] = map[string]ActionAccess{}
		}
		for action, is := range actions {
			if have, ok := t[namespace][action]; !ok || is.At.After(have.At) || is.At.Equal(have.At) && is.By < have.By {
				t[namespace][action] = is
			}
		}
	}
}

// entity reads what a user or role tried of the services that are reached.
func (r *accessReader) entity(tx store.Tx, account string, e *EntityAccess, reached map[string]*ServiceAccess, withActions bool, since time.Time) (triedActions, error) {
	services, err := r.services(tx, account, e.ID, since)
	if err != nil {
		return nil, err
	}
	e.Tried = map[string]Access{}
	tried := triedActions{}
	for namespace, is := range services {
		if reached[namespace] == nil {
			continue
		}
		e.Tried[namespace] = is
		if !withActions {
			continue
		}
		actions, err := r.actions(tx, account, e.ID, namespace, since)
		if err != nil {
			return nil, err
		}
		for action, is := range actions {
			tried.merge(triedActions{namespace: {action: {Name: action, At: is.At, By: e.Arn, Region: is.Region}}})
		}
	}
	return tried, nil
}

// told are the actions of a service as a report tells of them: those that
// policies reach, tried or not.
func (c *Calls) told(reach *policy.Reach, namespace string, tried map[string]ActionAccess, policies []*policy.Policy) []ActionAccess {
	var all []ActionAccess
	for _, action := range c.trackedIn(namespace) {
		if !reach.Reaches(policies, namespace+":"+action) {
			continue
		}
		is, ok := tried[action]
		if !ok {
			is.Name = action
		}
		all = append(all, is)
	}
	return all
}

// reachable are the services of which the policies of every level reach an
// action, by namespace: identity policies are one level, service control
// policies several.
func reachable(reach *policy.Reach, levels ...[]*policy.Policy) []string {
	var all []string
	for _, s := range reference.Services() {
		if slices.ContainsFunc(s.Actions, func(a reference.Action) bool {
			action := s.Prefix + ":" + a.Name
			return !slices.ContainsFunc(levels, func(level []*policy.Policy) bool { return !reach.Reaches(level, action) })
		}) {
			all = append(all, s.Prefix)
		}
	}
	return all
}
