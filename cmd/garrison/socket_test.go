//go:build unix

package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSocketWhateverThePathsLength(t *testing.T) {
	for _, length := range []int{0, 150} {
		dir := filepath.Join(t.TempDir(), strings.Repeat("d", length))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "admin.sock")
		l, err := listenSocket(path)
		if err != nil {
			t.Fatalf("%d bytes: %v", len(path), err)
		}
		defer l.Close()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("its mode is %v (%v)", info.Mode(), err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			if by, err := peerOf(c); err != nil || by.uid != os.Getuid() {
				t.Errorf("the peer is %+v (%v)", by, err)
			}
			io.WriteString(c, "hello")
		}()
		c, err := dialSocket(t.Context(), path)
		if err != nil {
			t.Fatalf("%d bytes: %v", len(path), err)
		}
		if text, err := io.ReadAll(c); err != nil || string(text) != "hello" {
			t.Errorf("read %q (%v)", text, err)
		}
		c.Close()
	}
}

func TestOnlyTheServersUserOperatesIt(t *testing.T) {
	for uid, admits := range map[int]bool{0: true, os.Geteuid(): true, os.Geteuid() + 1: false} {
		if err := admitted(uid); (err == nil) != admits {
			t.Errorf("user %d: %v", uid, err)
		}
	}
}

// TestAnUnknownPeerIsAnsweredNothing shows that the handler rests on the
// connection's owner, and on nothing that a request says.
func TestAnUnknownPeerIsAnsweredNothing(t *testing.T) {
	for path := range tasks {
		r, err := http.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		w := &recorder{header: http.Header{}}
		(&adminServer{}).ServeHTTP(w, r)
		if w.status != http.StatusForbidden {
			t.Errorf("%s is answered %d", path, w.status)
		}
	}
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }
