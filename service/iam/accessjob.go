package iam

import (
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// AccessJob is a report of last access that was asked for, as stored under its
// id. What it found stands in accessReports and accessEntities once it is Done.
type AccessJob struct {
	ID      string
	Of      string // the ARN of a user, group, role or policy; or the path of a node of the organisation
	Policy  string `cbor:",omitempty"` // of a report on an organisation: the id of a service control policy
	Overall bool   `cbor:",omitempty"` // on an organisation
	Actions bool   `cbor:",omitempty"` // of actions, too
	By      string // the unique id of the user, role or root who asked, and alone may look
	Created time.Time
	Done    *time.Time `cbor:",omitempty"`
	Chunks  int        `cbor:",omitempty"` // of accessEntities
	Code    string     `cbor:",omitempty"` // why it failed; "" = it didn't
	Message string     `cbor:",omitempty"`
}

var (
	accessJobsByTime = &store.Index[AccessJob]{Name: "time", Of: func(j *AccessJob, add func(parts ...string)) {
		add(fmt.Sprintf("%020d", j.Created.UnixNano()))
	}}
	accessJobsPending = &store.Index[AccessJob]{Name: "pending", Of: func(j *AccessJob, add func(parts ...string)) {
		if j.Done == nil {
			add(j.ID)
		}
	}}
	accessJobs = store.NewTable("iam/access-job", accessJobsByTime, accessJobsPending)
)

const (
	// jobAge is how long a report can be read.
	jobAge = 24 * time.Hour
	// jobsKept is how many reports an account has at most; the oldest make room.
	jobsKept     = 10_000
	countJobs    = "access report"
	jobsPerSweep = 8
	// jobsPending is how many reports an account may wait for.
	jobsPending   = 100
	jobsMakeSpace = 64
)

// add stores a new job, and removes some that are old.
func (j *AccessJob) add(call *gateway.Call) error {
	j.ID, j.Created, j.By = trail.NewID(), call.Time, holderID(call.Principal)
	pending, err := pendingJobs(call.Tx, call.Account)
	if err != nil {
		return err
	}
	if len(pending) >= jobsPending {
		return &aws.Error{Kind: aws.Throttled, Message: "Rate exceeded"}
	}
	if err := removeJobs(call, jobsPerSweep, call.Time.Add(-jobAge)); err != nil {
		return err
	}
	err = counts.Add(call.Tx, call.Account, countJobs, j.ID, jobsKept)
	if errors.Is(err, store.ErrQuota) {
		if err := removeJobs(call, jobsMakeSpace, call.Time); err != nil {
			return err
		}
		err = counts.Add(call.Tx, call.Account, countJobs, j.ID, jobsKept)
	}
	if err != nil {
		return err
	}
	return accessJobs.Insert(call.Tx, call.Account, j, j.ID)
}

// pendingJobs are an account's jobs that are not done.
func pendingJobs(tx store.Tx, account string) (pending []*AccessJob, err error) {
	for entry, err := range accessJobs.ListBy(tx, accessJobsPending, account, nil) {
		if err != nil {
			return nil, err
		}
		pending = append(pending, entry.Value)
	}
	return pending, nil
}

// removeJobs removes the oldest jobs, n at most, that were made before a time.
func removeJobs(call *gateway.Call, n int, before time.Time) error {
	var old []*AccessJob
	for entry, err := range accessJobs.ListBy(call.Tx, accessJobsByTime, call.Account, nil) {
		if err != nil {
			return err
		}
		if len(old) == n || !entry.Value.Created.Before(before) {
			break
		}
		old = append(old, entry.Value)
	}
	for _, j := range old {
		err := accessReports.Delete(call.Tx, call.Account, j.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for i := range j.Chunks {
			if err := accessEntities.Delete(call.Tx, call.Account, j.ID, partNumber(i)); err != nil {
				return err
			}
		}
		if err := accessJobs.Delete(call.Tx, call.Account, j.ID); err != nil {
			return err
		}
		if err := uncount(call.Tx, call.Account, countJobs, j.ID); err != nil {
			return err
		}
	}
	return nil
}

// holderID is the unique id of who calls: of a session the role's.
func holderID(p *aws.Principal) string {
	if p.Kind == aws.AssumedRole {
		return p.Session.RoleID
	}
	return p.ID
}

// jobOf finds a job of the caller's own. Another's is told of as none.
func jobOf(call *gateway.Call, id string, overall bool) (*AccessJob, error) {
	j, err := accessJobs.Get(call.Tx, call.Account, id)
	if errors.Is(err, store.ErrNotFound) ||
		err == nil && (j.By != holderID(call.Principal) || j.Overall != overall || call.Time.Sub(j.Created) > jobAge) {
		return nil, noSuchEntity("The job with id %s cannot be found.", id)
	}
	return j, err
}

// status is the job's state, and why it failed, as answers show them.
func (j *AccessJob) status() (iam.JobStatusType, *iam.ErrorDetails) {
	switch {
	case j.Done == nil:
		return iam.JobStatusTypeInProgress, nil
	case j.Code != "":
		return iam.JobStatusTypeFailed, &iam.ErrorDetails{Code: j.Code, Message: j.Message}
	}
	return iam.JobStatusTypeCompleted, nil
}

func (j *AccessJob) kind() *iam.AccessAdvisorUsageGranularityType {
	if j.Actions {
		return new(iam.AccessAdvisorUsageGranularityTypeActionLevel)
	}
	return new(iam.AccessAdvisorUsageGranularityTypeServiceLevel)
}
