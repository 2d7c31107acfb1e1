package gateway

import (
	"crypto/tls"
	"strings"
)

// tlsNames are protocol version and cipher suite as CloudTrail names them.
func tlsNames(state *tls.ConnectionState) (version, cipher string) {
	version = strings.Replace(tls.VersionName(state.Version), "TLS ", "TLSv", 1)
	return version, tls.CipherSuiteName(state.CipherSuite)
}
