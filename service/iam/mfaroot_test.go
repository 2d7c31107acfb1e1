package iam

import (
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
)

// Root gives itself a device, and nobody else gives it one or uses it.
func TestRootHasAnMFADevice(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed, now := seedOf(p, "d"), time.Now()
	step := stepAt(now)
	enable := func(who *aws.Principal, name string) string {
		return try(p, who, iam.EnableMFADevice, enabling(name, seed, step-1, step))
	}
	session := *p.root
	session.Session = &aws.Session{IssuedAt: now}
	if got := enable(&session, testAccount); got == "" {
		t.Error("a session of root's assigned it")
	}
	if got := enable(p.root, "root"); got == "" {
		t.Error("assigned to nobody")
	}
	if got := enable(p.user("u"), testAccount); got == "" {
		t.Error("a user assigned it to root")
	}
	if got := enable(p.root, testAccount); got != "" {
		t.Fatal(got)
	}
	// From now on root's key alone changes nothing of it: else its holder needed no device.
	strong := session
	strong.Session = &aws.Session{IssuedAt: now, MFAAt: now}
	other := seedOf(p, "other")
	another := func(who *aws.Principal) string {
		in := enabling(testAccount, other, step-1, step)
		in.SerialNumber = serial[:len(serial)-1] + "other"
		return try(p, who, iam.EnableMFADevice, in)
	}
	for name, got := range map[string]string{
		"another":               another(p.root),
		"another, by a session": another(&session),
		"none":                  try(p, p.root, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{SerialNumber: serial}),
	} {
		if !strings.Contains(got, "authenticated by MFA") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := another(&strong) + try(p, &strong, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{SerialNumber: serial[:len(serial)-1] + "other"}); got != "" {
		t.Error(got)
	}
	if got := call(p, p.root, iam.ListMFADevices, new(iam.ListMFADevicesInput)).MFADevices; len(got) != 1 || got[0].SerialNumber != serial {
		t.Errorf("%+v", got)
	}
	if got := call(p, p.root, iam.ListVirtualMFADevices, new(iam.ListVirtualMFADevicesInput)).VirtualMFADevices; len(got) != 2 || got[0].User.UserId != testAccount {
		t.Errorf("%+v", got)
	}
	if got := call(p, p.root, iam.GetAccountSummary, new(iam.GetAccountSummaryInput)).SummaryMap; got["AccountMFAEnabled"] != 1 {
		t.Errorf("%v", got)
	}
	code := codeAt(seed, step+1)
	if got := p.verify(p.user("u"), now, serial, code); got != wrongSerial {
		t.Errorf("a user's use of it: %s", got)
	}
	if got := p.verify(&session, now, serial, code); got != wrongSerial {
		t.Errorf("a session's use of it: %s", got)
	}
	if got := p.verify(p.root, now, serial, code); got != "" {
		t.Errorf("root's use of it: %s", got)
	}
	if got := p.verify(p.root, now, serial, code); got != wrongCode {
		t.Errorf("a code was taken twice: %q", got)
	}
	call(p, &strong, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{SerialNumber: serial})
	if got := p.verify(p.root, now.Add(time.Minute), serial, codeAt(seed, step+2)); got != wrongSerial {
		t.Errorf("after it was taken away: %q", got)
	}
}

// A device of root's that went wrong opens no session, by which alone root's devices
// are changed: root's key sets it right, with two of its codes.
func TestRootSetsItsMFADeviceRight(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed, now := seedOf(p, "d"), time.Now()
	step := stepAt(now)
	call(p, p.root, iam.EnableMFADevice, enabling(testAccount, seed, step-1, step))
	const ahead = 10
	if got := p.verify(p.root, now, serial, codeAt(seed, step+ahead)); got != wrongCode {
		t.Fatalf("a device that is off: %q", got)
	}
	resync := func(who *aws.Principal, first, second int64) string {
		return try(p, who, iam.ResyncMFADevice, &iam.ResyncMFADeviceInput{
			UserName: testAccount, SerialNumber: serial, AuthenticationCode1: codeAt(seed, first), AuthenticationCode2: codeAt(seed, second),
		})
	}
	session := *p.root
	session.Session = &aws.Session{IssuedAt: now}
	if resync(p.user("u"), step+ahead, step+ahead+1) == "" || resync(&session, step+ahead, step+ahead+1) == "" {
		t.Error("a user, or a session that no device opened, set it right")
	}
	if got := resync(p.root, step+ahead, step+ahead+2); !strings.Contains(got, "Authentication code for device is not valid.") {
		t.Errorf("with codes that don't follow each other: %q", got)
	}
	if got := resync(p.root, step+ahead, step+ahead+1); got != "" {
		t.Fatal(got)
	}
	if got := p.verify(p.root, now, serial, codeAt(seed, step+ahead+2)); got != "" {
		t.Errorf("set right: %q", got)
	}
}
