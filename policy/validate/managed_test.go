package validate

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/policy"
)

// TestManagedPolicies: AWS names managed policies of its own that have a
// finding; they have it here, and few of the others have errors.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func TestManagedPolicies(t *testing.T) {
	raw, err := os.ReadFile(shared.Path(t, "data/aws-managed-policies.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var managed struct {
		Policies map[string]struct{ Document json.RawMessage }
	}
	if err := json.NewDecoder(z).Decode(&managed); err != nil {
		t.Fatal(err)
	}
	for names, codes := range map[string]string{
		"AdministratorAccess IAMFullAccess":                  "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
		"PowerUserAccess AWSOrganizationsServiceTrustPolicy": "CREATE_SLR_WITH_STAR_IN_RESOURCE",
		"AdministratorAccess-Amplify":                        "PASS_ROLE_WITH_STAR_IN_RESOURCE",
		"ReadOnlyAccess AWSSupportServiceRolePolicy":         "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
		"AmazonSecurityLakeAdministrator AWSCodePipeline_FullAccess AWSCodePipeline_ReadOnlyAccess S3UnlockBucketPolicy SQSUnlockQueuePolicy": "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
	} {
		for name := range strings.FieldsSeq(names) {
			found, err := Policy(managed.Policies[name].Document, Identity, "")
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for code := range strings.FieldsSeq(codes) {
				if !slices.ContainsFunc(found, func(f Finding) bool { return f.Code == code }) {
					t.Errorf("%s lacks the finding %s", name, code)
				}
			}
		}
	}
	wrong := 0
	for name, p := range managed.Policies {
		found, err := Policy(p.Document, Identity, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if slices.ContainsFunc(found, func(f Finding) bool { return f.Severity == policy.Error }) {
			wrong++
		}
	}
	if wrong > len(managed.Policies)/10 {
		t.Errorf("%d of %d policies of AWS's have errors", wrong, len(managed.Policies))
	}
	t.Logf("%d of %d policies of AWS's have errors", wrong, len(managed.Policies))
}
