package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// oneTimeCode is what an authenticator with the seed shows some steps of half a minute from now.
func oneTimeCode(seed []byte, steps int) string {
	key, err := base32.StdEncoding.DecodeString(string(seed))
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, uint64(time.Now().Unix()/30+int64(steps)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:])&0x7fffffff)%1_000_000)
}

// TestProfilesArePublishedAsTried: the profiles of docs/identity.md are the
// ones that testdata/sts/profiles.txtar goes through.
func TestProfilesArePublishedAsTried(t *testing.T) {
	page, err := os.ReadFile("../docs/identity.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/sts/profiles.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, profiles, found := strings.Cut(string(page), "```ini\n")
	profiles, _, _ = strings.Cut(profiles, "```\n")
	if !found || !strings.Contains(string(script), profiles) {
		t.Error("docs/identity.md and testdata/sts/profiles.txtar have different profiles")
	}
}

// TestProvidersOfTheSDKAssumeRoles: aws-sdk-go-v2's own provider of credentials
// assumes a role with a code, an external id, tags and a source identity, and
// another role with what it got.
func TestProvidersOfTheSDKAssumeRoles(t *testing.T) {
	t.Parallel()
	s, root := serving(t)
	plain, err := transport("")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.CloseIdleConnections()
	admin := iam.NewFromConfig(config(s.endpoint, "us-east-1", root, plain))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	made, err := admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: new("alice")})
	must(err)
	account := strings.Split(*made.User.Arn, ":")[4]
	_, err = admin.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: new("alice"), PolicyName: new("all"), PolicyDocument: new(everythingAllowed)})
	must(err)
	role := func(name, principal, conditions string) string {
		t.Helper()
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"%s"},`+
			`"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{%s}}}`, principal, conditions)
		made, err := admin.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
		must(err)
		_, err = admin.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: new("all"), PolicyDocument: new(everythingAllowed)})
		must(err)
		return *made.Role.Arn
	}
	first := role("first", account, `"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"sts:ExternalId":"blue","aws:RequestTag/team":"red"}`)
	second := role("second", first, `"StringEquals":{"aws:PrincipalTag/team":"red","aws:SourceIdentity":"alice"}`)
	device, err := admin.CreateVirtualMFADevice(t.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: new("alice")})
	must(err)
	seed, serial := device.VirtualMFADevice.Base32StringSeed, device.VirtualMFADevice.SerialNumber
	_, err = admin.EnableMFADevice(t.Context(), &iam.EnableMFADeviceInput{
		UserName: new("alice"), SerialNumber: serial, AuthenticationCode1: new(oneTimeCode(seed, -2)), AuthenticationCode2: new(oneTimeCode(seed, -1)),
	})
	must(err)
	own, err := admin.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: new("alice")})
	must(err)

	alice := config(s.endpoint, "eu-west-1", key{ID: *own.AccessKey.AccessKeyId, Secret: *own.AccessKey.SecretAccessKey}, plain)
	assuming := func(from aws.Config, arn string, options func(*stscreds.AssumeRoleOptions)) aws.Config {
		from.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(from), arn, options))
		return from
	}
	who := func(c aws.Config) (string, error) {
		out, err := sts.NewFromConfig(c).GetCallerIdentity(context.WithoutCancel(t.Context()), &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		return *out.Arn, nil
	}
	if arn, err := who(assuming(alice, first, func(*stscreds.AssumeRoleOptions) {})); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("without anything that is asked for: %s, %v", arn, err)
	}
	one := assuming(alice, first, func(o *stscreds.AssumeRoleOptions) {
		o.SerialNumber, o.TokenProvider = serial, func() (string, error) { return oneTimeCode(seed, 0), nil }
		o.ExternalID, o.RoleSessionName, o.SourceIdentity, o.Duration = new("blue"), "one", new("alice"), 15*time.Minute
		o.Tags, o.TransitiveTagKeys = []ststypes.Tag{{Key: new("team"), Value: new("red")}}, []string{"team"}
	})
	if arn, err := who(one); err != nil || !strings.HasSuffix(arn, ":assumed-role/first/one") {
		t.Errorf("the first role: %s, %v", arn, err)
	}
	two := assuming(one, second, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "two" })
	if arn, err := who(two); err != nil || !strings.HasSuffix(arn, ":assumed-role/second/two") {
		t.Errorf("the second role: %s, %v", arn, err)
	}
}
