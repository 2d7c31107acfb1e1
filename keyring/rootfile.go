package keyring

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// filePrefix begins a root key file, followed by 32 bytes in base64 and a newline.
const filePrefix = "garrison-root-key-1 "

// fileKey is a root key in memory, most often read from a file.
type fileKey struct{ key *secret }

// ReadRootFile reads the root key in the file called path. It refuses a file
// that its group or others may read (not on Windows, which has no such mode),
// and anything that is no root key.
func ReadRootFile(path string) (RootKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keyring: root key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keyring: root key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("keyring: root key: %s is no regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("keyring: root key: %s has mode %04o; others than its owner may use it: chmod 600 it", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return nil, fmt.Errorf("keyring: root key: %w", err)
	}
	defer clear(text)
	encoded, ok := strings.CutPrefix(strings.TrimSpace(string(text)), filePrefix)
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("keyring: root key: %s holds no root key of a form this release knows", path)
	}
	defer clear(raw)
	key := new(secret)
	copy(key.b[:], raw)
	return &fileKey{key}, nil
}

// CreateRootFile makes a new root key in a new file of mode 0600 called path,
// on disk when it returns, and answers an fs.ErrExist if there is one: a root
// key is never overwritten.
func CreateRootFile(path string) (RootKey, error) {
	key := newSecret()
	text := filePrefix + base64.StdEncoding.EncodeToString(key.b[:]) + "\n"
	dir := filepath.Dir(path)
	// Written aside and linked, so that a stop half-way leaves no half key under the name.
	f, err := os.CreateTemp(dir, ".root-key-*")
	if err != nil {
		return nil, fmt.Errorf("keyring: root key: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("keyring: root key: %w", err)
	}
	return &fileKey{key}, nil
}

// FleetingRoot is a root key that stands nowhere and is gone with the process,
// for a store that is gone with it too.
func FleetingRoot() RootKey { return &fileKey{newSecret()} }

// RootFile reads the root key in the file called path, or makes one if there
// is none and create is true.
func RootFile(path string, create bool) (RootKey, error) {
	key, err := ReadRootFile(path)
	if create && errors.Is(err, fs.ErrNotExist) {
		key, err = CreateRootFile(path)
		if errors.Is(err, fs.ErrExist) { // another process was quicker
			key, err = ReadRootFile(path)
		}
	}
	return key, err
}

// syncDir makes the names in dir durable. Windows can't, and has no need to.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Parameters implements RootKey: a file needs none.
func (*fileKey) Parameters() ([]byte, error) { return nil, nil }

// With implements RootKey.
func (k *fileKey) With([]byte) (Wrapper, error) { return newSoftware(k.key) }

// Format implements fmt.Formatter, so that no verb prints the key.
func (k *fileKey) Format(f fmt.State, _ rune) { redact(f) }
