package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/garrison-security/garrison/store/postgres"
)

// CheckConfigCmd says what is wrong with a configuration, and where. It takes
// the flags of serve and reads the same environment.
type CheckConfigCmd struct{ Settings }

// Run implements the subcommand.
func (c *CheckConfigCmd) Run(background context.Context, io streams, ctx *kong.Context) error {
	settings, problems := c.Settings, []string(nil)
	var file *configFile
	if c.Config != "" {
		var wrong []problem
		file, wrong = readConfig(string(c.Config), ctx.Model)
		for _, p := range wrong {
			problems = append(problems, p.Error())
		}
		if len(wrong) == 0 {
			again, err := parseWith(ctx.Args, io, file)
			if err != nil {
				return err
			}
			settings = again.Selected().Target.Interface().(CheckConfigCmd).Settings
		}
	}
	for _, f := range settings.faults() {
		problems = append(problems, file.where(f))
	}
	if len(problems) == 0 && postgres.IsURL(settings.Engine) {
		plan, err := postgres.Plan(background, settings.Engine, release)
		if err != nil {
			problems = append(problems, file.where(fault{"engine", err.Error()}))
		} else {
			fmt.Fprintln(io.out, "the database:", plan)
		}
	}
	if len(problems) == 0 && settings.Blobs != "" {
		plan, err := planBlobs(background, settings.House)
		if err != nil {
			problems = append(problems, file.where(fault{"blobs", err.Error()}))
		} else {
			fmt.Fprintln(io.out, "the bucket:", plan)
		}
	}
	for _, text := range settings.cautions() {
		fmt.Fprintln(io.err, "caution:", text)
	}
	if len(problems) > 0 {
		fmt.Fprintln(io.out, strings.Join(problems, "\n"))
		return errors.New("the configuration is not fit to serve with")
	}
	_, err := fmt.Fprintln(io.out, "the configuration is fit to serve with")
	return err
}

// planBlobs asks the object store, and makes nothing, not even the spool.
func planBlobs(ctx context.Context, settings House) (string, error) {
	dir, err := os.MkdirTemp("", "garrison-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	settings.Data = dir
	place, err := openBucket(ctx, settings)
	if err != nil {
		return "", err
	}
	defer place.Close()
	return place.Plan(ctx)
}
