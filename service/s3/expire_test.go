package s3

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// farm is an estate with one bucket, whose lifecycle rules are carried out.
type farm struct{ *estate }

const farmed = "farmed-bucket"

func newFarm(t *testing.T, versioning bool, rules []s3.LifecycleRule) *farm {
	f := &farm{newEstate(t)}
	call(f.estate, f.alice, s3.CreateBucket, &s3.CreateBucketInput{Bucket: farmed})
	if versioning {
		f.versioning(s3.BucketVersioningStatusEnabled)
	}
	f.rule(rules)
	return f
}

func (f *farm) versioning(to s3.BucketVersioningStatus) {
	call(f.estate, f.alice, s3.PutBucketVersioning, &s3.PutBucketVersioningInput{Bucket: farmed, VersioningConfiguration: &s3.VersioningConfiguration{Status: &to}})
}

func (f *farm) rule(rules []s3.LifecycleRule) {
	call(f.estate, f.alice, s3.PutBucketLifecycleConfiguration, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: farmed, LifecycleConfiguration: &s3.BucketLifecycleConfiguration{Rules: rules},
	})
}

// at lets time pass to a day of November 2026 and an hour, and has the rules carried out.
func (f *farm) at(day, hour int) {
	f.Helper()
	f.now = time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC)
	if err := f.ExpireDue(f.Context()); err != nil {
		f.Fatal(err)
	}
}

func (f *farm) remove(key string) {
	call(f.estate, f.alice, s3.DeleteObject, &s3.DeleteObjectInput{Bucket: farmed, Key: key})
}

// shows compares the bucket's versions with what is wanted: of each key their sizes, the newest first, "-" for a marker.
func (f *farm) shows(want ...string) {
	f.Helper()
	var keys []string
	sizes := map[string]string{}
	err := f.Service.Engine.View(f.Context(), func(tx store.Tx) error {
		b, err := buckets.Get(tx, f.alice.Account, farmed)
		if err != nil {
			return err
		}
		for e, err := range b.merge(tx, nil, nil, "") {
			if err != nil {
				return err
			}
			if sizes[e.key] == "" {
				keys = append(keys, e.key)
			}
			size := fmt.Sprint(e.v.Size)
			if e.v.Marker {
				size = "-"
			}
			sizes[e.key] += " " + size
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	var got []string
	for _, key := range keys {
		got = append(got, key+sizes[key])
	}
	if !slices.Equal(got, want) {
		f.Errorf("on %s there are %q, want %q", f.now.Format("2 15h"), got, want)
	}
}

func TestObjectsExpireAtMidnight(t *testing.T) {
	f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) }))
	f.put(farmed, "a", 1, nil)
	f.at(25, 13)
	f.shows("a 1")
	f.at(25, 23)
	f.shows("a 1")
	f.put(farmed, "b", 2, nil)
	f.at(26, 0)
	f.shows("b 2")
	f.at(26, 23)
	f.shows("b 2")
	f.at(27, 0)
	f.shows()
}

func TestVersionsExpire(t *testing.T) {
	f := newFarm(t, true, rules1(func(r *s3.LifecycleRule) { r.Expiration, r.NoncurrentVersionExpiration = days(2), noncurrent(1, 0) }))
	f.put(farmed, "a", 1, nil) // on the 24th
	f.at(25, 1)
	f.put(farmed, "a", 2, nil) // 1 is not current since the 25th
	f.at(26, 1)
	f.shows("a 2 1")
	f.at(27, 0)
	f.shows("a 2")
	f.at(28, 0)
	f.shows("a - 2")
	f.at(29, 1)
	f.shows("a - 2")
	f.at(30, 0) // and the marker, which hides nothing any more, is old enough by days
	f.shows("a -")
	f.at(31, 0)
	f.shows()
}

