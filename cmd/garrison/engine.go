package main

import (
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/pebble"
)

// openEngine opens the store that settings name.
func openEngine(name string, dir dataDir, options store.Options) (store.Engine, error) {
	if name == "mem" {
		return mem.Open(options)
	}
	return pebble.Open(dir.store(), options)
}
