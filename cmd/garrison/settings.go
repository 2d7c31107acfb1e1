package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/garrison-security/garrison/blob/bucket"
	"github.com/garrison-security/garrison/front"
	"github.com/garrison-security/garrison/keyring"
	"github.com/garrison-security/garrison/store/postgres"
)

// configPath is the path of a configuration file.
type configPath string

// House is where an installation is: what every subcommand that needs the
// store is told. The tags are the manual.
type House struct {
	Data    string     `help:"Directory of the installation; by default ./garrison-data." default:"./garrison-data" env:"GARRISON_DATA" placeholder:"DIR"`
	Engine  string     `help:"Store: pebble (in DIR/store), the default; postgres://…, a database that several nodes may share; or mem, which keeps nothing." default:"pebble" env:"GARRISON_ENGINE" placeholder:"ENGINE"`
	Blobs   string     `help:"Bucket of an object store for objects too large for the store, which several nodes may share: s3://BUCKET[/PREFIX][?region=REGION&endpoint=URL]; by default they lie in DIR/blob, and with postgres S3 is not served without." env:"GARRISON_BLOBS" placeholder:"URL"`
	RootKey string     `help:"File of the root key; by default DIR/root.key. GARRISON_ROOT_PASSPHRASE in the environment takes its place." env:"GARRISON_ROOT_KEY" placeholder:"FILE"`
	Config  configPath `help:"Configuration file: YAML, each line a flag's name and value." env:"GARRISON_CONFIG" placeholder:"FILE"`
}

// Settings are what serve is told. A zero value is usable.
type Settings struct {
	House
	Listen      []string `help:"Addresses to serve on, HTTP and HTTPS both; by default 127.0.0.1:4566 and [::1]:4566. Port 0 picks a free one." env:"GARRISON_LISTEN" placeholder:"HOST:PORT"`
	AdminListen []string `help:"Further addresses, for metrics and the console." env:"GARRISON_ADMIN_LISTEN" placeholder:"HOST:PORT"`
	Account     string   `help:"Id of the account that a first start makes; by default a random one." env:"GARRISON_ACCOUNT" placeholder:"ID"`

	Partition string   `help:"Partition of the installation: aws, which is the default, aws-cn, aws-us-gov or aws-eusc. It is chosen at the first start." env:"GARRISON_PARTITION" placeholder:"NAME"`
	Region    []string `help:"Regions to serve; by default all of the partition." env:"GARRISON_REGION" placeholder:"REGION"`

	EndpointNames  []string `help:"Host names that clients reach the endpoint by: they stand in the certificate that is made, and buckets are addressed as BUCKET.NAME." env:"GARRISON_ENDPOINT_NAMES" placeholder:"NAME"`
	TrustedProxies []string `help:"Networks of load balancers and proxies, whose PROXY protocol (version 2) or X-Forwarded-For and X-Forwarded-Proto say where a call comes from; by default none." env:"GARRISON_TRUSTED_PROXIES" placeholder:"NETWORK"`

	PlainHTTP      string   `name:"plain-http" help:"Who may speak plain HTTP: loopback, proxies (loopback and the trusted ones), anyone or nobody; by default loopback, with tls-client-ca nobody." env:"GARRISON_PLAIN_HTTP" placeholder:"WHO"`
	TLSCertificate string   `name:"tls-certificate" help:"Certificate chain, PEM; by default one is made, and its authority written to DIR/ca.pem." env:"GARRISON_TLS_CERTIFICATE" placeholder:"FILE"`
	TLSKey         string   `name:"tls-key" help:"Key of the certificate, PEM." env:"GARRISON_TLS_KEY" placeholder:"FILE"`
	TLSName        []string `name:"tls-name" help:"Further names and addresses for the certificate that is made." env:"GARRISON_TLS_NAME" placeholder:"NAME"`
	TLSClientCA    string   `name:"tls-client-ca" help:"Authorities of clients' certificates, PEM: every TLS client needs one of theirs." env:"GARRISON_TLS_CLIENT_CA" placeholder:"FILE"`

	MetricsToken string   `help:"File of a token: whoever bears it may read the metrics. GARRISON_METRICS_BEARER in the environment may hold it instead." env:"GARRISON_METRICS_TOKEN" placeholder:"FILE"`
	Limits       string   `help:"Rates of calls: none, or aws for those that AWS documents." default:"none" enum:"none,aws" env:"GARRISON_LIMITS"`
	Rate         []string `help:"Rate of an operation's calls by one account: iam:CreateUser=5, or iam:*=5/20 with twenty at once." env:"GARRISON_RATE" placeholder:"WHAT=RATE"`
	Quota        []string `help:"Count that an account may reach, instead of AWS's default: iam:Users=10000, or 123456789012/iam:Users=10000." env:"GARRISON_QUOTA" placeholder:"WHAT=N"`
	MinFree      int      `help:"Free space, in percent, below which calls are refused; by default 5." default:"5" env:"GARRISON_MIN_FREE" placeholder:"PERCENT"`

	HSM         []string `name:"hsm" help:"Tokens of hardware security modules, for custom key stores of type AWS_CLOUDHSM: CLUSTER-ID=pkcs11:token=LABEL?module-path=FILE." env:"GARRISON_HSM" placeholder:"CLUSTER-ID=URI"`
	HSMHelper   string   `name:"hsm-helper" help:"Program that loads the modules; by default garrison-pkcs11 beside this one." env:"GARRISON_HSM_HELPER" placeholder:"FILE"`
	HSMVariable []string `name:"hsm-variable" help:"Variables of the environment that modules are told; by default none." env:"GARRISON_HSM_VARIABLE" placeholder:"NAME"`

	XKSProxy   []string      `name:"xks-proxy" help:"Hosts of external key store proxies that may be reached: NAME, on port 443, or NAME=HOST:PORT; by default none." env:"GARRISON_XKS_PROXY" placeholder:"NAME"`
	XKSProxyCA string        `name:"xks-proxy-ca" help:"Authorities of these proxies' certificates, PEM; by default the system's." env:"GARRISON_XKS_PROXY_CA" placeholder:"FILE"`
	XKSTimeout time.Duration `name:"xks-timeout" help:"How long such a proxy may take to answer; by default 250ms, as AWS documents." default:"250ms" env:"GARRISON_XKS_TIMEOUT" placeholder:"TIME"`

	MaxConnections          int           `help:"Connections open at once; by default 4096." default:"4096" env:"GARRISON_MAX_CONNECTIONS" placeholder:"N"`
	MaxConnectionsPerSource int           `help:"Of these, from one address; by default 2048." default:"2048" env:"GARRISON_MAX_CONNECTIONS_PER_SOURCE" placeholder:"N"`
	DrainNotice             time.Duration `help:"How long health tells of the end after SIGTERM before new connections are refused, for load balancers; by default not at all." default:"0s" env:"GARRISON_DRAIN_NOTICE" placeholder:"TIME"`
	Drain                   time.Duration `help:"How long calls under way may take to end after SIGTERM; by default 20s." default:"20s" env:"GARRISON_DRAIN" placeholder:"TIME"`

	LogLevel  string `help:"Least level logged: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"GARRISON_LOG_LEVEL"`
	LogFormat string `help:"Form of the log: text, json, or auto, which is text on a terminal." default:"auto" enum:"auto,text,json" env:"GARRISON_LOG_FORMAT"`
}

