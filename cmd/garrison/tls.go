package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/garrison-security/garrison/front"
)

// tls is how the server speaks TLS: with the certificate it was given, or one
// of its own authority, whose certificate is written to ca.pem.
func (s *server) tls() (*tls.Config, error) {
	var clients *x509.CertPool
	if path := s.settings.TLSClientCA; path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError{fmt.Errorf("--tls-client-ca: %w", err)}
		}
		if clients = x509.NewCertPool(); !clients.AppendCertsFromPEM(text) {
			return nil, usageError{fmt.Errorf("--tls-client-ca: %s holds no certificate", path)}
		}
	}
	if s.settings.TLSCertificate != "" {
		files, err := front.CertificateFiles(s.settings.TLSCertificate, s.settings.TLSKey, time.Now)
		if err != nil {
			return nil, usageError{fmt.Errorf("--tls-certificate: %w", err)}
		}
		return front.TLSConfig(files, clients), nil
	}
	authority, err := front.ParseAuthority(s.house.Authority, s.house.AuthorityKey)
	if err != nil {
		return nil, fmt.Errorf("the installation's certificate authority: %w", err)
	}
	path := s.house.dir.authority()
	if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, authority.PEM()) {
		if err := replaceFile(path, authority.PEM(), 0o644); err != nil {
			return nil, err
		}
	}
	return front.TLSConfig(authority.Certificates(s.names(), time.Now), clients), nil
}

// names are what the server may be called by.
func (s *server) names() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	for _, address := range slices.Concat(s.settings.Listen, s.settings.AdminListen) {
		if host, _, err := net.SplitHostPort(address); err == nil && !unspecified(host) {
			names = append(names, host)
		}
	}
	for _, name := range s.settings.EndpointNames {
		names = append(names, strings.ToLower(name), "*."+strings.ToLower(name))
	}
	names = append(names, s.settings.TLSName...)
	slices.Sort(names)
	return slices.Compact(names)
}
