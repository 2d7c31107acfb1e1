package main

import (
	"context"

	"github.com/garrison-security/garrison/blob"
	blobfs "github.com/garrison-security/garrison/blob/fs"
	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/postgres"
)

// openBlobs opens where objects' bytes lie beside the store that settings name.
func openBlobs(name string, dir dataDir) (blob.Store, error) {
	if name == "mem" {
		return blobmem.New(), nil
	}
	return blobfs.Open(dir.blobs())
}

// openEngine opens the store that settings name.
func openEngine(ctx context.Context, name string, dir dataDir, options store.Options) (store.Engine, error) {
	switch {
	case name == "mem":
		return mem.Open(options)
	case postgres.IsURL(name):
		return postgres.Open(ctx, name, options)
	}
	return pebble.Open(dir.store(), options)
}
