package front

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTLSVersionsAndSuites(t *testing.T) {
	r := start(t, Config{})
	for _, c := range []struct {
		name    string
		client  *tls.Config
		version uint16 // 0: refused
	}{
		{"a client of today", &tls.Config{}, tls.VersionTLS13},
		{"TLS 1.2 with AES-GCM", &tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS12},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		{"ChaCha20 alone", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}}, 0},
		{"CBC alone", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, 0},
		{"X25519 alone", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, 0},
	} {
		c.client.RootCAs = r.roots
		conn, err := tls.Dial("tcp", r.addr, c.client)
		if err != nil {
			if c.version != 0 {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		state := conn.ConnectionState()
		conn.Close()
		if state.Version != c.version {
			t.Errorf("%s: got %s", c.name, tls.VersionName(state.Version))
		}
	}
}

// TestAClientThatPrefersChaCha20IsServedAES shows the choice itself, since
// crypto/tls as a client does not let its order be set.
func TestAClientThatPrefersChaCha20IsServedAES(t *testing.T) {
	config := TLSConfig(nil, nil)
	for _, c := range []struct {
		name    string
		offered []uint16
		capped  bool
	}{
		{"AES first", []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_CHACHA20_POLY1305_SHA256}, !fastAES},
		{"ChaCha20 first", []uint16{tls.TLS_CHACHA20_POLY1305_SHA256, tls.TLS_AES_128_GCM_SHA256}, true},
		{"CBC first", []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_AES_128_GCM_SHA256, tls.TLS_CHACHA20_POLY1305_SHA256}, true},
		{"an unknown suite, then AES", []uint16{0x1a1a, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256}, !fastAES},
		{"no ChaCha20", []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_AES_128_GCM_SHA256}, false},
	} {
		got, err := config.GetConfigForClient(&tls.ClientHelloInfo{CipherSuites: c.offered})
		if err != nil || (got != nil) != c.capped {
			t.Errorf("%s: held to TLS 1.2: %t, want %t (%v)", c.name, got != nil, c.capped, err)
		}
		if got != nil && got.MaxVersion != tls.VersionTLS12 {
			t.Errorf("%s: held to %s", c.name, tls.VersionName(got.MaxVersion))
		}
	}
	if config.VerifyConnection(tls.ConnectionState{CipherSuite: tls.TLS_CHACHA20_POLY1305_SHA256}) == nil {
		t.Error("a connection that came to ChaCha20 all the same is served")
	}
}

func TestMutualTLS(t *testing.T) {
	server, clients := newAuthority(t), newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(clients.certificate)
	r := start(t, Config{TLS: TLSConfig(server.Certificates([]string{"127.0.0.1"}, time.Now), pool)})
	r.roots = x509.NewCertPool()
	r.roots.AddCert(server.certificate)

	if answer, err := r.client(nil).Get("https://" + r.addr); err == nil {
		answer.Body.Close()
		t.Error("a client without a certificate is served")
	}
	stranger, err := server.Issue([]string{"client"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := r.client(&tls.Config{Certificates: []tls.Certificate{*stranger}}).Get("https://" + r.addr); err == nil {
		answer.Body.Close()
		t.Error("a client with another authority's certificate is served")
	}
}

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthoritySurvivesMarshal(t *testing.T) {
	a := newAuthority(t)
	certificate, key, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseAuthority(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.PEM(), b.PEM()) {
		t.Error("the certificate changed")
	}
	_, other, _ := newAuthority(t).Marshal()
	if _, err := ParseAuthority(certificate, other); err == nil {
		t.Error("another key is taken for the certificate's")
	}
	leaf, err := b.Issue([]string{"localhost", "::1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	for _, name := range []string{"localhost", "::1"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	now := time.Now()
	get := newAuthority(t).Certificates([]string{"localhost"}, func() time.Time { return now })
	first, _ := get(nil)
	now = now.Add(certificateLife / 2)
	if second, _ := get(nil); second != first {
		t.Error("renewed at half its life")
	}
	now = now.Add(certificateLife / 4)
	third, _ := get(nil)
	if third == first || !third.Leaf.NotAfter.After(first.Leaf.NotAfter) {
		t.Error("not renewed at three quarters of its life")
	}
}

func TestCertificateFilesAreReadAgain(t *testing.T) {
	a, dir, now := newAuthority(t), t.TempDir(), time.Now()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func() *tls.Certificate {
		leaf, err := a.Issue([]string{"localhost"}, now)
		if err != nil {
			t.Fatal(err)
		}
		key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		for name, block := range map[string]*pem.Block{
			certFile: {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
		} {
			if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return leaf
	}
	serves := func(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), want *tls.Certificate) bool {
		got, err := get(nil)
		return err == nil && bytes.Equal(got.Certificate[0], want.Certificate[0])
	}
	if _, err := CertificateFiles(certFile, keyFile, time.Now); err == nil {
		t.Error("missing files are taken")
	}
	first := write()
	get, err := CertificateFiles(certFile, keyFile, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	second := write()
	if !serves(get, first) {
		t.Error("read again within a minute")
	}
	now = now.Add(time.Minute)
	if !serves(get, second) {
		t.Error("not read again after a minute")
	}
	if err := os.WriteFile(keyFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if !serves(get, second) {
		t.Error("a broken pair replaced a good one")
	}
}
