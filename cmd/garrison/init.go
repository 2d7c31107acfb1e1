package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// InitCmd makes an installation, unless there is one.
type InitCmd struct {
	House
	Account   string `help:"Id of the account; by default a random one." env:"GARRISON_ACCOUNT" placeholder:"ID"`
	Partition string `help:"Partition of the installation: aws, which is the default, aws-cn, aws-us-gov or aws-eusc." env:"GARRISON_PARTITION" placeholder:"NAME"`
}

// Run implements the subcommand.
func (c *InitCmd) Run(ctx context.Context, io streams) error {
	settings := Settings{House: c.House, Account: c.Account, Partition: c.Partition, MinFree: 5, MaxConnections: 1, MaxConnectionsPerSource: 1, XKSTimeout: time.Second}
	if faults := settings.faults(); len(faults) > 0 {
		return (*configFile)(nil).faultErrors(faults)
	}
	if c.Engine == "mem" {
		return usageError{errors.New("--engine: mem keeps nothing that could be made beforehand")}
	}
	f := founding{c.Account, c.Partition, givenKey()}
	if err := f.check(dataDir(c.Data), c.Engine); err != nil {
		return err
	}
	h, err := makeHouse(ctx, c.House, newLog(io.err, "info", "auto"))
	if err != nil {
		return err
	}
	id, err := h.found(ctx, thisOperator(), f)
	if err == nil && id == "" {
		_, err = fmt.Fprintln(io.out, c.Data, "holds an installation already; nothing was changed")
	} else if err == nil {
		_, err = fmt.Fprintf(io.out, "account %s\ncredentials %s\n", id, h.dir.credentials())
	}
	return errors.Join(err, h.close())
}
