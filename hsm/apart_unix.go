//go:build unix

package hsm

import (
	"os/exec"
	"syscall"
)

// apart gives the helper a process group of its own: what a terminal or a
// supervisor signals to Garrison's does not end it under calls.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends the helper and what its module has started.
func kill(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
