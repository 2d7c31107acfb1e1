package iam

import (
	"bytes"
	"image/png"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	qr "github.com/piglig/go-qr"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
)

// RFC 6238, appendix B, of whose eight digits the last six are ours.
func TestCodesAreRFC6238s(t *testing.T) {
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := codeAt([]byte("12345678901234567890"), stepAt(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func BenchmarkSynchronise(b *testing.B) {
	d := &MFADevice{Seed: newSeed()}
	for b.Loop() {
		if d.synchronise(1_000_000, "000000", "nocode") == nil {
			b.Fatal("synchronised")
		}
	}
}

const serial = "arn:aws:iam::111122223333:mfa/d"

// seedOf makes a virtual device and answers its seed.
func seedOf(p *plane, name string) []byte {
	p.Helper()
	call(p, p.root, iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: name})
	var seed []byte
	p.update(func(tx store.Tx) error {
		d, err := findMFADevice(tx, testAccount, "arn:aws:iam::111122223333:mfa/"+name)
		seed = d.Seed
		return err
	})
	return seed
}

// assigned makes a device d and assigns it to user u, with the codes of the two steps up to now's.
func assigned(p *plane) (seed []byte, now time.Time) {
	p.Helper()
	seed, now = seedOf(p, "d"), time.Now()
	call(p, p.root, iam.EnableMFADevice, enabling("u", seed, stepAt(now)-1, stepAt(now)))
	return seed, now
}

func enabling(user string, seed []byte, first, second int64) *iam.EnableMFADeviceInput {
	return &iam.EnableMFADeviceInput{UserName: user, SerialNumber: serial, AuthenticationCode1: codeAt(seed, first), AuthenticationCode2: codeAt(seed, second)}
}

func (p *plane) user(name string) *aws.Principal {
	p.Helper()
	return p.principal(testAccount, call(p, p.root, iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: &name}).AccessKey.AccessKeyId)
}

// verify is what VerifyMFA answers in a transaction that commits.
func (p *plane) verify(who *aws.Principal, now time.Time, serial, code string) string {
	err := p.engine.Update(p.Context(), func(tx store.Tx) error { return p.service.VerifyMFA(tx, now, who, serial, code) })
	if err == nil {
		return ""
	}
	return err.Error()
}

const (
	wrongCode   = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
	wrongSerial = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
)

func TestVirtualMFADeviceLives(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	call(p, p.root, iam.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: "blue"})
	made := call(p, p.root, iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{
		VirtualMFADeviceName: "d", Tags: []iam.Tag{{Key: "team", Value: "red"}},
	}).VirtualMFADevice
	if made.SerialNumber != serial || len(made.Base32StringSeed) != 64 || len(made.Tags) != 1 {
		t.Errorf("made %+v", made)
	}
	picture, err := png.Decode(bytes.NewReader(made.QRCodePNG))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := qr.Decode(picture); err != nil || text != "otpauth://totp/d@blue?secret="+string(made.Base32StringSeed) {
		t.Errorf("the picture says %q, %v", text, err)
	}
	list := func(status iam.AssignmentStatusType) []iam.VirtualMFADevice {
		return call(p, p.root, iam.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{AssignmentStatus: &status}).VirtualMFADevices
	}
	if got := list("Unassigned"); len(got) != 1 || got[0].Base32StringSeed != nil || got[0].QRCodePNG != nil || got[0].User != nil {
		t.Errorf("unassigned: %+v", got)
	}
	var seed []byte
	p.update(func(tx store.Tx) error {
		d, err := findMFADevice(tx, testAccount, serial)
		seed = d.Seed
		return err
	})
	now := stepAt(time.Now())
	call(p, p.root, iam.EnableMFADevice, enabling("u", seed, now-1, now))
	if got := list("Assigned"); len(got) != 1 || got[0].User.UserName != "u" || got[0].EnableDate == nil || len(list("Unassigned")) != 0 || len(list("Any")) != 1 {
		t.Errorf("assigned: %+v", got)
	}
	if got := call(p, p.root, iam.ListMFADevices, &iam.ListMFADevicesInput{UserName: new("u")}).MFADevices; len(got) != 1 || got[0].SerialNumber != serial || got[0].UserName != "u" {
		t.Errorf("of the user: %+v", got)
	}
	if got := call(p, p.root, iam.GetMFADevice, &iam.GetMFADeviceInput{UserName: new("u"), SerialNumber: serial}); *got.UserName != "u" || got.EnableDate == nil {
		t.Errorf("got %+v", got)
	}
	summary := call(p, p.root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
	if summary["MFADevices"] != 1 || summary["MFADevicesInUse"] != 1 || summary["AccountMFAEnabled"] != 0 {
		t.Errorf("summary %v", summary)
	}
	for _, c := range []struct{ got, want string }{
		{try(p, p.root, iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: "D"}), "EntityAlreadyExistsException: MFADevice entity at the same path and name already exists."},
		{try(p, p.root, iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: "D", Path: new("/a//b/")}), "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{try(p, p.root, iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: strings.Repeat("x", 227)}), "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length less than or equal to 226"},
		{try(p, p.root, iam.EnableMFADevice, enabling("u", seed, now, now+1)), "EntityAlreadyExistsException: MFA Device is already in use."},
		{try(p, p.root, iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial}), "DeleteConflictException: MFA VirtualDevice in use. Must deactivate first."},
		{try(p, p.root, iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial + "x"}), "NoSuchEntityException: VirtualMFADevice with serial number " + serial + "x does not exist."},
		{try(p, p.root, iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: "arn:aws:iam::444455556666:mfa/d"}), "User: arn:aws:iam::111122223333:root is not authorized to perform: iam:DeleteVirtualMFADevice on resource: arn:aws:iam::444455556666:mfa/d because no resource-based policy allows the iam:DeleteVirtualMFADevice action"},
		{try(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}), "DeleteConflictException: Cannot delete entity, must delete MFA device first."},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	call(p, p.root, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: new("u"), SerialNumber: serial})
	if got := try(p, p.root, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: new("u"), SerialNumber: serial}); got != "NoSuchEntityException: MFA Device invalid for user." {
		t.Errorf("DeactivateMFADevice = %s", got)
	}
	if got := list("Unassigned"); len(got) != 1 || got[0].EnableDate != nil {
		t.Errorf("unassigned again: %+v", got)
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
	call(p, p.root, iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial})
	if got := list("Any"); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
	if summary := call(p, p.root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap; summary["MFADevices"] != 0 || summary["MFADevicesInUse"] != 0 {
		t.Errorf("summary %v", summary)
	}
}

