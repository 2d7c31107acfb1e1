package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// attacker has a server with a bucket, and signs what no client would.
type attacker struct {
	*testing.T
	server *server
	root   key
	client *s3.Client
}

const attacked = "attacked-bucket"

// TestAttacksOnObjects tries what is tried against object stores.
func TestAttacksOnObjects(t *testing.T) {
	t.Parallel()
	s, root := serving(t, "--engine", "pebble")
	if _, err := objects(s, root).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(attacked)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(*attacker)
	}{
		{"a key is a name and no path", (*attacker).paths},
		{"an answer's header is one header", (*attacker).headers},
		{"XML that grows or never ends is refused", (*attacker).bombs},
		{"a copy reads as its caller", (*attacker).deputies},
		{"a link ends when it says, and is for what it names", (*attacker).links},
		{"no bucket is called as the server's own pages", (*attacker).pages},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(&attacker{t, s, root, objects(s, root)}) })
	}
	if err := s.sound(); err != nil {
		t.Error(err)
	}
}

// signed makes a signed request of S3, and answers its status and text.
func (a *attacker) signed(method, target string, body []byte, headers ...string) (int, string) {
	a.Helper()
	r, err := http.NewRequestWithContext(a.Context(), method, a.server.endpoint+target, bytes.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	sum := sha256.Sum256(body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(a.Context(),
		aws.Credentials{AccessKeyID: a.root.ID, SecretAccessKey: a.root.Secret}, r, hex.EncodeToString(sum[:]), "s3", "us-east-1", time.Now())
	if err != nil {
		a.Fatal(err)
	}
	answer, text := a.do(r)
	return answer.StatusCode, text
}

func (a *attacker) do(r *http.Request) (*http.Response, string) {
	a.Helper()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		a.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.Fatal(err)
	}
	return answer, string(text)
}

func (a *attacker) paths() {
	keys := []string{"../../../../etc/passwd", "..", ".", "a/../b", "./a", "a//b", "//", "/etc/passwd", "a\\..\\b", "%2e%2e/x", "a?b#c", "a+b c", strings.Repeat("k", 1024), "x\x01y"}
	for plane := rune(0); plane <= 16; plane++ {
		keys = append(keys, fmt.Sprintf("plane %c", plane<<16|0x1234))
	}
	for i, key := range keys {
		body := fmt.Sprint("content ", i)
		if _, err := a.client.PutObject(a.Context(), &s3.PutObjectInput{Bucket: aws.String(attacked), Key: &key, Body: strings.NewReader(body)}); err != nil {
			a.Errorf("put %q: %v", key, err)
		}
	}
	for i, key := range keys {
		out, err := a.client.GetObject(a.Context(), &s3.GetObjectInput{Bucket: aws.String(attacked), Key: &key})
		if err != nil {
			a.Errorf("get %q: %v", key, err)
			continue
		}
		if got, err := io.ReadAll(out.Body); err != nil || string(got) != fmt.Sprint("content ", i) {
			a.Errorf("%q holds %q, %v", key, got, err)
		}
	}
	list, err := a.client.ListObjectsV2(a.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(attacked), EncodingType: types.EncodingTypeUrl})
	if err != nil {
		a.Fatal(err)
	}
	var listed []string
	for _, object := range list.Contents {
		name, err := url.QueryUnescape(*object.Key)
		if err != nil {
			a.Error(err)
		}
		listed = append(listed, name)
	}
	slices.Sort(keys)
	if !slices.Equal(listed, keys) {
		a.Errorf("listed %q", listed)
	}
	for key, want := range map[string]string{strings.Repeat("k", 1025): "KeyTooLongError", "\xff\xfe": ""} {
		_, err := a.client.PutObject(a.Context(), &s3.PutObjectInput{Bucket: aws.String(attacked), Key: &key, Body: strings.NewReader("x")})
		if err == nil || want != "" && code(err) != want {
			a.Errorf("put %q: %v", key, err)
		}
	}
	err = filepath.WalkDir(a.server.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), "passwd") {
			a.Errorf("a key became the file %s", path)
		}
		return err
	})
	if err != nil {
		a.Error(err)
	}
}

func (a *attacker) headers() {
	key := aws.String("headers")
	if _, err := a.client.PutObject(a.Context(), &s3.PutObjectInput{Bucket: aws.String(attacked), Key: key, Body: strings.NewReader("x")}); err != nil {
		a.Fatal(err)
	}
	split := aws.String("inline\r\nSet-Cookie: stolen=1\r\n\r\n<script>")
	link, err := s3.NewPresignClient(a.client).PresignGetObject(a.Context(), &s3.GetObjectInput{
		Bucket: aws.String(attacked), Key: key, ResponseContentDisposition: split, ResponseContentType: split, ResponseCacheControl: split,
	})
	if err != nil {
		a.Fatal(err)
	}
	r, _ := http.NewRequestWithContext(a.Context(), http.MethodGet, link.URL, nil)
	answer, text := a.do(r)
	if answer.Header.Get("Set-Cookie") != "" || strings.Contains(text, "<script>") || answer.StatusCode >= 500 {
		a.Errorf("status %d, headers %v, %q", answer.StatusCode, answer.Header, text)
	}
}

