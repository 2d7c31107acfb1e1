package hsm

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/garrison-security/garrison/hsm/frame"
)

// Cluster says which token stands for a CloudHSM cluster.
type Cluster struct {
	ID        string // cluster-2a34b5cdefg
	Module    string // path of the PKCS #11 module
	Token     string // label
	Serial    string // serial number, where several tokens have the label; may be ""
	User      string // stands before the PIN, and a colon, as AWS CloudHSM's module wants it; may be ""
	IVFromHSM bool   // the token takes no IV of ours
}

// clusterID is the form of a CloudHSM cluster's id (CloudHSM API, Cluster).
var clusterID = regexp.MustCompile(`^cluster-[2-7a-zA-Z]{11,16}$`)

// ParseCluster reads a setting: CLUSTER-ID=URI. The URI is RFC 7512's, with the
// path attributes token and serial and the query attribute module-path, and two
// of ours: x-user=NAME and x-iv=hsm. A PIN in it is refused: that is the key
// store's password, which CreateCustomKeyStore brings.
func ParseCluster(text string) (Cluster, error) {
	id, uri, ok := strings.Cut(text, "=")
	if !ok || !clusterID.MatchString(id) {
		return Cluster{}, fmt.Errorf("%q does not begin with a cluster's id, as cluster-2a34b5cdefg=pkcs11:…", id)
	}
	rest, ok := strings.CutPrefix(uri, "pkcs11:")
	if !ok {
		return Cluster{}, fmt.Errorf("%s: a PKCS #11 URI is wanted, as pkcs11:token=NAME?module-path=FILE", id)
	}
	c := Cluster{ID: id}
	path, query, _ := strings.Cut(rest, "?")
	iv := ""
	if err := errors.Join(
		attributes(path, ";", map[string]*string{"token": &c.Token, "serial": &c.Serial}),
		attributes(query, "&", map[string]*string{"module-path": &c.Module, "x-user": &c.User, "x-iv": &iv}),
	); err != nil {
		return Cluster{}, fmt.Errorf("%s: %w", id, err)
	}
	switch {
	case c.Token == "" || len(c.Token) > 32:
		return Cluster{}, fmt.Errorf("%s: token names no token: its label has 1 to 32 bytes", id)
	case len(c.Serial) > 16:
		return Cluster{}, fmt.Errorf("%s: serial has more than 16 bytes", id)
	case !filepath.IsAbs(c.Module) || len(c.Module) > frame.MaxPath:
		return Cluster{}, fmt.Errorf("%s: module-path is not the whole path of a file", id)
	case iv != "" && iv != "hsm":
		return Cluster{}, fmt.Errorf("%s: x-iv is hsm, or is left out", id)
	case len(c.User) > 64 || strings.Contains(c.User, ":"):
		return Cluster{}, fmt.Errorf("%s: x-user is a name of at most 64 bytes, without a colon", id)
	}
	c.IVFromHSM = iv == "hsm"
	return c, nil
}

// attributes reads NAME=VALUE, percent-encoded, of names that are known, each once.
func attributes(text, between string, known map[string]*string) error {
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, between) {
		name, encoded, ok := strings.Cut(part, "=")
		to := known[name]
		if name == "pin-value" || name == "pin-source" {
			return errors.New("no PIN stands here: it is the password that the key store is made with")
		}
		if !ok || to == nil {
			return fmt.Errorf("%q is no attribute that is known here", name)
		}
		value, err := url.PathUnescape(encoded)
		if err != nil || value == "" || strings.ContainsRune(value, 0) {
			return fmt.Errorf("%s has no value, or one that is not percent-encoded", name)
		}
		if *to != "" {
			return fmt.Errorf("%s stands twice", name)
		}
		*to = value
	}
	return nil
}

// HelperName is the file name of the helper program.
const HelperName = "garrison-pkcs11"

// DefaultHelper is the helper that lies beside this program, or "".
func DefaultHelper() string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(program), HelperName)
}

// CheckFile says whether a module or a helper may be loaded: a file that
// nobody but its owner can have changed.
func CheckFile(path string) error {
	stat, err := os.Stat(path)
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", path, pathError.Err)
	}
	if err != nil {
		return err
	}
	if !stat.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	if runtime.GOOS != "windows" && stat.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be changed by others than its owner: chmod go-w it", path)
	}
	return nil
}

// variable is a name that may stand in a module's environment.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// CheckVariable says whether modules may be told a variable of the environment.
func CheckVariable(name string) error {
	if !variable.MatchString(name) {
		return fmt.Errorf("%q is no variable's name", name)
	}
	if upper := strings.ToUpper(name); strings.HasPrefix(upper, "GARRISON_") || strings.HasPrefix(upper, "AWS_") {
		return fmt.Errorf("%s is not for modules: it may be or hold a secret", name)
	}
	return nil
}
