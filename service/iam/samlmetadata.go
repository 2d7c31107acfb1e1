package iam

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"io"
	"strings"
)

const (
	metadataSpace = "urn:oasis:names:tc:SAML:2.0:metadata"
	signedSpace   = "http://www.w3.org/2000/09/xmldsig#"
	metadataDepth = 64
)

// checkMetadata tells whether a text is the metadata of one or more identity
// providers (SAML 2.0 Metadata, 2.3 and 2.4): an EntityDescriptor, or an
// EntitiesDescriptor around such, that describes at least one issuer of
// assertions. A document type is refused, since it could make entities.
// Whether its certificates can verify anything shows when one is used.
//
// https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
func checkMetadata(text string) error {
	unreadable := invalidInput("Could not parse metadata")
	d := xml.NewDecoder(strings.NewReader(text))
	issuers, ended, certificate := 0, false, false
	var open []xml.Name
	var inside strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return unreadable
		}
		switch token := token.(type) {
		case xml.Directive:
			return unreadable
		case xml.StartElement:
			if ended || len(open) == metadataDepth || certificate {
				return unreadable
			}
			name := token.Name
			entity := name.Space == metadataSpace && (name.Local == "EntityDescriptor" || name.Local == "EntitiesDescriptor")
			if len(open) == 0 && !entity {
				return unreadable
			}
			if name.Space == metadataSpace && name.Local == "IDPSSODescriptor" && len(open) > 0 && open[len(open)-1].Local == "EntityDescriptor" {
				issuers++
			}
			certificate = name.Space == signedSpace && name.Local == "X509Certificate"
			inside.Reset()
			open = append(open, name)
		case xml.CharData:
			if certificate {
				inside.Write(token)
			}
		case xml.EndElement:
			if certificate && !isBase64(inside.String()) {
				return unreadable
			}
			certificate = false
			open = open[:len(open)-1]
			ended = len(open) == 0
		}
	}
	switch {
	case !ended:
		return unreadable
	case issuers == 0:
		return invalidInput("SAML Providers must reference at least one SAML assertion issuer.")
	}
	return nil
}

// isBase64 tells whether an element's text is base64 of something, with white space between.
func isBase64(text string) bool {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	return err == nil && len(b) > 0
}

// isPrivateKey tells whether a text is one private key, unencrypted, in PEM.
func isPrivateKey(text string) bool {
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 || len(block.Headers) > 0 {
		return false
	}
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		_, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		_, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		_, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return false
	}
	return err == nil
}
