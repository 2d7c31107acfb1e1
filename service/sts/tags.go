package sts

import (
	"strings"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// prepareTags lays the session's own tags over those that the calling session
// hands on, and sets the conditions they make. Keys are the same whatever their
// case.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (r *role) prepareTags(call *gateway.Call, in *sts.AssumeRoleInput) error {
	inherited := map[string]bool{}
	if s := call.Principal.Session; s != nil {
		for _, key := range s.Transitive {
			inherited[strings.ToLower(key)] = true
			r.tag(key, s.Tags[key])
			r.session.Transitive = append(r.session.Transitive, key)
		}
	}
	asked := map[string]string{} // lower case → as it is written
	var keys []string
	for _, t := range in.Tags {
		folded := strings.ToLower(t.Key)
		switch {
		case strings.HasPrefix(folded, "aws:"):
			return invalid("Tag keys beginning with aws: are reserved for system use")
		case asked[folded] != "":
			return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case inherited[folded]:
			return invalid("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		asked[folded] = t.Key
		keys = append(keys, t.Key)
		r.tag(t.Key, t.Value)
		call.Condition("aws:RequestTag/"+t.Key, t.Value)
	}
	var transitive []string
	for _, key := range in.TransitiveTagKeys {
		folded := strings.ToLower(key)
		switch {
		case inherited[folded]:
			return invalid("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		case asked[folded] == "":
			return invalid("The specified transitive tag key must be included in the requested tags.")
		}
		transitive = append(transitive, asked[folded])
		r.session.Transitive = append(r.session.Transitive, asked[folded])
	}
	if len(keys) > 0 {
		call.ConditionList("aws:TagKeys", keys...)
	}
	if len(transitive) > 0 {
		call.ConditionList("sts:TransitiveTagKeys", transitive...)
	}
	if len(r.session.Tags) > 50 {
		return invalid("The session has more than 50 tags.")
	}
	if len(r.session.Tags) > 0 {
		r.further = append(r.further, "sts:TagSession")
	}
	return nil
}

func (r *role) tag(key, value string) {
	if r.session.Tags == nil {
		r.session.Tags = map[string]string{}
	}
	r.session.Tags[key] = value
}

func invalid(message string) error {
	return &aws.Error{Kind: aws.Custom, Code: "InvalidParameterValue", Message: message}
}
