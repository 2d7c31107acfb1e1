package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// account is whom the server runs as: PostgreSQL refuses to run as root, so
// that a test which does hands it to another.
func account() (uid, gid int, ok bool, err error) {
	if os.Getuid() != 0 {
		return 0, 0, false, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != 0 {
			return uid, gid, true, nil
		}
	}
	return 0, 0, false, fmt.Errorf("no user postgres or nobody to run PostgreSQL as")
}

// give lets the server's user own path.
func give(path string) error {
	uid, gid, other, err := account()
	if err != nil || !other {
		return err
	}
	return os.Chown(path, uid, gid)
}

func asAnother(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if uid, gid, other, err := account(); err == nil && other {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
}

// begin starts c, which ends when the test's process does, however that
// happens: the kernel ties that to the thread that started it, which is kept.
func begin(c *exec.Cmd, ended chan<- struct{}) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait() // it is killed: how it ended tells nothing
			close(ended)
		}
	}()
	return <-started
}
