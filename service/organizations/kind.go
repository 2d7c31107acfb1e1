package organizations

import (
	"slices"
	"unicode/utf8"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/policy"
)

// kind is what holds for all policies of a type.
type kind struct {
	size        int    // characters, white space counted
	attachments int    // at most, to one root, unit or account
	key         string // the one member of a management policy's document; "" = any
}

// kinds are the policy types, by name.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
var kinds = map[string]kind{
	string(api.PolicyTypeServiceControlPolicy):          {size: 10_240, attachments: 10},
	string(api.PolicyTypeResourceControlPolicy):         {size: 5120, attachments: 5},
	string(api.PolicyTypeTagPolicy):                     {10_000, 10, "tags"},
	string(api.PolicyTypeBackupPolicy):                  {10_000, 10, "plans"},
	string(api.PolicyTypeAiservicesOptOutPolicy):        {2500, 5, "services"},
	string(api.PolicyTypeChatbotPolicy):                 {10_000, 5, "chatbot"},
	string(api.PolicyTypeDeclarativePolicyEc2):          {10_000, 10, "ec2_attributes"},
	string(api.PolicyTypeSecurityhubPolicy):             {10_000, 10, "securityhub"},
	string(api.PolicyTypeInspectorPolicy):               {10_000, 10, "inspector"},
	string(api.PolicyTypeUpgradeRolloutPolicy):          {5120, 10, ""},
	string(api.PolicyTypeBedrockPolicy):                 {10_000, 10, "bedrock"},
	string(api.PolicyTypeS3Policy):                      {10_000, 10, ""},
	string(api.PolicyTypeNetworkSecurityDirectorPolicy): {10_000, 10, ""},
}

// checkContent refuses a document that is no policy of its type.
func checkContent(of, text string) error {
	k := kinds[of]
	if utf8.RuneCountInString(text) > k.size {
		return constraint(api.ConstraintViolationExceptionReasonPolicyContentLimitExceeded, "You have exceeded the maximum policy size.")
	}
	var ok bool
	switch of {
	case string(api.PolicyTypeServiceControlPolicy):
		_, err := policy.Parse([]byte(text), policy.SCP)
		ok = err == nil
	case string(api.PolicyTypeResourceControlPolicy):
		ok = isResourceControl(text)
	default:
		tree, err := parseTree(text)
		ok = err == nil && len(tree.order) == 1 && (k.key == "" || tree.order[0] == k.key)
	}
	if !ok {
		return malformed("The provided policy document does not meet the requirements of the specified policy type.")
	}
	return nil
}

// isResourceControl tells a resource control policy: it only denies, everyone,
// and names what it denies.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func isResourceControl(text string) bool {
	doc, err := policy.ParseCurrent([]byte(text), policy.RCP)
	if err != nil {
		return false
	}
	for i := range doc.Statements {
		s := &doc.Statements[i]
		p := s.Principal
		everyone := p != nil && p.Any && !s.NotPrincipal && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.Canonical) == 0
		if !s.Deny || s.NotAction || !everyone {
			return false
		}
		if slices.Contains(s.Actions, "*") {
			return false
		}
	}
	return true
}
