package main

import (
	"context"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/bucket"
	blobfs "github.com/garrison-security/garrison/blob/fs"
	blobmem "github.com/garrison-security/garrison/blob/mem"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/pebble"
	"github.com/garrison-security/garrison/store/postgres"
)

// openBlobs opens where objects' bytes lie that are too many for the store; nil if
// settings name no place that fits it.
func openBlobs(ctx context.Context, settings House) (blob.Store, error) {
	dir := dataDir(settings.Data)
	switch {
	case settings.Blobs != "":
		return openBucket(ctx, settings)
	case settings.Engine == "mem":
		return blobmem.New(), nil
	case postgres.IsURL(settings.Engine): // one node's blobs would be no other's
		return nil, nil
	}
	return blobfs.Open(dir.blobs())
}

func openBucket(ctx context.Context, settings House) (*bucket.Store, error) {
	location, err := bucket.Parse(settings.Blobs)
	if err != nil {
		return nil, usageError{fault{"blobs", err.Error()}}
	}
	return bucket.Open(ctx, bucket.Options{Location: location, Spool: dataDir(settings.Data).spool()})
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

// restoreEngine begins to restore to the store that settings name.
func restoreEngine(ctx context.Context, name string, dir dataDir, options store.Options) (store.Restoration, error) {
	if postgres.IsURL(name) {
		return postgres.Restore(ctx, name, options)
	}
	return pebble.Restore(dir.store(), options)
}
