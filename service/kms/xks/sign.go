package xks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// sign signs a POST of body with the proxy's credential: signature version 4
// over the headers Host and X-Amz-Date, for the service kms-xks-proxy.
//
// https://github.com/aws/aws-kms-xksproxy-api-spec, appendix A
func (p *Proxy) sign(r *http.Request, body []byte, now time.Time) {
	const service, terminator, algorithm, signed = "kms-xks-proxy", "aws4_request", "AWS4-HMAC-SHA256", "host;x-amz-date"
	stamp := now.UTC().Format("20060102T150405Z")
	date := stamp[:8]
	canonical := r.Method + "\n" + r.URL.Path + "\n\nhost:" + r.URL.Host + "\nx-amz-date:" + stamp + "\n\n" + signed + "\n" + hexHash(body)
	scope := date + "/" + p.Region + "/" + service + "/" + terminator
	key := append([]byte("AWS4"), p.Secret...)
	for _, part := range []string{date, p.Region, service, terminator} {
		next := mac(key, part)
		clear(key)
		key = next
	}
	defer clear(key)
	signature := hex.EncodeToString(mac(key, algorithm+"\n"+stamp+"\n"+scope+"\n"+hexHash([]byte(canonical))))
	r.Header.Set("X-Amz-Date", stamp)
	r.Header.Set("Authorization", algorithm+" Credential="+p.AccessKeyID+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
