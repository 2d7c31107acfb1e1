package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"sync"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/post"
	"github.com/garrison-security/garrison/wire/route"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// request is one request on its way, with all that is found out about it once,
// however often its transaction runs. It belongs to one goroutine.
type request struct {
	id       string // request id, a UUID
	now      time.Time
	began    time.Time // of the machine's clock, for measures
	from     origin
	region   string // where the call takes place
	wire     *wire.Request
	match    route.Match
	protocol aws.Protocol
	service  *aws.Service   // nil: not generated
	row      *aws.Operation // nil: of a service that is not generated
	// operation is nil for what is not served.
	operation *Operation
	signature *sigv4.Signature
	admitted  error      // what the signature's clock and scope came to
	form      *post.Form // a browser's; nil: it is none
	body      io.Reader  // what a streaming operation reads
	payload   []byte     // the body, for all others

	principal *aws.Principal // set by Invoke: nobody needs to sign
	in        any
	decoded   bool
	decodeErr error
	counted   bool // against the account's rates
	context   *policy.Context
	policies  policy.Policies
	call      Call
	event     trail.Event
	readied   map[int]*readied // for what the call forwards, by its place in that
}

// requests are kept to be used again: a request's memory is most of what a call needs.
var requests = sync.Pool{New: func() any { return &request{context: new(policy.Context)} }}

// newRequest is an empty request. Free it once its answer is encoded.
func newRequest(now time.Time) *request {
	r := requests.Get().(*request)
	r.id, r.now = newID(), now
	return r
}

func (r *request) free() {
	p, conditions := r.policies, r.call.conditions
	*r = request{context: r.context}
	r.call.conditions = emptied(conditions)
	r.policies.Identity, r.policies.Boundary, r.policies.Session = emptied(p.Identity), emptied(p.Boundary), emptied(p.Session)
	r.policies.SCPs, r.policies.RCPs = emptied(p.SCPs), emptied(p.RCPs)
	requests.Put(r)
}

// emptied is list without what it held, so that nothing is kept alive by it.
func emptied[E any](list []E) []E {
	clear(list[:cap(list)])
	return list[:0]
}

// newID is a random UUID, as AWS's request ids are.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// name is what the request asks for, as "iam:CreateUser".
func (r *request) name() string {
	if r.row != nil {
		return r.row.Service.Name + ":" + r.row.Name
	}
	if r.match.Service != nil {
		return r.match.Service.Name + ":" + r.match.Operation
	}
	return r.match.Operation
}

// decodeOnce decodes the input, once: a request does not change between
// attempts. A body of S3's is first compared with what was signed.
func (r *request) decodeOnce() error {
	if r.decoded {
		return r.decodeErr
	}
	r.decoded = true
	r.in = r.operation.input()
	if r.form != nil {
		r.decodeErr = r.decodeForm()
		return r.decodeErr
	}
	if r.match.S3Family() && !r.operation.streams {
		if r.payload, r.decodeErr = checkedPayload(r); r.decodeErr != nil {
			return r.decodeErr
		}
	}
	var of *wire.Request
	if of, r.decodeErr = r.ofLink(); r.decodeErr == nil {
		r.decodeErr = codecs.For(r.protocol).Decode(r.row, of, r.payload, r.match.Labels, r.in)
	}
	return r.decodeErr
}

// call is the request as an attempt of its transaction sees it.
func (g *Gateway) call(tx store.Tx, r *request, principal *aws.Principal) *Call {
	call := &r.call
	r.event = trail.Event{}
	p := &r.policies // what an earlier attempt read is no longer known to hold
	*p = policy.Policies{
		Identity: p.Identity[:0], Boundary: p.Boundary[:0], Session: p.Session[:0], SCPs: p.SCPs[:0], RCPs: p.RCPs[:0],
	}
	*call = Call{
		Tx: tx, Time: r.now, Principal: principal, Account: principal.Account, Partition: g.Partition, Region: r.region,
		Operation: r.row, RequestID: r.id, from: r.from, context: r.context, policies: &r.policies, event: &r.event, readied: r.readied,
		conditions: call.conditions[:0], guardrails: g.Guardrails, denials: g.Denials,
	}
	if r.operation != nil {
		call.ownTagKey = r.operation.ownTagKey
	}
	return call
}
