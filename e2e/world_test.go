package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// key is what a caller signs with.
type key struct{ ID, Secret, Token string }

// world is one script's: its server, and the keys it has come by.
type world struct {
	ts     *testscript.TestScript
	work   string
	server *server
	keys   map[string]key
	caller string          // "" is root
	answer json.RawMessage // of the last call that had one
}

type worldKey struct{}

// script makes a command of a method. The method's error fails the script
// unless a failure is expected; then it goes to standard error, to be looked at.
func script(command func(w *world, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		w := ts.Value(worldKey{}).(*world)
		w.ts = ts
		err := command(w, args)
		switch {
		case err == nil && neg:
			ts.Fatalf("unexpected success")
		case err != nil && neg:
			fmt.Fprintln(ts.Stderr(), err)
		case err != nil:
			ts.Fatalf("%v", err)
		}
	}
}

// end ends a script: the server stops, and its log must be clean.
func (w *world) end() {
	if w.server != nil && w.server.running() {
		if err := w.server.stop(); err != nil {
			w.ts.Fatalf("the server's end: %v", err)
		}
	}
}

func (w *world) serve(args []string) error {
	if w.server != nil && w.server.running() {
		return errors.New("it serves already")
	}
	w.server = &server{
		dir: filepath.Join(w.work, "data"), work: w.ts.MkAbs("."), env: w.garrisonEnvironment(), args: args, log: new(logBuffer),
	}
	if err := w.server.start(); err != nil {
		return err
	}
	return w.export()
}

// garrisonEnvironment is what a script set for garrison.
func (w *world) garrisonEnvironment() (list []string) {
	for _, name := range []string{
		"GARRISON_ROOT_ACCESS_KEY_ID", "GARRISON_ROOT_SECRET_ACCESS_KEY", "GARRISON_ROOT_PASSPHRASE", "GARRISON_ACCOUNT",
		"GODEBUG",
	} {
		if value := w.ts.Getenv(name); value != "" {
			list = append(list, name+"="+value)
		}
	}
	return list
}

// export takes over what the server's export lines say.
func (w *world) export() error {
	for name, value := range w.server.exports {
		w.ts.Setenv(name, value)
	}
	w.ts.Setenv("ENDPOINT", w.server.endpoint)
	w.ts.Setenv("CA", filepath.Join(w.server.dir, "ca.pem"))
	root, err := w.server.credential("default")
	if err != nil {
		return err
	}
	w.keys["root"] = root
	return nil
}

// again starts the server once more, on the port it had.
func (w *world) again() error {
	s := w.server
	if _, address, _ := strings.Cut(s.endpoint, "://"); !hasFlag(s.args, "--listen") {
		s.args = append(slices.Clone(s.args), "--listen", address)
	}
	s.log = new(logBuffer)
	if err := s.start(); err != nil {
		return err
	}
	return w.export()
}

func (w *world) restart([]string) error {
	if err := w.server.stop(); err != nil {
		return err
	}
	return w.again()
}

func (w *world) kill9([]string) error {
	w.server.kill()
	return w.again()
}

func (w *world) halt([]string) error { return w.server.stop() }

func (w *world) https([]string) error {
	_, address, _ := strings.Cut(w.server.endpoint, "://")
	w.ts.Setenv("AWS_ENDPOINT_URL", "https://"+address)
	w.ts.Setenv("AWS_CA_BUNDLE", filepath.Join(w.server.dir, "ca.pem"))
	return nil
}

func (w *world) as(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: as NAME")
	}
	k, ok := w.keys[args[0]]
	if !ok {
		var err error
		if k, err = w.server.credential(args[0]); err != nil {
			return fmt.Errorf("no key is kept under %s, and there is %w", args[0], err)
		}
	}
	w.caller = args[0]
	w.ts.Setenv("AWS_ACCESS_KEY_ID", k.ID)
	w.ts.Setenv("AWS_SECRET_ACCESS_KEY", k.Secret)
	w.ts.Setenv("AWS_SESSION_TOKEN", k.Token)
	w.keys[args[0]] = k
	return nil
}

