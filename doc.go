// Package garrison holds no code, but the test of the architecture: which
// package may import which. The program is cmd/garrison; docs/architecture.md
// shows the way of a call through the packages beside this file.
package garrison
