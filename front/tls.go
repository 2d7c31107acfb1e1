package front

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"

	"golang.org/x/sys/cpu"
)

// suites12 are the TLS 1.2 suites that FIPS 140-3 approves and that keep past
// traffic closed when a key leaks (NIST SP 800-52r2, 3.3.1).
var suites12 = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

var curves = []tls.CurveID{
	tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024,
	tls.CurveP256, tls.CurveP384, tls.CurveP521,
}

// TLSConfig is TLS 1.2 and up with approved suites and curves alone. With
// clients, a connection needs a certificate that they signed.
func TLSConfig(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), clients *x509.CertPool) *tls.Config {
	c := &tls.Config{
		GetCertificate:   certificate,
		MinVersion:       tls.VersionTLS12,
		CipherSuites:     suites12,
		CurvePreferences: curves,
		NextProtos:       []string{"h2", "http/1.1"},
	}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	// crypto/tls has no list of suites for TLS 1.3, and there may take ChaCha20-Poly1305, which is not
	// approved. A client with which it would is served TLS 1.2; should it come to it all the same, refused.
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if state.CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
			return errSuite
		}
		return nil
	}
	capped := c.Clone()
	capped.MaxVersion = tls.VersionTLS12
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.CipherSuites, tls.TLS_CHACHA20_POLY1305_SHA256) && !prefersAES(hello.CipherSuites) {
			return capped, nil
		}
		return nil, nil
	}
	return c
}

var errSuite = errors.New("front: a suite that is not approved")

// prefersAES says whether crypto/tls will take AES: where the processor has
// instructions for it and the first suite it knows of the client's is of AES.
func prefersAES(offered []uint16) bool {
	if !fastAES {
		return false
	}
	for _, suite := range offered {
		if slices.Contains(suitesAES13, suite) || slices.Contains(suites12, suite) {
			return true
		}
		if slices.Contains(knownSuites, suite) {
			return false
		}
	}
	return false
}

var (
	suitesAES13 = []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384}
	knownSuites = suiteIDs(tls.CipherSuites(), tls.InsecureCipherSuites())
	fastAES     = cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3 ||
		cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
)

func suiteIDs(lists ...[]*tls.CipherSuite) (ids []uint16) {
	for _, suite := range slices.Concat(lists...) {
		ids = append(ids, suite.ID)
	}
	return ids
}
