package main

// PolicyCmd are the tools for policies. They need no server and no data directory.
type PolicyCmd struct {
	Decide PolicyDecideCmd `cmd:"" help:"Decide requests, one JSON object a line, from standard input to standard output."`
}
