// Command bench measures Garrison beside what it stands on: the real binary,
// signed, authorised, recorded and durable, against a bare net/http answer of
// the same sizes and a bare synced Pebble commit of the same bytes. All of it
// is one run on one machine; the ratios are what to quote.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		floor() // the bare server, as a process of its own
		return
	}
	attach := flag.String("load", "", "only load the server at this address, for profiling it")
	called := flag.String("call", operations[0].name, "what -load calls")
	binary := flag.String("garrison", "", "the garrison binary to measure")
	seconds := flag.Float64("seconds", 3, "how long each figure is measured")
	entities := flag.Int("entities", 100_000, "users, roles and policies of the large account")
	only := flag.String("only", "", "one part alone: calls, keys, s3, growth, guardrails, postgres or startup")
	quick := flag.Bool("quick", false, "a short run that shows that every figure can be taken")
	flag.Parse()
	if *attach != "" {
		if err := load(*attach, *called, time.Duration(*seconds*float64(time.Second))); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *binary == "" {
		fmt.Fprintln(os.Stderr, "bench: -garrison names the binary to measure")
		os.Exit(2)
	}
	b := &bench{binary: *binary, only: *only, span: time.Duration(*seconds * float64(time.Second)), entities: *entities}
	if *quick {
		b.span, b.entities = 300*time.Millisecond, 200
	}
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	binary   string
	only     string
	span     time.Duration
	entities int
}

func (b *bench) run() error {
	fmt.Printf("Machine: %s, %d CPUs, %s %s/%s\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, part := range []struct {
		name    string
		measure func(*bench) error
	}{{"calls", (*bench).calls}, {"keys", (*bench).keys}, {"s3", (*bench).objects}, {"growth", (*bench).growth}, {"guardrails", (*bench).guardrails}, {"postgres", (*bench).postgres}, {"startup", (*bench).startup}} {
		if b.only != "" && b.only != part.name {
			continue
		}
		if err := part.measure(b); err != nil {
			return err
		}
	}
	return nil
}

// cpuModel is the processor's name, where the system tells it.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return "unknown processor"
}
