package organizations

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
)

// Level is what is attached to a root, an organizational unit or an account, as
// stored under its id in the management account's scope from when it is made, so
// that a decision finds it among what is cached.
//
// A policy type is enabled for rounds: to disable it ends one, and with it all
// its attachments, wherever they are, without a write to them.
type Level struct {
	ID       string
	Types    []Type       `cbor:",omitempty"` // of the root alone: those that were ever enabled, in that order
	Attached []Attachment `cbor:",omitempty"` // in the order of attachment
	// NoDefault is the round of service control policies in which FullAWSAccess was detached here.
	NoDefault int `cbor:",omitempty"`

	scps, rcps atomic.Pointer[limits]
}

// Type is a policy type of a root.
type Type struct {
	Name    string
	Round   int // counted from 1
	Enabled bool
}

// Attachment is a policy at a level, in the version that holds.
type Attachment struct {
	Policy  string
	Version int
	Type    string
	Round   int
	Since   time.Time
}

// limits are a level's policies of one type, compiled.
type limits struct {
	round    int
	compiled []*policy.Policy
}

// levelsByPolicy places levels under the policies attached to them.
var levelsByPolicy = &store.Index[Level]{Name: "policy", Of: func(l *Level, add func(parts ...string)) {
	for _, a := range l.Attached {
		add(a.Policy)
	}
}}

var levels = store.NewTable("organizations/level", levelsByPolicy)

// round is the present round of a policy type of the root; 0: it is not enabled.
func (l *Level) round(of string) int {
	for i := range l.Types {
		if l.Types[i].Name == of && l.Types[i].Enabled {
			return l.Types[i].Round
		}
	}
	return 0
}

// enable begins a new round of a policy type.
func (l *Level) enable(of string) {
	for i := range l.Types {
		if l.Types[i].Name == of {
			l.Types[i].Round, l.Types[i].Enabled = l.Types[i].Round+1, true
			return
		}
	}
	l.Types = append(l.Types, Type{Name: of, Round: 1, Enabled: true})
}

// disable ends the round of a policy type.
func (l *Level) disable(of string) {
	for i := range l.Types {
		if l.Types[i].Name == of {
			l.Types[i].Enabled = false
		}
	}
}

// attached are the policies of a type that hold in a round, AWS's own first.
func (l *Level) attached(of string, round int) []Attachment {
	var all []Attachment
	if id := defaultPolicy(of); id != "" && round > 0 && l.hasDefault(of, round) {
		all = append(all, Attachment{Policy: id, Type: of, Round: round, Since: time.Unix(0, 0)})
	}
	for _, a := range l.Attached {
		if a.Type == of && a.Round == round && round > 0 {
			all = append(all, a)
		}
	}
	return all
}

// hasDefault tells whether AWS's own policy of a type is attached.
func (l *Level) hasDefault(of string, round int) bool {
	return of != string(api.PolicyTypeServiceControlPolicy) || l.NoDefault != round
}

// drop forgets attachments of rounds that are over.
func (l *Level) drop(of string, round int) {
	l.Attached = slices.DeleteFunc(l.Attached, func(a Attachment) bool { return a.Type == of && a.Round != round })
}

// limits are the level's policies of a type, compiled. They are kept with the
// row: a change of the level, or of what is attached to it, writes it anew.
func (l *Level) limits(tx store.Tx, management, of string, round int) ([]*policy.Policy, error) {
	kept, kind := &l.scps, policy.SCP
	if of == string(api.PolicyTypeResourceControlPolicy) {
		kept, kind = &l.rcps, policy.RCP
	}
	if held := kept.Load(); held != nil && held.round == round {
		return held.compiled, nil
	}
	made := &limits{round: round}
	for _, a := range l.attached(of, round) {
		if a.Policy == defaultPolicy(of) {
			if kind == policy.SCP { // the other allows what nothing asks it for
				made.compiled = append(made.compiled, fullAccess())
			}
			continue
		}
		c, err := contents.Get(tx, management, a.Policy, version(a.Version))
		if err != nil {
			return nil, err
		}
		made.compiled = append(made.compiled, c.compiled(kind, c.ARN))
	}
	kept.Store(made)
	return made.compiled, nil
}

// Document is a policy's text, with what is compiled of it.
type Document struct {
	Text string

	once   sync.Once
	policy *policy.Policy
}

// compiled is the compiled document; nil, which denies, if it can't be read.
// The kind and the id are always the same for one document.
func (d *Document) compiled(kind policy.Kind, id string) *policy.Policy {
	d.once.Do(func() {
		if doc, err := policy.Read([]byte(d.Text), kind); err == nil {
			d.policy = policy.Compile(doc, id)
		}
	})
	return d.policy
}