func TestDeleteMarkersThatHideNothingGo(t *testing.T) {
	marker := &s3.LifecycleExpiration{ExpiredObjectDeleteMarker: new(true)}
	f := newFarm(t, true, rules1(func(r *s3.LifecycleRule) { r.Expiration, r.NoncurrentVersionExpiration = marker, noncurrent(1, 0) }))
	f.put(farmed, "a", 1, nil)
	f.remove("a")
	f.remove("none")
	f.put(farmed, "shown", 3, nil)
	f.at(25, 0)
	f.shows("a - 1", "shown 3")
	f.at(26, 0) // 1 goes, and with it what hid it
	f.shows("shown 3")

	f = newFarm(t, true, rules1(func(r *s3.LifecycleRule) {
		r.Expiration = &s3.LifecycleExpiration{ExpiredObjectDeleteMarker: new(false)}
	}))
	f.remove("none")
	f.at(30, 0)
	f.shows("none -")
}

func TestNewerVersionsAreKept(t *testing.T) {
	f := newFarm(t, true, rules1(func(r *s3.LifecycleRule) { r.NoncurrentVersionExpiration = noncurrent(1, 2) }))
	for i := range 6 {
		f.put(farmed, "a", i, nil)
		f.put(farmed, "b", i, nil)
		f.now = f.now.Add(time.Second)
	}
	f.remove("b")
	f.at(25, 23)
	f.shows("a 5 4 3 2 1 0", "b - 5 4 3 2 1 0")
	f.at(26, 0)
	f.shows("a 5 4 3", "b - 5 4")
	f.at(30, 0)
	f.shows("a 5 4 3", "b - 5 4")
}

func TestFiltersChoose(t *testing.T) {
	tag := func(value string) Tag { return Tag{"class", value} }
	for name, c := range map[string]struct {
		filter *s3.LifecycleRuleFilter
		gone   []string
	}{
		"all":            {&s3.LifecycleRuleFilter{}, []string{"a/big", "a/small", "b/big"}},
		"prefix":         {&s3.LifecycleRuleFilter{Prefix: new("a/")}, []string{"a/big", "a/small"}},
		"tag":            {&s3.LifecycleRuleFilter{Tag: &s3.Tag{Key: "class", Value: "x"}}, []string{"a/big", "b/big"}},
		"larger":         {&s3.LifecycleRuleFilter{ObjectSizeGreaterThan: new(int64(10))}, []string{"a/big", "b/big"}},
		"not larger":     {&s3.LifecycleRuleFilter{ObjectSizeGreaterThan: new(int64(20))}, nil},
		"smaller":        {&s3.LifecycleRuleFilter{ObjectSizeLessThan: new(int64(20))}, []string{"a/small"}},
		"prefix and tag": {and(new("a/"), s3.Tag{Key: "class", Value: "x"}), []string{"a/big"}},
		"two tags":       {and(nil, s3.Tag{Key: "class", Value: "x"}, s3.Tag{Key: "other", Value: "x"}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), c.filter }))
			f.put(farmed, "a/big", 20, nil, tag("x"))
			f.put(farmed, "a/small", 10, nil, tag("y"))
			f.put(farmed, "b/big", 20, nil, tag("x"), Tag{"other", "y"})
			f.at(26, 0)
			var left []string
			for _, key := range []string{"a/big 20", "a/small 10", "b/big 20"} {
				if name, _, _ := strings.Cut(key, " "); !slices.Contains(c.gone, name) {
					left = append(left, key)
				}
			}
			f.shows(left...)
		})
	}
}

