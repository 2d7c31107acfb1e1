package main

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/trail"
)

// operator is the operating-system user who runs a subcommand.
type operator struct {
	uid  int // -1 where the system has none
	name string
}

func operatorWithID(uid int) operator {
	by := operator{uid: uid, name: strconv.Itoa(uid)}
	if u, err := user.LookupId(by.name); err == nil {
		by.name = u.Username
	}
	return by
}

func thisOperator() operator {
	if uid := os.Getuid(); uid >= 0 {
		return operatorWithID(uid)
	}
	by := operator{uid: -1}
	if u, err := user.Current(); err == nil {
		by.name = u.Username
	}
	return by
}

var errStranger = errors.New("the peer is another user")

// admitted says whether a peer may operate this process: its own user, or the superuser.
func admitted(uid int) error {
	if uid != 0 && uid != os.Geteuid() {
		return errStranger
	}
	return nil
}

// operatorSource is the source of what an operator does.
const operatorSource = "operator.garrison"

// event is what an operator did, for the installation's record. Parameters is
// a JSON object without secrets, or nil.
func (o operator) event(name string, now time.Time, parameters []byte) *trail.Event {
	id := "local"
	if o.uid >= 0 {
		id = "uid:" + strconv.Itoa(o.uid)
	}
	return &trail.Event{
		UserIdentity: trail.UserIdentity{Type: "Operator", PrincipalID: id, UserName: o.name},
		EventTime:    now, EventSource: operatorSource, EventName: name,
		SourceIPAddress: operatorSource, UserAgent: "garrison/" + release,
		RequestParameters: parameters, EventType: trail.ServiceEvent, ManagementEvent: true,
	}
}
