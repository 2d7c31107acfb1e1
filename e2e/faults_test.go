package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// backTime bounds how long nodes may take to answer again after a fault has gone.
const backTime = 30 * time.Second

// faulty are three nodes, each with a link of its own to one database server.
type faulty struct {
	nodes     []*server
	endpoints []string // of the nodes, which have the same after a restart
	links     []*link
	database  *pgtest.Server
	writers   *writers
	stopped   time.Duration // how long a node stands still at least
}

// TestNodesUnderFaults spoils one thing after another while clients write on three
// nodes. In the end all that was acknowledged is there once, with its one event;
// of what was not, both or neither; the record verifies on each node, and what follows from it is done.
func TestNodesUnderFaults(t *testing.T) {
	t.Parallel()
	rounds, stopped := 1, time.Duration(0)
	if n, err := strconv.Atoi(os.Getenv("GARRISON_SOAK")); err == nil {
		rounds, stopped = max(n/10, 1), 20*time.Second // past the lease of its stream
	}
	f := &faulty{database: pgtest.Start(t), stopped: stopped}
	var urls []string
	for range 3 {
		k := newLink(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(f.database.Port)))
		f.links, urls = append(f.links, k), append(urls, f.database.TCP(k.address()))
	}
	f.nodes, _ = startNodes(t, urls...)
	for _, n := range f.nodes {
		f.endpoints = append(f.endpoints, n.endpoint)
		n.args = append(n.args, "--listen", strings.TrimPrefix(n.endpoint, "http://"))
	}
	table := faultTable{}
	for round := range rounds {
		f.newWriters(t)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 9 {
			all.Go(func() { f.write(ctx, i) })
		}
		for _, fault := range []struct {
			name   string
			inject func(*faulty, *testing.T)
		}{
			{"a node is killed", (*faulty).killNode},
			{"the database is killed", (*faulty).killDatabase},
			{"a node and the database are killed", (*faulty).killBoth},
			{"a node stands still", (*faulty).stopNode},
			{"connections are cut", (*faulty).cutLinks},
			{"connections are slow", (*faulty).slowLinks},
			{"answers do not arrive", (*faulty).muteLink},
		} {
			f.writers.spoils(fault.name)
			fault.inject(f, t)
			f.back(t, fault.name)
			if t.Failed() {
				break
			}
		}
		cancel()
		all.Wait()
		f.check(t)
		table.add(f.writers)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		t.Logf("round %d: %d calls acknowledged, %d not", round, len(f.writers.sure), len(f.writers.unsure))
	}
	table.print(t)
	for _, n := range f.nodes {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	}
}

// faultTable counts, by fault, how often it was injected, the calls that were
// acknowledged meanwhile, and of these the lost and the doubled ones.
type faultTable map[string]*[4]int

func (f faultTable) add(w *writers) {
	faults := map[string]bool{}
	for _, fault := range w.during {
		faults[fault] = true
	}
	for fault := range faults {
		row := f[fault]
		if row == nil {
			row = new([4]int)
			f[fault] = row
		}
		row[0]++
		row[1] += w.acknowledged(fault)
		row[2] += w.lost[fault]
		row[3] += w.double[fault]
	}
}

func (f faultTable) print(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| fault | times | acknowledged | lost | doubled |\n|---|---|---|---|---|\n")
	for _, fault := range slices.Sorted(maps.Keys(f)) {
		row := f[fault]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", cmp.Or(fault, "nothing"), row[0], row[1], row[2], row[3])
	}
	t.Log(b.String())
}

// newWriters makes an account for a round's writers. Its root's key is on the node that made it.
func (f *faulty) newWriters(t *testing.T) {
	t.Helper()
	account, complaints, err := f.nodes[0].garrison(t, "account", "create")
	if err != nil {
		t.Fatalf("account create: %v: %s", err, complaints)
	}
	f.writers = &writers{server: f.nodes[0], account: strings.TrimSpace(account), sure: map[string]string{}}
	if f.writers.key, err = f.nodes[0].credential(f.writers.account); err != nil {
		t.Fatal(err)
	}
}

