package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// prepareTime bounds what an operation does outside its transaction before it
// has begun to wait or to receive a body.
const prepareTime = 30 * time.Second

// recordTime bounds the transaction of a call. It does not hang on the
// caller's connection: a caller who leaves is recorded like any other.
const recordTime = 30 * time.Second

// outcome is what a call came to.
type outcome struct {
	out       any
	err       error
	principal *aws.Principal // nil: nobody is known to call
	account   string         // whose record holds the call; "": nobody can be charged
	event     *trail.Event
}

// perform carries a request out: one transaction finds who calls, decides,
// handles and appends the event, of a refusal like of a success. If it does
// not commit, there is no answer to give but that.
func (g *Gateway) perform(ctx context.Context, r *request) outcome {
	defer r.wipe()
	op := r.operation
	if op == nil {
		return g.record(ctx, r, func(*Call) (any, error) { return nil, g.notImplemented(r) })
	}
	if op.before == nil {
		return g.carryOut(ctx, r, nil)
	}
	if op.when != nil {
		if o := g.carryOut(ctx, r, nil); stopped(o.err) == nil {
			return o
		}
	}
	prepared, o := g.prepare(ctx, r)
	if o.err != nil {
		return o
	}
	defer wipe(prepared)
	return g.carryOut(ctx, r, &prepared)
}

// carryOut runs an operation in the call's transaction: again, when it forwards
// one that turned out to need preparation.
func (g *Gateway) carryOut(ctx context.Context, r *request, prepared *any) outcome {
	for range maxReadied {
		o := g.record(ctx, r, func(call *Call) (any, error) { return r.operation.run(ctx, call, r.in, prepared) })
		u := stopped(o.err)
		if u == nil || u.op == nil {
			return o
		}
		g.ready(ctx, r, u)
	}
	return g.record(ctx, r, func(*Call) (any, error) { return nil, errTooMany })
}

var errTooMany = errors.New("gateway: a call forwards too much that needs preparation")

// unprepared undoes a call that turns out to need preparation: its own, or that
// of an operation it forwards.
type unprepared struct {
	on    any
	index int        // among what the call forwards
	op    *Operation // forwarded; nil: it is the call's own
	call  *Call      // of op
	in    any        // of op
	asked any        // in as it was given
}

func (*unprepared) Error() string { return "gateway: needs preparation" }

// Stopped tells the error by which a call is undone to have something prepared
// that it forwards. It says nothing of what is forwarded: it is passed on.
func Stopped(err error) bool { return stopped(err) != nil }

// stopped is what undid a call to have it prepared; nil: nothing did.
func stopped(err error) *unprepared {
	if err == nil {
		return nil
	}
	u, _ := errors.AsType[*unprepared](err)
	return u
}

// prepare authorises in a read, then runs what the operation does outside its
// transaction. A refusal is recorded, and is the call's outcome.
func (g *Gateway) prepare(ctx context.Context, r *request) (any, outcome) {
	op := r.operation
	var call *Call
	var on, prepared any
	refused := g.Engine.View(ctx, func(tx store.Tx) (err error) {
		if call, err = g.begin(tx, r); err == nil {
			on, err = op.find(call, r.in)
		}
		return err
	})
	if refused == nil && op.streams {
		r.body, refused = streamedBody(r)
	}
	if refused == nil {
		prepared, refused = g.before(ctx, r, call, on)
	}
	if refused == nil {
		return prepared, outcome{}
	}
	wipe(prepared)
	return nil, g.record(ctx, r, func(*Call) (any, error) { return nil, refused })
}

// before runs what an operation does outside its transaction: again, when it
// forwards one that needs preparation itself.
func (g *Gateway) before(ctx context.Context, r *request, call *Call, on any) (prepared any, err error) {
	op := r.operation
	limited := ctx
	if !op.waits && !op.streams {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(context.WithoutCancel(ctx), prepareTime)
		defer cancel()
	}
	for range maxReadied {
		call.Tx, call.readied, call.forwarded = nil, r.readied, nil
		prepared, err = guard(g, r, func() (any, error) { return op.before(limited, call, on, r.in, r.body) })
		u := stopped(err)
		if u == nil {
			return prepared, err
		}
		g.ready(ctx, r, u)
	}
	return nil, errTooMany
}

