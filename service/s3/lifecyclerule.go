package s3

import (
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/garrison-security/garrison/api/s3"
)

// rule is a rule of a lifecycle configuration that is enabled.
type rule struct {
	shownID      string // as headers have it
	prefix       string
	tags         []Tag
	above, below int64 // sizes lie strictly between

	days   int32     // after which a current object expires; 0: no such action
	date   time.Time // from which on it does; zero: no such action
	marker bool      // a delete marker that hides nothing goes

	noncurrent int32 // days after which a version that is not current goes; 0: no such action
	newer      int   // how many such versions stay all the same
	abort      int32 // days after which an upload is given up; 0: no such action
}

type rules []rule

func compileRules(all []s3.LifecycleRule) rules {
	var out rules
	for i := range all {
		from := &all[i]
		if from.Status != s3.ExpirationStatusEnabled {
			continue
		}
		r := rule{shownID: url.QueryEscape(text(from.ID)), above: -1, below: math.MaxInt64}
		f := filterOf(from)
		r.prefix, r.tags = text(f.Prefix), f.tags
		if f.ObjectSizeGreaterThan != nil {
			r.above = *f.ObjectSizeGreaterThan
		}
		if f.ObjectSizeLessThan != nil {
			r.below = *f.ObjectSizeLessThan
		}
		if e := from.Expiration; e != nil {
			r.marker = flag(e.ExpiredObjectDeleteMarker)
			if e.Days != nil {
				r.days = *e.Days
			}
			if e.Date != nil {
				r.date = *e.Date
			}
		}
		if n := from.NoncurrentVersionExpiration; n != nil {
			r.noncurrent = *n.NoncurrentDays
			if n.NewerNoncurrentVersions != nil {
				r.newer = int(*n.NewerNoncurrentVersions)
			}
		}
		if a := from.AbortIncompleteMultipartUpload; a != nil {
			r.abort = *a.DaysAfterInitiation
		}
		out = append(out, r)
	}
	return out
}

// filter is which objects a rule is for, however it says so.
type filter struct {
	s3.LifecycleRuleFilter
	tags []Tag
}

func filterOf(r *s3.LifecycleRule) filter {
	f := filter{}
	switch {
	case r.Filter == nil:
		f.Prefix = r.Prefix
		return f
	case r.Filter.And == nil:
		f.LifecycleRuleFilter = *r.Filter
	default:
		and := r.Filter.And
		f.Prefix, f.ObjectSizeGreaterThan, f.ObjectSizeLessThan = and.Prefix, and.ObjectSizeGreaterThan, and.ObjectSizeLessThan
		for _, t := range and.Tags {
			f.tags = append(f.tags, Tag{t.Key, t.Value})
		}
	}
	if f.Tag != nil {
		f.tags = []Tag{{f.Tag.Key, f.Tag.Value}}
	}
	return f
}

// narrow tells whether the rule is for objects of some tags or sizes alone, of which delete markers have none.
func (r *rule) narrow() bool {
	return len(r.tags) > 0 || r.above >= 0 || r.below < math.MaxInt64
}

// fits tells whether the rule is for a version of a key.
func (r *rule) fits(key string, v *Version) bool {
	if !strings.HasPrefix(key, r.prefix) {
		return false
	}
	if v.Marker {
		return !r.narrow()
	}
	for _, t := range r.tags {
		if !slices.Contains(v.Tags, t) {
			return false
		}
	}
	return r.above < v.Size && v.Size < r.below
}

// lastMidnight is the last of a year of four digits: clients can read no later one.
var lastMidnight = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// midnight is the midnight, UTC, that follows a time and so many days, or the last one.
func midnight(t time.Time, days int32) time.Time {
	at := t.UTC().Truncate(24*time.Hour).AddDate(0, 0, int(days)+1)
	if at.After(lastMidnight) {
		return lastMidnight
	}
	return at
}

// expires is when a current version expires by the rule; zero: it doesn't.
func (r *rule) expires(v *Version) time.Time {
	if r.days > 0 {
		return midnight(v.Modified, r.days)
	}
	return r.date
}

// expiry is when a current object expires first, and by which rule; nil: it doesn't.
func (all rules) expiry(key string, v *Version) (when time.Time, by *rule) {
	for i := range all {
		r := &all[i]
		at := r.expires(v)
		if !at.IsZero() && (by == nil || at.Before(when)) && r.fits(key, v) {
			when, by = at, r
		}
	}
	return when, by
}

// expired tells whether a current object has expired at now.
func (all rules) expired(key string, v *Version, now time.Time) bool {
	when, by := all.expiry(key, v)
	return by != nil && !when.After(now)
}

// useless tells whether a delete marker that hides nothing is to go at now: at
// once where a rule says so, else when an object would expire.
func (all rules) useless(key string, marker *Version, now time.Time) bool {
	return all.expired(key, marker, now) || slices.ContainsFunc(all, func(r rule) bool { return r.marker && r.fits(key, marker) })
}

// outdated tells whether a version that is not current since a time, and has so
// many newer ones like it, is to go at now.
func (all rules) outdated(key string, v *Version, since time.Time, newer int, now time.Time) bool {
	return slices.ContainsFunc(all, func(r rule) bool {
		return r.noncurrent > 0 && newer >= r.newer && !midnight(since, r.noncurrent).After(now) && r.fits(key, v)
	})
}

// abort is when an upload is given up first, and by which rule; nil: it isn't.
func (all rules) abort(key string, u *Upload) (when time.Time, by *rule) {
	for i := range all {
		r := &all[i]
		if r.abort == 0 || !strings.HasPrefix(key, r.prefix) {
			continue
		}
		if at := midnight(u.Initiated, r.abort); by == nil || at.Before(when) {
			when, by = at, r
		}
	}
	return when, by
}

// prefix is what all keys begin with that the rules are for.
func (all rules) prefix(of func(*rule) bool) (common string, any bool) {
	for i := range all {
		r := &all[i]
		if !of(r) {
			continue
		}
		if !any {
			common, any = r.prefix, true
			continue
		}
		for !strings.HasPrefix(r.prefix, common) {
			common = common[:len(common)-1]
		}
	}
	return common, any
}

// ofVersions tells whether a rule is of versions, not of uploads alone.
func (r *rule) ofVersions() bool {
	return r.days > 0 || !r.date.IsZero() || r.marker || r.noncurrent > 0
}

// ofUploads tells whether a rule is of uploads.
func (r *rule) ofUploads() bool { return r.abort > 0 }
