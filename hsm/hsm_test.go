package hsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garrison-security/garrison/hsm/helper"
	"github.com/garrison-security/garrison/internal/hsmtest"
)

// TestMain makes the tests' own program the helper, where it is called so.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != HelperName {
		os.Exit(m.Run())
	}
	if err := helper.Harden(); err != nil {
		os.Exit(2)
	}
	if err := helper.Serve(os.NewFile(3, "requests"), os.NewFile(4, "answers")); err != nil {
		os.Exit(2)
	}
	os.Exit(0)
}

// plant is a token, and what a test may do to its module.
type plant struct {
	*hsmtest.Token
	Clusters
	log    bytes.Buffer
	faults string // a file's being there is a fault: see testdata/faulty.c
}

const cluster = "cluster-2a34b5cdefg"

func newPlant(t *testing.T) *plant {
	t.Helper()
	token := hsmtest.New(t, "garrison test")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{Token: token, faults: t.TempDir()}
	p.Helper = filepath.Join(t.TempDir(), HelperName)
	if err := os.Symlink(self, p.Helper); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", token.Conf)
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	p.Variables = []string{"SOFTHSM2_CONF", "GORACE"}
	p.Log = slog.New(slog.NewTextHandler(&p.log, nil))
	p.List = []Cluster{{ID: cluster, Module: token.Module, Token: token.Label}}
	return p
}

