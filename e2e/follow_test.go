package e2e

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestTrailFollows shows that garrison trail -f prints what is added while the
// server serves, each event once and at once, and ends well when told to.
func TestTrailFollows(t *testing.T) {
	t.Parallel()
	s, root := serving(t, "--engine", "pebble")
	client := iam.NewFromConfig(config(s.endpoint, "us-east-1", root, &http.Transport{}))
	follow := exec.Command(program, "trail", "-f", "--json", "--name", "iam:*", "--data", s.dir)
	follow.Stderr = os.Stderr
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for _, name := range []string{"alice", "bob", "carol"} {
		if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name)}); err != nil {
			t.Fatal(err)
		}
		select {
		case line := <-lines:
			if !strings.Contains(line, `"eventName":"CreateUser"`) || !strings.Contains(line, `"userName":"`+name+`"`) {
				t.Errorf("after %s was made it printed %s", name, line)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("nothing was printed of %s", name)
		}
	}
	follow.Process.Signal(syscall.SIGTERM)
	for line := range lines {
		t.Errorf("it went on to print %s", line)
	}
	if err := follow.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
