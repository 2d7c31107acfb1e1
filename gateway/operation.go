package gateway

import (
	"context"
	"io"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

// Resource is what a caller is authorised on. It may also be Tagged, Described, Governed, Granting, Owned, Shown, Asking or Compound.
type Resource interface {
	// ARN is what policies' Resource elements are matched with; "*" for an action that takes no resource.
	ARN() string
}

// Tagged is a Resource with tags: aws:ResourceTag/… is filled from them.
type Tagged interface{ ResourceTags() map[string]string }

// Target finds what a call acts on. It reads, and may set condition keys with
// call.Condition, but changes nothing. When what the input names does not
// exist it answers a resource that carries the name along with the error: only
// those who may ask are told. With a zero R the error is answered before the
// caller is authorised: right for malformed input alone.
type Target[In any, R Subject] func(call *Call, in *In) (R, error)

// Subject is a Resource as a type parameter: comparable, so that its zero
// value means "none".
type Subject interface {
	comparable
	Resource
}

// Handler carries a call out, on what its target found and the caller is
// authorised on. It may be run again: it touches call.Tx and pure code only.
// Errors it means the caller to see are generated ones or *aws.Error; anything
// else is answered as an internal failure.
type Handler[In, Out any, R Subject] func(ctx context.Context, call *Call, on R, in *In) (*Out, error)

// Operation is a row of a service's table. Make it with Op, Free, Prepare, PrepareWhen, Wait or Stream.
type Operation struct {
	row *aws.Operation
	// input and output make an empty input and output.
	input, output func() any
	// find names the target and authorises the caller on it; nil where none is needed.
	find func(call *Call, in any) (on any, err error)
	// before runs outside transactions, between a read that authorises and the transaction that
	// authorises again; nil for most. What it answers is handed to handle as prepared.
	before func(ctx context.Context, call *Call, on, in any, body io.Reader) (prepared any, err error)
	// handle carries the call out on what find found.
	handle     func(ctx context.Context, call *Call, on, in, prepared any) (out any, err error)
	idempotent *idempotency
	// when tells the calls that need before, of an operation most of whose calls don't; nil: all do.
	when      func(on, in any) bool
	streams   bool // before is given the request's body
	waits     bool // before waits, for as long as its ctx lives
	free      string
	ownTagKey bool // the service has a <service>:ResourceTag key of its own

	recordsAnswer bool // its records have responseElements
	tally         *tally
	anyone        bool // who does not sign is anonymous: resources' own policies decide
}

// Anyone is o for callers who need not sign: what an anonymous caller may do the
// policies of resources say alone.
func Anyone(o Operation) Operation {
	o.anyone = true
	return o
}

// Row is the operation's row in the service's generated table.
func (o *Operation) Row() *aws.Operation { return o.row }

// Op is an operation that reads and changes state.
func Op[In, Out any, R Subject](op aws.Op[In, Out], target Target[In, R], handle Handler[In, Out, R]) Operation {
	o := base(op)
	o.find = finder(target)
	o.handle = func(ctx context.Context, call *Call, on, in, _ any) (any, error) {
		return answer(handle(ctx, call, on.(R), in.(*In)))
	}
	return o
}

// Free is an operation that any authenticated caller may call, whatever the
// policies say. Because says why, and cites AWS.
func Free[In, Out any](op aws.Op[In, Out], because string, handle func(context.Context, *Call, *In) (*Out, error)) Operation {
	if because == "" {
		panic("gateway: " + op.Name + " needs no permission, but says no reason")
	}
	o := base(op)
	o.free = because
	o.handle = func(ctx context.Context, call *Call, _, in, _ any) (any, error) {
		return answer(handle(ctx, call, in.(*In)))
	}
	return o
}

// Wiped is what a preparation answers that holds secrets: it is wiped once the
// call has committed or failed. What the call answers must not be part of it.
type Wiped interface{ Wipe() }

func wipe(prepared any) {
	if secret, ok := prepared.(Wiped); ok {
		secret.Wipe()
	}
}

// Prepare is an operation with work that must not be done inside a
// transaction: deriving a password, making a key, asking an HSM. Prepare is
// run after the caller was authorised in a read, outside any transaction, with
// a deadline; what it answers is kept across attempts of handle, which runs in
// a transaction that authorises again. Call.Tx is nil in prepare.
func Prepare[In, Out any, R Subject, P any](op aws.Op[In, Out], target Target[In, R],
	prepare func(ctx context.Context, call *Call, on R, in *In) (P, error),
	handle func(ctx context.Context, call *Call, on R, in *In, prepared P) (*Out, error)) Operation {
	return withBefore(op, target, func(ctx context.Context, call *Call, on R, in *In, _ io.Reader) (P, error) {
		return prepare(ctx, call, on, in)
	}, handle)
}

// PrepareWhen is Prepare for an operation of which only some calls have such
// work: when tells them by what they act on and ask for. The others take one
// transaction, and their handle is given no prepared value.
func PrepareWhen[In, Out any, R Subject, P any](op aws.Op[In, Out], when func(on R, in *In) bool, target Target[In, R],
	prepare func(ctx context.Context, call *Call, on R, in *In) (P, error),
	handle func(ctx context.Context, call *Call, on R, in *In, prepared P) (*Out, error)) Operation {
	o := Prepare(op, target, prepare, handle)
	o.when = func(on, in any) bool { return when(on.(R), in.(*In)) }
	return o
}

// Wait is an operation that may wait for something to happen. Wait returns
// when it is worth looking, or when ctx ends, which is no error: handle then
// looks all the same. Its concurrency is bounded apart from other calls'.
func Wait[In, Out any, R Subject](op aws.Op[In, Out], target Target[In, R],
	wait func(ctx context.Context, call *Call, on R, in *In) error, handle Handler[In, Out, R]) Operation {
	o := withBefore(op, target, func(ctx context.Context, call *Call, on R, in *In, _ io.Reader) (struct{}, error) {
		return struct{}{}, wait(ctx, call, on, in)
	}, func(ctx context.Context, call *Call, on R, in *In, _ struct{}) (*Out, error) {
		return handle(ctx, call, on, in)
	})
	o.waits = true
	return o
}

// Stream is an operation whose request body is of any length: receive reads it
// to its end, after the caller was authorised and outside any transaction
// (into blob storage, say), and handle commits what was received, authorising
// again.
func Stream[In, Out any, R Subject, P any](op aws.Op[In, Out], target Target[In, R],
	receive func(ctx context.Context, call *Call, on R, in *In, body io.Reader) (P, error),
	handle func(ctx context.Context, call *Call, on R, in *In, received P) (*Out, error)) Operation {
	o := withBefore(op, target, receive, handle)
	o.streams = true
	return o
}

func withBefore[In, Out any, R Subject, P any](op aws.Op[In, Out], target Target[In, R],
	before func(ctx context.Context, call *Call, on R, in *In, body io.Reader) (P, error),
	handle func(ctx context.Context, call *Call, on R, in *In, prepared P) (*Out, error)) Operation {
	o := base(op)
	o.find = finder(target)
	o.before = func(ctx context.Context, call *Call, on, in any, body io.Reader) (any, error) {
		return before(ctx, call, on.(R), in.(*In), body)
	}
	o.handle = func(ctx context.Context, call *Call, on, in, prepared any) (any, error) {
		p, _ := prepared.(P) // none where when said so
		return answer(handle(ctx, call, on.(R), in.(*In), p))
	}
	return o
}

func base[In, Out any](op aws.Op[In, Out]) Operation {
	row := op.Row()
	o := Operation{
		row: row, recordsAnswer: recordsAnswer(row),
		input: func() any { return new(In) }, output: func() any { return new(Out) },
	}
	own := row.Service.ActionPrefix + ":ResourceTag/"
	for _, kind := range row.Resources {
		for _, key := range kind.ConditionKeys {
			o.ownTagKey = o.ownTagKey || strings.HasPrefix(key, own)
		}
	}
	return o
}

// finder names the target and authorises the caller on it.
func finder[In any, R Subject](target Target[In, R]) func(*Call, any) (any, error) {
	return func(call *Call, in any) (any, error) {
		var none R
		on, missing := target(call, in.(*In))
		if missing != nil && (on == none || !visible(missing)) {
			return nil, missing
		}
		if err := call.authorizeOperation(on); err != nil {
			return nil, err
		}
		return on, missing
	}
}

// answer keeps a nil *Out from becoming a non-nil any.
func answer[Out any](out *Out, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if out == nil {
		out = new(Out)
	}
	return out, nil
}

// Service is a service as the gateway serves it.
type Service interface {
	// Operations lists the operations it serves, what each acts on, and the code that performs it. An
	// operation missing here is answered with "not implemented".
	Operations() []Operation
}
