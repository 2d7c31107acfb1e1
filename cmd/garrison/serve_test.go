package main

import (
	"testing"
	"time"
)

func TestAConsumerThatFailsAgainAndAgainPausesLonger(t *testing.T) {
	var p pauses
	for i, c := range []struct{ well, want time.Duration }{
		{time.Hour, leastPause}, {0, 2 * leastPause}, {time.Second, 4 * leastPause}, {0, 8 * leastPause}, {0, 16 * leastPause}, {0, 32 * leastPause},
		{0, mostPause}, {mostPause, mostPause}, {mostPause + 1, leastPause}, {0, 2 * leastPause},
	} {
		if got := p.next(c.well); got != c.want {
			t.Errorf("pause %d, after %v: %v, want %v", i, c.well, got, c.want)
		}
	}
}
