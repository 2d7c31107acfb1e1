package s3

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/blob/fs"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
	"github.com/garrison-security/garrison/trail"
)

// estate is a gateway that serves S3 alone, to alice, who may do everything, and
// to bob, who may bypass no governance; with a clock of its own.
type estate struct {
	testing.TB
	*gateway.Gateway
	*Service
	alice, bob *aws.Principal
	root       *aws.Principal // whose MFA device "device" shows "123456" all the time
	now        time.Time
}

// VerifyMFA implements MFA.
func (*estate) VerifyMFA(_ store.Tx, _ time.Time, _ *aws.Principal, serial, code string) error {
	if serial != "device" || code != "123456" {
		return accessDenied()
	}
	return nil
}

// Credential implements gateway.Directory: nobody has one.
func (*estate) Credential(store.Tx, string) (*gateway.Credential, error) {
	return nil, store.ErrNotFound
}

// Open implements gateway.Sessions.
func (*estate) Open(string, string) (*gateway.Credential, error) {
	return nil, &aws.Error{Kind: aws.BadToken}
}

// Policies implements gateway.Directory.
func (e *estate) Policies(_ store.Tx, who *aws.Principal, p *policy.Policies) (map[string]string, error) {
	text := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	if who == e.bob {
		text = `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:Bypass*","Resource":"*"}]}`
	}
	doc, err := policy.Read([]byte(text), policy.Identity)
	if err != nil {
		return nil, err
	}
	p.Identity = []*policy.Policy{policy.Compile(doc, "")}
	return nil, nil
}

