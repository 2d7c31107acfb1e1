package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/garrison-security/garrison/internal/pgtest"
)

var (
	program string // garrison, built with the race detector
	venv    string // where AWS's clients are
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "garrison-e2e-*")
		if err != nil {
			return fail(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "garrison")
		if venv, err = filepath.Abs("../build/venv/bin"); err != nil {
			return fail(err)
		}
		if out, err := exec.Command("go", "build", "-race", "-o", program, "../cmd/garrison").CombinedOutput(); err != nil {
			return fail(fmt.Errorf("%w\n%s", err, out))
		}
		return pgtest.Main(m)
	}())
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// client is one of AWS's clients; a test without them fails.
func client(name string) string {
	path := filepath.Join(venv, name)
	if _, err := os.Stat(path); err != nil {
		panic(fmt.Sprintf("%s is not there: make build/venv/ready", path))
	}
	return path
}

func TestScripts(t *testing.T) {
	folders, err := filepath.Glob("testdata/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: folder, Setup: setup, Cmds: commands, RequireExplicitExec: true, RequireUniqueNames: true,
			})
		})
	}
}

// TestScriptsGoToTheirEnd holds that no script says stop, which is testscript's
// own word for leaving the rest of a script out.
func TestScriptsGoToTheirEnd(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nstop\n") {
			t.Errorf("%s says stop: what stops the server is halt", script)
		}
	}
}

// commands are what scripts can say besides testscript's own.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"serve":    script((*world).serve),
	"restart":  script((*world).restart),
	"kill9":    script((*world).kill9),
	"halt":     script((*world).halt),
	"as":       script((*world).as),
	"key":      script((*world).key),
	"assume":   script((*world).assume),
	"aws":      script((*world).aws),
	"sdk":      script((*world).sdk),
	"boto":     script((*world).boto),
	"set":      script((*world).set),
	"trail":    script((*world).trail),
	"garrison": script((*world).garrison),
	"https":    script((*world).https),
}

// setup gives each script a world, and an environment in which nothing of the
// machine's own can be reached.
func setup(env *testscript.Env) error {
	w := &world{work: env.WorkDir, keys: map[string]key{}}
	env.Values[worldKey{}] = w
	env.Defer(w.end)
	for _, setting := range clientEnvironment(env.WorkDir) {
		name, value, _ := strings.Cut(setting, "=")
		env.Setenv(name, value)
	}
	docs, err := filepath.Abs("../docs")
	env.Setenv("DOCS", docs) // whose scripts are run as they are shown
	env.Setenv("PATH", venv+string(filepath.ListSeparator)+env.Getenv("PATH"))
	return err
}

// clientEnvironment keeps AWS's clients from looking for credentials, settings
// and pagers where they should not.
func clientEnvironment(home string) []string {
	return []string{
		"HOME=" + home, "AWS_CONFIG_FILE=" + filepath.Join(home, "no-config"), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=", "AWS_MAX_ATTEMPTS=2", "AWS_DEFAULT_OUTPUT=json", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore",
	}
}
