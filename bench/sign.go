package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// credentials sign requests.
type credentials struct{ id, secret string }

var root = credentials{rootID, rootSecret}

// query is a signed request of a query service, as bytes.
func (s *server) query(as credentials, service string, pairs ...string) ([]byte, error) {
	form := url.Values{"Version": {map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.signed(as, service, form.Encode(), "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
}

// kms is a signed request of KMS, whose body is JSON, as bytes.
func (s *server) kms(as credentials, operation, body string) ([]byte, error) {
	return s.signed(as, "kms", body, "Content-Type", "application/x-amz-json-1.1", "X-Amz-Target", "TrentService."+operation)
}

// signed is a signed request, as bytes. Headers are names and values.
func (s *server) signed(as credentials, service, body string, headers ...string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, "http://"+s.addr+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	names := []string{"X-Amz-Date", "Authorization"}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		names = append(names, headers[i])
	}
	sum := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: as.id, SecretAccessKey: as.secret}, r,
		hex.EncodeToString(sum[:]), service, "us-east-1", time.Now())
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: %s\r\nUser-Agent: aws-sdk-go-v2/1.41 ua/2.1 os/linux lang/go#1.26\r\nContent-Length: %d\r\n", s.addr, len(body))
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header.Get(name))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String()), nil
}

// plain is the same request for the bare server, which answers with size bytes.
func plain(signed []byte, addr string, size int) []byte {
	head, body, _ := strings.Cut(string(signed), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	lines[1] = "Host: " + addr
	return []byte(strings.Join(append(lines, fmt.Sprintf("X-Answer: %d", size)), "\r\n") + "\r\n\r\n" + body)
}
