package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/policy/scenario"
)

const askedLine = `{"request":{"principal":"arn:aws:iam::111122223333:user/u%d","action":"s3:GetObject","resource":"*"},"identityPolicies":[{"Statement":{"Effect":"%s","Action":"*","Resource":"*"}}]}`

// TestDecideKeepsOrder: answers come in the order of the lines, whatever their
// lengths and whichever processor decides them.
func TestDecideKeepsOrder(t *testing.T) {
	var in, want strings.Builder
	for i := range 5000 {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&in, askedLine+"\n", i, "Allow")
			want.WriteString(`{"decision":"Allowed","decidedBy":"identity-based policy","policy":"identityPolicies/0","statement":0}` + "\n")
		case 1:
			fmt.Fprintf(&in, askedLine+strings.Repeat(" ", i)+"\r\n", i, "Deny")
			want.WriteString(`{"decision":"ExplicitlyDenied","decidedBy":"identity-based policy","policy":"identityPolicies/0","statement":0}` + "\n")
		case 2:
			in.WriteString("\n")
			want.WriteString(`{"error":"the text ends too early, at byte 0"}` + "\n")
		case 3:
			fmt.Fprintf(&in, askedLine+"\n", i, "Perhaps")
			want.WriteString(`{"error":"identityPolicies/0: Syntax errors in policy. (Effect is Allow or Deny)"}` + "\n")
		}
	}
	var out bytes.Buffer
	if err := new(PolicyDecideCmd).run(strings.NewReader(strings.TrimSuffix(in.String(), "\n")), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() {
		t.Errorf("%d bytes of answers, want %d, and their order", out.Len(), want.Len())
	}
}

// TestDecideAnswersAtOnce: whoever asks line by line is answered line by line.
func TestDecideAnswersAtOnce(t *testing.T) {
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- new(PolicyDecideCmd).run(in, out) }()
	lines := bufio.NewReader(answers)
	for i := range 3 {
		fmt.Fprintf(ask, askedLine+"\n", i, "Allow")
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, scenario.Allowed) {
			t.Fatalf("answer %d: %q, %v", i, line, err)
		}
	}
	ask.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestDecideBoundsLines: a line without end is an error of its own, and the next is decided.
func TestDecideBoundsLines(t *testing.T) {
	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader(strings.Repeat("{", 3*scenario.MaxLine)), strings.NewReader("\n"+fmt.Sprintf(askedLine, 1, "Allow")))
	if err := new(PolicyDecideCmd).run(in, &out); err != nil {
		t.Fatal(err)
	}
	first, second, _ := strings.Cut(out.String(), "\n")
	if first != `{"error":"the line is too long"}` || !strings.Contains(second, scenario.Allowed) {
		t.Errorf("answers %q and %q", first, second)
	}
}

// TestDecideEndsWithItsReader: once nobody reads the answers, it ends.
func TestDecideEndsWithItsReader(t *testing.T) {
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	answers.Close()
	done := make(chan error, 1)
	go func() { done <- new(PolicyDecideCmd).run(in, out) }()
	go fmt.Fprintf(ask, askedLine+"\n", 1, "Allow")
	if err := <-done; err == nil {
		t.Error("no error")
	}
	ask.Close()
}