// faulty puts a module that can be told to fail before the token's.
func (p *plant) faulty(t *testing.T) {
	t.Helper()
	shim := filepath.Join(t.TempDir(), "faulty.so")
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", shim, "testdata/faulty.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(shim, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAULTY_MODULE", p.Module)
	t.Setenv("FAULTY_DIR", p.faults)
	p.Variables = append(p.Variables, "FAULTY_MODULE", "FAULTY_DIR")
	p.List[0].Module = shim
}

// tell begins or ends a fault.
func (p *plant) tell(t *testing.T, fault string, on bool) {
	t.Helper()
	path := filepath.Join(p.faults, fault)
	err := os.Remove(path)
	if on {
		err = os.WriteFile(path, nil, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (p *plant) open(t *testing.T) *Store {
	t.Helper()
	s, err := p.Open(cluster, []byte(p.PIN))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestKeysSealAndOpen(t *testing.T) {
	p, ctx := newPlant(t), t.Context()
	s := p.open(t)
	for _, err := range []error{s.Connect(ctx), s.Generate(ctx, "one"), s.Generate(ctx, "two")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{0, 1, 16, 4096, MaxPlaintext} {
		text, aad := bytes.Repeat([]byte{7}, size), bytes.Repeat([]byte{9}, size*8)
		sealed, err := s.Encrypt(ctx, "one", text, aad)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		back, err := s.Decrypt(ctx, "one", sealed, aad)
		if err != nil || !bytes.Equal(back, text) {
			t.Errorf("%d bytes come back as %d: %v", size, len(back), err)
		}
		if again, _ := s.Encrypt(ctx, "one", text, aad); bytes.Equal(again[:13], sealed[:13]) {
			t.Error("an IV came twice")
		}
	}
	sealed, err := s.Encrypt(ctx, "one", []byte("text"), []byte("context"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := s.Decrypt(ctx, "one", altered, []byte("context")); !errors.Is(err, ErrUndecryptable) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
	for name, c := range map[string]struct {
		label       string
		sealed, aad []byte
		want        error
	}{
		"another context": {"one", sealed, []byte("other"), ErrUndecryptable},
		"another key":     {"two", sealed, []byte("context"), ErrUndecryptable},
		"no key":          {"three", sealed, []byte("context"), ErrNoKey},
		"no label":        {"", sealed, []byte("context"), ErrNoKey},
		"a cut end":       {"one", sealed[:len(sealed)-1], []byte("context"), ErrUndecryptable},
		"nothing":         {"one", nil, []byte("context"), ErrUndecryptable},
		"too much":        {"one", make([]byte, MaxPlaintext+30), nil, ErrUndecryptable},
		"a long context":  {"one", sealed, make([]byte, MaxAAD+1), ErrTooLarge},
		"a long label":    {strings.Repeat("x", MaxLabel+1), sealed, nil, ErrTooLarge},
	} {
		if _, err := s.Decrypt(ctx, c.label, c.sealed, c.aad); !errors.Is(err, c.want) {
			t.Errorf("Decrypt with %s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := s.Encrypt(ctx, "one", make([]byte, MaxPlaintext+1), nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Encrypt too much: %v", err)
	}
	if err := s.Generate(ctx, "one"); !errors.Is(err, ErrKeyExists) {
		t.Errorf("Generate again: %v", err)
	}

	// Another process, as after a restart or on another node, has the same keys.
	other := p.open(t)
	if back, err := other.Decrypt(ctx, "one", sealed, []byte("context")); err != nil || string(back) != "text" {
		t.Errorf("elsewhere: %q, %v", back, err)
	}
	if err := other.Destroy(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decrypt(ctx, "one", sealed, []byte("context")); !errors.Is(err, ErrNoKey) {
		t.Errorf("after another process destroyed the key: %v", err)
	}
	if err := s.Destroy(ctx, "one"); !errors.Is(err, ErrNoKey) {
		t.Errorf("Destroy again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Connect(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	p := newPlant(t)
	if _, err := p.Open("cluster-aaaaaaaaaaa", []byte(p.PIN)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a cluster that is not configured: %v", err)
	}
	loose := filepath.Join(t.TempDir(), "loose.so")
	if err := os.WriteFile(loose, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(loose, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(o *Options)
		want   error
	}{
		"a wrong PIN":                         {func(o *Options) { o.PIN = []byte("wrong-horse") }, ErrWrongPIN},
		"a PIN of the wrong length":           {func(o *Options) { o.PIN = []byte("1") }, ErrWrongPIN},
		"a PIN longer than any":               {func(o *Options) { o.PIN = make([]byte, 300) }, ErrWrongPIN},
		"a token that is not there":           {func(o *Options) { o.Cluster.Token = "other" }, ErrNoToken},
		"another token of the label":          {func(o *Options) { o.Cluster.Serial = "0123456789abcdef" }, ErrNoToken},
		"a module that is not there":          {func(o *Options) { o.Cluster.Module = "/nowhere/module.so" }, ErrNoModule},
		"a file that is no module":            {func(o *Options) { o.Cluster.Module = p.Conf }, ErrNoModule},
		"a library that is no module":         {func(o *Options) { o.Cluster.Module = libc(t) }, ErrNoModule},
		"a module that anyone can change":     {func(o *Options) { o.Cluster.Module = loose }, ErrNoModule},
		"a helper that is not there":          {func(o *Options) { o.Helper = "/nowhere/garrison-pkcs11" }, ErrNoModule},
		"a helper that is another program":    {func(o *Options) { o.Helper = "/bin/true" }, ErrUnavailable},
		"a helper that can't be run":          {func(o *Options) { o.Helper = p.Conf }, ErrUnavailable},
		"a helper that speaks something else": {func(o *Options) { o.Helper = "/bin/sh" }, ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Cluster: p.List[0], Helper: p.Helper, Environment: p.environment(), PIN: []byte(p.PIN), Log: p.Log}
			c.change(&o)
			s := Open(o)
			defer s.Close()
			s.limits.start = 5 * time.Second
			if err := s.Connect(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("Connect = %v, want %v", err, c.want)
			}
		})
	}
	if strings.Contains(p.log.String(), "horse") {
		t.Errorf("the log holds a PIN:\n%s", p.log.String())
	}
}

func libc(t *testing.T) string {
	found, _ := filepath.Glob("/lib/*/libc.so.6")
	if len(found) == 0 {
		return "/nowhere"
	}
	return found[0]
}

// TestWrongPINIsTriedOnce: tokens lock their user out after a few wrong PINs,
// which nobody brings about by calling again and again, or by opening anew.
func TestWrongPINIsTriedOnce(t *testing.T) {
	p := newPlant(t)
	for range 2 {
		s, err := p.Open(cluster, []byte("wrong-horse"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 3 {
			if err := s.Connect(t.Context()); !errors.Is(err, ErrWrongPIN) {
				t.Fatal(err)
			}
		}
	}
	if n := strings.Count(p.log.String(), "refused the PIN"); n != 1 {
		t.Errorf("the token was asked %d times:\n%s", n, p.log.String())
	}
	if err := p.open(t).Connect(t.Context()); err != nil {
		t.Errorf("the right PIN: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		var r refusals
		r.add(cluster, []byte("1234"), ErrPINLocked)
		for _, c := range []struct {
			cluster, pin string
			want         error
		}{{cluster, "1234", ErrPINLocked}, {cluster, "1235", nil}, {"cluster-aaaaaaaaaaa", "1234", nil}} {
			if got := r.of(c.cluster, []byte(c.pin)); got != c.want {
				t.Errorf("%s with %s: %v", c.cluster, c.pin, got)
			}
		}
		time.Sleep(time.Hour)
		if got := r.of(cluster, []byte("1234")); got != nil {
			t.Errorf("an hour later: %v", got)
		}
	})
}

// TestHelperIsToldNothing: neither its arguments nor its environment hold the
// PIN, or anything of this process's environment that it was not to have.
func TestHelperIsToldNothing(t *testing.T) {
	p := newPlant(t)
	t.Setenv("SECRET_OF_THE_PARENT", "swordfish")
	s := p.open(t)
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.current.command.Env; len(got) != 2 || got[0] != "SOFTHSM2_CONF="+p.Conf {
		t.Errorf("the environment is %q", got)
	}
	if got := s.current.command.Args; len(got) != 1 {
		t.Errorf("the arguments are %q", got)
	}
}

// TestPlantedKeysAreRefused: whoever has the PIN can bring a key that he knows.
func TestPlantedKeysAreRefused(t *testing.T) {
	p := newPlant(t)
	pair := filepath.Join(t.TempDir(), "known")
	if err := os.WriteFile(pair, bytes.Repeat([]byte{1}, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	put := exec.Command("softhsm2-util", "--import", pair, "--aes", "--token", p.Label, "--label", "planted", "--id", "01", "--pin", p.PIN)
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, ctx := p.open(t), t.Context()
	if _, err := s.Encrypt(ctx, "planted", []byte("text"), nil); !errors.Is(err, ErrKeyUnfit) {
		t.Errorf("Encrypt with a key that somebody brought: %v", err)
	}
	if err := s.Generate(ctx, "planted"); !errors.Is(err, ErrKeyExists) {
		t.Errorf("Generate beside it: %v", err)
	}
	if err := s.Destroy(ctx, "planted"); !errors.Is(err, ErrKeyUnfit) {
		t.Errorf("Destroy of what is not ours: %v", err)
	}
}

// TestCrowd: many callers at once, more than there are sessions, each get what is theirs.
func TestCrowd(t *testing.T) {
	p, ctx := newPlant(t), t.Context()
	s := p.open(t)
	if err := s.Generate(ctx, "key"); err != nil {
		t.Fatal(err)
	}
	failures := make(chan error, 64)
	for i := range cap(failures) {
		go func() {
			text := fmt.Appendf(nil, "text of %d", i)
			for range 10 {
				sealed, err := s.Encrypt(ctx, "key", text, text)
				if err != nil {
					failures <- err
					return
				}
				if back, err := s.Decrypt(ctx, "key", sealed, text); err != nil || !bytes.Equal(back, text) {
					failures <- fmt.Errorf("%q, %w", back, err)
					return
				}
			}
			failures <- nil
		}()
	}
	for range cap(failures) {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
}

// TestOneLabelOneKey: of two processes that make a key of one label, at most one has made it.
func TestOneLabelOneKey(t *testing.T) {
	p, ctx := newPlant(t), t.Context()
	stores := []*Store{p.open(t), p.open(t), p.open(t)}
	for _, s := range stores {
		if err := s.Connect(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		label, made := fmt.Sprint("key ", i), make(chan error)
		for _, s := range stores {
			go func() { made <- s.Generate(ctx, label) }()
		}
		n := 0
		for range stores {
			if err := <-made; err == nil {
				n++
			} else if !errors.Is(err, ErrKeyExists) {
				t.Error(err)
			}
		}
		if n > 1 {
			t.Errorf("%d keys were made under one label", n)
		}
	}
}

func within(ctx context.Context, t *testing.T, limit time.Duration, f func(ctx context.Context) error) error {
	t.Helper()
	began := time.Now()
	err := f(ctx)
	if took := time.Since(began); took > limit {
		t.Errorf("it took %v", took)
	}
	return err
}
