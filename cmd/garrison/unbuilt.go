package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// UnbuiltCmd is a subcommand whose name is decided and whose work is not written.
type UnbuiltCmd struct {
	Args []string `arg:"" optional:"" passthrough:"all" hidden:""`
}

// Run implements the subcommand.
func (UnbuiltCmd) Run(ctx *kong.Context) error {
	return fmt.Errorf("%s is not implemented yet", ctx.Selected().Name)
}
