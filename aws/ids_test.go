package aws

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Published examples of ids and their accounts.
func TestAccountOfIDKnowsPublishedIDs(t *testing.T) {
	for id, want := range map[string]string{
		"ASIAQNZGKIQY56JQ7WML": "029608264753",
		"ASIAY34FZKBOKMUTVV7A": "609629065308",
	} {
		if got, ok := AccountOfID(id); !ok || got != want {
			t.Errorf("AccountOfID(%s) = %s, %t, want %s", id, got, ok, want)
		}
	}
}

func TestAccountOfIDReadsWhatWasMade(t *testing.T) {
	for range 1000 {
		account := fmt.Sprintf("%012d", rand.Uint64N(maxAccount+1))
		for _, id := range []string{NewAccessKeyID("AKIA", account), NewUniqueID("AIDA", account)} {
			if got, ok := AccountOfID(id); !ok || got != account {
				t.Fatalf("AccountOfID(%s) = %s, %t, want %s", id, got, ok, account)
			}
		}
	}
	if a, b := NewAccessKeyID("AKIA", "000000000001"), NewAccessKeyID("AKIA", "000000000001"); a == b || len(a) != 20 {
		t.Errorf("two ids: %s, %s", a, b)
	}
	if id := NewUniqueID("AROA", "999999999999"); len(id) != 21 || !strings.HasPrefix(id, "AROA") {
		t.Errorf("unique id %s", id)
	}
}

func TestAccountOfIDRefuses(t *testing.T) {
	for _, id := range []string{"", "AKIA", "AKIAIOSFODNN7EXAMPLE", "ASIAqnzgkiqy56jq7wml", "ASIAQNZGKIQY56JQ7WM", "ASIA7777777777777777", "ASIAQNZG1IQY56JQ7WML", "root-key-of-an-installation"} {
		if account, ok := AccountOfID(id); ok {
			t.Errorf("AccountOfID(%q) = %s", id, account)
		}
	}
}