func newEstate(t testing.TB) *estate {
	options := storetest.Options()
	journal := trail.NewJournal(options.Sealer)
	options.Journal = journal
	engine, err := mem.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	blobs, err := fs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	e := &estate{TB: t, root: &aws.Principal{Kind: aws.Root, Partition: "aws", Account: "111122223333", ID: "111122223333", ARN: "arn:aws:iam::111122223333:root"},
		now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), alice: user("alice"), bob: user("bob")}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	e.Service = New(Options{Engine: engine, Blobs: blobs, Keys: newOneKey(t), MFA: e, Tokens: store.Tokens{Sealer: options.Sealer}, Clock: e.clock, Log: log})
	e.Gateway, err = gateway.New(gateway.Config{
		Engine: engine, Directory: e, Sessions: e, Services: []gateway.Service{e.Service}, Clock: e.clock, Unattributed: new(trail.Unattributed), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func user(name string) *aws.Principal {
	return &aws.Principal{Kind: aws.User, Partition: "aws", Account: "111122223333", Name: name, ID: "AIDA" + strings.ToUpper(name), ARN: "arn:aws:iam::111122223333:user/" + name}
}

func (e *estate) clock() time.Time { return e.now }

// try answers the error's code, "" for none.
func try[In, Out any](e *estate, who *aws.Principal, op aws.Op[In, Out], in *In) (*Out, string) {
	e.Helper()
	out, err := gateway.Invoke(e.Context(), e.Gateway, who, op, in)
	if err == nil {
		return out, ""
	}
	failed, ok := err.(*aws.Error)
	switch {
	case !ok:
		e.Fatal(err)
	case failed.Kind == aws.AccessDenied:
		return nil, "AccessDenied"
	}
	return nil, failed.Code
}

func call[In, Out any](e *estate, who *aws.Principal, op aws.Op[In, Out], in *In) *Out {
	e.Helper()
	out, code := try(e, who, op, in)
	if code != "" {
		e.Fatalf("%s: %s", op.Name, code)
	}
	return out
}

// put puts a small object below the gateway, and answers its version.
func (e *estate) put(bucket, key string, size int, asked *Lock, tags ...Tag) *Version {
	e.Helper()
	var v *Version
	err := e.Service.Engine.Update(e.Context(), func(tx store.Tx) error {
		b, err := buckets.Get(tx, e.alice.Account, bucket)
		if err != nil {
			return err
		}
		v = &Version{Modified: second(e.now), Account: b.Account, Size: int64(size), Tags: tags, Lock: asked}
		return jointly(b.keep(tx, v, &received{small: make([]byte, size)}), b.place(&gateway.Call{Tx: tx, Time: e.now}, key, v))
	})
	if err != nil {
		e.Fatal(err)
	}
	return v
}

// plainLock is a version as a bucket with object lock should have it.
type plainLock struct {
	id, key string
	marker  bool
	mode    s3.ObjectLockRetentionMode
	until   time.Time
	hold    bool
}

// stays tells whether a version must not go at now, for one who bypasses governance or doesn't.
func (p *plainLock) stays(now time.Time, bypasses bool) bool {
	return p.hold || now.Before(p.until) && (p.mode == "COMPLIANCE" || p.mode == "GOVERNANCE" && !bypasses)
}

// lockers does random things to a bucket with object lock, and tells beforehand what will come of them.
type lockers struct {
	*estate
	random   *rand.Rand
	all      []*plainLock
	mode     s3.ObjectLockRetentionMode // of the default; "": there is none
	days     int
	refusals int
	expired  int
}

const lockedBucket = "locked-bucket"

func (l *lockers) expect(what, got string, refused bool) bool {
	l.Helper()
	want := ""
	if refused {
		want = "AccessDenied"
		l.refusals++
	}
	if got != want {
		l.Fatalf("%s: %q, want %q", what, got, want)
	}
	return !refused
}

// caller is who calls, whether she asks to bypass governance, and whether she may.
func (l *lockers) caller() (who *aws.Principal, said *bool, bypasses bool) {
	who = []*aws.Principal{l.alice, l.bob}[l.random.IntN(2)]
	said = []*bool{nil, new(false), new(true), new(true)}[l.random.IntN(4)]
	return who, said, flag(said) && who == l.alice
}

func (l *lockers) some() *plainLock {
	if len(l.all) == 0 {
		return nil
	}
	return l.all[l.random.IntN(len(l.all))]
}

func (l *lockers) drop(v *plainLock) {
	l.all = slices.DeleteFunc(l.all, func(o *plainLock) bool { return o == v })
}

func (l *lockers) retention() (s3.ObjectLockRetentionMode, time.Time) {
	mode := []s3.ObjectLockRetentionMode{s3.ObjectLockRetentionModeGovernance, s3.ObjectLockRetentionModeCompliance}[l.random.IntN(2)]
	return mode, l.now.Add(time.Duration(1+l.random.IntN(100)) * time.Hour)
}

func (l *lockers) step() {
	key := []string{"a", "b", "c/d"}[l.random.IntN(3)]
	switch n := l.random.IntN(20); {
	case n < 6:
		p := &plainLock{key: key, mode: l.mode, until: l.now.AddDate(0, 0, l.days)}
		asked := new(Lock)
		if l.random.IntN(3) == 0 {
			p.mode, p.until = l.retention()
			asked.Mode, asked.Until = p.mode, p.until
		}
		if p.hold = l.random.IntN(8) == 0; p.hold {
			asked.Hold = s3.ObjectLockLegalHoldStatusOn
		}
		if *asked == (Lock{}) {
			asked = nil
		}
		p.id = l.put(lockedBucket, key, l.random.IntN(3), asked).ID
		l.all = append(l.all, p)
	case n < 8:
		out := call(l.estate, l.bob, s3.DeleteObject, &s3.DeleteObjectInput{Bucket: lockedBucket, Key: key})
		l.all = append(l.all, &plainLock{id: *out.VersionId, key: key, marker: true})
	case n < 11:
		who, said, bypasses := l.caller()
		if v := l.some(); v != nil {
			_, got := try(l.estate, who, s3.DeleteObject, &s3.DeleteObjectInput{Bucket: lockedBucket, Key: v.key, VersionId: &v.id, BypassGovernanceRetention: said})
			if l.expect("DeleteObject", got, v.stays(l.now, bypasses)) {
				l.drop(v)
			}
		}
	case n < 12:
		l.deleteMany()
	case n < 15:
		l.retain()
	case n < 16:
		if v := l.some(); v != nil && !v.marker {
			v.hold = !v.hold
			status := s3.ObjectLockLegalHoldStatusOff
			if v.hold {
				status = s3.ObjectLockLegalHoldStatusOn
			}
			call(l.estate, l.bob, s3.PutObjectLegalHold, &s3.PutObjectLegalHoldInput{
				Bucket: lockedBucket, Key: v.key, VersionId: &v.id, LegalHold: &s3.ObjectLockLegalHold{Status: &status},
			})
		}
	case n < 17:
		l.mode, l.days = []s3.ObjectLockRetentionMode{"", s3.ObjectLockRetentionModeGovernance, s3.ObjectLockRetentionModeCompliance}[l.random.IntN(3)], 1+l.random.IntN(4)
		c := &s3.ObjectLockConfiguration{ObjectLockEnabled: new(s3.ObjectLockEnabledEnabled)}
		if l.mode != "" {
			c.Rule = &s3.ObjectLockRule{DefaultRetention: &s3.DefaultRetention{Mode: &l.mode, Days: new(int32(l.days))}}
		}
		call(l.estate, l.alice, s3.PutObjectLockConfiguration, &s3.PutObjectLockConfigurationInput{Bucket: lockedBucket, ObjectLockConfiguration: c})
	case n < 18:
		if _, got := try(l.estate, l.alice, s3.PutBucketVersioning, &s3.PutBucketVersioningInput{
			Bucket: lockedBucket, VersioningConfiguration: &s3.VersioningConfiguration{Status: new(s3.BucketVersioningStatusSuspended)},
		}); got != "InvalidBucketState" {
			l.Fatalf("versioning suspended: %q", got)
		}
		if len(l.all) > 0 {
			if _, got := try(l.estate, l.alice, s3.DeleteBucket, &s3.DeleteBucketInput{Bucket: lockedBucket}); got != "BucketNotEmpty" {
				l.Fatalf("bucket deleted: %q", got)
			}
		}
	default:
		l.now = l.now.Add(time.Duration(l.random.IntN(20)) * time.Hour)
		if l.random.IntN(4) == 0 {
			l.expire()
		}
	}
}

// expire has the lifecycle rules carried out: what they remove must not have been locked.
func (l *lockers) expire() {
	l.Helper()
	if err := l.ExpireDue(l.Context()); err != nil {
		l.Fatal(err)
	}
	out := call(l.estate, l.alice, s3.ListObjectVersions, &s3.ListObjectVersionsInput{Bucket: lockedBucket})
	left := map[string]bool{}
	for _, v := range out.Versions {
		left[*v.VersionId] = true
	}
	known := map[string]bool{}
	for _, v := range slices.Clone(l.all) {
		known[v.id] = true
		gone := !left[v.id] && (!v.marker || !slices.ContainsFunc(out.DeleteMarkers, func(m s3.DeleteMarkerEntry) bool { return *m.VersionId == v.id }))
		if gone && v.stays(l.now, false) {
			l.Fatalf("a lifecycle rule removed %+v", v)
		}
		if gone {
			l.expired++
			l.drop(v)
		}
	}
	for _, m := range out.DeleteMarkers {
		if !known[*m.VersionId] {
			l.all = append(l.all, &plainLock{id: *m.VersionId, key: *m.Key, marker: true})
		}
	}
}

func (l *lockers) deleteMany() {
	who, said, bypasses := l.caller()
	in := &s3.DeleteObjectsInput{Bucket: lockedBucket, BypassGovernanceRetention: said, Delete: new(s3.Delete)}
	var asked []*plainLock
	for range 1 + l.random.IntN(4) {
		if v := l.some(); v != nil && !slices.Contains(asked, v) {
			asked = append(asked, v)
			in.Delete.Objects = append(in.Delete.Objects, s3.ObjectIdentifier{Key: v.key, VersionId: &v.id})
		}
	}
	if len(asked) == 0 {
		return
	}
	out := call(l.estate, who, s3.DeleteObjects, in)
	for _, v := range asked {
		refused := slices.ContainsFunc(out.Errors, func(e s3.Error) bool { return *e.VersionId == v.id && *e.Code == "AccessDenied" })
		if refused != v.stays(l.now, bypasses) {
			l.Fatalf("DeleteObjects refuses %+v: %t", v, refused)
		}
		if !refused {
			l.drop(v)
		}
	}
}

func (l *lockers) retain() {
	who, said, bypasses := l.caller()
	v := l.some()
	if v == nil || v.marker {
		return
	}
	in := &s3.PutObjectRetentionInput{Bucket: lockedBucket, Key: v.key, VersionId: &v.id, BypassGovernanceRetention: said, Retention: new(s3.ObjectLockRetention)}
	mode, until := s3.ObjectLockRetentionMode(""), time.Time{}
	if l.random.IntN(5) > 0 {
		mode, until = l.retention()
		in.Retention.Mode, in.Retention.RetainUntilDate = &mode, &until
	}
	less := l.now.Before(v.until) && (mode != v.mode || until.Before(v.until))
	_, got := try(l.estate, who, s3.PutObjectRetention, in)
	if l.expect("PutObjectRetention", got, less && (v.mode == "COMPLIANCE" || v.mode == "GOVERNANCE" && !bypasses)) {
		v.mode, v.until = mode, until
	}
}

// check compares what is there with what should be, version by version.
func (l *lockers) check() {
	l.Helper()
	var got, want []string
	out := call(l.estate, l.alice, s3.ListObjectVersions, &s3.ListObjectVersionsInput{Bucket: lockedBucket})
	for _, v := range out.Versions {
		got = append(got, fmt.Sprint(*v.Key, " ", *v.VersionId, " false"))
	}
	for _, m := range out.DeleteMarkers {
		got = append(got, fmt.Sprint(*m.Key, " ", *m.VersionId, " true"))
	}
	for _, v := range l.all {
		want = append(want, fmt.Sprint(v.key, " ", v.id, " ", v.marker))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		l.Fatalf("there are\n%q, want\n%q", got, want)
	}
}

// Puts, deletes, changes of retention, lifecycle rules and time, at random, by two people:
// whatever they do, no version goes that is locked, and none stays that isn't.
func TestNoLockedVersionIsEverLost(t *testing.T) {
	refusals, expired := 0, 0
	for seed := range uint64(12) {
		l := &lockers{estate: newEstate(t), random: rand.New(rand.NewPCG(seed, 11))}
		call(l.estate, l.alice, s3.CreateBucket, &s3.CreateBucketInput{Bucket: lockedBucket, ObjectLockEnabledForBucket: new(true)})
		call(l.estate, l.alice, s3.PutBucketLifecycleConfiguration, &s3.PutBucketLifecycleConfigurationInput{
			Bucket: lockedBucket, LifecycleConfiguration: &s3.BucketLifecycleConfiguration{Rules: []s3.LifecycleRule{{
				Filter: &s3.LifecycleRuleFilter{}, Status: s3.ExpirationStatusEnabled, Expiration: &s3.LifecycleExpiration{Days: new(int32(1))},
				NoncurrentVersionExpiration: &s3.NoncurrentVersionExpiration{NoncurrentDays: new(int32(1))},
			}}},
		})
		for i := range 250 {
			l.step()
			if i%10 == 9 {
				l.check()
			}
		}
		refusals, expired = refusals+l.refusals, expired+l.expired
	}
	if refusals < 200 || expired < 200 {
		t.Errorf("only %d refusals and %d expired versions were seen", refusals, expired)
	}
}