// callerKey is the key that calls are signed with now.
func (w *world) callerKey() key {
	if w.caller == "" {
		return w.keys["root"]
	}
	return w.keys[w.caller]
}

// environment is the script's, without the variables that are empty: AWS's
// clients take an empty token for one.
func (w *world) environment() (list []string) {
	for _, name := range []string{
		"HOME", "PATH", "TMPDIR", "AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_MAX_ATTEMPTS", "AWS_DEFAULT_OUTPUT",
		"AWS_ENDPOINT_URL", "AWS_SHARED_CREDENTIALS_FILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_CA_BUNDLE",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS",
	} {
		if value := w.ts.Getenv(name); value != "" {
			list = append(list, name+"="+value)
		}
	}
	return append(list, "AWS_PAGER=")
}

func (w *world) aws(args []string) error { return w.run(client("aws"), args) }

func (w *world) boto(args []string) error { return w.run(client("python"), args) }

func (w *world) run(path string, args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	command.Dir, command.Env = w.ts.MkAbs("."), w.environment()
	var out bytes.Buffer
	command.Stdout, command.Stderr = io.MultiWriter(w.ts.Stdout(), &out), w.ts.Stderr()
	err := command.Run()
	if json.Valid(out.Bytes()) {
		w.answer = out.Bytes()
	}
	return err
}

func (w *world) garrison(args []string) error {
	out, complaints, err := w.subcommand(args)
	io.WriteString(w.ts.Stdout(), out)
	io.WriteString(w.ts.Stderr(), complaints)
	status := 0
	if code := new(exec.ExitError); errors.As(err, &code) {
		status = code.ExitCode()
	}
	w.ts.Setenv("STATUS", strconv.Itoa(status))
	return err
}

// subcommand runs garrison as the script's operator would.
func (w *world) subcommand(args []string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = w.ts.MkAbs(".")
	command.Env = append(os.Environ(), append([]string{"GARRISON_DATA=" + filepath.Join(w.work, "data")}, w.garrisonEnvironment()...)...)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	err = command.Run()
	return out.String(), complaints.String(), err
}

func (w *world) set(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: set VAR MEMBER.MEMBER")
	}
	var at any
	if err := json.Unmarshal(w.answer, &at); err != nil {
		return fmt.Errorf("the last answer: %w", err)
	}
	for _, member := range strings.Split(args[1], ".") {
		switch in := at.(type) {
		case map[string]any:
			at = in[member]
		case []any:
			i, err := strconv.Atoi(member)
			if err != nil || i < 0 || i >= len(in) {
				return fmt.Errorf("no %s in a list of %d", member, len(in))
			}
			at = in[i]
		default:
			at = nil
		}
	}
	if at == nil {
		return fmt.Errorf("no %s in %s", args[1], w.answer)
	}
	w.ts.Setenv(args[0], fmt.Sprint(at))
	return nil
}

// trail prints a line an event of AWS's services: who, what, with which outcome.
func (w *world) trail(args []string) error {
	out, complaints, err := w.subcommand(append([]string{"trail", "--json"}, args...))
	if err != nil {
		return fmt.Errorf("%w: %s", err, complaints)
	}
	for line := range strings.Lines(out) {
		var e struct {
			EventSource, EventName, ErrorCode string
			UserIdentity                      struct{ Type, ARN, UserName string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return err
		}
		service, ours := strings.CutSuffix(e.EventSource, ".amazonaws.com")
		if !ours {
			continue
		}
		who := e.UserIdentity.UserName
		if _, session, ok := strings.Cut(e.UserIdentity.ARN, ":assumed-role/"); ok {
			who = session
		}
		if _, name, ok := strings.Cut(e.UserIdentity.ARN, ":federated-user/"); ok {
			who = name
		}
		if e.UserIdentity.Type == "Root" {
			who = "root"
		}
		if e.ErrorCode == "" {
			e.ErrorCode = "ok"
		}
		fmt.Fprintf(w.ts.Stdout(), "%s %s:%s %s\n", who, service, e.EventName, e.ErrorCode)
	}
	return nil
}