var (
	accountID   = regexp.MustCompile(`^[0-9]{12}$`)
	hostName    = regexp.MustCompile(`^(?i)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$`)
	defaultTo   = []string{"127.0.0.1:4566", "[::1]:4566"}
	engineNames = []string{"pebble", "mem"}
)

// fault is what is wrong with one setting.
type fault struct {
	setting string // the flag's name
	text    string
}

func (f fault) Error() string { return "--" + f.setting + ": " + f.text }

// faults are what is wrong with a house, whatever is asked of it.
func (h *House) faults() (all []fault) {
	if h.Data == "" {
		all = append(all, fault{"data", "names no directory"})
	}
	if postgres.IsURL(h.Engine) {
		if err := postgres.CheckURL(h.Engine); err != nil {
			all = append(all, fault{"engine", err.Error()})
		}
	} else if !slices.Contains(engineNames, h.Engine) {
		name, _, _ := strings.Cut(h.Engine, ":") // beyond it a password may stand
		all = append(all, fault{"engine", fmt.Sprintf("%q is no engine; there are pebble, postgres://… and mem", name)})
	}
	if _, err := bucket.Parse(h.Blobs); h.Blobs != "" && err != nil {
		all = append(all, fault{"blobs", err.Error()})
	} else if h.Blobs != "" && h.Engine == "mem" {
		all = append(all, fault{"blobs", "the engine mem keeps nothing: what it left there would be nobody's"})
	}
	return all
}

