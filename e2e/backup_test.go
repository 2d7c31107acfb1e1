package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// slowly hands on what is read in pieces, with pauses.
type slowly struct {
	r     io.Reader
	pause time.Duration
}

func (s slowly) Read(b []byte) (int, error) {
	time.Sleep(s.pause)
	return s.r.Read(b[:min(len(b), 32<<10)])
}

// takeBackup backs a server up, while clients write, for a reader that takes its time.
func takeBackup(t *testing.T, s *server, w *writers) []byte {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := iam.NewFromConfig(config(s.endpoint, "us-east-1", w.key, transport))
			for n := 0; ctx.Err() == nil; n++ {
				name := w.account + "-" + string(rune('a'+writer)) + time.Duration(n).String()
				w.one(client, name)
				if n%3 == 0 {
					_, _ = client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
				}
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	command := exec.CommandContext(t.Context(), program, "backup", "--data", s.dir)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	command.Stderr = &complaints
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stream, err := io.ReadAll(slowly{out, 2 * time.Millisecond})
	if err != nil {
		t.Error(err)
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("backup: %v: %s", err, &complaints)
	}
	cancel()
	all.Wait()
	return stream
}

// restoreInto restores a stream to an engine, in a new directory with the old one's root key; the first time
// it is killed half-way, and what that leaves can't be served.
func restoreInto(t *testing.T, from *server, engine string, stream []byte) *server {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root.key", "credentials"} {
		text, err := os.ReadFile(filepath.Join(from.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"restore", "--data", dir, "--engine", engine}
	killed := exec.CommandContext(t.Context(), program, args...)
	in, err := killed.StdinPipe()
	if err == nil {
		err = killed.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(stream[:len(stream)/2]); err != nil {
		t.Error(err)
	}
	time.Sleep(500 * time.Millisecond)
	_ = killed.Process.Kill()
	_ = killed.Wait()
	if half, err := start(dir, "--engine", engine); err == nil {
		half.kill()
		t.Fatal("half a restore is served")
	} else if !strings.Contains(err.Error(), "a restore broke off") {
		t.Errorf("half a restore: %v", err)
	}
	restore := exec.CommandContext(t.Context(), program, args...)
	restore.Stdin = bytes.NewReader(stream)
	if out, err := restore.CombinedOutput(); err != nil {
		t.Fatalf("restore: %v: %s", err, out)
	}
	s, err := start(dir, "--engine", engine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}

// TestABackupChangesEngines moves an installation from Pebble to PostgreSQL and back, each time under
// load: what is there is what the record says, and the record's chain is the one that was.
func TestABackupChangesEngines(t *testing.T) {
	t.Parallel()
	s, _ := serving(t, "--engine", "pebble")
	account, complaints, err := s.garrison(t, "account", "create")
	if err != nil {
		t.Fatalf("account create: %v: %s", err, complaints)
	}
	w := &writers{server: s, account: strings.TrimSpace(account), sure: map[string]string{}}
	if w.key, err = s.credential(w.account); err != nil {
		t.Fatal(err)
	}
	heads := filepath.Join(t.TempDir(), "heads")
	for _, engine := range []string{pgtest.URL(t), "pebble"} {
		out, complaints, err := s.garrison(t, "verify")
		if err != nil {
			t.Fatalf("verify: %v: %s", err, complaints)
		}
		if err := os.WriteFile(heads, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		stream := takeBackup(t, s, w)
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		s = restoreInto(t, s, engine, stream)
		if out, complaints, err := s.garrison(t, "verify", "--heads", heads); err != nil {
			t.Errorf("verify: %v\n%s%s", err, out, complaints)
		}
		w.server = s
		checkRecorded(t, s, w)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// checkRecorded holds the users that are stored against the record of their making and deleting.
func checkRecorded(t *testing.T, s *server, w *writers) {
	t.Helper()
	want := map[string]bool{}
	for _, e := range recordedEvents(t, s, "--account", w.account, "--name", "iam:*", "--error", "none") {
		switch e.EventName {
		case "CreateUser":
			want[e.RequestParameters.UserName] = true
		case "DeleteUser":
			delete(want, e.RequestParameters.UserName)
		}
	}
	stored := 0
	client := iam.NewFromConfig(config(s.endpoint, "us-east-1", w.key, &http.Transport{}))
	for pages := iam.NewListUsersPaginator(client, &iam.ListUsersInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			if stored++; !want[*u.UserName] {
				t.Errorf("%s is stored and was not made, by the record", *u.UserName)
			}
		}
	}
	if stored != len(want) || stored == 0 {
		t.Errorf("%d users are stored, %d by the record", stored, len(want))
	}
}
