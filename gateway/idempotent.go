package gateway

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/garrison-security/garrison/store"
)

// idempotency answers a repeated request as the first was answered.
type idempotency struct {
	field    int // of the client's token in the input struct
	window   time.Duration
	mismatch error
}

// answered is what a token was used for.
type answered struct {
	Request [sha256.Size]byte // hash of the request's input
	Answer  []byte            // the output, JSON
	Until   time.Time
}

// answers keeps what client tokens were used for, by account, Region, operation and token.
var answers = store.NewTable("gateway/answer", answersByEnd)

// answersByEnd finds what is over, of all accounts, by the hour of its end.
var answersByEnd = &store.Index[answered]{Name: "end", Global: true,
	Of: func(a *answered, add func(parts ...string)) { add(hourOf(a.Until)) }}

// hourOf orders hours as texts do.
func hourOf(t time.Time) string { return t.UTC().Format("2006010215") }

// Idempotent makes an operation whose model has a client token answer a
// repeated request as it answered the first, for a while, without doing
// anything again. A token that comes back with other parameters is refused with
// mismatch. The caller is authorised each time.
func (o Operation) Idempotent(window time.Duration, mismatch error) Operation {
	field := tokenField(&o)
	if field < 0 {
		panic("gateway: " + o.row.Name + " has no client token")
	}
	o.idempotent = &idempotency{field, window, mismatch}
	return o
}

// tokenField is the field of the input that holds the client's token, or -1.
func tokenField(o *Operation) int {
	if o.row.Input == nil {
		return -1
	}
	for _, m := range o.row.Input.Members {
		if m.IdempotencyTok {
			f, _ := reflect.TypeOf(o.input()).Elem().FieldByName(m.GoName())
			return f.Index[0]
		}
	}
	return -1
}

func (i *idempotency) run(call *Call, o *Operation, in any, handle func() (any, error)) (any, error) {
	token := reflect.Indirect(reflect.ValueOf(in).Elem().Field(i.field))
	if !token.IsValid() || token.Len() == 0 {
		return handle()
	}
	place := []string{call.Region, o.row.Service.Name, o.row.Name, token.String()}
	input, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("hash the input of %s: %w", o.row.Name, err)
	}
	request := sha256.Sum256(input)
	first, err := answers.Get(call.Tx, call.Account, place...)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	case call.Time.After(first.Until):
	case first.Request != request:
		return nil, i.mismatch
	default:
		out := o.output()
		return out, json.Unmarshal(first.Answer, out)
	}
	out, err := handle()
	if err != nil {
		return nil, err
	}
	kept, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("keep the answer of %s: %w", o.row.Name, err)
	}
	return out, answers.Put(call.Tx, call.Account, &answered{request, kept, call.Time.Add(i.window)}, place...)
}
