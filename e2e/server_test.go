package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// startTime bounds a start, drainTime a stop.
const (
	startTime = 60 * time.Second
	drainTime = 30 * time.Second
)

// server is a running garrison.
type server struct {
	dir      string
	work     string   // the process's working directory; "" is the tests'
	args     []string // besides --data
	env      []string
	command  *exec.Cmd
	exports  map[string]string // what its export lines said
	endpoint string            // of the line ready
	log      *logBuffer
	ended    chan struct{} // closed once the process is gone
	err      error         // how it ended; read after ended
}

// logBuffer collects a process's standard error.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts garrison in dir and waits until it is ready.
func start(dir string, args ...string) (*server, error) {
	s := &server{dir: dir, args: args, log: new(logBuffer)}
	return s, s.start()
}

func (s *server) start() error {
	args := append([]string{"serve", "--data", s.dir}, s.args...)
	if !hasFlag(s.args, "--listen") {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	if !hasFlag(s.args, "--engine") {
		engine, err := usualEngine()
		if err != nil {
			return err
		}
		s.args, args = append(s.args, "--engine", engine), append(args, "--engine", engine)
	}
	command := exec.Command(program, args...)
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "GARRISON_")
	}), s.env...)
	command.Dir = s.work
	return s.launch(command)
}

// launch starts the command, which is garrison serve, and waits until it is ready.
func (s *server) launch(command *exec.Cmd) error {
	s.command = command
	s.command.Stderr = s.log
	out, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		ready <- s.readReady(out)
		io.Copy(io.Discard, out)
		s.err = s.command.Wait()
		close(s.ended)
	}()
	select {
	case err = <-ready:
	case <-time.After(startTime):
		err = errors.New("it was not ready in time")
	}
	if err != nil {
		s.kill()
		return fmt.Errorf("%s: %w\n%s", command, err, s.log)
	}
	return nil
}

// usualEngine is that of servers that name none: mem, or with
// GARRISON_E2E_ENGINE=postgres a database of the server's own.
func usualEngine() (string, error) {
	switch engine := os.Getenv("GARRISON_E2E_ENGINE"); engine {
	case "postgres":
		return pgtest.Kept()
	case "":
		return "mem", nil
	default:
		return "", fmt.Errorf("GARRISON_E2E_ENGINE is %q, not postgres", engine)
	}
}

func hasFlag(args []string, name string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return a == name || strings.HasPrefix(a, name+"=") })
}

// readReady reads standard output up to the line ready, and refuses anything unknown on it.
func (s *server) readReady(out io.Reader) error {
	s.exports = map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if endpoint, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			s.endpoint = endpoint
			return nil
		}
		setting, ok := strings.CutPrefix(lines.Text(), "export ")
		name, value, ok2 := strings.Cut(setting, "=")
		if !ok || !ok2 {
			return fmt.Errorf("standard output carries %q", lines.Text())
		}
		s.exports[name] = strings.Trim(value, "'")
	}
	return errors.New("it ended before it was ready")
}

// stop sends SIGTERM and answers how the process ended.
func (s *server) stop() error {
	s.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		if s.err != nil {
			return fmt.Errorf("%w\n%s", s.err, s.log)
		}
		return s.sound()
	case <-time.After(drainTime):
		s.kill()
		return fmt.Errorf("it did not stop in time\n%s", s.log)
	}
}

// kill sends SIGKILL and waits for the end.
func (s *server) kill() {
	s.command.Process.Kill()
	<-s.ended
}

// sound says what the race detector or a panic told the log.
func (s *server) sound() error {
	log := s.log.String()
	for _, sign := range []string{"DATA RACE", "panic:", "goroutine "} {
		if strings.Contains(log, sign) {
			return fmt.Errorf("the log holds %q:\n%s", sign, log)
		}
	}
	return nil
}

// running says whether the process is there.
func (s *server) running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// credential is a key from the credentials file, by profile.
func (s *server) credential(profile string) (key, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "credentials"))
	if err != nil {
		return key{}, err
	}
	var k key
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, " = ")
		switch {
		case strings.HasPrefix(line, "["):
			inside = line == "["+profile+"]"
		case inside && name == "aws_access_key_id":
			k.ID = value
		case inside && name == "aws_secret_access_key":
			k.Secret = value
		}
	}
	if k.ID == "" {
		return k, fmt.Errorf("no profile %s", profile)
	}
	return k, nil
}

// garrison runs another subcommand to its end.
func garrison(ctx context.Context, dir string, args ...string) (stdout, stderr string, err error) {
	return garrisonWith(ctx, dir, nil, args...)
}

// garrisonWith is garrison with further variables.
func garrisonWith(ctx context.Context, dir string, env []string, args ...string) (stdout, stderr string, err error) {
	command := exec.CommandContext(ctx, program, args...)
	command.Env = append(append(os.Environ(), "GARRISON_DATA="+dir), env...)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	err = command.Run()
	return out.String(), complaints.String(), err
}
