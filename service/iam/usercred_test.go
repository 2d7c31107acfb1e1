package iam

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
)

// testRSA is a key of 2,048 bits, made once.
var testRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func testEC(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issued is a certificate of key, signed by an issuer; by itself if that is nil.
func issued(t testing.TB, name string, key crypto.Signer, issuer *x509.Certificate, by crypto.Signer) (*x509.Certificate, string) {
	t.Helper()
	n, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{
		SerialNumber: n, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Date(2035, 1, 2, 3, 4, 5, 0, time.UTC), IsCA: true, BasicConstraintsValid: true,
	}
	if issuer == nil {
		issuer, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, pemOf("CERTIFICATE", der, nil)
}

func TestSSHPublicKeysLive(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	body := sshPublicKey(&testRSA().PublicKey) + " alice@example"
	made := call(p, p.root, iam.UploadSSHPublicKey, &iam.UploadSSHPublicKeyInput{UserName: "u", SSHPublicKeyBody: body}).SSHPublicKey
	if len(made.SSHPublicKeyId) != 20 || made.SSHPublicKeyId[:4] != "APKA" || len(made.Fingerprint) != 47 || made.SSHPublicKeyBody != body || made.Status != "Active" || made.UploadDate == nil {
		t.Errorf("%+v", made)
	}
	get := func(encoding iam.EncodingType) string {
		return call(p, p.root, iam.GetSSHPublicKey, &iam.GetSSHPublicKeyInput{UserName: "u", SSHPublicKeyId: made.SSHPublicKeyId, Encoding: encoding}).SSHPublicKey.SSHPublicKeyBody
	}
	if got := get(iam.EncodingTypeSsh); got != body {
		t.Error(got)
	}
	asPEM := get(iam.EncodingTypePem)
	if !strings.HasPrefix(asPEM, "-----BEGIN PUBLIC KEY-----\n") {
		t.Error(asPEM)
	}
	upload := func(user, body string) string {
		return try(p, p.root, iam.UploadSSHPublicKey, &iam.UploadSSHPublicKeyInput{UserName: user, SSHPublicKeyBody: body})
	}
	const (
		duplicate    = "DuplicateSSHPublicKeyException: The SSH public key is already associated with the specified IAM user."
		invalid      = "InvalidPublicKeyException: The public key is malformed or otherwise invalid."
		unrecognized = "UnrecognizedPublicKeyEncodingException: The public key encoding format is unsupported or unrecognized."
	)
	small := &rsa.PublicKey{N: new(big.Int).SetBytes(bytes.Repeat([]byte{0xab}, 128)), E: 65537}
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2048), E: 65537}
	for _, c := range []struct{ name, body, want string }{
		{"the same as PEM", asPEM, duplicate},
		{"a short one", sshPublicKey(small), invalid},
		{"an even one", sshPublicKey(even), invalid},
		{"of another kind", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0", invalid},
		{"that ends early", body[:100], invalid},
		{"with a length beyond its end", "ssh-rsa /////w==", invalid},
		{"that is none", "my key", unrecognized},
		{"a private one", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", invalid},
	} {
		if got := upload("u", c.body); got != c.want {
			t.Errorf("a key %s: %s, want %s", c.name, got, c.want)
		}
	}
	call(p, p.root, iam.UpdateSSHPublicKey, &iam.UpdateSSHPublicKeyInput{UserName: "u", SSHPublicKeyId: made.SSHPublicKeyId, Status: "Inactive"})
	if got := call(p, p.root, iam.ListSSHPublicKeys, &iam.ListSSHPublicKeysInput{UserName: new("u")}).SSHPublicKeys; len(got) != 1 || got[0].Status != "Inactive" {
		t.Errorf("%+v", got)
	}
	stranger(p)
	missing := "NoSuchEntityException: The Public Key with id " + made.SSHPublicKeyId + " cannot be found."
	for _, got := range []string{
		try(p, p.root, iam.GetSSHPublicKey, &iam.GetSSHPublicKeyInput{UserName: "mallory", SSHPublicKeyId: made.SSHPublicKeyId, Encoding: iam.EncodingTypeSsh}),
		try(p, p.root, iam.UpdateSSHPublicKey, &iam.UpdateSSHPublicKeyInput{UserName: "mallory", SSHPublicKeyId: made.SSHPublicKeyId, Status: "Active"}),
		try(p, p.root, iam.DeleteSSHPublicKey, &iam.DeleteSSHPublicKeyInput{UserName: "mallory", SSHPublicKeyId: made.SSHPublicKeyId}),
	} {
		if got != missing {
			t.Error(got)
		}
	}
	if got := try(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}); got != "DeleteConflictException: Cannot delete entity, must delete SSH public keys first." {
		t.Error(got)
	}
	call(p, p.root, iam.DeleteSSHPublicKey, &iam.DeleteSSHPublicKeyInput{UserName: "u", SSHPublicKeyId: made.SSHPublicKeyId})
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
}

// A key that OpenSSH made, and its fingerprint by ssh-keygen -l -E md5.
func TestFingerprintIsOpenSSHs(t *testing.T) {
	const body = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ"
	n := new(big.Int).SetBytes(bytes.Repeat([]byte{0xab}, 256))
	key := &rsa.PublicKey{N: n, E: 65537}
	if got := sshPublicKey(key); !strings.HasPrefix(got, body) {
		t.Errorf("%.60s", got)
	}
	if got := fingerprint(key); got != "b7:32:42:97:7e:8b:b6:de:f6:5d:16:f1:80:62:19:1e" {
		t.Error(got)
	}
}

func FuzzPublicKey(f *testing.F) {
	f.Add(sshPublicKey(&testRSA().PublicKey))
	f.Add(pemPublicKey(&testRSA().PublicKey))
	f.Fuzz(func(t *testing.T, body string) {
		key, _, err := readPublicKey(body)
		if err == nil {
			if again, _, err := readPublicKey(sshPublicKey(key)); err != nil || !again.Equal(key) {
				t.Errorf("%v is read back as %v, %v", key, again, err)
			}
		}
	})
}

func TestSigningCertificatesLive(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	var bodies []string
	for _, name := range []string{"a", "b", "c"} {
		_, body := issued(t, name, testEC(t), nil, nil)
		bodies = append(bodies, body)
	}
	upload := func(user *string, body string) (*iam.SigningCertificate, string) {
		in := &iam.UploadSigningCertificateInput{UserName: user, CertificateBody: body}
		if got := try(p, p.root, iam.UploadSigningCertificate, in); got != "" {
			return nil, got
		}
		all := call(p, p.root, iam.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: user}).Certificates
		for _, c := range all {
			if c.CertificateBody == body {
				return &c, ""
			}
		}
		return nil, "not listed"
	}
	made, _ := upload(new("u"), bodies[0])
	if len(made.CertificateId) != 32 || made.Status != "Active" || made.UserName != "u" {
		t.Errorf("%+v", made)
	}
	if _, got := upload(nil, bodies[0]); got != "DuplicateCertificateException: The same certificate is associated with an IAM user in the account." {
		t.Error(got)
	}
	if _, got := upload(new("u"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"); got != "MalformedCertificateException: Unable to parse certificate. Please ensure the certificate is in PEM format." {
		t.Error(got)
	}
	ofRoot, _ := upload(nil, bodies[1])
	if summary := call(p, p.root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap; summary["AccountSigningCertificatesPresent"] != 1 || summary["SigningCertificatesPerUserQuota"] != 2 {
		t.Errorf("summary %v", summary)
	}
	second, _ := upload(new("u"), bodies[2])
	_, fourth := issued(t, "d", testEC(t), nil, nil)
	if _, got := upload(new("u"), fourth); got != "LimitExceededException: Cannot exceed quota for CertificatesPerUser: 2" {
		t.Error(got)
	}
	call(p, p.root, iam.UpdateSigningCertificate, &iam.UpdateSigningCertificateInput{UserName: new("u"), CertificateId: made.CertificateId, Status: "Inactive"})
	if got := try(p, p.root, iam.UpdateSigningCertificate, &iam.UpdateSigningCertificateInput{UserName: new("u"), CertificateId: ofRoot.CertificateId, Status: "Inactive"}); got != "NoSuchEntityException: The Certificate with id "+ofRoot.CertificateId+" cannot be found." {
		t.Error(got)
	}
	if got := try(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}); got != "DeleteConflictException: Cannot delete entity, must delete signing certificates first." {
		t.Error(got)
	}
	for _, id := range []string{made.CertificateId, second.CertificateId} {
		call(p, p.root, iam.DeleteSigningCertificate, &iam.DeleteSigningCertificateInput{UserName: new("u"), CertificateId: id})
	}
	if got := try(p, p.root, iam.DeleteSigningCertificate, &iam.DeleteSigningCertificateInput{UserName: new("u"), CertificateId: made.CertificateId}); !strings.HasPrefix(got, "NoSuchEntityException: The Certificate with id ") {
		t.Error(got)
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
	if _, got := upload(nil, bodies[0]); got != "" {
		t.Errorf("a certificate that was deleted: %s", got)
	}
}

func TestServiceSpecificCredentialsLive(t *testing.T) {
	p := newPlane(t)
	furnish(p)
	create := func(service string, days *int32) (*iam.ServiceSpecificCredential, string) {
		in := &iam.CreateServiceSpecificCredentialInput{UserName: "u", ServiceName: service, CredentialAgeDays: days}
		if got := try(p, p.root, iam.CreateServiceSpecificCredential, in); got != "" {
			return nil, got
		}
		all := call(p, p.root, iam.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{UserName: new("u"), ServiceName: &service}).ServiceSpecificCredentials
		id := all[0].ServiceSpecificCredentialId
		return call(p, p.root, iam.ResetServiceSpecificCredential, &iam.ResetServiceSpecificCredentialInput{UserName: new("u"), ServiceSpecificCredentialId: id}).ServiceSpecificCredential, ""
	}
	git, _ := create("codecommit.amazonaws.com", nil)
	if git.ServiceUserName == nil || *git.ServiceUserName != "u-at-111122223333" || len(*git.ServicePassword) != 44 || git.ServiceCredentialSecret != nil || git.ServiceSpecificCredentialId[:4] != "ACCA" {
		t.Errorf("%+v", git)
	}
	p.update(func(tx store.Tx) error {
		c, err := serviceCredentials.Get(tx, testAccount, call(p, p.root, iam.GetUser, &iam.GetUserInput{UserName: new("u")}).User.UserId, git.ServiceSpecificCredentialId)
		if hash := sha256.Sum256([]byte(*git.ServicePassword)); err == nil && !bytes.Equal(c.Hash, hash[:]) {
			t.Error("the hash is not the new password's")
		}
		return err
	})
	key, _ := create("bedrock.amazonaws.com", new(int32(30)))
	plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*key.ServiceCredentialSecret, "ABSK"))
	if err != nil || !strings.HasPrefix(string(plain), "u-at-111122223333:") || *key.ServiceCredentialAlias != "u-at-111122223333" || key.ServicePassword != nil {
		t.Errorf("%s, %v", plain, err)
	}
	if !key.ExpirationDate.Equal(key.CreateDate.AddDate(0, 0, 30)) {
		t.Errorf("expires %v", key.ExpirationDate)
	}
	for _, c := range []struct {
		service string
		days    *int32
		want    string
	}{
		{"codecommit.amazonaws.com", new(int32(1)), "CredentialAgeDays is not supported for codecommit.amazonaws.com"},
		{"lambda.amazonaws.com", nil, "NoSuchEntityException: No such service lambda.amazonaws.com is supported for Service Specific Credentials"},
		{"codecommit.amazonaws.com", nil, ""},
		{"codecommit.amazonaws.com", nil, "LimitExceededException: Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2"},
	} {
		if _, got := create(c.service, c.days); got != c.want {
			t.Errorf("%s: %s, want %s", c.service, got, c.want)
		}
	}
	names := map[string]bool{}
	for _, c := range call(p, p.root, iam.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{AllUsers: new(true)}).ServiceSpecificCredentials {
		name := c.ServiceUserName
		if name == nil {
			name = c.ServiceCredentialAlias
		}
		names[c.ServiceName+" "+*name+" "+c.UserName] = true
	}
	for _, want := range []string{"codecommit.amazonaws.com u-at-111122223333 u", "codecommit.amazonaws.com u+1-at-111122223333 u", "bedrock.amazonaws.com u-at-111122223333 u"} {
		if !names[want] {
			t.Errorf("%s is not among %v", want, names)
		}
	}
	if got := try(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"}); got != "DeleteConflictException: Cannot delete entity, must remove referenced objects first." {
		t.Error(got)
	}
	call(p, p.root, iam.UpdateServiceSpecificCredential, &iam.UpdateServiceSpecificCredentialInput{UserName: new("u"), ServiceSpecificCredentialId: git.ServiceSpecificCredentialId, Status: "Inactive"})
	stranger(p)
	if got := try(p, p.root, iam.DeleteServiceSpecificCredential, &iam.DeleteServiceSpecificCredentialInput{UserName: new("mallory"), ServiceSpecificCredentialId: git.ServiceSpecificCredentialId}); got != "NoSuchEntityException: No such credential "+git.ServiceSpecificCredentialId+" exists" {
		t.Error(got)
	}
	for _, c := range call(p, p.root, iam.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{UserName: new("u")}).ServiceSpecificCredentials {
		if want := map[bool]iam.StatusType{true: "Inactive", false: "Active"}[c.ServiceSpecificCredentialId == git.ServiceSpecificCredentialId]; c.Status != want {
			t.Errorf("%s is %s", c.ServiceSpecificCredentialId, c.Status)
		}
		call(p, p.root, iam.DeleteServiceSpecificCredential, &iam.DeleteServiceSpecificCredentialInput{UserName: new("u"), ServiceSpecificCredentialId: c.ServiceSpecificCredentialId})
	}
	call(p, p.root, iam.DeleteUser, &iam.DeleteUserInput{UserName: "u"})
}

