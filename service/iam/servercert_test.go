package iam

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

func ecPEM(key *ecdsa.PrivateKey) string {
	der, err := x509.MarshalECPrivateKey(key)
	return pemOf("EC PRIVATE KEY", der, err)
}

func TestServerCertificatesLive(t *testing.T) {
	p := newPlane(t)
	rootKey, key := testEC(t), testEC(t)
	ca, caPEM := issued(t, "ca", rootKey, nil, nil)
	_, body := issued(t, "www", key, ca, rootKey)
	in := &iam.UploadServerCertificateInput{
		ServerCertificateName: "www", Path: new("/cloudfront/"), CertificateBody: body, PrivateKey: ecPEM(key), CertificateChain: &caPEM,
		Tags: []iam.Tag{{Key: "team", Value: "red"}},
	}
	made := call(p, p.root, iam.UploadServerCertificate, in)
	m := made.ServerCertificateMetadata
	if m.Arn != "arn:aws:iam::111122223333:server-certificate/cloudfront/www" || m.ServerCertificateId[:4] != "ASCA" || m.Expiration.Format("2006-01-02T15:04:05Z") != "2035-01-02T03:04:05Z" || len(made.Tags) != 1 {
		t.Errorf("%+v", m)
	}
	got := call(p, p.root, iam.GetServerCertificate, &iam.GetServerCertificateInput{ServerCertificateName: "www"})
	if text, _ := json.Marshal(got); got.ServerCertificate.CertificateBody != body || *got.ServerCertificate.CertificateChain != caPEM || strings.Contains(string(text), "PRIVATE") {
		t.Errorf("%s", text)
	}
	in.ServerCertificateName = "WWW"
	if got := try(p, p.root, iam.UploadServerCertificate, in); got != "EntityAlreadyExistsException: The Server Certificate with name WWW already exists." {
		t.Error(got)
	}
	call(p, p.root, iam.UpdateServerCertificate, &iam.UpdateServerCertificateInput{ServerCertificateName: "www", NewPath: new("/a/"), NewServerCertificateName: new("new")})
	for prefix, want := range map[string]int{"/": 1, "/a/": 1, "/cloudfront/": 0} {
		if got := call(p, p.root, iam.ListServerCertificates, &iam.ListServerCertificatesInput{PathPrefix: &prefix}).ServerCertificateMetadataList; len(got) != want {
			t.Errorf("below %s: %+v", prefix, got)
		}
	}
	call(p, p.root, iam.TagServerCertificate, &iam.TagServerCertificateInput{ServerCertificateName: "new", Tags: []iam.Tag{{Key: "TEAM", Value: "blue"}}})
	call(p, p.root, iam.UntagServerCertificate, &iam.UntagServerCertificateInput{ServerCertificateName: "new", TagKeys: []string{"team"}})
	if got := call(p, p.root, iam.ListServerCertificateTags, &iam.ListServerCertificateTagsInput{ServerCertificateName: "new"}).Tags; len(got) != 1 || got[0].Key != "TEAM" {
		t.Errorf("tags %v", got)
	}
	if summary := call(p, p.root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap; summary["ServerCertificates"] != 1 || summary["ServerCertificatesQuota"] != 20 {
		t.Errorf("summary %v", summary)
	}
	call(p, p.root, iam.DeleteServerCertificate, &iam.DeleteServerCertificateInput{ServerCertificateName: "new"})
	if got := try(p, p.root, iam.GetServerCertificate, &iam.GetServerCertificateInput{ServerCertificateName: "new"}); got != "NoSuchEntityException: The Server Certificate with name new cannot be found." {
		t.Error(got)
	}
}

func TestServerCertificateQuotaHolds(t *testing.T) {
	p := newPlane(t, func(o *Options) { o.Quotas.ServerCertificates = 1 })
	key := testEC(t)
	_, body := issued(t, "www", key, nil, nil)
	upload := func(name string) string {
		return try(p, p.root, iam.UploadServerCertificate, &iam.UploadServerCertificateInput{ServerCertificateName: name, CertificateBody: body, PrivateKey: ecPEM(key)})
	}
	if got := upload("a"); got != "" {
		t.Error(got)
	}
	if got := upload("b"); got != "LimitExceededException: Cannot exceed quota for ServerCertificatesPerAccount: 1" {
		t.Error(got)
	}
}

func TestServerCertificateChecks(t *testing.T) {
	rootKey, middleKey, key := testEC(t), testEC(t), testEC(t)
	ca, caPEM := issued(t, "ca", rootKey, nil, nil)
	middle, middlePEM := issued(t, "middle", middleKey, ca, rootKey)
	_, body := issued(t, "www", key, middle, middleKey)
	_, impostor := issued(t, "middle", testEC(t), ca, rootKey)
	_, rsaBody := issued(t, "rsa", testRSA(), nil, nil)
	pkcs1 := pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(testRSA()), nil)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	pkcs8PEM := pemOf("PRIVATE KEY", pkcs8, err)
	const (
		parse    = "MalformedCertificateException: Unable to parse certificate. Please ensure the certificate is in PEM format."
		parseKey = "MalformedCertificateException: Unable to parse key. Please ensure the private key is in PEM format, is not encrypted, and is RSA of 1024 to 4096 bits or ECDSA."
		mismatch = "KeyPairMismatchException: The public key certificate and the private key do not match."
		badChain = "MalformedCertificateException: Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: "
	)
	for _, c := range []struct{ name, body, key, chain, want string }{
		{"without a chain", body, ecPEM(key), "", ""},
		{"with the whole chain", body, ecPEM(key), middlePEM + caPEM, ""},
		{"with a key of PKCS #8", body, pkcs8PEM, middlePEM, ""},
		{"with parameters before the key", body, pemOf("EC PARAMETERS", []byte{6, 0}, nil) + ecPEM(key), "\n" + middlePEM + "\n", ""},
		{"of RSA", rsaBody, pkcs1, "", ""},
		{"that is none", "certificate", ecPEM(key), "", parse},
		{"with text before it", "subject=www\n" + body, ecPEM(key), "", parse},
		{"with text in the chain", body, ecPEM(key), "issuer\n" + middlePEM, badChain + "0"},
		{"that is two", body + caPEM, ecPEM(key), "", parse},
		{"that is a key", ecPEM(key), body, "", parse},
		{"with another's key", body, ecPEM(middleKey), "", mismatch},
		{"with a key of another kind", body, pkcs1, "", mismatch},
		{"with an encrypted key", body, pemOf("ENCRYPTED PRIVATE KEY", pkcs8, nil), "", parseKey},
		{"with an endless key", body, pemOf("RSA PRIVATE KEY", make([]byte, 5000), nil), "", parseKey},
		{"with a chain that is none", body, ecPEM(key), "chain", badChain + "0"},
		{"with a chain that goes on in text", body, ecPEM(key), middlePEM + "more", badChain + "1"},
		{"with a gap in the chain", body, ecPEM(key), caPEM, badChain + "-1"},
		{"with a chain of the right names", body, ecPEM(key), impostor, badChain + "-1"},
		{"with a chain that goes astray", body, ecPEM(key), middlePEM + middlePEM, badChain + "0"},
		{"with an endless chain", rsaBody, pkcs1, strings.Repeat(rsaBody, longestChain+1), badChain + "16"},
	} {
		got := ""
		if _, err := checkServerCertificate(c.body, c.key, c.chain); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("a certificate %s: %s, want %s", c.name, got, c.want)
		}
	}
}
