package gateway_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"testing"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/gateway"
)

// BenchmarkServe is a call's whole way but for HTTP and the disk.
func BenchmarkServe(b *testing.B) {
	p := newPlane(b, service{gateway.Free(sts.GetCallerIdentity, "AWS asks for none",
		func(_ context.Context, call *gateway.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
			return &sts.GetCallerIdentityOutput{Account: &call.Account, Arn: &call.Principal.ARN, UserId: &call.Principal.ID}, nil
		})})
	form := []byte("Action=GetCallerIdentity&Version=2011-06-15")
	r := httptest.NewRequest("POST", "http://localhost:4566/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.ContentLength = int64(len(form))
	p.sign(r, "ALICE", "sts", form)
	body := bytes.NewReader(form)
	req := gateway.RequestOf(r, gateway.Client{})
	req.Body = body
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(form)
		if answer := p.Serve(b.Context(), req); answer.Status != 200 {
			b.Fatalf("%d %s", answer.Status, answer.Body)
		}
	}
}
