package sts

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy"
)

// draft is a session to be: its tags, policies and source identity, and the
// actions besides the operation's own that they ask for.
type draft struct {
	session *aws.Session
	further []string
}

// furtherOn are the questions that the draft's further actions make.
func (d *draft) furtherOn(r gateway.Resource) []gateway.Authorization {
	var all []gateway.Authorization
	for _, action := range d.further {
		all = append(all, gateway.Authorization{Action: action, On: r})
	}
	return all
}

// textLimit is what the policies of a session may have in characters, inline
// and managed ones' ARNs together.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const textLimit = 2048

// limit checks and takes over the policies that are to limit the session.
// Managed ones are of the account whose session it is, or AWS's.
func (s *Service) limit(call *gateway.Call, d *draft, account string, inline *string, managed []sts.PolicyDescriptorType) error {
	plain := 0
	if inline != nil {
		plain = len([]rune(*inline))
		if _, err := policy.Parse([]byte(*inline), policy.Session); err != nil {
			return &sts.MalformedPolicyDocumentException{Message: err.Error()}
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(*inline)); err != nil {
			return &sts.MalformedPolicyDocumentException{Message: "Syntax errors in policy."}
		}
		d.session.Policies = []string{compact.String()}
	}
	for _, m := range managed {
		plain += len(m.Arn)
		exists, err := s.roles.ManagedPolicyExists(call.Tx, call.Partition, account, m.Arn)
		if err != nil {
			return err
		}
		if !exists {
			return validation("Policy " + m.Arn + " does not exist or is not attachable.")
		}
		if !slices.Contains(d.session.PolicyARNs, m.Arn) {
			d.session.PolicyARNs = append(d.session.PolicyARNs, m.Arn)
		}
	}
	if plain > textLimit {
		return policyTooLarge(100 * plain / textLimit)
	}
	return nil
}

// inherit takes over the tags that the calling session hands on.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
func (d *draft) inherit(call *gateway.Call) {
	if s := call.Principal.Session; s != nil {
		for _, key := range s.Transitive {
			d.setTag(key, s.Tags[key])
			d.session.Transitive = append(d.session.Transitive, key)
		}
	}
}

// tag lays the session's own tags over those that it inherited, and sets the
// conditions they make. Keys are the same whatever their case.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (d *draft) tag(call *gateway.Call, tags []sts.Tag, transitiveKeys []string) error {
	inherited := map[string]bool{}
	for _, key := range d.session.Transitive {
		inherited[strings.ToLower(key)] = true
	}
	asked := map[string]string{} // lower case → as it is written
	var keys []string
	for _, t := range tags {
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
		d.setTag(t.Key, t.Value)
		call.Condition("aws:RequestTag/"+t.Key, t.Value)
	}
	var transitive []string
	for _, key := range transitiveKeys {
		folded := strings.ToLower(key)
		switch {
		case inherited[folded]:
			return invalid("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		case asked[folded] == "":
			return invalid("The specified transitive tag key must be included in the requested tags.")
		case slices.Contains(transitive, asked[folded]):
			continue
		}
		transitive = append(transitive, asked[folded])
		d.session.Transitive = append(d.session.Transitive, asked[folded])
	}
	if len(keys) > 0 {
		call.ConditionList("aws:TagKeys", keys...)
	}
	if len(transitive) > 0 {
		call.ConditionList("sts:TransitiveTagKeys", transitive...)
	}
	if len(d.session.Tags) > maxTags {
		return invalid("The session has more than 50 tags.")
	}
	if len(d.session.Tags) > 0 {
		d.further = append(d.further, "sts:TagSession")
	}
	return nil
}

const maxTags = 50

func (d *draft) setTag(key, value string) {
	if d.session.Tags == nil {
		d.session.Tags = map[string]string{}
	}
	d.session.Tags[key] = value
}

// over is a role's tags as its trust policy sees them: a tag that the calling
// session hands on stands in for the role's own of that key. The map it is
// given is shared and left as it is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
func (d *draft) over(tags map[string]string, inherited []string) map[string]string {
	var seen map[string]string
	for key := range tags {
		for _, handed := range inherited {
			if strings.EqualFold(key, handed) {
				if seen == nil {
					seen = maps.Clone(tags)
				}
				seen[key] = d.session.Tags[handed]
			}
		}
	}
	if seen == nil {
		return tags
	}
	return seen
}

func invalid(message string) error {
	return &aws.Error{Kind: aws.Custom, Code: "InvalidParameterValue", Message: message}
}
