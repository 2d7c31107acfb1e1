package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/store"
)

// slowStore answers a View with err, once held opens; it counts them.
type slowStore struct {
	store.Engine
	held  chan struct{}
	err   error
	views atomic.Int32
}

func (s *slowStore) View(context.Context, func(store.Tx) error) error {
	s.views.Add(1)
	<-s.held
	return s.err
}

func asked(h *health) (int, string) {
	w := httptest.NewRecorder()
	h.tell(w)
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHealthFollowsTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &slowStore{held: make(chan struct{})}
		h := &health{engine: engine}
		check := func(what string, status int, body string) {
			t.Helper()
			if got, text := asked(h); got != status || text != body {
				t.Errorf("%s: %d %s, want %d %s", what, got, text, status, body)
			}
		}
		// A store that hangs is asked once, however many want to know and for how long.
		for range 5 {
			check("hanging", 503, `{"status":"unready"}`)
			time.Sleep(time.Second)
		}
		if n := engine.views.Load(); n != 1 {
			t.Errorf("a store that hangs was asked %d times", n)
		}

		close(engine.held)
		time.Sleep(time.Second)
		check("answering", 200, `{"status":"ready"}`)
		engine.err = store.ErrUnavailable
		check("just found well", 200, `{"status":"ready"}`)
		time.Sleep(time.Second)
		check("failed", 503, `{"status":"unready"}`)
		engine.err = nil
		time.Sleep(time.Second)
		check("well again", 200, `{"status":"ready"}`)
		h.draining.Store(true)
		check("ending", 503, `{"status":"draining"}`)
	})
}

func TestThePagesAndTheirMethods(t *testing.T) {
	h := &health{engine: &slowStore{}}
	h.draining.Store(true)
	pages := &internalPages{server: &server{}, health: h, metrics: http.NotFoundHandler()}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/_garrison/health", 503},
		{"GET", "/_garrison/health/live", 200},
		{"HEAD", "/_garrison/health/live", 200},
		{"POST", "/_garrison/health/live", 405},
		{"GET", "/_garrison/health/", 404},
		{"GET", "/_garrison/health/ready", 404},
		{"GET", "/_garrison/metrics", 401},
	} {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
}

func TestTheMetricsTokenMayStandInTheEnvironment(t *testing.T) {
	pages := &internalPages{server: &server{log: newLog(t.Output(), "debug", "text")}}
	bearing := func(token string) bool {
		r := httptest.NewRequest("GET", "/_garrison/metrics", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		return pages.mayRead(r)
	}
	if bearing("") {
		t.Error("no token opens where there is none")
	}
	t.Setenv(bearerVariable, "0123456789abcdef")
	for token, want := range map[string]bool{"0123456789abcdef": true, "0123456789abcdeF": false, "0123456789abcde": false, "": false} {
		if bearing(token) != want {
			t.Errorf("bearer of %q: %t", token, !want)
		}
	}
	t.Setenv(bearerVariable, "short")
	if bearing("short") {
		t.Error("a token of five characters opens")
	}
	if _, err := new(Settings).metricsToken(); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a short token: %v", err)
	}
}
