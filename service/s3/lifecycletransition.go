package s3

import (
	"fmt"

	"github.com/garrison-security/garrison/api/s3"
)

// minimumStay is how many days an object lies in the class before it is moved to one of these.
var minimumStay = map[s3.TransitionStorageClass]int32{
	s3.TransitionStorageClassStandardIa: 30, s3.TransitionStorageClassOnezoneIa: 30,
}

// checkTransitions refuses transitions that are none. There is one storage class,
// so that those that are are refused, too, but by name.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
func checkTransitions(r *s3.LifecycleRule) error {
	prefix := text(filterOf(r).Prefix)
	seen := map[s3.TransitionStorageClass]bool{}
	for i := range r.Transitions {
		t := &r.Transitions[i]
		switch {
		case t.StorageClass == nil || (t.Days == nil) == (t.Date == nil):
			return malformedXML()
		case seen[*t.StorageClass]:
			return invalidRequest("'StorageClass' must be different for 'Transition' actions in same 'Rule' with prefix '" + prefix + "'")
		case (t.Date == nil) != (r.Transitions[0].Date == nil):
			return invalidRequest("Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for prefix '" + prefix + "'")
		case r.Expiration != nil && (r.Expiration.Date != nil && t.Days != nil || r.Expiration.Days != nil && t.Date != nil):
			return invalidRequest("Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix '" + prefix + "'")
		}
		seen[*t.StorageClass] = true
		if err := atMidnight(t.Date); err != nil {
			return err
		}
		if t.Days == nil {
			continue
		}
		if err := stay("Days", "Transition", *t.Days, *t.StorageClass); err != nil {
			return err
		}
		if e := r.Expiration; e != nil && e.Days != nil && *e.Days <= *t.Days {
			return invalidArgument("'Days' in the Expiration action for prefix '"+prefix+"' must be greater than 'Days' in the Transition action", "Days", fmt.Sprint(*e.Days))
		}
	}
	clear(seen)
	for i := range r.NoncurrentVersionTransitions {
		t := &r.NoncurrentVersionTransitions[i]
		switch {
		case t.StorageClass == nil || t.NoncurrentDays == nil || t.NewerNoncurrentVersions != nil && r.Filter == nil:
			return malformedXML()
		case seen[*t.StorageClass]:
			return invalidRequest("'StorageClass' must be different for 'NoncurrentVersionTransition' actions in same 'Rule' with prefix '" + prefix + "'")
		}
		seen[*t.StorageClass] = true
		if err := stay("NoncurrentDays", "NoncurrentVersionTransition", *t.NoncurrentDays, *t.StorageClass); err != nil {
			return err
		}
		if err := newerVersions("NoncurrentVersionTransition", t.NewerNoncurrentVersions); err != nil {
			return err
		}
	}
	return nil
}

func stay(name, action string, days int32, class s3.TransitionStorageClass) error {
	switch least := minimumStay[class]; {
	case days < 0:
		return invalidArgument("'"+name+"' for "+action+" action must be nonnegative", name, fmt.Sprint(days))
	case days < least:
		return invalidArgument(fmt.Sprintf("'%s' in %s action must be greater than or equal to %d for storageClass '%s'", name, action, least, class), name, fmt.Sprint(days))
	}
	return nil
}
