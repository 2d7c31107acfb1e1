package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

// calls measures the path of a call: three operations, at 1 and 64 connections.
func (b *bench) calls() error {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	floor, err := bare()
	if err != nil {
		return err
	}
	defer floor.kill()
	s, err := b.garrison(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer s.kill()
	if err := s.call(root, "iam", "Action", "CreateUser", "UserName", "alice"); err != nil {
		return err
	}
	fmt.Printf("## Calls, signed, authorised, recorded and durable\n\n")
	fmt.Println("| call | connections | calls/s | p50 | p99 | CPU µs a call | bare answer, CPU µs | × bare | bare commit, commits/s |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	commits := map[int]float64{}
	rates := map[string]float64{}
	for _, connections := range []int{1, 64} {
		if commits[connections], err = commitsPerSecond(filepath.Join(dir, fmt.Sprint("pebble", connections)), connections, 600, b.span); err != nil {
			return err
		}
		for _, op := range operations {
			f, ratio, floorCPU, err := b.beside(s, floor, connections, op)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			fmt.Printf("| %s | %d | %.0f | %.2f ms | %.2f ms | %.1f | %.1f | %.2f | %.0f |\n", op.name, connections, f.rate,
				ms(f.p50), ms(f.p99), us(f.cpu), us(floorCPU), ratio, commits[connections])
			rates[fmt.Sprint(op.name, connections)] = f.rate
		}
	}
	first := operations[0].name
	fmt.Printf("\n64 connections reach %.1f × the calls of one (%s). Resident after load: %.0f MiB.\n\n",
		rates[first+"64"]/rates[first+"1"], first, s.resident())
	return nil
}

// operation is a call to measure.
type operation struct {
	name    string
	service string
	pairs   []string
	fresh   bool // each request names another user
}

var operations = []operation{
	{name: "sts:GetCallerIdentity", service: "sts", pairs: []string{"Action", "GetCallerIdentity"}},
	{name: "iam:GetUser", service: "iam", pairs: []string{"Action", "GetUser", "UserName", "alice"}},
	{name: "iam:CreateUser", service: "iam", pairs: []string{"Action", "CreateUser"}, fresh: true},
}

// inLarge are the calls that a large account might make dearer, besides.
var inLarge = append(operations[:len(operations):len(operations)],
	operation{name: "iam:GetRole", service: "iam", pairs: []string{"Action", "GetRole", "RoleName", "role-0000003"}},
	operation{name: "iam:ListUsers, a page of 10", service: "iam", pairs: []string{"Action", "ListUsers", "MaxItems", "10"}},
	operation{name: "iam:ListRoles, a page of 10", service: "iam", pairs: []string{"Action", "ListRoles", "MaxItems", "10"}},
	operation{name: "iam:GetAccountAuthorizationDetails, a page of 10", service: "iam", pairs: []string{"Action", "GetAccountAuthorizationDetails", "MaxItems", "10"}},
	operation{name: "iam:GetAccountSummary", service: "iam", pairs: []string{"Action", "GetAccountSummary"}},
)

var serial atomic.Int64

// requests makes what each connection sends: the same bytes again, or for a
// fresh operation one after another of those signed before.
func (s *server) requests(op operation, connections int, span time.Duration) (func(int) []byte, []byte, error) {
	if !op.fresh {
		request, err := s.query(root, op.service, op.pairs...)
		return func(int) []byte { return request }, request, err
	}
	each := int(span.Seconds()*1.3*12_000)/connections + 50
	made := make([][][]byte, connections)
	for i := range made {
		for range each {
			request, err := s.query(root, op.service, append([]string{"UserName", fmt.Sprintf("bench-%09d", serial.Add(1))}, op.pairs...)...)
			if err != nil {
				return nil, nil, err
			}
			made[i] = append(made[i], request)
		}
	}
	example := made[0][0]
	return func(i int) []byte {
		if len(made[i]) == 0 {
			return nil
		}
		request := made[i][0]
		made[i] = made[i][1:]
		return request
	}, example, nil
}

// beside measures an operation between two measurements of the bare answer of
// the same sizes, and answers the ratio of their costs.
func (b *bench) beside(s, floor *server, connections int, op operation) (f figures, ratio float64, bareCPU time.Duration, err error) {
	next, example, err := s.requests(op, connections, b.span)
	if err != nil {
		return f, 0, 0, err
	}
	size, err := sizeOfAnswer(s, op, example)
	if err != nil {
		return f, 0, 0, err
	}
	bareRequest := plain(example, floor.addr, size)
	again := func(int) []byte { return bareRequest }
	before, err := floor.measure(connections, b.span/2, again)
	if err != nil {
		return f, 0, 0, err
	}
	if f, err = s.measure(connections, b.span, next); err != nil {
		return f, 0, 0, err
	}
	after, err := floor.measure(connections, b.span/2, again)
	if err != nil {
		return f, 0, 0, err
	}
	bareCPU = (before.cpu + after.cpu) / 2
	return f, float64(f.cpu) / float64(max(bareCPU, 1)), bareCPU, nil
}

func sizeOfAnswer(s *server, op operation, example []byte) (int, error) {
	if op.fresh {
		return 600, nil // CreateUser's answer; the example is still to be used
	}
	c, err := dial(s.addr)
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	return c.call(example)
}

// load calls sts:GetCallerIdentity over 64 connections for a while. The server
// must have been started with this program's root key.
func load(addr, call string, span time.Duration) error {
	at := slices.IndexFunc(inLarge, func(op operation) bool { return op.name == call })
	if at < 0 {
		return fmt.Errorf("no call %q is measured", call)
	}
	s := &server{addr: addr}
	next, _, err := s.requests(inLarge[at], 64, span)
	if err != nil {
		return err
	}
	conns := make([]*client, 64)
	for i := range conns {
		if conns[i], err = dial(addr); err != nil {
			return err
		}
	}
	times, _, err := drive(conns, span, next)
	fmt.Printf("%.0f calls/s\n", float64(len(times))/span.Seconds())
	return err
}

// call makes one call, which must succeed.
func (s *server) call(as credentials, service string, pairs ...string) error {
	request, err := s.query(as, service, pairs...)
	if err != nil {
		return err
	}
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	_, err = c.call(request)
	return err
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
