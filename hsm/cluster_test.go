package hsm

import (
	"strings"
	"testing"
)

func TestParseCluster(t *testing.T) {
	full := Cluster{ID: "cluster-2a34b5cdefg", Module: "/opt/a b/m.so", Token: "my;token", Serial: "42", User: "kmsuser", IVFromHSM: true}
	if got, err := ParseCluster("cluster-2a34b5cdefg=pkcs11:token=my%3Btoken;serial=42?module-path=/opt/a%20b/m.so&x-user=kmsuser&x-iv=hsm"); err != nil || got != full {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                            "does not begin with a cluster's id",
		"pkcs11:token=x":              "does not begin with a cluster's id",
		"cluster-1a34b5cdefg=pkcs11:": "does not begin with a cluster's id", // base 32 has no 1
		"cluster-x=pkcs11:":           "does not begin with a cluster's id",
		"cluster-2a34b5cdef/=pkcs11:": "does not begin with a cluster's id",
		"cluster-2a34b5cdefg":         "does not begin with a cluster's id",
		"cluster-2a34b5cdefg=/m":      "a PKCS #11 URI is wanted",
		"cluster-2a34b5cdefg=":        "a PKCS #11 URI is wanted",
	} {
		if _, err := ParseCluster(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for rest, want := range map[string]string{
		"":                                      "names no token",
		"token=x":                               "module-path is not",
		"token=x?module-path=m.so":              "module-path is not the whole path",
		"token=x?module-path=/m&module-path=/n": "stands twice",
		"token=x?module-path=/m%":               "not percent-encoded",
		"token=x?module-path=/m%00":             "not percent-encoded",
		"token=x?module-path=":                  "has no value",
		"token=x;slot-id=1?module-path=/m":      `"slot-id" is no attribute`,
		"token=x?module-path=/m&pin-value=1":    "no PIN stands here",
		"token=x;pin-source=/f?module-path=/m":  "no PIN stands here",
		"token=x?module-path=/m&x-iv=ours":      "x-iv is hsm",
		"token=x?module-path=/m&x-user=a:b":     "x-user is a name",
		"token=123456789012345678901234567890123?module-path=/m": "1 to 32 bytes",
		"token=x;serial=12345678901234567?module-path=/m":        "more than 16 bytes",
	} {
		_, err := ParseCluster("cluster-2a34b5cdefg=pkcs11:" + rest)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", rest, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "pin-value=1") {
			t.Errorf("the error tells a PIN: %v", err)
		}
	}
}

func TestVariablesForModules(t *testing.T) {
	for _, name := range []string{"SOFTHSM2_CONF", "ChrystokiConfigurationPath", "_x"} {
		if err := CheckVariable(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "A=B", "1A", "GARRISON_ROOT_PASSPHRASE", "garrison_x", "AWS_SECRET_ACCESS_KEY", "A\x00"} {
		if CheckVariable(name) == nil {
			t.Errorf("%q is told to modules", name)
		}
	}
}
