// Package pgtest gives tests a PostgreSQL server of their own: of the programs
// that the machine has, in a temporary folder, ended with the test. It is for
// tests and measurements alone.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// startTime bounds how long a server may take to answer.
const startTime = 60 * time.Second

// Server is a PostgreSQL server.
type Server struct {
	Port     int
	Password string // for connections over TCP
	dir      string
	settings []string
	limit    int // bytes of a file
	process  *exec.Cmd
	ended    chan struct{}
}

// bin is the folder of the server's programs, or "".
func bin() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		if whole, err := filepath.EvalSymlinks(path); err == nil { // the others lie beside it, not beside a link
			path = whole
		}
		found = append(found, path)
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// need skips a test where there is no PostgreSQL, or fails it if GARRISON_CI is 1.
func need(t testing.TB) {
	t.Helper()
	if bin() != "" {
		return
	}
	if os.Getenv("GARRISON_CI") == "1" {
		t.Fatal("PostgreSQL is missing: install the package postgresql")
	}
	t.Skip("PostgreSQL is not here; install it (initdb in PATH or in /usr/lib/postgresql) to run this test")
}

// shared is the server of all of a package's tests that ask for no more than a URL.
var shared struct {
	once   sync.Once
	server *Server
	err    error
	n      atomic.Int64
}

// Main runs a package's tests and ends the server that they share. TestMain
// hands its answer to os.Exit.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		shared.server.Stop()
	}
	return code
}

// URL is the URL of an empty database for one test, on a server that all of
// the package's tests share. That server keeps nothing if the machine fails:
// a test that kills it starts its own.
func URL(t testing.TB) string {
	t.Helper()
	need(t)
	if err := startShared(); err != nil {
		t.Fatal(err)
	}
	return shared.server.Schema(t)
}

// Kept is URL for what has no single test to end with: it stays as long as the server.
func Kept() (string, error) {
	if err := startShared(); err != nil {
		return "", err
	}
	return shared.server.schema()
}

func startShared() error {
	shared.once.Do(func() { shared.server, shared.err = New("fsync=off", "full_page_writes=off") })
	return shared.err
}

