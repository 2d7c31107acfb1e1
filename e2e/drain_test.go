package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// A load balancer learns of the end while calls are still answered.
func TestHealthTellsOfTheEndBeforeItComes(t *testing.T) {
	s, err := start(t.TempDir(), "--drain-notice", "3s")
	if err != nil {
		t.Fatal(err)
	}
	status := func(path string) int {
		client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Get(s.endpoint + path)
		if err != nil {
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if got := status("/_garrison/health"); got != 200 {
		t.Errorf("health before the end: %d", got)
	}
	s.command.Process.Signal(syscall.SIGTERM)
	for end := time.Now().Add(2 * time.Second); status("/_garrison/health") != 503; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("health does not tell of the end")
		}
	}
	if live, call := status("/_garrison/health/live"), status("/"); live != 200 || call/100 != 4 {
		t.Errorf("while the end is told of, the process is live: %d, a call is answered: %d", live, call)
	}
	select {
	case <-s.ended:
		if s.err != nil {
			t.Error(s.err)
		}
	case <-time.After(drainTime):
		t.Error("it does not end")
		s.kill()
	}
}