func TestEnableMFADeviceRefusesCodes(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed := seedOf(p, "d")
	now := stepAt(time.Now())
	const invalid = "InvalidAuthenticationCodeException: Authentication code for device is not valid."
	for name, steps := range map[string][2]int64{
		"the same twice": {now, now}, "in the wrong order": {now, now - 1}, "with a gap": {now - 2, now}, "of long ago": {now - 70, now - 69}, "of a time to come": {now + 70, now + 71},
	} {
		if got := try(p, p.root, iam.EnableMFADevice, enabling("u", seed, steps[0], steps[1])); got != invalid {
			t.Errorf("codes %s: %s", name, got)
		}
	}
	call(p, p.root, iam.EnableMFADevice, enabling("u", seed, now-6, now-5))
	call(p, p.root, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: new("u"), SerialNumber: serial})
	for _, first := range []int64{now - 7, now - 6, now - 5} {
		if got := try(p, p.root, iam.EnableMFADevice, enabling("u", seed, first, first+1)); got != invalid {
			t.Errorf("codes that were used, from %d: %s", first-now, got)
		}
	}
	call(p, p.root, iam.EnableMFADevice, enabling("u", seed, now-4, now-3))
}

func TestUsersHaveEightMFADevices(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	now := stepAt(time.Now())
	for i := range 9 {
		name := string(rune('a' + i))
		seed := seedOf(p, name)
		in := enabling("u", seed, now-1, now)
		in.SerialNumber = strings.TrimSuffix(serial, "d") + name
		want := ""
		if i == 8 {
			want = "LimitExceededException: Cannot exceed quota for MFADevicesPerUser: 8"
		}
		if got := try(p, p.root, iam.EnableMFADevice, in); got != want {
			t.Errorf("device %d: %s", i, got)
		}
	}
}

func TestMFACodesAreTakenOnce(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed, now := assigned(p)
	who, step := p.user("u"), stepAt(now)
	for _, c := range []struct {
		name string
		code string
		want string
	}{
		{"that the device was assigned with", codeAt(seed, step), wrongCode},
		{"of the step before that", codeAt(seed, step-1), wrongCode},
		{"of two steps hence", codeAt(seed, step+2), wrongCode},
		{"of the next step", codeAt(seed, step+1), ""},
		{"once more", codeAt(seed, step+1), wrongCode},
		{"that is none", "00000", wrongCode},
	} {
		if got := p.verify(who, now, serial, c.code); got != c.want {
			t.Errorf("a code %s: %s", c.name, got)
		}
	}
	later := now.Add(10 * stepLength)
	if got := p.verify(who, later, serial, codeAt(seed, step+9)); got != "" {
		t.Errorf("a code of the step before: %s", got)
	}
}

func TestOneMFACodeAtOnceServesOne(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed, now := assigned(p)
	who := p.user("u")
	code := codeAt(seed, stepAt(now)+1)
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if p.verify(who, now, serial, code) == "" {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("one code was taken %d times", taken.Load())
	}
}

