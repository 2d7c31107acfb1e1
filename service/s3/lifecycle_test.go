package s3

import (
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/s3"
)

func days(n int32) *s3.LifecycleExpiration { return &s3.LifecycleExpiration{Days: &n} }

// rules1 is one rule over the whole bucket, as f changes it.
func rules1(f func(*s3.LifecycleRule)) []s3.LifecycleRule {
	r := s3.LifecycleRule{ID: new("r"), Status: s3.ExpirationStatusEnabled, Filter: &s3.LifecycleRuleFilter{}}
	f(&r)
	return []s3.LifecycleRule{r}
}

func TestLifecycleRulesAreChecked(t *testing.T) {
	const malformed = "MalformedXML"
	tag := s3.Tag{Key: "k", Value: "v"}
	for name, c := range map[string]struct {
		rules []s3.LifecycleRule
		want  string // of the error's code and words
	}{
		"days": {rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) }), ""},
		"a date": {rules1(func(r *s3.LifecycleRule) {
			r.Expiration = &s3.LifecycleExpiration{Date: new(time.Unix(1<<30/86400*86400, 0))}
		}), ""},
		"the old form":    {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter, r.Prefix = days(1), nil, new("a") }), ""},
		"no id":           {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.ID = days(1), nil }), ""},
		"And of two":      {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), and(new("p"), tag) }), ""},
		"sizes":           {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), sizes(10, 20) }), ""},
		"no rule":         {nil, malformed},
		"too many":        {many(1001), malformed},
		"no action":       {rules1(func(*s3.LifecycleRule) {}), "InvalidRequest: At least one action needs to be specified in a rule."},
		"no filter":       {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), nil }), malformed},
		"a long id":       {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.ID = days(1), new(strings.Repeat("a", 256)) }), "InvalidArgument: ID length should not exceed allowed limit of 255"},
		"one id twice":    {append(rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) }), rules1(func(r *s3.LifecycleRule) { r.Expiration = days(2) })...), "InvalidArgument: Rule ID must be unique."},
		"no days":         {rules1(func(r *s3.LifecycleRule) { r.Expiration = days(0) }), "InvalidArgument: 'Days' for Expiration action must be a positive integer"},
		"an empty action": {rules1(func(r *s3.LifecycleRule) { r.Expiration = new(s3.LifecycleExpiration) }), malformed},
		"days and markers": {rules1(func(r *s3.LifecycleRule) {
			r.Expiration = &s3.LifecycleExpiration{Days: new(int32(1)), ExpiredObjectDeleteMarker: new(true)}
		}), malformed},
		"noon":       {rules1(func(r *s3.LifecycleRule) { r.Expiration = &s3.LifecycleExpiration{Date: new(time.Unix(43200, 0))} }), "InvalidArgument: 'Date' must be at midnight GMT"},
		"And of one": {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), and(new("p")) }), malformed},
		"And and a prefix": {rules1(func(r *s3.LifecycleRule) {
			r.Expiration, r.Filter = days(1), and(new("p"), tag)
			r.Filter.Prefix = new("")
		}), malformed},
		"a prefix and a size": {rules1(func(r *s3.LifecycleRule) {
			r.Expiration, r.Filter = days(1), &s3.LifecycleRuleFilter{Prefix: new(""), ObjectSizeGreaterThan: new(int64(500))}
		}), malformed},
		"a tag twice":       {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), and(nil, tag, tag) }), "InvalidRequest: Duplicate Tag Keys are not allowed."},
		"a long prefix":     {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter.Prefix = days(1), new(strings.Repeat("a", 1025)) }), "InvalidRequest: The maximum size of a prefix is 1024"},
		"sizes upside down": {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter = days(1), sizes(20, 10) }), "InvalidRequest"},
		"filter and prefix": {rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Prefix = days(1), new("") }), "InvalidRequest: Base level prefix cannot be used in Lifecycle V2"},
		"markers with tags": {rules1(func(r *s3.LifecycleRule) {
			r.Expiration, r.Filter.Tag = &s3.LifecycleExpiration{ExpiredObjectDeleteMarker: new(true)}, &tag
		}), "InvalidRequest: ExpiredObjectDeleteMarker cannot be specified with Tags."},
		"uploads with tags":  {rules1(func(r *s3.LifecycleRule) { r.AbortIncompleteMultipartUpload, r.Filter.Tag = abort(1), &tag }), "InvalidRequest: AbortIncompleteMultipartUpload cannot be specified with Tags."},
		"uploads with sizes": {rules1(func(r *s3.LifecycleRule) { r.AbortIncompleteMultipartUpload, r.Filter = abort(1), sizes(1, 2) }), "InvalidRequest: AbortIncompleteMultipartUpload cannot be specified with Object Size."},
		"uploads at once":    {rules1(func(r *s3.LifecycleRule) { r.AbortIncompleteMultipartUpload = abort(0) }), "InvalidArgument: 'DaysAfterInitiation' for AbortIncompleteMultipartUpload"},
		"uploads, unsaid":    {rules1(func(r *s3.LifecycleRule) { r.AbortIncompleteMultipartUpload = new(s3.AbortIncompleteMultipartUpload) }), malformed},
		"versions, unsaid":   {rules1(func(r *s3.LifecycleRule) { r.NoncurrentVersionExpiration = new(s3.NoncurrentVersionExpiration) }), malformed},
		"versions at once":   {rules1(func(r *s3.LifecycleRule) { r.NoncurrentVersionExpiration = noncurrent(0, 1) }), "InvalidArgument: 'NoncurrentDays' for NoncurrentVersionExpiration"},
		"too many kept":      {rules1(func(r *s3.LifecycleRule) { r.NoncurrentVersionExpiration = noncurrent(1, 101) }), "InvalidArgument"},
		"kept in the old form": {rules1(func(r *s3.LifecycleRule) {
			r.NoncurrentVersionExpiration, r.Filter, r.Prefix = noncurrent(1, 1), nil, new("")
		}), malformed},
		"old after new": {append(rules1(func(r *s3.LifecycleRule) { r.Expiration = days(1) }),
			s3.LifecycleRule{Prefix: new(""), Status: "Enabled", Expiration: days(1)}), "InvalidRequest: Base level prefix"},
		"new after old": {append(rules1(func(r *s3.LifecycleRule) { r.Expiration, r.Filter, r.Prefix = days(1), nil, new("a") }),
			s3.LifecycleRule{Filter: new(s3.LifecycleRuleFilter), Status: "Enabled", Expiration: days(1)}), "InvalidRequest: Filter element can only be used in Lifecycle V2."},
		"overlaps": {[]s3.LifecycleRule{
			{Prefix: new("dir/"), Status: "Enabled", Expiration: days(1)}, {Prefix: new("x"), Status: "Enabled", Expiration: days(1)}, {Prefix: new("di"), Status: "Enabled", Expiration: days(1)},
		}, "InvalidRequest: Found overlapping prefixes 'di' and 'dir/' for same action type 'Expiration'"},
		"a class too soon":      {moves(29, s3.TransitionStorageClassStandardIa), "InvalidArgument: 'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'"},
		"a class twice":         {moves(30, "GLACIER", "GLACIER"), "InvalidRequest: 'StorageClass' must be different"},
		"a class after its end": {append(moves(30, "GLACIER"), rules1(func(r *s3.LifecycleRule) { *r = moves(30, "GLACIER")[0]; r.ID = nil; r.Expiration = days(30) })...), "InvalidArgument: 'Days' in the Expiration action"},
		"a class, days and dates": {rules1(func(r *s3.LifecycleRule) {
			*r = moves(30, "GLACIER")[0]
			r.Expiration = &s3.LifecycleExpiration{Date: new(time.Unix(0, 0))}
		}), "InvalidRequest: Found mixed 'Date' and 'Days' based Expiration and Transition actions"},
		"a class, at no time": {rules1(func(r *s3.LifecycleRule) {
			r.Transitions = []s3.Transition{{StorageClass: new(s3.TransitionStorageClassGlacier)}}
		}), malformed},
		"a class, nothing wrong": {moves(30, "GLACIER", "DEEP_ARCHIVE"), ""},
	} {
		err := checkLifecycle(c.rules)
		code, words, _ := strings.Cut(c.want, ": ")
		if (err == nil) != (c.want == "") || err != nil && (!isFault(err, code) || !strings.Contains(err.Error(), words)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func and(prefix *string, tags ...s3.Tag) *s3.LifecycleRuleFilter {
	return &s3.LifecycleRuleFilter{And: &s3.LifecycleRuleAndOperator{Prefix: prefix, Tags: tags}}
}

func sizes(above, below int64) *s3.LifecycleRuleFilter {
	return &s3.LifecycleRuleFilter{And: &s3.LifecycleRuleAndOperator{ObjectSizeGreaterThan: &above, ObjectSizeLessThan: &below}}
}

func abort(days int32) *s3.AbortIncompleteMultipartUpload {
	return &s3.AbortIncompleteMultipartUpload{DaysAfterInitiation: &days}
}

func noncurrent(days, newer int32) *s3.NoncurrentVersionExpiration {
	n := &s3.NoncurrentVersionExpiration{NoncurrentDays: &days}
	if newer > 0 {
		n.NewerNoncurrentVersions = &newer
	}
	return n
}

func moves(days int32, classes ...s3.TransitionStorageClass) []s3.LifecycleRule {
	return rules1(func(r *s3.LifecycleRule) {
		for i := range classes {
			r.Transitions = append(r.Transitions, s3.Transition{Days: &days, StorageClass: &classes[i]})
		}
	})
}

func many(n int) (all []s3.LifecycleRule) {
	for range n {
		all = append(all, s3.LifecycleRule{Filter: new(s3.LifecycleRuleFilter), Status: "Enabled", Expiration: days(1)})
	}
	return all
}
