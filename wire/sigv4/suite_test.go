package sigv4

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/wire"
)

// suiteCase is the context.json of one case of AWS's signing test suite.
type suiteCase struct {
	Credentials struct {
		AccessKeyID string `json:"access_key_id"`
		Secret      string `json:"secret_access_key"`
		Token       string `json:"token"`
	} `json:"credentials"`
	Normalize bool      `json:"normalize"`
	Region    string    `json:"region"`
	Service   string    `json:"service"`
	Timestamp time.Time `json:"timestamp"`
	OmitToken bool      `json:"omit_session_token"`
}

// readRaw reads the suite's requests, which hold raw spaces, bytes above 127
// and folded headers, as nothing that parses HTTP would hand them on.
func readRaw(t testing.TB, file string) (*wire.Request, []byte) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n\n")
	lines := strings.Split(head, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	target = strings.TrimSuffix(target, " HTTP/1.1")
	req := &wire.Request{Method: method, ContentLength: int64(len(body))}
	req.RawPath, req.RawQuery, _ = strings.Cut(target, "?")
	header := wire.HTTPHeader{}
	last := ""
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, " ") {
			values := header[last]
			values[len(values)-1] += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		if strings.EqualFold(name, "host") {
			req.Host = value
			continue
		}
		last = textName(name)
		header[last] = append(header[last], strings.TrimSpace(value))
	}
	req.Header = header
	return req, []byte(body)
}

func textName(name string) string {
	parts := strings.Split(strings.ToLower(name), "-")
	for i, p := range parts {
		parts[i] = strings.ToUpper(p[:1]) + p[1:]
	}
	return strings.Join(parts, "-")
}

// check runs all steps on a request of the suite.
func (c *suiteCase) check(req *wire.Request, body []byte, presigned bool) error {
	rules := Rules{UnsignedToken: presigned && c.OmitToken}
	sig, err := Parse(req, rules)
	if err != nil {
		return err
	}
	if err := sig.Admit(c.Timestamp, Scope{Services: []string{c.Service}, Regions: []string{c.Region}}); err != nil {
		return err
	}
	if !c.Normalize { // S3's paths, though the request has no S3 headers
		sig.rules.S3, sig.content = true, sig.hashOf(body)
	}
	if err := sig.Prepare(sha256.Sum256(body)); err != nil {
		return err
	}
	return sig.Verify(NewKeyCache(0), c.Credentials.Secret)
}

func (s *Signature) hashOf(body []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, b := range sha256.Sum256(body) {
		out = append(out, digits[b>>4], digits[b&15])
	}
	return string(out)
}

// TestSuite takes every signed request of AWS's suite, and refuses it once its
// signature, its secret or a signed part is another.
func TestSuite(t *testing.T) {
	root := shared.Path(t, "data/sigv4-test-suite")
	n := 0
	for _, version := range []string{"v4", "v4a"} {
		dirs, err := filepath.Glob(filepath.Join(root, version, "*"))
		if err != nil || len(dirs) == 0 {
			t.Fatalf("no cases in %s", version)
		}
		for _, dir := range dirs {
			var c suiteCase
			text, err := os.ReadFile(filepath.Join(dir, "context.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{"header", "query"} {
				file := filepath.Join(dir, form+"-signed-request.txt")
				if _, err := os.Stat(file); err != nil {
					continue // two v4a cases hold a request alone
				}
				n++
				t.Run(version+"/"+filepath.Base(dir)+"/"+form, func(t *testing.T) {
					req, body := readRaw(t, file)
					if err := c.check(req, body, form == "query"); err != nil {
						t.Fatal(err)
					}
					req.Method += "X"
					if c.check(req, body, form == "query") == nil {
						t.Error("another method passes")
					}
					req.Method = req.Method[:len(req.Method)-1]
					if c.check(req, append(body, 'x'), form == "query") == nil {
						t.Error("another body passes")
					}
					wrong := c
					wrong.Credentials.Secret += "x"
					if wrong.check(req, body, form == "query") == nil {
						t.Error("another secret passes")
					}
				})
			}
		}
	}
	if n != 2*(38+38) {
		t.Errorf("ran %d of 152 signed requests", n)
	}
}
