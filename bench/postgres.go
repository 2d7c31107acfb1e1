package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/internal/pgtest"
)

// postgres measures the path of a call on one node and on three that share a
// PostgreSQL, beside what pgbench commits there with as many clients: one plain row each.
func (b *bench) postgres() error {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("## On PostgreSQL: one node and three, beside pgbench\n\n")
	fmt.Println("| call | nodes | connections | calls/s | p50 | p99 | nodes' CPU µs a call | plain inserts/s | × plain |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, nodes := range []int{1, 3} {
		if err := b.onNodes(filepath.Join(dir, strconv.Itoa(nodes)), nodes); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}

// onNodes measures so many nodes on a new database.
func (b *bench) onNodes(dir string, count int) error {
	database, err := pgtest.New("max_pred_locks_per_transaction=1024")
	if err != nil {
		return err
	}
	defer database.Stop()
	if err := database.Exec("CREATE TABLE plain (id bigserial PRIMARY KEY, v bytea NOT NULL)"); err != nil {
		return err
	}
	var all cluster
	for i := range count {
		s, err := b.garrison(dir+"-"+strconv.Itoa(i), "--engine", database.URL())
		if err != nil {
			return err
		}
		defer s.kill()
		all = append(all, s)
	}
	if err := all[0].call(root, "iam", "Action", "CreateUser", "UserName", "alice"); err != nil {
		return err
	}
	for _, connections := range []int{1, 64} {
		for _, op := range operations {
			before, err := plainInserts(database, connections, b.span/2)
			if err != nil {
				return err
			}
			f, err := all.measure(connections, b.span, op)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			after, err := plainInserts(database, connections, b.span/2)
			if err != nil {
				return err
			}
			plain := (before + after) / 2
			fmt.Printf("| %s | %d | %d | %.0f | %.2f ms | %.2f ms | %.1f | %.0f | %.2f |\n",
				op.name, count, connections, f.rate, ms(f.p50), ms(f.p99), us(f.cpu), plain, f.rate/plain)
		}
	}
	return nil
}

// cluster are nodes of one installation, among which connections are dealt out.
type cluster []*server

func (c cluster) cpu() (sum time.Duration, err error) {
	for _, s := range c {
		one, err := s.cpu()
		if err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

// measure is server.measure over all nodes.
func (c cluster) measure(connections int, span time.Duration, op operation) (figures, error) {
	next := make([]func(int) []byte, len(c))
	for i, s := range c {
		var err error
		if next[i], _, err = s.requests(op, (connections+len(c)-1)/len(c), span); err != nil {
			return figures{}, err
		}
	}
	conns := make([]*client, connections)
	for i := range conns {
		var err error
		if conns[i], err = dial(c[i%len(c)].addr); err != nil {
			return figures{}, err
		}
		defer conns[i].conn.Close()
	}
	return measure(conns, span, func(i int) []byte { return next[i%len(c)](i / len(c)) }, c.cpu)
}

var transactions = regexp.MustCompile(`(?m)^tps = ([0-9.]+) `)

// plainInserts is how many rows of 600 bytes so many clients of pgbench insert a second, each in a transaction.
func plainInserts(database *pgtest.Server, clients int, span time.Duration) (float64, error) {
	script, err := os.CreateTemp("", "insert-*.sql")
	if err != nil {
		return 0, err
	}
	defer os.Remove(script.Name())
	_, err = script.WriteString("INSERT INTO plain (v) VALUES (CAST(repeat('x', 600) AS bytea));\n")
	if err == nil {
		err = script.Chmod(0o644) // the server's user reads it
	}
	if err == nil {
		err = script.Close()
	}
	if err != nil {
		return 0, err
	}
	seconds := max(2, int(span.Seconds()+0.5))
	out, err := database.Command("pgbench", "-n", "-M", "prepared", "-f", script.Name(),
		"-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)), "-T", strconv.Itoa(seconds), "postgres").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	found := transactions.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench says no tps:\n%s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