func (a *attacker) bombs() {
	object := func(key string) string { return "<Delete><Object><Key>" + key + "</Key></Object></Delete>" }
	entities := `<!DOCTYPE d [<!ENTITY a "xxxxxxxxxx">`
	for i := range 20 {
		entities += fmt.Sprintf(`<!ENTITY %c "%s">`, 'b'+i, strings.Repeat(fmt.Sprintf("&%c;", 'a'+i), 10))
	}
	for name, text := range map[string]string{
		"entities":          entities + "]>" + object("&u;"),
		"an external one":   `<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + object("&a;"),
		"depth":             strings.Repeat("<Delete>", 100_000),
		"a name of a MiB":   "<" + strings.Repeat("D", 1<<20) + "/>",
		"too many objects":  "<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", 1001) + "</Delete>",
		"more than a body":  "<Delete>" + strings.Repeat("<Object><Key>"+strings.Repeat("k", 1000)+"</Key></Object>", 20_000) + "</Delete>",
		"many attributes":   "<Delete " + strings.Repeat(`a="b" `, 50_000) + "/>",
		"two roots":         object("a") + object("b"),
		"an unended string": `<Delete a="` + strings.Repeat("b", 100_000),
	} {
		sum := sha256.Sum256([]byte(text))
		began := time.Now()
		status, answer := a.signed(http.MethodPost, "/"+attacked+"?delete", []byte(text), "X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
		if status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge || strings.Contains(answer, "root:") || time.Since(began) > 20*time.Second {
			a.Errorf("%s: status %d after %v, %.200q", name, status, time.Since(began), answer)
		}
	}
}

func (a *attacker) deputies() {
	ctx, secret := a.Context(), aws.String("secrets-of-root")
	check := func(err error) {
		a.Helper()
		if err != nil {
			a.Fatal(err)
		}
	}
	_, err := a.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: secret})
	check(err)
	_, err = a.client.PutObject(ctx, &s3.PutObjectInput{Bucket: secret, Key: aws.String("plan"), Body: strings.NewReader("the plan")})
	check(err)
	users, name := iam.NewFromConfig(config(a.server.endpoint, "us-east-1", a.root, &http.Transport{})), aws.String("mallory")
	_, err = users.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
	check(err)
	_, err = users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::` + attacked + `","arn:aws:s3:::` + attacked + `/*"]}}`)})
	check(err)
	made, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	check(err)
	hers := objects(a.server, key{ID: *made.AccessKey.AccessKeyId, Secret: *made.AccessKey.SecretAccessKey})
	for _, source := range []string{*secret + "/plan", "/" + *secret + "/plan", attacked + "/../" + *secret + "/plan", *secret + "%2Fplan"} {
		_, err := hers.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(attacked), Key: aws.String("stolen"), CopySource: &source})
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() == "InternalError" {
			a.Errorf("a copy of %s: %v", source, err)
		}
	}
	up, err := hers.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(attacked), Key: aws.String("stolen")})
	check(err)
	_, err = hers.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: aws.String(attacked), Key: aws.String("stolen"), UploadId: up.UploadId,
		PartNumber: aws.Int32(1), CopySource: aws.String(*secret + "/plan")})
	if code(err) != "AccessDenied" {
		a.Errorf("a part copied: %v", err)
	}
	if _, err := a.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(attacked), Key: aws.String("stolen")}); code(err) != "NotFound" {
		a.Errorf("something was copied: %v", err)
	}
}

func (a *attacker) links() {
	for _, name := range []string{"link", "other"} {
		if _, err := a.client.PutObject(a.Context(), &s3.PutObjectInput{Bucket: aws.String(attacked), Key: &name, Body: strings.NewReader(name)}); err != nil {
			a.Fatal(err)
		}
	}
	link := func(seconds int, at time.Time) string {
		r, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/%s/link?X-Amz-Expires=%d", a.server.endpoint, attacked, seconds), nil)
		text, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).PresignHTTP(context.Background(),
			aws.Credentials{AccessKeyID: a.root.ID, SecretAccessKey: a.root.Secret}, r, "UNSIGNED-PAYLOAD", "s3", "us-east-1", at)
		if err != nil {
			a.Fatal(err)
		}
		return text
	}
	now := time.Now()
	for _, c := range []struct {
		name, method, link, want string
		status                   int
	}{
		{"as it is", "GET", link(60, now), "link", 200},
		{"replayed", "GET", link(60, now), "link", 200},
		{"after its end", "GET", link(60, now.Add(-2*time.Minute)), "Request has expired", 403},
		{"with a later end", "GET", strings.Replace(link(60, now.Add(-2*time.Minute)), "Expires=60", "Expires=600", 1), "SignatureDoesNotMatch", 403},
		{"of more than a week", "GET", link(604801, now), "AuthorizationQueryParametersError", 400},
		{"for another key", "GET", strings.Replace(link(60, now), "/link?", "/other?", 1), "SignatureDoesNotMatch", 403},
		{"to write", "PUT", link(60, now), "SignatureDoesNotMatch", 403},
		{"to delete", "DELETE", link(60, now), "SignatureDoesNotMatch", 403},
		{"with a subresource more", "GET", link(60, now) + "&acl", "SignatureDoesNotMatch", 403},
		{"without its signature", "GET", strings.Split(link(60, now), "&X-Amz-Signature")[0], "", 400},
	} {
		r, _ := http.NewRequestWithContext(a.Context(), c.method, c.link, nil)
		answer, text := a.do(r)
		if answer.StatusCode != c.status || !strings.Contains(text, c.want) {
			a.Errorf("%s: status %d, %.300q", c.name, answer.StatusCode, text)
		}
	}
}

func (a *attacker) pages() {
	if status, text := a.signed(http.MethodPut, "/_garrison", nil); status < 400 || status >= 500 {
		a.Errorf("a bucket called _garrison: status %d, %.200q", status, text)
	}
	for _, page := range []string{"/_garrison/metrics", "/_garrison/health"} {
		if status, text := a.signed(http.MethodGet, page, nil); status < 400 || status >= 500 || strings.Contains(text, "garrison_calls_total") {
			a.Errorf("%s, signed: status %d, %.200q", page, status, text)
		}
	}
}
