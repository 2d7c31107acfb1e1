package xks

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// Metadata tells a proxy why it is asked, for its own log and its own rules.
type Metadata struct {
	PrincipalARN string `json:"awsPrincipalArn,omitempty"`
	KeyARN       string `json:"kmsKeyArn,omitempty"`
	Operation    string `json:"kmsOperation"`
	RequestID    string `json:"kmsRequestId"`
	ViaService   string `json:"kmsViaService,omitempty"`
}

type question struct {
	Metadata Metadata `json:"requestMetadata"`
}

// Bounds of the specification.
const (
	// MaxPlaintext is the longest plaintext that every proxy encrypts, in bytes.
	MaxPlaintext = 4300
	metadataSize = 20 // of a ciphertext's metadata, in bytes, at most
	tagSize      = 16 // bytes
	managers     = 10 // behind one proxy, at most
	usages       = 10 // of a key, at most
)

// Health asks whether the proxy and at least one of the external key managers behind it serve.
func (c *Client) Health(ctx context.Context, p *Proxy, m Metadata) error {
	var out struct {
		FleetSize int                             `json:"xksProxyFleetSize"`
		Vendor    string                          `json:"xksProxyVendor"`
		Model     string                          `json:"xksProxyModel"`
		Manager   string                          `json:"ekmVendor"`
		Fleet     []struct{ HealthStatus string } `json:"ekmFleetDetails"`
	}
	if err := c.post(ctx, p, "/health", question{m}, &out); err != nil {
		return err
	}
	if out.FleetSize < 1 || len(out.Fleet) < 1 || len(out.Fleet) > managers {
		return Malformed
	}
	serving := false
	for _, manager := range out.Fleet {
		switch manager.HealthStatus {
		case "ACTIVE", "DEGRADED":
			serving = true
		case "UNAVAILABLE":
		default:
			return Malformed
		}
	}
	if !serving {
		return Unavailable
	}
	return nil
}

// CheckKey asks whether an external key is one that a KMS key can be made of:
// AES-256, enabled, for encryption and decryption. WrongKey says that it is not.
func (c *Client) CheckKey(ctx context.Context, p *Proxy, key string, m Metadata) error {
	var out struct {
		KeySpec   string
		KeyUsage  []string
		KeyStatus string
	}
	if err := c.post(ctx, p, "/keys/"+key+"/metadata", question{m}, &out); err != nil {
		return err
	}
	if out.KeySpec == "" || out.KeyStatus == "" || len(out.KeyUsage) > usages {
		return Malformed
	}
	if out.KeySpec != "AES_256" || out.KeyStatus != "ENABLED" || !slices.Contains(out.KeyUsage, "ENCRYPT") || !slices.Contains(out.KeyUsage, "DECRYPT") {
		return WrongKey
	}
	return nil
}

// Encrypt encrypts with an external key. What it answers Decrypt opens:
//
//	0  1  length of the ciphertext's metadata
//	1  1  length of the initialization vector
//	2  …  metadata, initialization vector, authentication tag (16 bytes), ciphertext
//
// The proxy is asked for a hash over its answer and the additional data, which
// tells an answer that was garbled on its way before its plaintext is let go.
func (c *Client) Encrypt(ctx context.Context, p *Proxy, key string, m Metadata, plaintext, additional []byte) ([]byte, error) {
	in := struct {
		question
		Plaintext  []byte `json:"plaintext"`
		Algorithm  string `json:"encryptionAlgorithm"`
		Additional []byte `json:"additionalAuthenticatedData"`
		Integrity  string `json:"ciphertextDataIntegrityValueAlgorithm"`
	}{question{m}, plaintext, "AES_GCM", additional, "SHA_256"}
	var out struct {
		Ciphertext []byte `json:"ciphertext"`
		Metadata   []byte `json:"ciphertextMetadata"`
		IV         []byte `json:"initializationVector"`
		Tag        []byte `json:"authenticationTag"`
		Integrity  []byte `json:"ciphertextDataIntegrityValue"`
	}
	if err := c.post(ctx, p, "/keys/"+key+"/encrypt", in, &out); err != nil {
		return nil, err
	}
	if len(out.Ciphertext) != len(plaintext) || len(out.Metadata) > metadataSize || len(out.IV) != 12 && len(out.IV) != 16 || len(out.Tag) != tagSize {
		return nil, Malformed
	}
	sum := sha256.Sum256(slices.Concat(additional, out.Metadata, out.IV, out.Ciphertext, out.Tag))
	if subtle.ConstantTimeCompare(sum[:], out.Integrity) != 1 {
		return nil, Malformed
	}
	return slices.Concat([]byte{byte(len(out.Metadata)), byte(len(out.IV))}, out.Metadata, out.IV, out.Tag, out.Ciphertext), nil
}

// Decrypt decrypts what Encrypt answered.
func (c *Client) Decrypt(ctx context.Context, p *Proxy, key string, m Metadata, sealed, additional []byte) ([]byte, error) {
	in := struct {
		question
		Ciphertext []byte `json:"ciphertext"`
		Metadata   []byte `json:"ciphertextMetadata,omitempty"`
		Algorithm  string `json:"encryptionAlgorithm"`
		Additional []byte `json:"additionalAuthenticatedData"`
		IV         []byte `json:"initializationVector"`
		Tag        []byte `json:"authenticationTag"`
	}{question: question{m}, Algorithm: "AES_GCM", Additional: additional}
	if len(sealed) < 2 {
		return nil, InvalidCiphertext
	}
	metadata, iv, rest := int(sealed[0]), int(sealed[1]), sealed[2:]
	if metadata > metadataSize || iv != 12 && iv != 16 || len(rest) < metadata+iv+tagSize || len(rest)-metadata-iv-tagSize > MaxPlaintext {
		return nil, InvalidCiphertext
	}
	in.Metadata, rest = rest[:metadata], rest[metadata:]
	in.IV, rest = rest[:iv], rest[iv:]
	in.Tag, in.Ciphertext = rest[:tagSize], rest[tagSize:]
	var out struct {
		Plaintext []byte `json:"plaintext"`
	}
	if err := c.post(ctx, p, "/keys/"+key+"/decrypt", in, &out); err != nil {
		return nil, err
	}
	if len(out.Plaintext) != len(in.Ciphertext) {
		return nil, Malformed
	}
	return out.Plaintext, nil
}
