// Command garrison is the security plane of AWS in one program: it serves
// AWS's own APIs, and its subcommands look after an installation.
//
// The package turns flags, environment and configuration into a running
// server, and holds nothing of a service but the list of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// CLI is the command line.
type CLI struct {
	Serve         ServeCmd         `cmd:"" help:"Serve AWS's APIs. On an empty store, first do what init does."`
	Init          InitCmd          `cmd:"" help:"Make an installation: root key, store, an account and its root user."`
	Version       VersionCmd       `cmd:"" help:"Print the release."`
	CheckConfig   CheckConfigCmd   `cmd:"" help:"Say what is wrong with a configuration, and where."`
	Account       AccountCmd       `cmd:"" help:"Make accounts, and list them."`
	Verify        VerifyCmd        `cmd:"" help:"Check store, keyring and trail, and print each stream's head."`
	Trail         TrailCmd         `cmd:"" help:"Print the record of calls, and follow it."`
	RotateRootKey RotateRootKeyCmd `cmd:"" help:"Move the installation to a new root key. Nothing sealed is rewritten."`
	Backup        BackupCmd        `cmd:"" help:"Write the whole installation as one sealed stream, while it is served or not."`
	Restore       RestoreCmd       `cmd:"" help:"Make an installation of such a stream, on any engine, where there is none."`
	Policy        PolicyCmd        `cmd:"" help:"Check, explain and decide policies, without a server."`
	Import        UnbuiltCmd       `cmd:"" help:"Not implemented yet." hidden:""`
	Detect        UnbuiltCmd       `cmd:"" help:"Not implemented yet." hidden:""`
}

const description = "The security plane of AWS, in your own hands.\n\n" +
	"Every setting of serve is a flag, an environment variable (GARRISON_…) and a line of the configuration file, " +
	"in that order of weight."

// The ways to end.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usageError is a command line, an environment or a configuration that can't be meant.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// badInput is what a subcommand was given and can't read, where failure means something else.
type badInput struct{ error }

func (e badInput) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err == nil || errors.Is(err, errHelped) {
		return
	}
	fmt.Fprintln(os.Stderr, "garrison:", oneLine(err))
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintln(os.Stderr, "Run garrison --help, or garrison COMMAND --help.")
		os.Exit(exitUsage)
	}
	if _, ok := errors.AsType[badInput](err); ok {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailure)
}

// oneLine lists joined errors on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// streams are the outputs of a subcommand.
type streams struct{ out, err io.Writer }

// run carries out one command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	io := streams{stdout, stderr}
	command, config, err := parse(args, io)
	if err != nil {
		return err
	}
	return command.Run(ctx, io, config)
}

// runner is what kong calls with.
type runner struct{ *kong.Context }

func (r runner) Run(ctx context.Context, io streams, config *configFile) error {
	r.BindTo(ctx, (*context.Context)(nil))
	return r.Context.Run(io, config)
}

// errHelped means that help was printed and there is nothing more to do.
var errHelped = errors.New("help was printed")

// parse reads the command line twice: the first time to find the configuration file.
func parse(args []string, io streams) (runner, *configFile, error) {
	ctx, err := parseWith(args, io, nil)
	if err != nil {
		return runner{}, nil, err
	}
	if ctx.Command() == "check-config" { // finds all that is wrong, not the first
		return runner{ctx}, nil, nil
	}
	var config *configFile
	for _, flag := range ctx.Flags() {
		if path, ok := ctx.FlagValue(flag).(configPath); ok && path != "" {
			var problems []problem
			if config, problems = readConfig(string(path), ctx.Model); len(problems) > 0 {
				return runner{}, nil, usageError{problems[0]}
			}
			if ctx, err = parseWith(args, io, config); err != nil {
				return runner{}, nil, err
			}
			break
		}
	}
	return runner{ctx}, config, nil
}

func parseWith(args []string, io streams, config *configFile) (ctx *kong.Context, err error) {
	options := []kong.Option{
		kong.Name("garrison"), kong.Description(description), kong.Writers(io.out, io.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Exit(func(int) { panic(errHelped) }),
	}
	if config != nil {
		options = append(options, kong.Resolvers(config))
	}
	parser, err := kong.New(new(CLI), options...)
	if err != nil {
		return nil, err
	}
	defer func() { // kong ends the process once it has printed help; here it only ends the parse
		if r := recover(); r != nil {
			if r != errHelped { //nolint // any other panic is a bug
				panic(r)
			}
			err = errHelped
		}
	}()
	if ctx, err = parser.Parse(args); err != nil {
		return nil, usageError{err}
	}
	return ctx, nil
}
