package restjson

import (
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/rest"
)

// negotiate checks that the body is of the type that the operation takes, and
// that the caller takes the type that it answers with.
func negotiate(op *aws.Operation, p *wire.Plan, req *wire.Request, body []byte) error {
	if req.Header == nil {
		return nil
	}
	sent := mediaType(req.Header.Get("Content-Type"))
	if !takes(op, p, sent, len(body)) {
		return &aws.Error{Kind: aws.UnsupportedMediaType, Message: "The type of the request's body is not supported by this operation."}
	}
	if accept := req.Header.Get("Accept"); accept != "" && !satisfies(accept, answerType(op)) {
		return &aws.Error{Kind: aws.NotAcceptable, Message: "The operation does not answer with an accepted type."}
	}
	return nil
}

// takes says whether an input of plan p may come as a body of n bytes of type
// sent. Bytes without a type of their own may come as any, and nothing has to
// say of what type it is, as AWS's services have it.
func takes(op *aws.Operation, p *wire.Plan, sent string, n int) bool {
	payload := p.Payload()
	if payload == nil {
		if !rest.TakesBody(p) && (op.Input == nil || len(p.Fields) > 0) {
			return n == 0 || sent == ""
		}
		return n == 0 || sent == "" || sent == "application/json"
	}
	want := payload.Member.Shape.MediaType
	switch {
	case payload.Member.Shape.EventStream:
		return true
	case want != "":
	case payload.Plan.Shape.Kind == aws.Blob:
		return true
	case payload.Plan.Shape.Kind == aws.String:
		want = "text/plain"
	default:
		return n == 0 || sent == "" || sent == "application/json"
	}
	return n == 0 && !payload.Plan.Stream || sent == "" || sent == want
}

// answerType is the type of an operation's answer; "" where it may be any.
func answerType(op *aws.Operation) string {
	if op.Output == nil || op.Output.Payload == "" {
		return "application/json"
	}
	for _, m := range op.Output.Members {
		if m.Name != op.Output.Payload {
			continue
		}
		switch {
		case m.Shape.EventStream:
			return ""
		case m.Shape.MediaType != "":
			return m.Shape.MediaType
		case m.Shape.Kind == aws.Blob:
			return ""
		case m.Shape.Kind == aws.String:
			return "text/plain"
		}
	}
	return "application/json"
}

// mediaType is a header's type without its parameters, in lower case.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.Trim(s, " \t"))
}

// satisfies says whether have is among the types that an Accept header names.
func satisfies(accept, have string) bool {
	if have == "" {
		return true
	}
	for part := range strings.SplitSeq(accept, ",") {
		want := mediaType(part)
		prefix, any := strings.CutSuffix(want, "/*")
		if want == have || want == "*/*" || any && strings.HasPrefix(have, prefix+"/") {
			return true
		}
	}
	return false
}
