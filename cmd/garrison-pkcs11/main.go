// Command garrison-pkcs11 loads a PKCS #11 module for garrison serve, which
// starts and ends it. It is a program of its own because a module is foreign C
// code, which the one static program can neither load nor survive: this one is
// built with cgo.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/garrison-security/garrison/hsm/helper"
)

const usage = `garrison-pkcs11 is started by garrison serve (--hsm, --hsm-helper), not by hand.
It has no flags and no settings.
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--help" {
		fmt.Print(usage)
		return
	}
	if err := serve(); err != nil {
		os.Exit(2)
	}
}

// serve answers over the pipes that the parent has opened as descriptors 3 and
// 4; what a module prints on the usual ones is nobody's.
func serve() error {
	in, out := os.NewFile(3, "requests"), os.NewFile(4, "answers")
	for _, f := range []*os.File{in, out} {
		if stat, err := f.Stat(); err != nil || stat.Mode()&os.ModeNamedPipe == 0 || len(os.Args) > 1 {
			_, _ = io.WriteString(os.Stderr, usage)
			return errors.New("not started by garrison")
		}
	}
	if err := helper.Harden(); err != nil {
		return err
	}
	return helper.Serve(in, out)
}