// A rule that is disabled, deleted or of a bucket that is gone removes nothing;
// nor does one of a date that has not come.
func TestNoRuleNoExpiry(t *testing.T) {
	f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Status = days(1), s3.ExpirationStatusDisabled }))
	f.put(farmed, "a", 1, nil)
	f.at(30, 0)
	f.shows("a 1")
	f.rule(rules1(func(r *s3.LifecycleRule) {
		r.Expiration = &s3.LifecycleExpiration{Date: new(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))}
	}))
	f.at(30, 23)
	f.shows("a 1")
	call(f.estate, f.alice, s3.DeleteBucketLifecycle, &s3.DeleteBucketLifecycleInput{Bucket: farmed})
	f.at(35, 0)
	f.shows("a 1")
	f.rule(rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) }))
	f.remove("a")
	call(f.estate, f.alice, s3.DeleteBucket, &s3.DeleteBucketInput{Bucket: farmed})
	call(f.estate, f.alice, s3.CreateBucket, &s3.CreateBucketInput{Bucket: farmed})
	f.put(farmed, "a", 1, nil)
	f.at(40, 0)
	f.shows("a 1")
	err := f.Service.Engine.View(f.Context(), func(tx store.Tx) error {
		for entry := range passes.List(tx, "", nil) {
			t.Errorf("a pass is left: %+v", entry.Value)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Rules that were put take hold within the minute, whatever was done that day.
func TestRulesThatWerePutApplyAtOnce(t *testing.T) {
	f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) { r.Expiration = days(100) }))
	f.put(farmed, "a", 1, nil)
	f.at(28, 5)
	f.shows("a 1")
	f.rule(rules1(func(r *s3.LifecycleRule) { r.Expiration = days(2) }))
	f.at(28, 5)
	f.shows()
}

func TestUploadsAreGivenUp(t *testing.T) {
	f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) { r.AbortIncompleteMultipartUpload, r.Filter.Prefix = abort(1), new("a/") }))
	begin := func(key string) *s3.CreateMultipartUploadOutput {
		return call(f.estate, f.alice, s3.CreateMultipartUpload, &s3.CreateMultipartUploadInput{Bucket: farmed, Key: key})
	}
	if out := begin("a/1"); out.AbortDate == nil || !out.AbortDate.Equal(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)) || *out.AbortRuleId != "r" {
		t.Errorf("%v, %v", out.AbortDate, out.AbortRuleId)
	}
	if out := begin("b/1"); out.AbortDate != nil {
		t.Errorf("%v", out.AbortDate)
	}
	f.put(farmed, "a/object", 1, nil)
	f.at(25, 12)
	begin("a/2")
	keys := func() (all []string) {
		for _, u := range call(f.estate, f.alice, s3.ListMultipartUploads, &s3.ListMultipartUploadsInput{Bucket: farmed}).Uploads {
			all = append(all, *u.Key)
		}
		return all
	}
	if got := keys(); !slices.Equal(got, []string{"a/1", "a/2", "b/1"}) {
		t.Errorf("%q", got)
	}
	f.at(26, 0)
	if got := keys(); !slices.Equal(got, []string{"a/2", "b/1"}) {
		t.Errorf("%q", got)
	}
	f.shows("a/object 1")
}

// However many days a rule waits, clients can read when it is due.
func TestDatesFarAwayCanBeRead(t *testing.T) {
	f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) {
		r.Expiration, r.AbortIncompleteMultipartUpload = days(math.MaxInt32), abort(math.MaxInt32)
	}))
	begun := call(f.estate, f.alice, s3.CreateMultipartUpload, &s3.CreateMultipartUploadInput{Bucket: farmed, Key: "m"})
	if begun.AbortDate == nil || !begun.AbortDate.Equal(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%v", begun.AbortDate)
	}
	f.put(farmed, "a", 1, nil)
	head := call(f.estate, f.alice, s3.HeadObject, &s3.HeadObjectInput{Bucket: farmed, Key: "a"})
	if want := `expiry-date="Fri, 31 Dec 9999 00:00:00 GMT", rule-id="r"`; *head.Expiration != want {
		t.Errorf("%s, want %s", *head.Expiration, want)
	}
}

