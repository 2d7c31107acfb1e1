package pebble

import (
	"sync"
	"time"
)

// freeSpace keeps the last answer of the file system for a second.
type freeSpace struct {
	mu    sync.Mutex
	share float64   // under mu
	asked time.Time // under mu
}

// Free implements store.Engine: the share of the directory's file system that
// its owner may still write, at most a second old.
func (e *Engine) Free() float64 {
	f := &e.free
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.asked) > time.Second {
		f.share, f.asked = 1, now
		if usage, err := e.fs.GetDiskUsage(e.dir); err == nil && usage.TotalBytes > 0 {
			f.share = float64(usage.AvailBytes) / float64(usage.TotalBytes)
		}
	}
	return f.share
}