// write makes users on one node after another until ctx ends.
func (f *faulty) write(ctx context.Context, writer int) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for n := 0; ctx.Err() == nil; n++ {
		endpoint := f.endpoints[(writer+n)%len(f.endpoints)]
		client := iam.NewFromConfig(config(endpoint, "us-east-1", f.writers.key, transport))
		if !f.writers.one(client, fmt.Sprintf("w%d-%05d", writer, n)) {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// ask makes a call on a node that changes nothing.
func (f *faulty) ask(t *testing.T, node int) error {
	transport := &http.Transport{DisableKeepAlives: true}
	_, err := sts.NewFromConfig(config(f.endpoints[node], "us-east-1", f.writers.key, transport)).GetCallerIdentity(t.Context(), nil)
	return err
}

// back waits until every node answers.
func (f *faulty) back(t *testing.T, after string) {
	t.Helper()
	began := time.Now()
	for i := range f.nodes {
		for err := f.ask(t, i); err != nil; err = f.ask(t, i) {
			if time.Since(began) > backTime {
				t.Errorf("%s: node %d does not answer again: %v", after, i, err)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	time.Sleep(300 * time.Millisecond) // some load between faults
	t.Logf("%s: all nodes answered %v later", after, time.Since(began).Round(time.Millisecond))
}

func (f *faulty) killNode(t *testing.T) {
	n := f.nodes[1]
	n.kill()
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
}

// killDatabase holds, besides, that no node answers while there is no database.
func (f *faulty) killDatabase(t *testing.T) {
	f.database.Kill()
	for i := range f.nodes {
		err := f.ask(t, i)
		if failed, ok := errors.AsType[*awshttp.ResponseError](err); !ok || failed.HTTPStatusCode() != http.StatusServiceUnavailable {
			t.Errorf("node %d, without a database: %v", i, err)
		}
	}
	if err := f.database.Run(); err != nil {
		t.Fatal(err)
	}
}

// killBoth kills a node and the database in the same moment.
func (f *faulty) killBoth(t *testing.T) {
	n := f.nodes[0]
	f.database.Kill()
	n.kill()
	if err := errors.Join(f.database.Run(), n.start()); err != nil {
		t.Fatal(err)
	}
}

// stopNode stops the node that keeps the index of LookupEvents, until another does.
func (f *faulty) stopNode(t *testing.T) {
	first := f.holder(t, -1)
	if first < 0 {
		return
	}
	process := f.nodes[first].command.Process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if second := f.holder(t, first); second >= 0 {
		t.Logf("node %d took over from node %d after %v", second, first, time.Since(began).Round(time.Millisecond))
	}
	time.Sleep(f.stopped - time.Since(began))
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

func (f *faulty) cutLinks(*testing.T) {
	for range 5 {
		for _, k := range f.links {
			k.cut()
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (f *faulty) slowLinks(*testing.T) {
	for _, k := range f.links {
		k.slow.Store(int64(20 * time.Millisecond))
		defer k.slow.Store(0)
	}
	time.Sleep(time.Second)
}

// muteLink lets one node's database hear and not be heard, and then cuts what has lost bytes.
func (f *faulty) muteLink(*testing.T) {
	k := f.links[2]
	k.mute.Store(true)
	time.Sleep(time.Second)
	k.mute.Store(false)
	k.cut()
}

const indexed = `{follower="cloudtrail/index"} `

// holder is the node that keeps the index, as its metrics say, and not the one named.
func (f *faulty) holder(t *testing.T, but int) int {
	t.Helper()
	for deadline := time.Now().Add(backTime); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		for i := range f.nodes {
			if i != but && strings.Contains(f.metrics(i), "garrison_follower_held"+indexed+"1\n") {
				return i
			}
		}
	}
	t.Errorf("no node but %d keeps the index", but)
	return -1
}

func (f *faulty) metrics(node int) string {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(f.endpoints[node] + "/_garrison/metrics")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// check compares what was acknowledged with what there is, and waits for the followers.
func (f *faulty) check(t *testing.T) {
	t.Helper()
	if len(f.writers.sure) == 0 {
		t.Error("no call was acknowledged")
	}
	f.writers.check(t)
	for i, n := range f.nodes {
		if out, complaints, err := n.garrison(t, "verify"); err != nil {
			t.Errorf("verify on node %d: %v\n%s%s", i, err, out, complaints)
		}
		if err := n.sound(); err != nil {
			t.Error(err)
		}
	}
	holders := 0
	caught := func() bool {
		holders = 0
		upToDate := true
		for i := range f.nodes {
			text := f.metrics(i)
			if strings.Contains(text, "garrison_follower_held"+indexed+"1\n") {
				holders++
			}
			upToDate = upToDate && strings.Contains(text, "garrison_follower_lag_events"+indexed+"0\n")
		}
		return upToDate && holders == 1
	}
	for deadline := time.Now().Add(backTime); !caught(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("the index is not kept up, by %d nodes", holders)
			return
		}
	}
}
