package sts_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
)

// device is a virtual MFA device, as an authenticator app holds it.
type device struct {
	serial string
	seed   []byte
}

// code is what the device shows now, or steps of half a minute from now.
func (d *device) code(steps int) *string {
	mac := hmac.New(sha1.New, d.seed)
	binary.Write(mac, binary.BigEndian, uint64(time.Now().Unix()/30+int64(steps)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return new(fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000))
}

// device makes a device and gives it to a user.
func (p *plane) device(user string) *device {
	p.Helper()
	made := call(p, p.root[home], iamapi.CreateVirtualMFADevice, &iamapi.CreateVirtualMFADeviceInput{VirtualMFADeviceName: user}).VirtualMFADevice
	seed, err := base32.StdEncoding.DecodeString(string(made.Base32StringSeed))
	if err != nil {
		p.Fatal(err)
	}
	d := &device{made.SerialNumber, seed}
	call(p, p.root[home], iamapi.EnableMFADevice, &iamapi.EnableMFADeviceInput{
		UserName: user, SerialNumber: d.serial, AuthenticationCode1: *d.code(-1), AuthenticationCode2: *d.code(0),
	})
	return d
}

const (
	wrongCode   = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
	wrongDevice = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
	halfMFA     = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
)

// What conditions see of MFA: nothing with a long-term key, "false" in a
// session without, the exact age in one with, and "true" at age 0 where the code
// comes with AssumeRole.
func TestMFAIsWhatConditionsSee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		alice := p.user("alice", allowAll)
		d := p.device("alice")
		role := func(name, conditions string) string {
			return p.role(home, name, trusts(rootOf(home), `,"Condition":{`+conditions+`}`), allowAll)
		}
		present := role("present", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`)
		fresh := role("fresh", `"NumericLessThanEquals":{"aws:MultiFactorAuthAge":"60"}`)
		exact := role("exact", `"NumericEquals":{"aws:MultiFactorAuthAge":"60"}`)
		absent := role("absent", `"Null":{"aws:MultiFactorAuthPresent":"true"}`)
		without := role("without", `"Bool":{"aws:MultiFactorAuthPresent":"false"},"Null":{"aws:MultiFactorAuthAge":"true"}`)

		plain := p.open(call(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{}).Credentials)
		time.Sleep(time.Minute)
		strong := p.open(call(p, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{SerialNumber: &d.serial, TokenCode: d.code(0)}).Credentials)
		time.Sleep(time.Minute)
		assume := func(name string, who *aws.Principal, arn string, code *string, want bool) {
			t.Helper()
			in := &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1", TokenCode: code}
			if code != nil {
				in.SerialNumber = &d.serial
			}
			if got := try(p, who, stsapi.AssumeRole, in); (got == "") != want || !want && !strings.HasSuffix(got, noTrust) {
				t.Errorf("%s assumes %s: %s", name, arn, got)
			}
		}
		assume("a key", alice, present, nil, false)
		assume("a key", alice, fresh, nil, false)
		assume("a key", alice, absent, nil, true)
		assume("a key", alice, without, nil, false)
		assume("a session without MFA", plain, present, nil, false)
		assume("a session without MFA", plain, fresh, nil, false)
		assume("a session without MFA", plain, absent, nil, false)
		assume("a session without MFA", plain, without, nil, true)
		assume("a session with MFA", strong, present, nil, true)
		assume("a session with MFA", strong, fresh, nil, true)
		assume("a session with MFA", strong, exact, nil, true)
		assume("a session with MFA", strong, absent, nil, false)
		assume("a session with MFA", strong, without, nil, false)
		assume("a key and a code", alice, present, d.code(0), true)
		time.Sleep(time.Second)
		assume("a session with MFA, a second on", strong, fresh, nil, false)
		assume("a session with MFA, a second on", strong, exact, nil, false)
		time.Sleep(time.Minute)
		assume("a key and a code", alice, fresh, d.code(0), true)

		// A role's session does not say how it came to be.
		time.Sleep(time.Minute)
		one := p.assume(alice, stsapi.AssumeRoleInput{RoleArn: present, SerialNumber: &d.serial, TokenCode: d.code(0)})
		assume("a role's session", one, present, nil, false)
		assume("a role's session", one, without, nil, true)

		// With MFA a session of one's own calls IAM, and still no STS but AssumeRole.
		call(p, strong, iamapi.ListUsers, &iamapi.ListUsersInput{})
		if got := try(p, plain, iamapi.ListUsers, &iamapi.ListUsersInput{}); got != noIAM {
			t.Errorf("ListUsers without MFA = %s", got)
		}
		if got := try(p, strong, stsapi.GetFederationToken, &stsapi.GetFederationTokenInput{Name: "bob"}); !strings.Contains(got, "with session credentials") {
			t.Errorf("GetFederationToken with MFA = %s", got)
		}
	})
}

// A code serves once, its holder alone, and never half.
func TestMFARefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		alice, bob := p.user("alice", allowAssume), p.user("bob", allowAssume)
		d := p.device("alice")
		arn := p.role(home, "r", trusts(rootOf(home), `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"sts:ExternalId":"blue"}}`), "")
		session := p.assume(alice, stsapi.AssumeRoleInput{RoleArn: p.role(home, "open", trusts(rootOf(home), ""), allowAssume)})
		time.Sleep(time.Minute)
		serial, code := &d.serial, d.code(0)
		in := func(serial, code *string) *stsapi.AssumeRoleInput {
			return &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "s1", ExternalId: new("blue"), SerialNumber: serial, TokenCode: code}
		}
		refused := in(serial, code)
		refused.ExternalId = new("red")
		wrong := new("000000")
		if *wrong == *code {
			wrong = new("000001")
		}
		for _, c := range []struct {
			name string
			who  *aws.Principal
			in   *stsapi.AssumeRoleInput
			want string
		}{
			{"a wrong code", alice, in(serial, wrong), wrongCode},
			{"no code", alice, in(serial, nil), halfMFA},
			{"no device", alice, in(nil, code), halfMFA},
			{"a device that is none", alice, in(new(d.serial+"x"), code), wrongDevice},
			{"another user's device", bob, in(serial, code), wrongDevice},
			{"root's use of it", p.root[home], in(serial, code), "Roles may not be assumed by root accounts."},
			{"a role's session, which has no device", session, in(serial, code), wrongDevice},
			{"a call refused for another reason", alice, refused, "User: " + alice.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + arn + " " + noTrust},
			{"nothing, for that call did not use the code up", alice, in(serial, code), ""},
			{"the code again", alice, in(serial, code), wrongCode},
		} {
			if got := try(p, c.who, stsapi.AssumeRole, c.in); got != c.want {
				t.Errorf("AssumeRole refuses %s: %s", c.name, got)
			}
		}
		for _, c := range []struct {
			name string
			who  *aws.Principal
			in   stsapi.GetSessionTokenInput
			want string
		}{
			{"the code again", alice, stsapi.GetSessionTokenInput{SerialNumber: serial, TokenCode: code}, wrongCode},
			{"another user's device", bob, stsapi.GetSessionTokenInput{SerialNumber: serial, TokenCode: code}, wrongDevice},
			{"no code", alice, stsapi.GetSessionTokenInput{SerialNumber: serial}, halfMFA},
			{"no device", alice, stsapi.GetSessionTokenInput{TokenCode: code}, halfMFA},
			{"the root user's", p.root[home], stsapi.GetSessionTokenInput{SerialNumber: serial, TokenCode: code}, wrongDevice},
			{"a role's session", session, stsapi.GetSessionTokenInput{SerialNumber: serial, TokenCode: code}, "Cannot call GetSessionToken with session credentials"},
		} {
			if got := try(p, c.who, stsapi.GetSessionToken, &c.in); got != c.want {
				t.Errorf("GetSessionToken refuses %s: %s", c.name, got)
			}
		}
	})
}
