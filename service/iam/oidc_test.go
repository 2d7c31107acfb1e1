package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
)

// What becomes of an issuer's URL, as recorded from AWS where it answers so.
func TestOIDCIssuers(t *testing.T) {
	p := newPlane(t)
	const invalid = "Invalid Open ID Connect Provider URL"
	const unnamed = "InvalidInputException: "
	for url, want := range map[string]string{
		"https://a.example.com":              "a.example.com",
		"https://b.example.com/path/":        "b.example.com/path/",
		"https://b.example.com/path":         "b.example.com/path",
		"https://c.example.com:443":          "c.example.com",
		"https://c.example.com:443/x":        "c.example.com/x",
		"https://D.EXAMPLE.COM/MixedCase":    "D.EXAMPLE.COM/MixedCase",
		"https://e.example.com:8443/realm/x": "e.example.com:8443/realm/x",
		"https://f.example.com/?q=value":     unnamed,
		"https://f.example.com/#fragment":    unnamed,
		"https://f.example.com/?":            unnamed,
		"http://g.example.com":               invalid,
		"g.example.com":                      invalid,
		"https://":                           invalid,
		"https:///path":                      invalid,
		"https://user:pw@h.example.com":      invalid,
		"https://*.example.com":              invalid,
		"https://h.example.com/a b":          invalid,
		"https://h.example.com/${aws:x}":     invalid,
		"https://h.example.com/\u00e9":       invalid,
		"https://h.example.com/%zz":          invalid,
	} {
		out := ""
		got := try(p, p.root, iam.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{Url: url})
		if got == "" {
			arn := "arn:aws:iam::111122223333:oidc-provider/" + want
			out = *call(p, p.root, iam.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}).Url
		} else {
			out = got
		}
		if out != want {
			t.Errorf("%s: %s, want %s", url, out, want)
		}
	}
}

func TestOIDCProvider(t *testing.T) {
	p := newPlane(t, func(o *Options) { o.Quotas.OIDCProviders = 2 })
	root := p.root
	print := strings.Repeat("A", 40)
	create := func(name string, clients, prints []string) string {
		return try(p, root, iam.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
			Url: "https://" + name, ClientIDList: clients, ThumbprintList: prints, Tags: []iam.Tag{{Key: "key", Value: "1"}, {Key: "Key", Value: "2"}}})
	}
	if got := create("idp.example.com", []string{"z", "a", "z"}, []string{print, strings.ToLower(print)}); got != "" {
		t.Fatal(got)
	}
	arn := "arn:aws:iam::111122223333:oidc-provider/idp.example.com"
	get := func() *iam.GetOpenIDConnectProviderOutput {
		return call(p, root, iam.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	}
	got := get()
	if !slices.Equal(got.ClientIDList, []string{"z", "a"}) || !slices.Equal(got.ThumbprintList, []string{strings.ToLower(print), strings.ToLower(print)}) ||
		!slices.Equal(got.Tags, []iam.Tag{{Key: "Key", Value: "2"}, {Key: "key", Value: "1"}}) {
		t.Errorf("Get = %v %v %v", got.ClientIDList, got.ThumbprintList, got.Tags)
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("c", i)
	}
	six := slices.Repeat([]string{print}, 6)
	other := strings.Replace(arn, "idp", "none", 1)
	foreign := strings.Replace(arn, "111122223333", "999988887777", 1)
	for _, c := range []struct{ name, got, want string }{
		{"twice", create("idp.example.com", nil, nil), "EntityAlreadyExistsException: Provider with url https://idp.example.com already exists."},
		{"six thumbprints", create("x.example.com", nil, six), "InvalidInputException: Thumbprint list must contain fewer than 5 entries."},
		{"101 clients", create("x.example.com", many, nil), "LimitExceededException: Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"},
		{"100 clients", create("x.example.com", many[:100], nil), ""},
		{"a third provider", create("y.example.com", nil, nil), "LimitExceededException: Cannot exceed quota for OpenIdConnectProvidersPerAccount: 2"},
		{"add a client again", try(p, root, iam.AddClientIDToOpenIDConnectProvider, &iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: "a"}), ""},
		{"remove a client that isn't there", try(p, root, iam.RemoveClientIDFromOpenIDConnectProvider, &iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: "b"}), ""},
		{"remove one", try(p, root, iam.RemoveClientIDFromOpenIDConnectProvider, &iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: "z"}), ""},
		{"no thumbprint", try(p, root, iam.UpdateOpenIDConnectProviderThumbprint, &iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn, ThumbprintList: []string{}}), "InvalidInputException: Thumbprint list must contain at least one entry."},
		{"get none", try(p, root, iam.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: other}), "NoSuchEntityException: OpenIDConnect Provider not found for arn " + other},
		{"get another account's", try(p, root, iam.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: foreign}), "User: arn:aws:iam::111122223333:root is not authorized to perform: iam:GetOpenIDConnectProvider on resource: " + foreign + " because no resource-based policy allows the iam:GetOpenIDConnectProvider action"},
		{"delete none", try(p, root, iam.DeleteOpenIDConnectProvider, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: other}), "NoSuchEntityException: OpenId connect Provider " + other + " cannot be found."},
		{"get by no ARN", try(p, root, iam.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: "idp.example.com/abcdefg"}), "Invalid ARN:  Could not be parsed!"},
		{"get a SAML provider", try(p, root, iam.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: strings.Replace(arn, "oidc", "saml", 1)}), "Invalid ARN:  Could not be parsed!"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	if got := get().ClientIDList; !slices.Equal(got, []string{"a"}) {
		t.Errorf("client ids %v", got)
	}
	if n := call(p, root, iam.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap["Providers"]; n != 2 {
		t.Errorf("%d providers", n)
	}
	var arns []string
	for _, x := range call(p, root, iam.ListOpenIDConnectProviders, &iam.ListOpenIDConnectProvidersInput{}).OpenIDConnectProviderList {
		arns = append(arns, *x.Arn)
	}
	if !slices.Equal(arns, []string{arn, strings.Replace(arn, "idp", "x", 1)}) {
		t.Errorf("list %v", arns)
	}
	// A right over a provider of some tag is over no other.
	who := delegate(p, "d", `{"Effect":"Allow","Action":"iam:DeleteOpenIDConnectProvider","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/key":"2"}}}`)
	if got := try(p, who, iam.DeleteOpenIDConnectProvider, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}); !strings.Contains(got, "is not authorized to perform: iam:DeleteOpenIDConnectProvider on resource: "+arn) {
		t.Errorf("delete by tag: %s", got)
	}
	call(p, root, iam.DeleteOpenIDConnectProvider, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
}
