//go:build !cgo

package helper

import "github.com/garrison-security/garrison/hsm/frame"

// load refuses: without cgo no module can be loaded.
func load(*frame.Request) (token, error) { return nil, fault{status: frame.NoModule} }
