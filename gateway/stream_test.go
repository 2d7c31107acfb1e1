package gateway_test

import (
	"context"
	"io"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// paced is a body whose end comes when it is told to, and that knows whether it may take its time.
type paced struct {
	io.Reader
	anyLength bool
}

func (p *paced) AnyLength() { p.anyLength = true }

func (p *paced) Close() error { return nil }

// Bodies that are received while they are carried out hold places of their
// own, of which one address takes half at most.
func TestStreamsHoldNoPlaceThatOtherCallsNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		put := gateway.Stream(s3.PutObject,
			func(_ *gateway.Call, in *s3.PutObjectInput) (bucketNamed, error) {
				return bucketNamed(in.Bucket + "/" + in.Key), nil
			},
			func(_ context.Context, _ *gateway.Call, _ bucketNamed, _ *s3.PutObjectInput, body io.Reader) (string, error) {
				all, err := io.ReadAll(body)
				return string(all), err
			},
			func(_ context.Context, call *gateway.Call, _ bucketNamed, in *s3.PutObjectInput, received string) (*s3.PutObjectOutput, error) {
				return nil, rows.Put(call.Tx, call.Account, &row{received}, in.Key)
			})
		p := newPlane(t, service{put, gateway.Op(iam.CreateUser, userToMake, makeUser)}, func(g *gateway.Config) {
			g.Limits = gateway.Limits{InFlight: 1, Streaming: 4}
		})
		var bodies []*paced
		var ends []*io.PipeWriter
		upload := func(from string) <-chan int {
			r := p.s3Request("PUT", "/bucket/key", []byte("hello"), []byte("hello"))
			reader, writer := io.Pipe()
			body := &paced{Reader: reader}
			bodies, ends = append(bodies, body), append(ends, writer)
			r.Body, r.RemoteAddr = body, from+":1024"
			status := make(chan int, 1)
			go func() {
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				status <- w.Code
			}()
			synctest.Wait()
			return status
		}
		first, second := upload("198.51.100.1"), upload("198.51.100.1")
		if got := <-upload("198.51.100.1"); got != 503 {
			t.Errorf("a third stream of an address that holds half: %d", got)
		}
		third := upload("198.51.100.2")
		if len(third) != 0 {
			t.Errorf("another address's stream: %d", <-third)
		}
		if status, body := p.post("ALICE", "iam", createForm); status != 200 {
			t.Errorf("beside streams on their way, a call is answered %d %s", status, body)
		}
		if !bodies[0].anyLength || bodies[2].anyLength {
			t.Errorf("a stream may take its time: %t; a refused one: %t", bodies[0].anyLength, bodies[2].anyLength)
		}
		for i, status := range []<-chan int{first, second, nil, third} {
			if status == nil {
				continue
			}
			io.WriteString(ends[i], "hello")
			ends[i].Close()
			if got := <-status; got != 200 {
				t.Errorf("stream %d ended: %d", i, got)
			}
		}
		p.policies["ALICE"] = ""
		if got := <-upload("198.51.100.1"); got != 403 || bodies[len(bodies)-1].anyLength {
			t.Errorf("who may not put is answered %d before the body, which may take its time: %t", got, bodies[len(bodies)-1].anyLength)
		}
	})
}
