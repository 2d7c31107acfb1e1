package e2e

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// TestASynchronousStandbyIsPromoted loses the primary for good while clients write on two
// nodes. What was acknowledged is on the standby, which the nodes find by themselves.
func TestASynchronousStandbyIsPromoted(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	standby := primary.Standby(t)
	url := primary.Either(standby)
	f := &faulty{database: primary}
	f.nodes, _ = startNodes(t, url, url)
	for _, n := range f.nodes {
		f.endpoints = append(f.endpoints, n.endpoint)
	}
	f.newWriters(t)
	const fault = "a primary is lost and its standby promoted"
	f.writers.spoils(fault)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { f.write(ctx, i) })
	}
	time.Sleep(500 * time.Millisecond)
	before := f.writers.acknowledged(fault)
	primary.Kill()
	if err := f.ask(t, 0); err == nil {
		t.Error("a node answers without a database")
	}
	if err := standby.Promote(); err != nil {
		t.Fatal(err)
	}
	f.back(t, fault)
	cancel()
	all.Wait()
	f.check(t)
	if after := f.writers.acknowledged(fault); before == 0 || after == before {
		t.Errorf("%d calls were acknowledged before the primary was lost, %d in all", before, after)
	}
	table := faultTable{}
	table.add(f.writers)
	table.print(t)
}

// TestAPausedNodeIsFenced stops a node for longer than the lease of its stream, with a call on its
// way. Others close the stream meanwhile; it wakes, finds that, and goes on in a new one: nothing is lost or doubled.
func TestAPausedNodeIsFenced(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	f := &faulty{}
	f.nodes, _ = startNodes(t, url, url)
	for _, n := range f.nodes {
		f.endpoints = append(f.endpoints, n.endpoint)
	}
	f.newWriters(t)
	const fault = "a node stands still past its stream's lease"
	f.writers.spoils(fault)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() { f.write(ctx, i) })
	}
	time.Sleep(300 * time.Millisecond)
	process := f.nodes[1].command.Process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cancel() // those that wait for the node that stands still wait on
	time.Sleep(100 * time.Millisecond)
	closed := func() bool {
		return strings.Contains(f.nodes[0].log.String(), "closed the stream of a node that is silent")
	}
	for deadline := time.Now().Add(backTime); !closed(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("the stream of a node that stands still is not closed")
			break
		}
	}
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	f.back(t, fault)
	if !strings.Contains(f.nodes[1].log.String(), "the store's lease had ended; a new stream begins") {
		t.Errorf("the node that woke wrote on:\n%s", f.nodes[1].log)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for i := range 5 { // it takes part again
		if !f.writers.one(iam.NewFromConfig(config(f.endpoints[1], "us-east-1", f.writers.key, transport)), "woken-"+strconv.Itoa(i)) {
			t.Error("the node that woke makes no user")
		}
	}
	f.check(t)
	table := faultTable{}
	table.add(f.writers)
	table.print(t)
}
