package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// IsURL tells whether a name of an engine means this one.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// CheckURL tells what is wrong with a database's URL. It connects to nothing.
func CheckURL(url string) error {
	_, err := parse(url)
	return err
}

// settings are what every connection asks of the database.
//
// A commit is acknowledged when it is on disk, whatever the database's default.
// Statements of the committer have no time limit of the server's: one that
// struck while a commit waits for its standby would make it look done. Tables
// are small at first, and a sequential scan in a serialisable transaction
// counts as having read all of one. The one join is of a group's keys, each
// looked up by itself.
var settings = map[string]string{
	"application_name":                    "garrison",
	"client_encoding":                     "UTF8",
	"enable_hashjoin":                     "off",
	"enable_mergejoin":                    "off",
	"enable_seqscan":                      "off",
	"idle_in_transaction_session_timeout": "10000",
	"lock_timeout":                        "5000",
	"statement_timeout":                   "0",
	"synchronous_commit":                  "on",
}

// parse reads a URL, or the reason why it is not fit. No message holds the password.
func parse(url string) (*pgconn.Config, error) {
	if !IsURL(url) {
		return nil, errors.New("not a URL that begins postgres://")
	}
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database's URL: %w", err)
	}
	for name, value := range settings {
		config.RuntimeParams[name] = value
	}
	if config.TLSConfig != nil {
		config.TLSConfig.MinVersion = tls.VersionTLS12
	}
	if err := private(config.Host, config.TLSConfig); err != nil {
		return nil, err
	}
	for _, f := range config.Fallbacks {
		if f.TLSConfig != nil {
			f.TLSConfig.MinVersion = tls.VersionTLS12
		}
		if err := private(f.Host, f.TLSConfig); err != nil {
			return nil, err
		}
	}
	if config.ValidateConnect == nil { // a standby would refuse every write
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.ConnectTimeout = connectTime
	config.MaxProtocolMessageBodyLen = 256 << 20
	dial := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial.DialContext(ctx, network, address)
	}
	return config, nil
}

// private refuses to speak in the clear to a host that is not this machine.
func private(host string, with *tls.Config) error {
	if with != nil || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		return nil
	}
	return fmt.Errorf("the database's URL: sslmode lets the connection to %s be in the clear; "+
		"give sslmode=verify-full (or verify-ca, or require), disable is for this machine alone", host)
}