func TestMFADevicesServeTheirUserAlone(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	stranger(p)
	seed, now := assigned(p)
	who, mallory := p.user("u"), p.user("mallory")
	code := codeAt(seed, stepAt(now)+1)
	role := &aws.Principal{Kind: aws.AssumedRole, Account: testAccount, ID: who.ID, Session: new(aws.Session)}
	for _, c := range []struct {
		name         string
		who          *aws.Principal
		serial, code string
		want         string
	}{
		{"another user", mallory, serial, code, wrongSerial},
		{"the root", p.root, serial, code, wrongSerial},
		{"a role", role, serial, code, wrongSerial},
		{"the user by their own name", who, who.ARN, code, wrongSerial},
		{"the user in another case", who, strings.Replace(serial, "mfa/d", "mfa/D", 1), code, wrongSerial},
		{"no code", who, serial, "", "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."},
		{"no serial number", who, "", code, "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."},
		{"the user", who, serial, code, ""},
	} {
		if got := p.verify(c.who, now, c.serial, c.code); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	call(p, p.root, iam.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: new("u"), SerialNumber: serial})
	if got := p.verify(who, now.Add(10*stepLength), serial, codeAt(seed, stepAt(now)+10)); got != wrongSerial {
		t.Errorf("a device that was deactivated: %s", got)
	}
}

// A device that is off is followed from when it was synchronised.
func TestResyncMFADeviceFollowsTheDevicesClock(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed, now := assigned(p)
	who, step := p.user("u"), stepAt(now)
	const ahead = 30
	if got := p.verify(who, now, serial, codeAt(seed, step+ahead)); got != wrongCode {
		t.Errorf("a code of a quarter of an hour hence: %s", got)
	}
	resync := func(first int64) string {
		in := enabling("u", seed, first, first+1)
		return try(p, p.root, iam.ResyncMFADevice, (*iam.ResyncMFADeviceInput)(in))
	}
	if got := resync(step - ahead); got != "InvalidAuthenticationCodeException: Authentication code for device is not valid." {
		t.Errorf("with codes of the past: %s", got)
	}
	if got := resync(step + ahead - 1); got != "" {
		t.Fatal(got)
	}
	if got := p.verify(who, now.Add(stepLength), serial, codeAt(seed, step+ahead+1)); got != "" {
		t.Errorf("the device's next code: %s", got)
	}
	if got := p.verify(who, now.Add(stepLength), serial, codeAt(seed, step+1)); got != wrongCode {
		t.Errorf("the code of the right clock: %s", got)
	}
}

// Whoever has a user's key, but not the device, can't try all codes.
func TestGuessesOfMFACodesAreBounded(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	seed, now := assigned(p)
	who, later := p.user("u"), now.Add(5*stepLength)
	for range 3 * guessesAtOnce { // who is right gives the guess back
		giveBack, err := p.service.guesses.take(serial, later)
		if err != nil {
			t.Fatal(err)
		}
		giveBack()
	}
	var looked, throttled atomic.Int32
	var all sync.WaitGroup
	for range 5 * guessesAtOnce { // at once
		all.Go(func() {
			switch got := p.verify(who, later, serial, "wrong!"); got {
			case wrongCode:
				looked.Add(1)
			case "Rate exceeded":
				throttled.Add(1)
			default:
				t.Error(got)
			}
		})
	}
	all.Wait()
	if looked.Load() != guessesAtOnce || throttled.Load() != 4*guessesAtOnce {
		t.Errorf("%d guesses were looked at, %d were throttled", looked.Load(), throttled.Load())
	}
	if got := p.verify(who, later, serial, codeAt(seed, stepAt(later))); got != "Rate exceeded" {
		t.Errorf("the right code after too many wrong ones: %s", got)
	}
	later = later.Add(guessEvery)
	if got := p.verify(who, later, serial, codeAt(seed, stepAt(later))); got != "" {
		t.Errorf("the right code, five minutes later: %s", got)
	}
}

func TestGuessesForgetWhatIsLongAgo(t *testing.T) {
	var g guesses
	now := time.Now()
	for i := range 2500 {
		if _, err := g.take(string(rune(i)), now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	if len(g.by) > 1500 {
		t.Errorf("%d are remembered", len(g.by))
	}
}

func TestMFADeviceTagsDecide(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":["iam:CreateVirtualMFADevice","iam:TagMFADevice"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}},
		{"Effect":"Allow","Action":["iam:DeleteVirtualMFADevice","iam:UntagMFADevice"],"Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}`)
	create := func(name string, tags ...iam.Tag) string {
		return try(p, who, iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: name, Tags: tags})
	}
	red, blue := iam.Tag{Key: "team", Value: "red"}, iam.Tag{Key: "team", Value: "blue"}
	if got := create("d", red); got != "" {
		t.Error(got)
	}
	if got := create("e", blue); !strings.Contains(got, "is not authorized to perform: iam:CreateVirtualMFADevice on resource: arn:aws:iam::111122223333:mfa/e because") {
		t.Error(got)
	}
	call(p, p.root, iam.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: serial, Tags: []iam.Tag{blue}})
	if got := try(p, who, iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial}); !strings.Contains(got, "not authorized") {
		t.Error(got)
	}
	call(p, who, iam.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: serial, Tags: []iam.Tag{red}})
	if got := call(p, p.root, iam.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: serial}).Tags; !slices.Equal(got, []iam.Tag{red}) {
		t.Errorf("tags %v", got)
	}
	call(p, who, iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial})
	if got := try(p, who, iam.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{}); !strings.Contains(got, "on resource: arn:aws:iam::111122223333:mfa/ because") {
		t.Error(got)
	}
}
