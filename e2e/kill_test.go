package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// killRounds is how often the process is killed; GARRISON_SOAK says another number.
const killRounds = 8

// TestKill9 kills the server with SIGKILL while 16 clients write, again and
// again. After each restart all that was acknowledged is there, changes and
// events; of what was not, either both or neither; and the record verifies.
func TestKill9(t *testing.T) {
	t.Parallel()
	killAgainAndAgain(t, "pebble", killRounds)
}

func TestKill9OnPostgreSQL(t *testing.T) {
	t.Parallel()
	killAgainAndAgain(t, pgtest.URL(t), killRounds/2)
}

func killAgainAndAgain(t *testing.T, engine string, rounds int) {
	if n, err := strconv.Atoi(os.Getenv("GARRISON_SOAK")); err == nil {
		rounds = n
	}
	s, _ := serving(t, "--engine", engine)
	acknowledged, lost := 0, 0
	for round := range rounds {
		account, complaints, err := garrison(t.Context(), s.dir, "account", "create")
		if err != nil {
			t.Fatalf("account create: %v: %s", err, complaints)
		}
		w := writers{server: s, account: account[:12], sure: map[string]string{}}
		if w.key, err = s.credential(w.account); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration(20+rand.IntN(400)) * time.Millisecond
		w.write(t, wait)
		s.log = new(logBuffer)
		if err := s.start(); err != nil {
			t.Fatalf("round %d, killed after %v: %v", round, wait, err)
		}
		w.check(t)
		if out, complaints, err := garrison(t.Context(), s.dir, "verify"); err != nil {
			t.Fatalf("round %d: verify: %v\n%s%s", round, err, out, complaints)
		}
		if t.Failed() {
			t.Fatalf("in round %d, killed after %v", round, wait)
		}
		acknowledged, lost = acknowledged+len(w.sure), lost+len(w.unsure)
	}
	t.Logf("%d rounds: %d calls acknowledged, %d under way when killed", rounds, acknowledged, lost)
	if acknowledged == 0 {
		t.Error("no call was ever acknowledged")
	}
}

// writers are clients that make users in an account of their own.
type writers struct {
	server  *server
	account string
	key     key

	mu     sync.Mutex
	sure   map[string]string // users whose making was acknowledged, and the request's id
	unsure []string          // users whose making was asked for and not answered
	fault  string            // what is being spoilt now
	during map[string]string // what was when a user's making was acknowledged
	lost   map[string]int    // by fault, what check has found: acknowledged, and not stored or not recorded
	double map[string]int    // and recorded more than once
}

// spoils says what is being spoilt from now on.
func (w *writers) spoils(fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
}

// acknowledged is how many calls were while something was spoilt.
func (w *writers) acknowledged(fault string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, during := range w.during {
		if during == fault {
			n++
		}
	}
	return n
}

// write lets the clients write, and kills the server under their hands.
func (w *writers) write(t *testing.T, wait time.Duration) {
	var all sync.WaitGroup
	for writer := range 16 {
		all.Go(func() {
			t := &http.Transport{}
			defer t.CloseIdleConnections()
			client := iam.NewFromConfig(config(w.server.endpoint, "us-east-1", w.key, t))
			for n := 0; w.one(client, fmt.Sprintf("w%02d-%05d", writer, n)); n++ {
			}
		})
	}
	time.Sleep(wait)
	w.server.kill()
	all.Wait()
	if err := w.server.sound(); err != nil {
		t.Error(err)
	}
}

// one makes a user, and says whether the server is still there.
func (w *writers) one(client *iam.Client, name string) bool {
	out, err := client.CreateUser(context.Background(), &iam.CreateUserInput{
		UserName: &name, Tags: []types.Tag{{Key: aws.String("made-by"), Value: &name}},
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.unsure = append(w.unsure, name)
		return false
	}
	w.sure[name], _ = middleware.GetRequestIDMetadata(out.ResultMetadata)
	if w.during == nil {
		w.during = map[string]string{}
	}
	w.during[name] = w.fault
	return true
}

// check compares what is stored with what was acknowledged.
func (w *writers) check(t *testing.T) {
	client := iam.NewFromConfig(config(w.server.endpoint, "us-east-1", w.key, &http.Transport{}))
	stored := map[string]bool{}
	for pages := iam.NewListUsersPaginator(client, &iam.ListUsersInput{MaxItems: aws.Int32(1000)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			stored[*u.UserName] = true
		}
	}
	recorded, times := map[string]string{}, map[string]int{}
	w.lost, w.double = map[string]int{}, map[string]int{}
	events := recordedEvents(t, w.server, "--account", w.account, "--name", "CreateUser")
	for _, e := range events {
		if e.ErrorCode != "" {
			t.Errorf("%s is recorded as %s", e.RequestParameters.UserName, e.ErrorCode)
		}
		recorded[e.RequestParameters.UserName] = e.RequestID
		if times[e.RequestParameters.UserName]++; times[e.RequestParameters.UserName] == 2 {
			w.double[w.during[e.RequestParameters.UserName]]++
		}
	}
	for name, request := range w.sure {
		if !stored[name] || recorded[name] != request {
			w.lost[w.during[name]]++
			t.Errorf("%s was acknowledged (request %s); stored %t, recorded as request %q", name, request, stored[name], recorded[name])
		}
	}
	for _, name := range w.unsure {
		if _, ok := recorded[name]; ok != stored[name] {
			t.Errorf("%s was not acknowledged; stored %t, recorded %t", name, stored[name], ok)
		}
	}
	if len(stored) != len(recorded) || len(events) != len(recorded) {
		t.Errorf("%d users are stored, %d recorded, by %d events", len(stored), len(recorded), len(events))
	}
}
