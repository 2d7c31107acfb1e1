package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

// unended is a body of which n bytes come, and no end until it is closed.
func unended(n int) (io.ReadCloser, func()) {
	r, w := io.Pipe()
	return io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", n)), r)), func() { w.CloseWithError(io.ErrUnexpectedEOF) }
}

// TestAStrangersBodiesThatDoNotEndKeepNobodyOut lets one address begin bodies
// that it never ends: large and claimed, large and sent, and many small ones.
func TestAStrangersBodiesThatDoNotEndKeepNobodyOut(t *testing.T) {
	for _, c := range []struct {
		name    string
		limits  gateway.Limits
		claimed int64 // -1: in chunks, whose sum nobody says
		sent    int
		refused int // of 40
	}{
		{"a length that is only claimed", gateway.Limits{BodyBytes: 8 << 20}, 8 << 20, 1, 0},
		{"much that is sent", gateway.Limits{BodyBytes: 8 << 20}, 8 << 20, 300 << 10, 36},
		{"chunks", gateway.Limits{BodyBytes: 8 << 20}, -1, 300 << 10, 36},
		{"places", gateway.Limits{InFlight: 4}, 10, 1, 0},
		{"many at once", gateway.Limits{Receiving: 8}, 10, 1, 36},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)}, func(g *gateway.Config) { g.Limits = c.limits })
				status := make(chan int, 40)
				var end []func()
				for range cap(status) {
					r := httptest.NewRequest("POST", "http://localhost:4566/", nil)
					r.Header.Set("X-Amz-Target", "TrentService.ListKeys")
					r.Header.Set("Content-Type", "application/x-amz-json-1.1")
					body, ends := unended(c.sent)
					r.Body, r.ContentLength, end = body, c.claimed, append(end, ends)
					go func() {
						w := httptest.NewRecorder()
						p.ServeHTTP(w, r)
						status <- w.Code
					}()
				}
				synctest.Wait()
				if got := len(status); got != c.refused {
					t.Errorf("%d of the bodies were refused, want %d", got, c.refused)
				}
				elsewhere := func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1024" }
				if status, body := p.post("ALICE", "iam", createForm, elsewhere); status != 200 {
					t.Errorf("another caller was answered %d %s", status, body)
				}
				for _, end := range end {
					end()
				}
				synctest.Wait()
				if status, body := p.post("ALICE", "iam", strings.Replace(createForm, "new", "next", 1)); status != 200 {
					t.Errorf("once they had left, a caller of the same address was answered %d %s", status, body)
				}
			})
		})
	}
}
