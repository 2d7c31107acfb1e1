package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestImage unpacks the container image and runs what is in it, as a container
// would: by its configuration, with the image as root directory and as its
// user where the test may do that.
func TestImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, []string{"CGO_ENABLED=0"}, "build", "-o", filepath.Join(dir, "garrison"), "../cmd/garrison")
	image := filepath.Join(dir, "image.tar")
	build(t, nil, "run", "../internal/image", "-binary", filepath.Join(dir, "garrison"), "-tag", "garrison:test", "-out", image)

	packed, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	untar(t, bytes.NewReader(packed), func(h *tar.Header, content []byte) { parts[h.Name] = content })
	var manifest []struct {
		Config string
		Layers []string
	}
	var described struct {
		Config struct {
			Entrypoint, Cmd, Env []string
			User                 string
		}
	}
	if err := errors.Join(json.Unmarshal(parts["manifest.json"], &manifest), json.Unmarshal(parts[manifest[0].Config], &described)); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	layer, err := gzip.NewReader(bytes.NewReader(parts[manifest[0].Layers[0]]))
	if err != nil {
		t.Fatal(err)
	}
	superuser := os.Geteuid() == 0
	untar(t, layer, func(h *tar.Header, content []byte) {
		path := filepath.Join(root, h.Name)
		var err error
		if h.Typeflag == tar.TypeDir {
			err = os.Mkdir(path, 0o755)
		} else {
			err = os.WriteFile(path, content, 0o644)
		}
		if superuser {
			err = errors.Join(err, os.Chown(path, h.Uid, h.Gid))
		}
		if err = errors.Join(err, os.Chmod(path, h.FileInfo().Mode())); err != nil {
			t.Fatal(err)
		}
	})

	s := &server{dir: filepath.Join(root, "data"), log: new(logBuffer)}
	run := described.Config
	command := exec.Command(run.Entrypoint[0], run.Cmd...)
	command.Env = append(run.Env, "GARRISON_LISTEN=:0", "GARRISON_ENGINE=pebble")
	if superuser {
		var uid, gid uint32
		if _, err := fmt.Sscanf(run.User, "%d:%d", &uid, &gid); err != nil || uid == 0 {
			t.Fatalf("the user is %q", run.User)
		}
		for path := root; path != "/"; path = filepath.Dir(path) { // the image's user must get there
			if err := os.Chmod(path, 0o755); err != nil && path == root {
				t.Fatal(err)
			}
			if path == os.TempDir() {
				break
			}
		}
		command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uid, Gid: gid}}
		command.Dir = "/data"
	} else {
		command.Path = filepath.Join(root, run.Entrypoint[0])
		command.Env = append(command.Env, "GARRISON_DATA="+s.dir)
	}
	if err := s.launch(command); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	if !strings.HasPrefix(s.endpoint, "https://127.0.0.1:") {
		t.Errorf("ready says %s", s.endpoint)
	}
	key, err := s.credential("default")
	if err != nil {
		t.Fatal(err)
	}
	over, err := transport(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sts.NewFromConfig(config(s.endpoint, "us-east-1", key, over)).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

func build(t *testing.T, env []string, args ...string) {
	t.Helper()
	command := exec.Command("go", args...)
	command.Env = append(os.Environ(), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func untar(t *testing.T, r io.Reader, each func(*tar.Header, []byte)) {
	t.Helper()
	for list := tar.NewReader(r); ; {
		h, err := list.Next()
		if err == io.EOF {
			return
		}
		content, err2 := io.ReadAll(list)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		each(h, content)
	}
}