// record runs a call's transaction.
func (g *Gateway) record(ctx context.Context, r *request, run func(*Call) (any, error)) outcome {
	var o outcome
	durable, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	err := g.Engine.Update(durable, func(tx store.Tx) error {
		o = outcome{}
		call, err := g.begin(tx, r)
		if call != nil {
			o.principal, o.account, o.event = call.Principal, call.Account, call.event
		}
		if err == nil {
			o.out, err = guard(g, r, func() (any, error) { return run(call) })
		}
		if unavailable(err) || stopped(err) != nil {
			return err
		}
		o.err = err
		if err != nil {
			tx.Discard()
			o.out = nil
		} else if o.account == "" { // anonymous: whose resource's policy let it in holds the record
			o.account = call.shared
		}
		if o.account == "" {
			return nil
		}
		g.finish(r, &o)
		return call.appendEvents(tx, o.account)
	})
	if stopped(err) != nil {
		return outcome{err: err}
	}
	if err != nil {
		if !unavailable(err) {
			g.Log.Error("transaction failed", "request", r.id, "operation", r.name(), "error", err)
		}
		return outcome{err: &aws.Error{Kind: aws.Unavailable, Message: "The service is temporarily unavailable. Try again."}}
	}
	return o
}

// begin is the part of a call's transaction before its operation: who calls,
// and with what rights. A call that comes with an error is to be recorded; an
// error without one belongs to nobody.
func (g *Gateway) begin(tx store.Tx, r *request) (*Call, error) {
	principal := r.principal
	if principal == nil {
		var err error
		if principal, err = g.authenticate(tx, r); principal == nil {
			return nil, err
		} else if err != nil {
			return g.call(tx, r, principal), err
		}
	}
	call := g.call(tx, r, principal)
	if !r.counted {
		if err := g.limits.admit(principal.Account, r.row, r.now); err != nil {
			return call, err
		}
		r.counted = true
	}
	if r.operation == nil {
		return call, nil
	}
	if err := r.decodeOnce(); err != nil {
		return call, err
	}
	if principal.Kind == aws.Anonymous {
		return call, nil
	}
	var err error
	if call.tags, err = g.Directory.Policies(tx, principal, call.policies); err != nil {
		return call, err
	}
	return call, call.enlist()
}

// unavailable reports whether the store refused, so that nothing can be said or recorded.
func unavailable(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrConflict) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// guard runs f and turns a panic into an internal failure, logged with its stack.
func guard(g *Gateway, r *request, f func() (any, error)) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.Log.Error("panic", "request", r.id, "operation", r.name(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out, err = nil, errPanic
		}
	}()
	return f()
}

var errPanic = errors.New("gateway: an operation panicked")

// notImplemented refuses an operation of AWS's that no table here holds.
func (g *Gateway) notImplemented(r *request) error {
	if s := r.match.Service; s != nil && g.Unserved[s.Name] != "" { // a call in process has none
		return &aws.Error{Kind: aws.NotImplemented, Message: "Garrison does not serve " + r.name() + " here: " + g.Unserved[s.Name]}
	}
	return &aws.Error{Kind: aws.NotImplemented, Message: "Garrison does not implement " + r.name() + " yet"}
}

// NotImplemented refuses a parameter that has no effect yet.
func NotImplemented(op *aws.Operation, parameter string) error {
	return &aws.Error{Kind: aws.NotImplemented,
		Message: "Garrison does not implement " + op.Service.Name + ":" + op.Name + ", parameter " + parameter + " yet"}
}

// run finds the target, authorises, and carries the call out. Prepared is nil
// where nothing was prepared.
func (o *Operation) run(ctx context.Context, call *Call, in any, prepared *any) (out any, err error) {
	var on any
	if o.find != nil {
		if on, err = o.find(call, in); err != nil {
			return nil, err
		}
	}
	var work any
	if prepared != nil {
		work = *prepared
	} else if o.when != nil && o.when(on, in) {
		return nil, &unprepared{on: on}
	}
	if o.idempotent != nil {
		return o.idempotent.run(call, o, in, func() (any, error) { return o.handle(ctx, call, on, in, work) })
	}
	return o.handle(ctx, call, on, in, work)
}
