package sts_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	iamapi "github.com/garrison-security/garrison/api/iam"
	stsapi "github.com/garrison-security/garrison/api/sts"
)

// BenchmarkCalls is a call's whole way but for HTTP and the disk: a user's
// GetCallerIdentity, which is the measure; AssumeRole of a role with 20 managed
// policies, which may cost 1.5 times as much; and what its session costs then.
func BenchmarkCalls(b *testing.B) {
	p := newPlane(b)
	alice := p.user("alice", allowAssume)
	arn := p.role(home, "many", trusts(alice.ARN, ""), allowAssume)
	for i := range 19 {
		name := fmt.Sprintf("policy-%02d", i)
		document := strings.Replace(allowAssume, `"Resource":"*"`, `"Resource":"arn:aws:iam::111122223333:role/`+strings.Repeat(name, 100)+`"`, 1)
		made := call(p, p.root[home], iamapi.CreatePolicy, &iamapi.CreatePolicyInput{PolicyName: name, PolicyDocument: document}).Policy
		call(p, p.root[home], iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyInput{RoleName: "many", PolicyArn: *made.Arn})
	}
	call(p, p.root[home], iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyInput{RoleName: "many", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"})
	key := call(p, p.root[home], iamapi.CreateAccessKey, &iamapi.CreateAccessKeyInput{UserName: new("alice")}).AccessKey
	own := awssdk.Credentials{AccessKeyID: key.AccessKeyId, SecretAccessKey: key.SecretAccessKey}
	c := call(p, alice, stsapi.AssumeRole, &stsapi.AssumeRoleInput{RoleArn: arn, RoleSessionName: "work"}).Credentials
	session := awssdk.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
	assume := "RoleArn=" + url.QueryEscape(arn) + "&RoleSessionName=work"
	for _, bench := range []struct {
		name string
		who  awssdk.Credentials
		form string
	}{
		{"GetCallerIdentity", own, "Action=GetCallerIdentity"},
		{"AssumeRole", own, "Action=AssumeRole&" + assume},
		{"AssumeRoleWithPolicy", own, "Action=AssumeRole&" + assume + "&Policy=" + url.QueryEscape(allowAssume)},
		{"AssumeRoleWithTags", own, "Action=AssumeRole&" + assume + "&Tags.member.1.Key=team&Tags.member.1.Value=red"},
		{"OfSession/GetCallerIdentity", session, "Action=GetCallerIdentity"},
		{"OfSession/AssumeRole", session, "Action=AssumeRole&" + strings.Replace(assume, "many", "next", 1)},
	} {
		if strings.Contains(bench.form, "next") {
			p.role(home, "next", trusts(rootOf(home), ""), "")
		}
		b.Run(bench.name, func(b *testing.B) {
			form := []byte(bench.form + "&Version=2011-06-15")
			sum := sha256.Sum256(form)
			r := httptest.NewRequest("POST", "http://localhost:4566/", nil)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.ContentLength = int64(len(form))
			if err := v4.NewSigner().SignHTTP(context.Background(), bench.who, r, hex.EncodeToString(sum[:]), "sts", "us-east-1", time.Now()); err != nil {
				b.Fatal(err)
			}
			body := bytes.NewReader(form)
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(form)
				r.Body = io.NopCloser(body)
				answer := httptest.NewRecorder()
				if p.ServeHTTP(answer, r); answer.Code != 200 {
					b.Fatalf("%d %s", answer.Code, answer.Body)
				}
			}
		})
	}
}
