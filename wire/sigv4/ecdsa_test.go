package sigv4

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/wire"
)

// TestV4aChunks signs an upload by V4a, whose signatures are padded with "*",
// and refuses it once a part is altered.
func TestV4aChunks(t *testing.T) {
	const secret, scope = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20261124/s3/aws4_request"
	pair := derivePair(secret, "AKIDEXAMPLE")
	sign := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		der, err := ecdsa.SignASN1(rand.Reader, pair, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(der)
	}
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	names := "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-region-set;x-amz-trailer"
	canonical := "PUT\n/b/k\n\nhost:localhost\nx-amz-content-sha256:" + streamECDSATrailer + "\nx-amz-date:20261124T093000Z\n" +
		"x-amz-decoded-content-length:9000\nx-amz-region-set:eu-*\nx-amz-trailer:x-amz-checksum-crc32\n\n" + names + "\n" + streamECDSATrailer
	previous := sign("AWS4-ECDSA-P256-SHA256\n20261124T093000Z\n" + scope + "\n" + sum(canonical))
	req := &wire.Request{Method: "PUT", RawPath: "/b/k", Host: "localhost", ContentLength: -1, Header: wire.HTTPHeader(http.Header{
		"X-Amz-Date": {"20261124T093000Z"}, "X-Amz-Content-Sha256": {streamECDSATrailer}, "X-Amz-Decoded-Content-Length": {"9000"},
		"X-Amz-Region-Set": {"eu-*"}, "X-Amz-Trailer": {"x-amz-checksum-crc32"},
		"Authorization": {"AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/" + scope + ", SignedHeaders=" + names + ", Signature=" + previous},
	})}
	body := ""
	for _, n := range []int{8192, 808, 0} {
		data := strings.Repeat("a", n)
		previous = sign("AWS4-ECDSA-P256-SHA256-PAYLOAD\n20261124T093000Z\n" + scope + "\n" + previous + "\n" + sum("") + "\n" + sum(data))
		body += fmt.Sprintf("%x;chunk-signature=%s%s\r\n%s", n, previous, strings.Repeat("*", 144-len(previous)), data)
		if n > 0 {
			body += "\r\n"
		}
	}
	trailer := "x-amz-checksum-crc32:AAAAAA=="
	body += trailer + "\r\nx-amz-trailer-signature:" +
		sign("AWS4-ECDSA-P256-SHA256-TRAILER\n20261124T093000Z\n"+scope+"\n"+previous+"\n"+sum(trailer+"\n")) + "\r\n\r\n"

	sig, err := Parse(req, Rules{S3: true})
	if err == nil {
		err = sig.Admit(sig.Time, Scope{Services: []string{"s3"}, Regions: []string{"us-east-1", "eu-west-1"}})
	}
	if err == nil {
		err = sig.Prepare([32]byte{})
	}
	if err == nil {
		err = sig.Verify(NewKeyCache(0), secret)
	}
	if err != nil || sig.Region != "eu-west-1" {
		t.Fatal(sig, err)
	}
	read := func(body string) (int64, error) {
		req.Body = strings.NewReader(body)
		b, err := NewBody(req, sig)
		if err != nil {
			return 0, err
		}
		return io.Copy(io.Discard, b)
	}
	if n, err := read(body); n != 9000 || err != nil {
		t.Fatal(n, err)
	}
	for _, old := range []string{"aa\r\n328", "AAAAAA==\r\n", ";chunk-signature=30"} {
		if n, err := read(strings.Replace(body, old, strings.ToUpper(old[:1])+"b"+old[2:], 1)); err == nil {
			t.Errorf("%d bytes with %q altered", n, old)
		}
	}
	if err := sig.Admit(sig.Time, Scope{Services: []string{"s3"}, Regions: []string{"us-east-1"}}); err == nil {
		t.Error("a Region outside the set passes")
	}
}

func TestCovers(t *testing.T) {
	for pattern, want := range map[string]bool{"*": true, "eu-west-1": true, "eu-*": true, "*-1": true, "e*w*1": true, "": false,
		"us-*": false, "eu-west-12": false, "eu-west": false, "*2": false, "eu-west-1*": true, "**": true} {
		if covers(pattern, "eu-west-1") != want {
			t.Errorf("%q", pattern)
		}
	}
}

func TestOrder(t *testing.T) {
	n := bytes.Clone(orderMinusTwo[:])
	if above(n, orderMinusTwo[:]) {
		t.Error("n-2 is above itself")
	}
	increment(n)
	if !above(n, orderMinusTwo[:]) {
		t.Error("n-1 is not above n-2")
	}
	carry := append(bytes.Repeat([]byte{0}, 30), 0, 0xff)
	if increment(carry); carry[30] != 1 || carry[31] != 0 || above(carry, orderMinusTwo[:]) {
		t.Errorf("%x", carry)
	}
}
