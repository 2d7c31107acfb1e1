package iam

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/iam"
)

// metadata describes an identity provider, at the least length that the model takes.
var metadata = `<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/">` +
	`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
	`<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + strings.Repeat("TUlJ\n", 200) +
	`</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>`

func TestSAMLMetadata(t *testing.T) {
	const unreadable = "InvalidInputException: Could not parse metadata"
	const noIssuer = "InvalidInputException: SAML Providers must reference at least one SAML assertion issuer."
	inside := metadata[strings.Index(metadata, "<EntityDescriptor"):]
	deep := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	for name, c := range map[string]struct{ text, want string }{
		"an identity provider":        {metadata, ""},
		"a collection":                {`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + inside + `</EntitiesDescriptor>`, ""},
		"a comment behind":            {metadata + "<!-- x -->", ""},
		"no XML":                      {strings.Repeat("a", 1024), unreadable},
		"nothing":                     {"", unreadable},
		"another root":                {strings.ReplaceAll(metadata, "EntityDescriptor", "SomethingElse"), unreadable},
		"another name space":          {strings.Replace(metadata, "SAML:2.0:metadata", "SAML:1.0:metadata", 1), unreadable},
		"cut off":                     {metadata[:len(metadata)-5], unreadable},
		"two roots":                   {metadata + inside, unreadable},
		"a document type":             {`<!DOCTYPE x [<!ENTITY a "b">]>` + inside, unreadable},
		"an entity":                   {strings.Replace(metadata, "TUlJ", "&a;", 1), unreadable},
		"a depth without end":         {strings.Replace(metadata, "<KeyDescriptor", deep+"<KeyDescriptor", 1), unreadable},
		"a certificate that's no one": {strings.Replace(metadata, "TUlJ", "....", 1), unreadable},
		"an empty certificate":        {regexp.MustCompile(`Certificate>[^<]+`).ReplaceAllString(metadata, "Certificate>"), unreadable},
		"no identity provider":        {regexp.MustCompile(`(?s)<IDP.*</IDPSSODescriptor>`).ReplaceAllString(metadata, ""), noIssuer},
		"a service provider":          {strings.ReplaceAll(metadata, "IDPSSODescriptor", "SPSSODescriptor"), noIssuer},
		"an issuer of another space":  {strings.Replace(strings.Replace(metadata, "<IDPSSODescriptor", `<x:IDPSSODescriptor xmlns:x="x"`, 1), "</IDP", "</x:IDP", 1), noIssuer},
	} {
		got := ""
		if err := checkMetadata(c.text); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzSAMLMetadata(f *testing.F) {
	f.Add(metadata)
	f.Add("<a><b></a>")
	f.Fuzz(func(t *testing.T, text string) { _ = checkMetadata(text) })
}

func pemOf(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestSAMLProvider(t *testing.T) {
	p := newPlane(t, func(o *Options) { o.Quotas.SAMLProviders = 1 })
	root := p.root
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	pkcs8 := pemOf("PRIVATE KEY", der, err)
	pkcs1 := pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil)
	der, err = x509.MarshalECPrivateKey(ec)
	sec1 := pemOf("EC PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	public := pemOf("PUBLIC KEY", der, err)
	for name, text := range map[string]string{"PKCS 8": pkcs8, "PKCS 1": pkcs1, "EC": sec1} {
		if !isPrivateKey(text) {
			t.Errorf("%s is no private key", name)
		}
	}
	required := new(iam.AssertionEncryptionModeTypeRequired)
	create := func(in iam.CreateSAMLProviderInput) string {
		if in.Name == "" {
			in.Name = "idp"
		}
		in.SAMLMetadataDocument = metadata
		return try(p, root, iam.CreateSAMLProvider, &in)
	}
	arn := "arn:aws:iam::111122223333:saml-provider/idp"
	update := func(in iam.UpdateSAMLProviderInput) string {
		in.SAMLProviderArn = arn
		return try(p, root, iam.UpdateSAMLProvider, &in)
	}
	get := func() *iam.GetSAMLProviderOutput {
		return call(p, root, iam.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: arn})
	}
	const noKey = "InvalidInputException: Failed to set assertion encryption mode to Required because no private key is present."
	const badKey = "InvalidInputException: Failed to add private key."
	for _, c := range []struct{ name, got, want string }{
		{"encryption without a key", create(iam.CreateSAMLProviderInput{AssertionEncryptionMode: required}), noKey},
		{"a public key", create(iam.CreateSAMLProviderInput{AddPrivateKey: &public}), badKey},
		{"two keys in one", create(iam.CreateSAMLProviderInput{AddPrivateKey: new(pkcs8 + pkcs1)}), badKey},
		{"a key of another type", create(iam.CreateSAMLProviderInput{AddPrivateKey: new(strings.ReplaceAll(pkcs8, "PRIVATE", "ENCRYPTED PRIVATE"))}), badKey},
		{"create", create(iam.CreateSAMLProviderInput{Tags: []iam.Tag{{Key: "z", Value: "1"}, {Key: "A", Value: "2"}}}), ""},
		{"create twice", create(iam.CreateSAMLProviderInput{}), "EntityAlreadyExistsException: Provider with name idp already exists."},
		{"create another", create(iam.CreateSAMLProviderInput{Name: "other"}), "LimitExceededException: Cannot exceed quota for SAMLProvidersPerAccount: 1"},
		{"update nothing", update(iam.UpdateSAMLProviderInput{}), "Unable to update identity provider. No updates are defined for metadata or encryption assertion."},
		{"require without a key", update(iam.UpdateSAMLProviderInput{AssertionEncryptionMode: required}), noKey},
		{"add a key", update(iam.UpdateSAMLProviderInput{AddPrivateKey: &pkcs8}), ""},
		{"add it again", update(iam.UpdateSAMLProviderInput{AddPrivateKey: &pkcs8}), ""},
		{"add a third", update(iam.UpdateSAMLProviderInput{AddPrivateKey: &sec1}), "LimitExceededException: Private key limit of 2 is reached."},
		{"require", update(iam.UpdateSAMLProviderInput{AssertionEncryptionMode: required}), ""},
		{"add and remove", update(iam.UpdateSAMLProviderInput{AddPrivateKey: &sec1, RemovePrivateKey: new(strings.Repeat("A", 22))}), "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters."},
		{"remove none", update(iam.UpdateSAMLProviderInput{RemovePrivateKey: new(strings.Repeat("A", 22))}), "InvalidInputException: Failed to remove private key."},
		{"remove one", update(iam.UpdateSAMLProviderInput{RemovePrivateKey: get().PrivateKeyList[0].KeyId}), ""},
		{"other metadata", update(iam.UpdateSAMLProviderInput{SAMLMetadataDocument: new(strings.Repeat("x", 1000))}), "InvalidInputException: Could not parse metadata"},
		{"get none", try(p, root, iam.GetSAMLProvider, &iam.GetSAMLProviderInput{SAMLProviderArn: arn + "x"}), "NoSuchEntityException: Manifest not found for arn " + arn + "x"},
		{"delete none", try(p, root, iam.DeleteSAMLProvider, &iam.DeleteSAMLProviderInput{SAMLProviderArn: arn + "x"}), "NoSuchEntityException: Manifest not found for arn " + arn + "x"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	if got := update(iam.UpdateSAMLProviderInput{RemovePrivateKey: get().PrivateKeyList[0].KeyId}); got != "InvalidInputException: Failed to remove private key." {
		t.Errorf("the last key that is required: %s", got)
	}
	got := get()
	if !regexp.MustCompile(`^SAMLSP[A-Z0-9]{16}$`).MatchString(*got.SAMLProviderUUID) || !regexp.MustCompile(`^SAMLPK[A-Z0-9]{16}$`).MatchString(*got.PrivateKeyList[0].KeyId) ||
		*got.SAMLMetadataDocument != metadata || *got.AssertionEncryptionMode != *required || len(got.Tags) != 2 || got.Tags[0].Key != "A" {
		t.Errorf("Get = %+v", got)
	}
	if until := time.Until(*got.ValidUntil).Hours() / 24 / 365.25; until < 99.9 || until > 100.1 {
		t.Errorf("valid for %.2f years", until)
	}
	if shown := fmt.Sprintf("%v %+v %#v", SAMLKey{PEM: pkcs8}, SAMLProvider{Keys: []SAMLKey{{PEM: pkcs8}}}.Keys, SAMLKey{PEM: pkcs8}); strings.Contains(shown, "PRIVATE") {
		t.Errorf("a key is printed: %s", shown)
	}
	if list := call(p, root, iam.ListSAMLProviders, &iam.ListSAMLProvidersInput{}).SAMLProviderList; len(list) != 1 || *list[0].Arn != arn {
		t.Errorf("list %v", list)
	}
	call(p, root, iam.DeleteSAMLProvider, &iam.DeleteSAMLProviderInput{SAMLProviderArn: arn})
}