// faults are all that is wrong with the settings, files they name included.
func (s *Settings) faults() []fault {
	all := s.House.faults()
	add := func(setting, format string, args ...any) {
		all = append(all, fault{setting, fmt.Sprintf(format, args...)})
	}
	for name, list := range map[string][]string{"listen": s.Listen, "admin-listen": s.AdminListen} {
		for _, address := range list {
			if _, _, err := splitAddress(address); err != nil {
				add(name, "%v", err)
			}
		}
	}
	if s.Account != "" && !accountID.MatchString(s.Account) {
		add("account", "%q is not 12 digits", s.Account)
	}
	if s.Partition != "" && firstRegions[s.Partition] == "" {
		add("partition", "no partition is called %q", s.Partition)
	}
	if (s.TLSCertificate == "") != (s.TLSKey == "") {
		add("tls-certificate", "certificate and key go together: give tls-certificate and tls-key")
	}
	if _, err := s.plain(); err != nil {
		add("plain-http", "%v", err)
	}
	for name, path := range map[string]string{
		"tls-certificate": s.TLSCertificate, "tls-key": s.TLSKey, "tls-client-ca": s.TLSClientCA, "metrics-token": s.MetricsToken,
	} {
		if path == "" {
			continue
		}
		if _, err := os.ReadFile(path); err != nil {
			add(name, "%v", err)
		} else if _, err := readToken(path); err != nil && name == "metrics-token" {
			add(name, "%s %v", path, err)
		}
	}
	if _, err := s.metricsToken(); err != nil && s.MetricsToken == "" {
		add("metrics-token", bearerVariable+" %v", err)
	}
	if s.DrainNotice < 0 || s.Drain < 0 {
		add("drain", "a time can't be negative")
	}
	if _, err := s.proxies(); err != nil {
		add("trusted-proxies", "%v", err)
	}
	for _, name := range s.EndpointNames {
		if !hostName.MatchString(name) || len(name) > 253 {
			add("endpoint-names", "%q is not a host's name", name)
		}
	}
	s.hsmFaults(add)
	s.xksFaults(add)
	if _, err := s.rates(); err != nil {
		add("rate", "%v", err)
	}
	if _, _, err := s.quotas(); err != nil {
		add("quota", "%s", oneLine(err))
	}
	if s.MinFree < 0 || s.MinFree > 99 {
		add("min-free", "%d is not between 0 and 99", s.MinFree)
	}
	if s.MaxConnections < 1 {
		add("max-connections", "%d is less than 1", s.MaxConnections)
	}
	if s.MaxConnectionsPerSource < 1 {
		add("max-connections-per-source", "%d is less than 1", s.MaxConnectionsPerSource)
	}
	slices.SortStableFunc(all, func(a, b fault) int { return strings.Compare(a.setting, b.setting) })
	return all
}

// cautions are what may be meant, and yet should be known.
func (s *Settings) cautions() (all []string) {
	if s.Engine == "pebble" && s.RootKey == "" && os.Getenv(keyring.PassphraseVariable) == "" {
		all = append(all, "the root key lies in the data directory, beside what it seals: who copies all of "+s.Data+
			" can read it. Keep the key elsewhere with --root-key, or give a passphrase in "+keyring.PassphraseVariable+".")
	}
	if s.Engine == "pebble" && s.RootKey != "" && within(s.RootKey, s.Data) {
		all = append(all, "the root key lies inside the data directory, beside what it seals.")
	}
	if s.PlainHTTP == "anyone" {
		all = append(all, "plain HTTP is served to anyone: what calls and answers hold, new secret keys included, can be read on the network.")
	}
	networks, _ := s.proxies()
	for _, network := range networks {
		if network.Bits() == 0 {
			all = append(all, "trusted-proxies "+network.String()+" lets anyone claim any source address.")
		}
	}
	if s.PlainHTTP == "proxies" && len(networks) == 0 {
		all = append(all, "plain-http proxies names no more than loopback while trusted-proxies is empty.")
	}
	if postgres.IsURL(s.Engine) && s.Blobs == "" {
		all = append(all, "S3 is not served: "+noBlobs+".")
	}
	if s.Engine == "mem" {
		all = append(all, "the engine mem keeps nothing: every start is a first start.")
	}
	return all
}

func within(path, dir string) bool {
	path, err1 := filepath.Abs(path)
	dir, err2 := filepath.Abs(dir)
	if err1 != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func (s *Settings) plain() (front.Plain, error) {
	switch s.PlainHTTP {
	case "":
		if s.TLSClientCA != "" {
			return front.PlainNobody, nil
		}
		return front.PlainLoopback, nil
	case "loopback":
		return front.PlainLoopback, nil
	case "proxies":
		return front.PlainProxies, nil
	case "anyone":
		return front.PlainAnyone, nil
	case "nobody":
		return front.PlainNobody, nil
	}
	return 0, fmt.Errorf("%q is none of loopback, proxies, anyone and nobody", s.PlainHTTP)
}

// proxies are the networks of --trusted-proxies; an address stands for itself.
func (s *Settings) proxies() (networks front.Proxies, err error) {
	for _, text := range s.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if a, err2 := netip.ParseAddr(text); err2 == nil {
			network, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || network.Addr().Is4In6() || network.Addr().Zone() != "" {
			return nil, fmt.Errorf("%q is no network, such as 192.0.2.0/24, and no address", text)
		}
		if network != network.Masked() {
			return nil, fmt.Errorf("%q is no network: %s is", text, network.Masked())
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// splitAddress takes HOST:PORT apart. The host may be empty, for every address.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not HOST:PORT", address)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q has no port between 0 and 65535", address)
	}
	return host, int(number), nil
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// unspecified says whether a host means every address of the machine.
func unspecified(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}
