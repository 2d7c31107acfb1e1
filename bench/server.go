package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The root key that measured servers are started with. It opens nothing else.
const (
	rootID     = "AKIABENCHBENCHBENCH0"
	rootSecret = "bench-secret-of-a-server-that-is-thrown-away"
)

// server is a measured process.
type server struct {
	cmd   *exec.Cmd
	addr  string
	ready time.Duration // from start to its ready line
}

// garrison starts the binary on a data directory and waits until it is ready.
func (b *bench) garrison(dir string, further ...string) (*server, error) {
	cmd := exec.Command(b.binary, "serve", "--data", dir, "--listen", "127.0.0.1:0", "--account", "123456789012",
		"--quota", "iam:Users=10000000", "--quota", "iam:Roles=10000000", "--quota", "iam:Policies=10000000", "--quota", "iam:PolicyVersionsInUse=10000000")
	cmd.Args = append(cmd.Args, further...)
	cmd.Env = append(os.Environ(), "GARRISON_ROOT_ACCESS_KEY_ID="+rootID, "GARRISON_ROOT_SECRET_ACCESS_KEY="+rootSecret,
		"GARRISON_ROOT_PASSPHRASE=the root key of a store that is thrown away")
	log, err := os.Create(dir + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stderr = log
	return start(cmd)
}

// bare starts this program as the bare server.
func bare() (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(exec.Command(self, "floor"))
}

// start runs cmd until it prints "ready http://HOST:PORT".
func start(cmd *exec.Cmd) (*server, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "ready http://"); ok {
			s := &server{cmd: cmd, addr: addr, ready: time.Since(began)}
			go io.Copy(io.Discard, out)
			return s, nil
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return nil, errors.New("the server ended before it was ready: " + cmd.String())
}

// stop ends the process; kill does so with SIGKILL.
func (s *server) stop() { s.end(syscall.SIGTERM) }
func (s *server) kill() { s.end(syscall.SIGKILL) }

func (s *server) end(with os.Signal) {
	s.cmd.Process.Signal(with)
	s.cmd.Wait()
}

// cpu is the user and system time that the process has used.
func (s *server) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// resident is the process's resident memory in MiB.
func (s *server) resident() float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// floor answers every request with as many bytes as its header asks for, and does nothing else.
func floor() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready http://" + listener.Addr().String())
	body := make([]byte, 64<<10)
	for i := range body {
		body[i] = 'x'
	}
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		n, _ := strconv.Atoi(r.Header.Get("X-Answer"))
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("X-Amzn-Requestid", "11111111-2222-3333-4444-555555555555")
		w.Write(body[:n])
	}))
}
