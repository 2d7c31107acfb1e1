package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is what a store is stamped with. The build of a release sets it.
var release = "0.1.0-dev"

// VersionCmd prints the release.
type VersionCmd struct{}

// Run implements the subcommand.
func (VersionCmd) Run(io streams) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = " (" + setting.Value[:min(12, len(setting.Value))] + ")"
			}
		}
	}
	_, err := fmt.Fprintf(io.out, "garrison %s%s %s %s/%s\n", release, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
