package sigv4_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/sigv4"
)

const docSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// verified is the signature of req as S3 verifies it.
func verified(t testing.TB, req *wire.Request, secret string) *sigv4.Signature {
	t.Helper()
	sig, err := sigv4.Parse(req, sigv4.Rules{S3: true})
	if err == nil {
		err = sig.Admit(sig.Time, sigv4.Scope{Services: []string{"s3"}, Regions: []string{"us-east-1"}})
	}
	if err == nil {
		err = sig.Prepare([32]byte{})
	}
	if err == nil {
		err = sig.Verify(sigv4.NewKeyCache(0), secret)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// docUpload is the example of AWS's page on signed chunks: 65 KiB of "a" in two
// chunks, and the end.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
func docUpload() (*wire.Request, []string) {
	req := request("",
		"X-Amz-Date", "20130524T000000Z", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY",
		"X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "Content-Encoding", "aws-chunked",
		"X-Amz-Decoded-Content-Length", "66560", "Content-Length", "66824",
		"Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"+
			"SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,"+
			"Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
	req.Method, req.Host, req.RawPath, req.ContentLength = "PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", 66824
	return req, []string{
		"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n",
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n",
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
	}
}

func readBody(t testing.TB, req *wire.Request, sig *sigv4.Signature, r io.Reader) (string, *sigv4.Body, error) {
	t.Helper()
	req.Body = r
	b, err := sigv4.NewBody(req, sig)
	if err != nil {
		return "", nil, err
	}
	got, err := io.ReadAll(b)
	return string(got), b, err
}

func TestSignedChunks(t *testing.T) {
	req, chunks := docUpload()
	sig := verified(t, req, docSecret)
	whole := strings.Join(chunks, "")
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(whole), "a byte at a time": iotest.OneByteReader(strings.NewReader(whole))} {
		got, b, err := readBody(t, req, sig, r)
		if err != nil || got != strings.Repeat("a", 66560) || b.Length() != 66560 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for name, c := range map[string]struct{ body, code string }{
		"a byte altered":         {strings.Replace(whole, "\r\na", "\r\nb", 1), ""},
		"chunks swapped":         {chunks[1] + chunks[0] + chunks[2], ""},
		"a chunk gone":           {chunks[0] + chunks[2], "IncompleteBody"},
		"a chunk twice":          {chunks[0] + chunks[0] + chunks[2], "IncompleteBody"},
		"no end":                 {chunks[0] + chunks[1], "IncompleteBody"},
		"half an end":            {whole[:len(whole)-2], "IncompleteBody"},
		"cut in a chunk":         {whole[:1000], "IncompleteBody"},
		"more behind the end":    {whole + "x", "MalformedTrailerError"},
		"a signature altered":    {strings.Replace(whole, "=00556", "=10556", 1), ""},
		"the end's altered":      {strings.Replace(whole, "=b6c6", "=c6c6", 1), ""},
		"no signature":           {strings.Replace(whole, ";chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "", 1), "IncompleteBody"},
		"another extension":      {strings.Replace(whole, "chunk-signature", "x", 1), "IncompleteBody"},
		"bare line feeds":        {strings.ReplaceAll(whole, "\r\n", "\n"), "IncompleteBody"},
		"a signed size":          {"+" + whole, "IncompleteBody"},
		"a size with noughts":    {"0" + whole, "IncompleteBody"},
		"a size of 17 digits":    {"11111111111111111" + whole[5:], "IncompleteBody"},
		"a negative size":        {"-1" + whole[5:], "IncompleteBody"},
		"a line without end":     {strings.Repeat("1", 100000), "IncompleteBody"},
		"nothing":                {"", "IncompleteBody"},
		"a trailer not foretold": {strings.TrimSuffix(whole, "\r\n") + "x-amz-checksum-crc32:AAAAAA==\r\n\r\n", "IncompleteBody"},
	} {
		got, _, err := readBody(t, req, sig, strings.NewReader(c.body))
		e, ok := errors.AsType[*aws.Error](err)
		if !ok || e.Code != c.code || c.code == "" && e.Kind != aws.BadSignature {
			t.Errorf("%s: %d bytes, %v, want %s", name, len(got), err, c.code)
		}
	}
	if _, err := sigv4.NewBody(req, nil); err == nil {
		t.Error("signed chunks without a signature")
	}
}

// TestSignedTrailer is the example of AWS's page on trailers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func TestSignedTrailer(t *testing.T) {
	req, whole := signedTrailer(t, "x-amz-checksum-crc32c:sOO8/Q==\r\n")
	sig := verified(t, req, docSecret)
	got, b, err := readBody(t, req, sig, strings.NewReader(whole))
	if sum, _ := b.Trailer("x-amz-checksum-crc32c"); err != nil || len(got) != 66560 || sum != "sOO8/Q==" {
		t.Errorf("%d bytes, trailer %q, %v", len(got), sum, err)
	}
	if _, ok := b.Trailer("x-amz-checksum-crc32"); ok {
		t.Error("a trailer that is not there")
	}
	bare := strings.Replace(whole, "==\r\n", "==\n\r\n", 1)
	if _, _, err := readBody(t, req, sig, strings.NewReader(bare)); err != nil {
		t.Errorf("as minio-go writes it: %v", err)
	}
	for name, body := range map[string]string{
		"another checksum":  strings.Replace(whole, "sOO8", "sOO9", 1),
		"another name":      strings.Replace(whole, "crc32c", "crc32x", 1),
		"no signature":      whole[:strings.Index(whole, "x-amz-trailer-signature")] + "\r\n",
		"another signature": whole[:len(whole)-5] + "x\r\n\r\n",
		"no trailer":        strings.Replace(whole, "x-amz-checksum-crc32c:sOO8/Q==\r\n", "", 1),
		"the trailer twice": strings.Replace(whole, "x-amz-checksum-crc32c:sOO8/Q==\r\n", strings.Repeat("x-amz-checksum-crc32c:sOO8/Q==\r\n", 2), 1),
		"no colon":          strings.Replace(whole, "crc32c:", "crc32c", 1),
		"a long line":       strings.Replace(whole, "sOO8", strings.Repeat("s", 10000), 1),
		"more behind":       whole + "\r\n",
	} {
		if _, _, err := readBody(t, req, sig, strings.NewReader(body)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// signedTrailer writes the page's upload, with the chain of signatures computed here.
func signedTrailer(t testing.TB, trailer string) (*wire.Request, string) {
	const scope = "20130524/us-east-1/s3/aws4_request"
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	mac := func(key []byte, s string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		return h.Sum(nil)
	}
	key := []byte("AWS4" + docSecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	names := "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer"
	canonical := "PUT\n/examplebucket/chunkObject.txt\n\ncontent-encoding:aws-chunked\nhost:s3.amazonaws.com\n" +
		"x-amz-content-sha256:STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\nx-amz-date:20130524T000000Z\nx-amz-decoded-content-length:66560\n" +
		"x-amz-storage-class:REDUCED_REDUNDANCY\nx-amz-trailer:x-amz-checksum-crc32c\n\n" + names + "\nSTREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	previous := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n20130524T000000Z\n"+scope+"\n"+sum(canonical)))
	if previous != "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e" {
		t.Fatalf("the page's seed signature is another: %s", previous)
	}
	req := request("",
		"X-Amz-Date", "20130524T000000Z", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY", "X-Amz-Trailer", "x-amz-checksum-crc32c",
		"X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "Content-Encoding", "aws-chunked", "X-Amz-Decoded-Content-Length", "66560",
		"Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"+scope+",SignedHeaders="+names+",Signature="+previous)
	req.Method, req.Host, req.RawPath, req.ContentLength = "PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", -1
	next := func(kind, rest string) string {
		previous = hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256-"+kind+"\n20130524T000000Z\n"+scope+"\n"+previous+"\n"+rest))
		return previous
	}
	body := ""
	for _, n := range []int{65536, 1024, 0} {
		data := strings.Repeat("a", n)
		body += fmt.Sprintf("%x;chunk-signature=%s\r\n%s", n, next("PAYLOAD", sum("")+"\n"+sum(data)), data)
		if n > 0 {
			body += "\r\n"
		}
	}
	return req, body + trailer + "x-amz-trailer-signature:" + next("TRAILER", sum(strings.ReplaceAll(trailer, "\r\n", "\n"))) + "\r\n\r\n"
}

func TestUnsignedTrailer(t *testing.T) {
	req := request("", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", "5", "X-Amz-Trailer", "x-amz-checksum-crc32")
	got, b, err := readBody(t, req, nil, strings.NewReader("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"))
	if sum, _ := b.Trailer("x-amz-checksum-crc32"); err != nil || got != "hello" || sum != "NhCmhg==" {
		t.Errorf("%q, trailer %q, %v", got, sum, err)
	}
	for name, body := range map[string]string{
		"too short":             "4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
		"too long":              "6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
		"small chunks":          "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
		"no trailer":            "5\r\nhello\r\n0\r\n\r\n",
		"a signature":           "5;chunk-signature=a\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
		"another trailer":       "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:NhCmhg==\r\n\r\n",
		"no line after a chunk": "5\r\nhello0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
	} {
		if _, _, err := readBody(t, req, nil, strings.NewReader(body)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	for _, length := range []string{"", "-1", "+5", "5x", "99999999999999999999"} {
		req := request("", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", length)
		if _, err := sigv4.NewBody(req, nil); err == nil {
			t.Errorf("length %q passes", length)
		}
	}
}

func TestHashedBody(t *testing.T) {
	s := sign(t, "PUT", "http://localhost:4566/b/k", "s3", "", "hello", nil, false)
	if err := s.verify(sigv4.NewKeyCache(0)); err != nil {
		t.Fatal(err)
	}
	s.body = []byte("hellO")
	e, ok := errors.AsType[*aws.Error](s.verify(sigv4.NewKeyCache(0)))
	if !ok || e.Code != "XAmzContentSHA256Mismatch" || e.Status != 400 || len(e.Fields) != 2 {
		t.Errorf("%+v", e)
	}
	broken := errors.New("connection reset")
	req := request("")
	if _, _, err := readBody(t, req, nil, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("an error of the connection: %v", err)
	}
}

// FuzzChunked: whatever the bytes, the reader ends, and gives no more than was foretold.
func FuzzChunked(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"))
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"))
	f.Add([]byte("ffffffffffffffff\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		req := request("", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", "5", "X-Amz-Trailer", "x-amz-checksum-crc32")
		got, b, err := readBody(t, req, nil, bytes.NewReader(body))
		if len(got) > 5 || err == nil && len(got) != 5 {
			t.Errorf("%q of %q, %v", got, body, err)
		}
		if _, ok := b.Trailer("x-amz-checksum-crc32"); err == nil && !ok {
			t.Errorf("no trailer in %q", body)
		}
	})
}

// FuzzParse: no request panics or is taken; what is taken has one spelling.
func FuzzParse(f *testing.F) {
	f.Add(goodHeader, "", "20261124T093000Z", "/", false)
	f.Add("", goodQuery, "", "/b/%2e%2e//k", true)
	f.Add("AWS AKID:sig", "a=1&&=&%3D=%3d+", "Tue, 24 Nov 2026 09:30:00 GMT", "/../a/./b/..", true)
	keys := sigv4.NewKeyCache(8)
	f.Fuzz(func(t *testing.T, auth, query, date, path string, s3 bool) {
		req := request(query)
		req.RawPath = path
		h := req.Header.(wire.HTTPHeader)
		if auth != "" {
			h["Authorization"] = []string{auth}
		}
		h["X-Amz-Date"] = []string{date}
		h["X-Amz-Content-Sha256"] = []string{"UNSIGNED-PAYLOAD"}
		sig, err := sigv4.Parse(req, sigv4.Rules{S3: s3})
		if err != nil || sig == nil {
			if _, ok := errors.AsType[*aws.Error](err); err != nil && !ok {
				t.Errorf("not an error to show: %v", err)
			}
			return
		}
		if sig.AccessKeyID == "" || sig.Date != sig.Timestamp[:8] || sig.Presigned == (auth != "") {
			t.Errorf("%+v", sig)
		}
		scope := sigv4.Scope{Services: []string{sig.Service}, Regions: []string{sig.Region}}
		if sig.Admit(sig.Time.Add(time.Second), scope) != nil || sig.Prepare([32]byte{}) != nil {
			return
		}
		if sig.Verify(keys, secret) == nil {
			t.Errorf("taken: %+v", sig)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for name, s := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			keys := sigv4.NewKeyCache(0)
			sum := sha256.Sum256(s.body)
			b.ReportAllocs()
			for b.Loop() {
				sig, err := sigv4.Parse(&s.req, s.rules)
				if err == nil {
					err = sig.Admit(signedAt, s.scope)
				}
				if err == nil {
					err = sig.Prepare(sum)
				}
				if err == nil {
					err = sig.Verify(keys, secret)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
