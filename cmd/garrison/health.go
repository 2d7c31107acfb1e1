package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/garrison-security/garrison/store"
)

// How long the store may take to answer whether it serves, and how long its answer is believed.
const (
	probeTime = time.Second
	probeAge  = 500 * time.Millisecond
)

// health tells whether calls can be answered: the store serves, and the process does not end.
type health struct {
	engine   store.Engine
	draining atomic.Bool

	mu    sync.Mutex // held while one looks and the others wait for what he finds
	asked chan error // a probe that was under way when it took too long; nil: none
	at    time.Time  // of the last finding
	found error
}

// tell answers 200 where calls can be answered and else 503, and says no more than that.
func (h *health) tell(w http.ResponseWriter) {
	switch {
	case h.draining.Load():
		tellState(w, http.StatusServiceUnavailable, "draining")
	case h.ready() != nil:
		tellState(w, http.StatusServiceUnavailable, "unready")
	default:
		tellState(w, http.StatusOK, "ready")
	}
}

func tellState(w http.ResponseWriter, status int, state string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, "{\"status\":%q}\n", state)
}

var errProbe = errors.New("the store does not answer in time")

// ready is nil if a look into the store succeeded lately. There is one look at
// a time, however many ask and however long it hangs.
func (h *health) ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.at.IsZero() && time.Since(h.at) < probeAge {
		return h.found
	}
	if h.asked == nil {
		answer := make(chan error, 1)
		h.asked = answer
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), probeTime)
			defer cancel()
			answer <- h.engine.View(ctx, func(tx store.Tx) error {
				_, err := installations.Get(tx, "")
				return err
			})
		}()
	}
	select {
	case h.found = <-h.asked:
		h.asked = nil
	case <-time.After(probeTime):
		h.found = errProbe
	}
	h.at = time.Now()
	return h.found
}
