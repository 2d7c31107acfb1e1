package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/garrison-security/garrison/service/kms/xks"
)

// xksHosts are the hosts of --xks-proxy, each with the address under which it
// is reached; "" for its own, on port 443.
func (s *Settings) xksHosts() (map[string]string, error) {
	hosts := map[string]string{}
	for _, text := range s.XKSProxy {
		name, address, given := strings.Cut(text, "=")
		if !hostName.MatchString(name) || len(name) > 253 {
			return nil, fmt.Errorf("%q is not a host's name, or a name and an address as in xks.example.com=10.1.2.3:8443", text)
		}
		if host, port, err := splitAddress(address); given && (err != nil || host == "" || port == 0) {
			return nil, fmt.Errorf("%q has no address that can be connected to", text)
		}
		hosts[strings.ToLower(name)] = address
	}
	return hosts, nil
}

// xksRoots are the authorities of --xks-proxy-ca; nil for the system's.
func (s *Settings) xksRoots() (*x509.CertPool, error) {
	if s.XKSProxyCA == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.XKSProxyCA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New(s.XKSProxyCA + " holds no certificate")
	}
	return roots, nil
}

// xksFaults are what is wrong with the settings of external key stores.
func (s *Settings) xksFaults(add func(setting, format string, args ...any)) {
	if _, err := s.xksHosts(); err != nil {
		add("xks-proxy", "%v", err)
	}
	if _, err := s.xksRoots(); err != nil {
		add("xks-proxy-ca", "%v", err)
	}
	if s.XKSTimeout <= 0 || s.XKSTimeout > 10*time.Second {
		add("xks-timeout", "%s is not between 0 and 10s", s.XKSTimeout)
	}
}

// xksClient reaches the proxies of external key stores.
func (s *Settings) xksClient() (*xks.Client, error) {
	hosts, err := s.xksHosts()
	if err != nil {
		return nil, err
	}
	roots, err := s.xksRoots()
	if err != nil {
		return nil, err
	}
	return xks.New(xks.Options{Hosts: hosts, Roots: roots, Timeout: s.XKSTimeout, Clock: time.Now}), nil
}