// A bucket of many pages is gone through in small steps, and its place survives a stop after any of them.
func TestPassesGoByPages(t *testing.T) {
	f := newFarm(t, true, rules1(func(r *s3.LifecycleRule) { r.Expiration, r.NoncurrentVersionExpiration = days(1), noncurrent(1, 1) }))
	const keys, versions = 30, 80
	for range versions {
		err := f.Service.Engine.Update(t.Context(), func(tx store.Tx) error {
			b, err := buckets.Get(tx, f.alice.Account, farmed)
			if err != nil {
				return err
			}
			for key := range keys {
				v := &Version{Modified: second(f.now), Account: b.Account}
				if err := b.place(&gateway.Call{Tx: tx, Time: f.now}, fmt.Sprintf("%02d", key), v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f.now = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	steps := 0
	for {
		due, err := f.duePasses(t.Context(), f.now, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(due) == 0 {
			break
		}
		f.Service = New(f.Options) // another life: what it knows is what is kept
		if err := f.expirePage(t.Context(), due[0]); err != nil {
			t.Fatal(err)
		}
		steps++
	}
	if least := keys * versions / expirePage; steps < least {
		t.Errorf("%d steps for %d versions", steps, keys*versions)
	}
	var want []string
	for key := range keys {
		want = append(want, fmt.Sprintf("%02d - 0 0", key))
	}
	f.shows(want...)
}

// What was found to be due is looked at again where it is removed: a writer who comes between loses nothing.
func TestWritersBetweenLoseNothing(t *testing.T) {
	f := newFarm(t, true, rules1(func(r *s3.LifecycleRule) { r.Expiration, r.NoncurrentVersionExpiration = days(1), noncurrent(1, 1) }))
	for i := range 3 {
		f.put(farmed, "a", i, nil)
		f.put(farmed, "b", i, nil)
	}
	held := f.put(farmed, "c", 1, nil)
	f.put(farmed, "c", 2, nil)
	f.put(farmed, "c", 3, nil)
	f.remove("d")
	f.now = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	var p *pass
	var due []dated
	var id string
	err := f.Service.Engine.View(t.Context(), func(tx store.Tx) error {
		for entry := range passes.List(tx, "", nil) {
			id, p = entry.Parts[0], entry.Value
		}
		b, all, err := p.bucket(tx, id)
		if err == nil {
			due, _, err = all.dueVersions(tx, b, place{}, f.now)
		}
		return err
	})
	if err != nil || len(due) != 7 {
		t.Fatalf("%d are due, %v", len(due), err)
	}
	f.put(farmed, "a", 9, nil) // a's current one is another
	call(f.estate, f.alice, s3.DeleteObject, &s3.DeleteObjectInput{Bucket: farmed, Key: "b", VersionId: &due[3].before.ID})
	f.put(farmed, "d", 9, nil) // the marker hides nothing still, but is not current
	err = f.Service.Engine.Update(t.Context(), func(tx store.Tx) error {
		b, err := buckets.Get(tx, f.alice.Account, farmed)
		if err != nil {
			return err
		}
		o := &onObject{bucket: &onBucket{Bucket: b}, key: "c", version: held}
		return o.change(&gateway.Call{Tx: tx, Time: f.now}, func(v *Version) { v.Lock = &Lock{Hold: s3.ObjectLockLegalHoldStatusOn} })
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.expireAll(t.Context(), p, id, due); err != nil {
		t.Fatal(err)
	}
	f.shows("a 9 2 1", "b - 2", "c - 3 2 1", "d 9 -")
}

// busy is an engine that others write to all the time, for so many transactions.
type busy struct {
	store.Engine
	times int
}

// Update implements store.Engine.
func (b *busy) Update(ctx context.Context, fn func(store.Tx) error) error {
	if b.times > 0 {
		b.times--
		return store.ErrConflict
	}
	return b.Engine.Update(ctx, fn)
}

// Where others write all the time, one at a time is tried, what is left is
// tried again later, and the rest is done.
func TestConflictsAreTriedAgain(t *testing.T) {
	f := newFarm(t, false, rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) }))
	for _, key := range []string{"a", "b", "c"} {
		f.put(farmed, key, 1, nil)
	}
	f.Service.Engine = &busy{f.Service.Engine, 2} // of all three together, then of the first alone
	f.at(26, 0)
	f.shows("a 1")
	f.at(26, 0)
	f.shows("a 1")
	f.now = f.now.Add(expireEvery)
	if err := f.ExpireDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.shows()
}