func TestServiceSpecificCredentialsExpire(t *testing.T) {
	now := time.Now()
	c := &ServiceCredential{Expires: &now}
	if got := c.status(now.Add(-time.Second)); got != iam.StatusTypeActive {
		t.Error(got)
	}
	if got := c.status(now); got != iam.StatusTypeExpired {
		t.Error(got)
	}
}

// Who may make credentials for one service, of a month at most, makes no others.
func TestServiceSpecificCredentialConditionsDecide(t *testing.T) {
	p := newPlane(t)
	who := delegate(p, "u", `{"Effect":"Allow","Action":"iam:*ServiceSpecificCredential","Resource":"*","Condition":{
		"StringEquals":{"iam:ServiceSpecificCredentialServiceName":"bedrock.amazonaws.com"},"NumericLessThanEqualsIfExists":{"iam:ServiceSpecificCredentialAgeDays":"30"}}}`)
	for _, c := range []struct {
		service string
		days    int32
		allowed bool
	}{{"bedrock.amazonaws.com", 30, true}, {"bedrock.amazonaws.com", 31, false}, {"codecommit.amazonaws.com", 1, false}} {
		got := try(p, who, iam.CreateServiceSpecificCredential, &iam.CreateServiceSpecificCredentialInput{UserName: "u", ServiceName: c.service, CredentialAgeDays: &c.days})
		if c.allowed != (got == "") || !c.allowed && !strings.Contains(got, "not authorized") {
			t.Errorf("%s for %d days: %s", c.service, c.days, got)
		}
	}
	bedrock := call(p, p.root, iam.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{UserName: new("u")}).ServiceSpecificCredentials[0]
	call(p, who, iam.ResetServiceSpecificCredential, &iam.ResetServiceSpecificCredentialInput{ServiceSpecificCredentialId: bedrock.ServiceSpecificCredentialId})
	git := call(p, p.root, iam.CreateServiceSpecificCredential, &iam.CreateServiceSpecificCredentialInput{UserName: "u", ServiceName: "codecommit.amazonaws.com"}).ServiceSpecificCredential
	if got := try(p, who, iam.ResetServiceSpecificCredential, &iam.ResetServiceSpecificCredentialInput{ServiceSpecificCredentialId: git.ServiceSpecificCredentialId}); !strings.Contains(got, "not authorized") {
		t.Errorf("another service's secret: %s", got)
	}
}
