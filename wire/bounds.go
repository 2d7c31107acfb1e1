package wire

import (
	"reflect"

	"github.com/garrison-security/garrison/aws"
)

// Bounds on what a request may become once decoded. The sizes of bodies are
// bounded where they are read.
const (
	MaxDepth    = 64       // structures, lists and maps within one another
	MaxMemory   = 16 << 20 // bytes of Go values that one input may become, the texts themselves left out
	elementCost = 16       // of each element, beside its own size
)

var (
	errDepth  = &aws.Error{Kind: aws.Serialization, Message: "The request is nested too deeply."}
	errMemory = &aws.Error{Kind: aws.Serialization, Message: "The request holds too many elements."}
)

// Malformed is the error for a request that can't be read as what the model says.
func Malformed(message string) error {
	return &aws.Error{Kind: aws.Serialization, Message: message}
}

// ErrMalformedXML is S3's error for a body that breaks its schema.
var ErrMalformedXML = Malformed("The XML you provided was not well-formed or did not validate against our published schema")

// Input is the state of decoding one input, the same for every codec: where in
// the input the decoder stands, what it has spent, and which required members
// never came. The zero value is ready.
type Input struct {
	path   path
	buf    [8]step
	spent  int
	absent map[string]struct{}
}

// Enter goes into what member f holds.
func (in *Input) Enter(f *Field) error { return in.push(step{field: f}) }

// EnterIndex goes into the element i, counted from 0, of a list.
func (in *Input) EnterIndex(i int) error { return in.push(step{index: i + 1}) }

// EnterKey goes into the value at key of a map.
func (in *Input) EnterKey(key string) error { return in.push(step{key: key}) }

func (in *Input) push(s step) error {
	if in.path == nil {
		in.path = in.buf[:0]
	}
	if len(in.path) >= MaxDepth {
		return errDepth
	}
	in.path = append(in.path, s)
	return nil
}

// Leave goes back to where the last Enter came from.
func (in *Input) Leave() { in.path = in.path[:len(in.path)-1] }

// Spend counts a value of type t that is made for an element or an optional member.
func (in *Input) Spend(t reflect.Type) error {
	if in.spent += int(t.Size()) + elementCost; in.spent > MaxMemory {
		return errMemory
	}
	return nil
}

// Done notes which required members of the structure that the decoder stands
// in never came, where the Go value can't show it.
func (in *Input) Done(p *Plan, seen *Seen) {
	for _, i := range p.required {
		if seen.Has(i) || len(in.absent) >= maxViolations {
			continue
		}
		if in.absent == nil {
			in.absent = map[string]struct{}{}
		}
		in.absent[in.path.member(p.Fields[i].Label)] = struct{}{}
	}
}

// Room is how many levels deeper the decoder may go.
func (in *Input) Room() int { return MaxDepth - len(in.path) }
