package post

import (
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Check holds the form against its policy: each condition must be met, and each
// field have one. A form without a policy has none to meet; whether it needs
// one its signature says.
func (f *Form) Check(bucket string, now time.Time) error {
	encoded, ok := f.Field("policy")
	if !ok {
		return nil
	}
	p, err := parse(encoded)
	if err != nil {
		return err
	}
	if now.After(p.expires) {
		return against("Policy expired.")
	}
	covered := map[string]bool{}
	for i := range p.conditions {
		c := &p.conditions[i]
		if !f.meets(c, bucket) {
			return against("Policy Condition failed: " + c.shown)
		}
		covered[c.name] = true
	}
	if !covered["bucket"] {
		return against("Extra input fields: bucket")
	}
	for _, at := range f.fields {
		if !covered[at.name] && !exempt(at.name) {
			return against("Extra input fields: " + clip(at.sent))
		}
	}
	return nil
}

func against(text string) *aws.Error {
	return &aws.Error{Kind: aws.AccessDenied, Message: "Invalid according to Policy: " + text}
}

// exempt tells the fields that need no condition.
func exempt(name string) bool {
	return name == "policy" || name == "x-amz-signature" || name == "file" || strings.HasPrefix(name, "x-ignore-")
}

// meets tells whether a condition holds. The bucket is the one that the form
// went to, whatever it says itself. A field that is not there meets nothing.
// The file's size is not known yet; whoever reads it finds out.
func (f *Form) meets(c *condition, bucket string) bool {
	if c.operator == "content-length-range" {
		if !c.never {
			f.File.bound(c.min, c.max)
		}
		return !c.never
	}
	value, ok := f.Field(c.name)
	if c.name == "bucket" {
		if ok && value != bucket {
			return false
		}
		value, ok = bucket, true
	}
	switch {
	case !ok || c.name == "":
		return false
	case c.operator == "eq":
		return value == c.value
	case c.name == "content-type" && strings.Contains(value, ","):
		for one := range strings.SplitSeq(value, ",") {
			if !strings.HasPrefix(strings.TrimSpace(one), c.value) {
				return false
			}
		}
		return true
	}
	return strings.HasPrefix(value, c.value)
}

// bound narrows what size the file may have, in bytes.
func (f *File) bound(low, high int64) {
	f.min = max(f.min, low)
	if f.max < 0 || high < f.max {
		f.max = high
	}
}