// Start starts a server for one test, with settings such as "fsync=on".
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	need(t)
	s, err := New(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// New is Start for what has no test to end with: its caller stops the server.
func New(settings ...string) (_ *Server, err error) {
	if bin() == "" {
		return nil, errors.New("PostgreSQL is not here; install it (initdb in PATH or in /usr/lib/postgresql)")
	}
	dir, err := os.MkdirTemp("", "pg*")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, settings: settings, Password: rand.Text()}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err := give(dir); err != nil {
		return nil, err
	}
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(s.Password+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := give(secret); err != nil {
		return nil, err
	}
	initdb := s.command("initdb", "--pgdata", s.data(), "--username", "garrison", "--pwfile", secret, "--no-sync",
		"--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.Port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.Run()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Command is one of the server's programs, to be run as the server's user in its folder, where its socket is.
func (s *Server) Command(name string, args ...string) *exec.Cmd {
	return s.command(name, append([]string{"-h", s.dir, "-p", strconv.Itoa(s.Port), "-U", "garrison"}, args...)...)
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(bin(), name), args...)
	c.Dir = s.dir
	asAnother(c)
	return c
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Run starts the server again, after Kill or Halt, and waits until it answers.
func (s *Server) Run() error {
	args := []string{"-D", s.data(), "-k", s.dir, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "log_min_messages=error"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.process, s.ended = s.command("postgres", args...), make(chan struct{})
	if s.limit > 0 { // which the shell counts in blocks of 512 bytes
		s.process.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -f %d && exec "$0" "$@"`, s.limit/512), s.process.Path}, args...)
		s.process.Path = "/bin/sh"
	}
	s.process.Stdout, s.process.Stderr = log, log
	if err := begin(s.process, s.ended); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		err := s.Exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL has ended: %s", text)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		}
	}
}

// Standby starts a copy of the server that follows it, and has the server wait for it at each
// commit from then on.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	other, err := s.standby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Stop)
	return other
}

func (s *Server) standby() (_ *Server, err error) {
	dir, err := os.MkdirTemp("", "pg*")
	if err != nil {
		return nil, err
	}
	other := &Server{dir: dir, settings: s.settings, Password: s.Password}
	defer func() {
		if err != nil {
			other.Stop()
		}
	}()
	if err := give(dir); err != nil {
		return nil, err
	}
	copying := other.command("pg_basebackup", "--pgdata", other.data(), "--host", s.dir, "--port", strconv.Itoa(s.Port),
		"--username", "garrison", "--wal-method", "stream", "--checkpoint", "fast", "--write-recovery-conf", "--no-sync")
	if out, err := copying.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if other.Port, err = freePort(); err != nil {
		return nil, err
	}
	if err := other.Run(); err != nil {
		return nil, err
	}
	for _, sql := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if err := s.Exec(sql); err != nil {
			return nil, err
		}
	}
	return other, nil
}

// Promote makes a standby take writes, waiting for no other.
func (s *Server) Promote() error {
	return errors.Join(s.Exec("SELECT pg_promote()"), s.Exec("ALTER SYSTEM SET synchronous_standby_names = ''"), s.Exec("SELECT pg_reload_conf()"))
}

// Either is the URL of whichever of the two servers takes writes.
func (s *Server) Either(other *Server) string {
	return fmt.Sprintf("postgres://garrison@/postgres?host=%s,%s&port=%d,%d", url.QueryEscape(s.dir), url.QueryEscape(other.dir), s.Port, other.Port)
}

// Limit bounds, from the next Run on, how large a file of the server's may grow, in bytes, as a
// full disk does; 0: no bound.
func (s *Server) Limit(file int) { s.limit = file }

// Signal sends the server's first process a signal, such as SIGSTOP.
func (s *Server) Signal(signal os.Signal) error { return s.process.Process.Signal(signal) }

// PID is the server's first process.
func (s *Server) PID() int { return s.process.Process.Pid }

// Kill ends the server as a crash would: SIGQUIT leaves its log to be replayed.
func (s *Server) Kill() {
	_ = s.Signal(syscall.SIGQUIT)
	<-s.ended
}

// Halt ends the server at once, in order: connections are cut.
func (s *Server) Halt() {
	_ = s.Signal(os.Interrupt)
	<-s.ended
}

// Stop ends the server for good and removes what it has written.
func (s *Server) Stop() {
	if s.process != nil {
		s.Kill()
	}
	_ = os.RemoveAll(s.dir)
}

// URL is that of the server's first database, over its Unix socket.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://garrison@/postgres?host=%s&port=%d", url.QueryEscape(s.dir), s.Port)
}

// TCP is the URL of the same database over TCP, at another address such as a
// proxy's, or at the server's own if that is "".
func (s *Server) TCP(address string) string {
	if address == "" {
		address = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port))
	}
	return fmt.Sprintf("postgres://garrison:%s@%s/postgres?sslmode=disable", s.Password, address)
}

// Schema makes a schema for one test and is the URL under which it stands for
// the whole database.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	made, err := s.schema()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, name, _ := strings.Cut(made, "search_path=")
		if err := s.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Log(err)
		}
	})
	return made
}

func (s *Server) schema() (string, error) {
	name := fmt.Sprintf("t%d", shared.n.Add(1))
	return s.URL() + "&search_path=" + name, s.Exec("CREATE SCHEMA " + name)
}

// Exec runs SQL on the server.
func (s *Server) Exec(sql string) error {
	return Exec(s.URL(), sql)
}

// Exec runs SQL on a database.
func Exec(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql).ReadAll()
	return errors.Join(err, conn.Close(ctx))
}

// Query is the first column of what a statement answers, as text.
func Query(t testing.TB, url, sql string) (column []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	answer := conn.ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	if answer.Err != nil {
		t.Fatal(sql, ": ", answer.Err)
	}
	for _, row := range answer.Rows {
		column = append(column, strings.Clone(string(row[0])))
	}
	return column
}
