package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// PolicyCmd are the tools for policies. They need no server and no data directory.
type PolicyCmd struct {
	Check       PolicyCheckCmd       `cmd:"" help:"Say what AWS would refuse in policies, and where."`
	Explain     PolicyExplainCmd     `cmd:"" help:"Decide one request, and say why."`
	Test        PolicyTestCmd        `cmd:"" help:"Run expectation files: these requests are allowed, those denied."`
	Decide      PolicyDecideCmd      `cmd:"" help:"Decide requests, one JSON object a line."`
	Who         PolicyWhoCmd         `cmd:"" help:"List everyone in exported accounts who may do something, and through which roles."`
	Escalations PolicyEscalationsCmd `cmd:"" help:"List who can raise its own rights in exported accounts, how, and what closes the way."`
}

// maxPolicyFile bounds what is read as a policy: more than any is refused by its size.
const maxPolicyFile = 1 << 20

// readBounded reads a file, up to a bound: what is longer is refused.
func readBounded(open func(name string) (*os.File, error), name string, bound int64) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, bound+1))
	if err == nil && int64(len(text)) > bound {
		err = fmt.Errorf("%s has more than %d bytes", name, bound)
	}
	return text, err
}

// readIn reads a file of a folder. What is none there, a pipe without a writer say, might never be opened.
func readIn(root *os.Root, name string, bound int64) ([]byte, error) {
	if info, err := root.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return readBounded(root.Open, name, bound)
}

// writeJSON writes a value, indented.
func writeJSON(to io.Writer, v any) error {
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// paint colours text, on a terminal alone.
type paint bool

func paintFor(to io.Writer) paint {
	f, ok := to.(*os.File)
	return paint(ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "")
}

func (p paint) with(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) good(s string) string  { return p.with("32", s) }
func (p paint) bad(s string) string   { return p.with("31", s) }
func (p paint) faint(s string) string { return p.with("2", s) }
