package s3

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/garrison-security/garrison/api/s3"
)

// Bounds of a lifecycle configuration.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
const (
	maxLifecycleRules  = 1000
	maxNewerNoncurrent = 100
)

// checkLifecycle refuses rules that are none, in S3's words.
func checkLifecycle(all []s3.LifecycleRule) error {
	if len(all) == 0 || len(all) > maxLifecycleRules {
		return malformedXML()
	}
	ids := map[string]bool{}
	old := all[0].Filter == nil // by its first rule the whole is of the old form, which has no filters
	for i := range all {
		r := &all[i]
		id := text(r.ID)
		switch {
		case utf8.RuneCountInString(id) > maxRuleID:
			return invalidArgument("ID length should not exceed allowed limit of 255", "ID", id)
		case id != "" && ids[id]:
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID", id)
		case r.Filter == nil && r.Prefix == nil:
			return malformedXML()
		case old && r.Filter != nil:
			return invalidRequest("Filter element can only be used in Lifecycle V2.")
		case !old && r.Prefix != nil:
			return invalidRequest("Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.")
		}
		ids[id] = true
		if err := checkFilter(r); err != nil {
			return err
		}
		if err := checkActions(r); err != nil {
			return err
		}
	}
	if old {
		return checkOverlaps(all)
	}
	return nil
}

// checkFilter refuses a filter of several conditions, or of less than two below And.
func checkFilter(r *s3.LifecycleRule) error {
	if f := r.Filter; f != nil {
		given := truths(f.Prefix != nil, f.Tag != nil, f.ObjectSizeGreaterThan != nil, f.ObjectSizeLessThan != nil, f.And != nil)
		if given > 1 {
			return malformedXML()
		}
		if a := f.And; a != nil && truths(a.Prefix != nil, a.ObjectSizeGreaterThan != nil, a.ObjectSizeLessThan != nil)+len(a.Tags) < 2 {
			return malformedXML()
		}
	}
	f := filterOf(r)
	if utf8.RuneCountInString(text(f.Prefix)) > maxKey {
		return invalidRequest("The maximum size of a prefix is 1024")
	}
	keys := map[string]bool{}
	for _, t := range f.tags {
		switch {
		case keys[t.Key]:
			return invalidRequest("Duplicate Tag Keys are not allowed.")
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128:
			return invalidRequest("A Tag's Key must be a length between 1 and 128.")
		case utf8.RuneCountInString(t.Value) > 256:
			return invalidRequest("A Tag's Value must be a length between 0 and 256.")
		}
		keys[t.Key] = true
	}
	above, below := f.ObjectSizeGreaterThan, f.ObjectSizeLessThan
	switch {
	case above != nil && *above < 0, below != nil && *below < 1:
		return invalidRequest("Object sizes of a filter must not be negative.")
	case above != nil && below != nil && *above >= *below:
		return invalidRequest("ObjectSizeLessThan of a filter must be greater than its ObjectSizeGreaterThan.")
	}
	return nil
}

// truths counts what is true.
func truths(all ...bool) (n int) {
	for _, yes := range all {
		if yes {
			n++
		}
	}
	return n
}

func checkActions(r *s3.LifecycleRule) error {
	if r.Expiration == nil && r.NoncurrentVersionExpiration == nil && r.AbortIncompleteMultipartUpload == nil &&
		len(r.Transitions) == 0 && len(r.NoncurrentVersionTransitions) == 0 {
		return invalidRequest("At least one action needs to be specified in a rule.")
	}
	f := filterOf(r)
	sized := f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil
	if e := r.Expiration; e != nil {
		if !oneOf(e.Days != nil, e.Date != nil, e.ExpiredObjectDeleteMarker != nil) {
			return malformedXML()
		}
		if err := narrowed("ExpiredObjectDeleteMarker", e.ExpiredObjectDeleteMarker != nil, f, sized); err != nil {
			return err
		}
		if err := positive("Days", "Expiration", e.Days); err != nil {
			return err
		}
		if err := atMidnight(e.Date); err != nil {
			return err
		}
	}
	if n := r.NoncurrentVersionExpiration; n != nil {
		if n.NoncurrentDays == nil || n.NewerNoncurrentVersions != nil && r.Filter == nil {
			return malformedXML()
		}
		if err := positive("NoncurrentDays", "NoncurrentVersionExpiration", n.NoncurrentDays); err != nil {
			return err
		}
		if err := newerVersions("NoncurrentVersionExpiration", n.NewerNoncurrentVersions); err != nil {
			return err
		}
	}
	if a := r.AbortIncompleteMultipartUpload; a != nil {
		const action = "AbortIncompleteMultipartUpload"
		if a.DaysAfterInitiation == nil {
			return malformedXML()
		}
		if err := narrowed(action, true, f, sized); err != nil {
			return err
		}
		if err := positive("DaysAfterInitiation", action, a.DaysAfterInitiation); err != nil {
			return err
		}
	}
	return checkTransitions(r)
}

// narrowed refuses tags and sizes where an action is for what has none.
func narrowed(action string, given bool, f filter, sized bool) error {
	switch {
	case given && len(f.tags) > 0:
		return invalidRequest(action + " cannot be specified with Tags.")
	case given && sized:
		return invalidRequest(action + " cannot be specified with Object Size.")
	}
	return nil
}

func positive(name, action string, n *int32) error {
	if n != nil && *n <= 0 {
		return invalidArgument("'"+name+"' for "+action+" action must be a positive integer", name, fmt.Sprint(*n))
	}
	return nil
}

func newerVersions(action string, n *int32) error {
	if n != nil && *n > maxNewerNoncurrent {
		return invalidArgument("'NewerNoncurrentVersions' for "+action+" action must be at most 100", "NewerNoncurrentVersions", fmt.Sprint(*n))
	}
	return positive("NewerNoncurrentVersions", action, n)
}

func atMidnight(date *time.Time) error {
	if date != nil && !date.Equal(date.Truncate(24*time.Hour)) {
		return invalidArgument("'Date' must be at midnight GMT", "Date", date.UTC().Format("Mon Jan 02 15:04:05 MST 2006"))
	}
	return nil
}

// checkOverlaps refuses what the old form doesn't allow: two rules for one object and one kind of action.
func checkOverlaps(all []s3.LifecycleRule) error {
	for _, of := range []struct {
		action string
		has    func(*s3.LifecycleRule) bool
	}{
		{"Expiration", func(r *s3.LifecycleRule) bool { return r.Expiration != nil }},
		{"NoncurrentVersionExpiration", func(r *s3.LifecycleRule) bool { return r.NoncurrentVersionExpiration != nil }},
		{"AbortIncompleteMultipartUpload", func(r *s3.LifecycleRule) bool { return r.AbortIncompleteMultipartUpload != nil }},
	} {
		var prefixes []string
		for i := range all {
			if of.has(&all[i]) {
				prefixes = append(prefixes, text(all[i].Prefix))
			}
		}
		slices.Sort(prefixes) // behind a prefix follow those that begin with it
		for i := 1; i < len(prefixes); i++ {
			if a, b := prefixes[i-1], prefixes[i]; strings.HasPrefix(b, a) {
				return invalidRequest("Found overlapping prefixes '" + a + "' and '" + b + "' for same action type '" + of.action + "'")
			}
		}
	}
	return nil
}
