// Package frame is the language between Garrison and the process that loads a
// PKCS #11 module: requests one way, answers the other, each a frame of its
// own. It is not for anything that crosses a network: both ends are of one
// release, and only the pipe between them is trusted with what stands in it.
//
// A frame is
//
//	length   4 bytes, big-endian, of what follows
//	version  1 byte
//	id       4 bytes; an answer bears its request's
//	kind     1 byte: an Op, or a Status
//	fields   each 4 bytes of length, then the bytes
//
// A request has as many fields as its Op wants, each within bounds; an answer
// has one, and before it 4 bytes of the module's return value. A frame that is
// anything else is an error, and ends the conversation: there is no way to find
// the next frame's beginning.
package frame

import (
	"encoding/binary"
	"errors"
	"io"
)

// Version is that of the language. A helper of another release is refused.
const Version = 1

// Bounds of what is said, in bytes. AWS CloudHSM takes 16 KiB at once; KMS
// encrypts at most 4 KiB, and private keys of pairs, which are smaller.
const (
	MaxPlaintext = 8 << 10
	MaxAAD       = 64 << 10
	MaxLabel     = 128
	MaxPath      = 4096
	MaxPIN       = 256

	// Overhead is by how much sealed bytes are longer than plaintext: a format, an IV, a tag.
	Overhead = 1 + 12 + 16

	maxSealed = MaxPlaintext + Overhead
	maxFrame  = 1 + 4 + 1 + 3*4 + MaxLabel + maxSealed + MaxAAD
)

// Op is what is asked.
type Op byte

// What can be asked. Open is the first request, once.
const (
	Open     Op = 1 + iota // module, token's label, token's serial number, PIN, who gives IVs ("" or "hsm"): the count of sessions, a byte
	Ping                   // whether the session still stands
	Generate               // label
	Encrypt                // label, plaintext, additional data: sealed
	Decrypt                // label, sealed, additional data: plaintext
	Destroy                // label
)

// bounds are the greatest lengths of each Op's fields.
var bounds = map[Op][]int{
	Open:     {MaxPath, MaxLabel, MaxLabel, MaxPIN, 8},
	Ping:     {},
	Generate: {MaxLabel},
	Encrypt:  {MaxLabel, MaxPlaintext, MaxAAD},
	Decrypt:  {MaxLabel, maxSealed, MaxAAD},
	Destroy:  {MaxLabel},
}

// Status is how it went.
type Status byte

// How it may have gone.
const (
	OK            Status = iota
	NoModule             // the module could not be loaded, or is none
	NoToken              // no slot holds the token, or several do
	WrongPIN             // the token refused the PIN
	PINLocked            // the token takes no PIN of this user any more
	Unsuited             // the token can't do what is wanted of it
	NoKey                // no key has the label
	KeyExists            // a key has the label already
	KeyUnfit             // what has the label is not one key made inside, which never leaves
	Undecryptable        // the sealed bytes were not made by this key with this additional data
	Failed               // the module refused; its return value says why
	Gone                 // the module is of no further use: start it again
	numStatuses
)

var (
	// ErrMalformed is a frame that says nothing.
	ErrMalformed = errors.New("a frame is malformed")
	// ErrVersion is a frame of another release's language.
	ErrVersion = errors.New("the helper is of another release")
)

// Request is what is asked.
type Request struct {
	ID     uint32
	Op     Op
	Fields [][]byte
}

// Answer is how it went. Code is the module's return value (CKR_…), if one told.
type Answer struct {
	ID     uint32
	Status Status
	Code   uint32
	Body   []byte
}

// Check says whether a request could be written.
func Check(op Op, fields [][]byte) error {
	limits, known := bounds[op]
	if !known || len(limits) != len(fields) {
		return ErrMalformed
	}
	for i, field := range fields {
		if len(field) > limits[i] {
			return ErrMalformed
		}
	}
	return nil
}

// WriteRequest writes a request as one write. What it copied is cleared.
func WriteRequest(w io.Writer, r *Request) error {
	if err := Check(r.Op, r.Fields); err != nil {
		return err
	}
	size := 6
	for _, field := range r.Fields {
		size += 4 + len(field)
	}
	frame := header(size, r.ID, byte(r.Op))
	for _, field := range r.Fields {
		frame = binary.BigEndian.AppendUint32(frame, uint32(len(field)))
		frame = append(frame, field...)
	}
	return write(w, frame)
}

// WriteAnswer writes an answer as one write. What it copied is cleared.
func WriteAnswer(w io.Writer, a *Answer) error {
	if a.Status >= numStatuses || len(a.Body) > maxSealed {
		return ErrMalformed
	}
	frame := header(6+4+4+len(a.Body), a.ID, byte(a.Status))
	frame = binary.BigEndian.AppendUint32(frame, a.Code)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(a.Body)))
	return write(w, append(frame, a.Body...))
}

func header(size int, id uint32, kind byte) []byte {
	frame := make([]byte, 0, 4+size)
	frame = binary.BigEndian.AppendUint32(frame, uint32(size))
	frame = append(frame, Version)
	frame = binary.BigEndian.AppendUint32(frame, id)
	return append(frame, kind)
}

func write(w io.Writer, frame []byte) error {
	_, err := w.Write(frame)
	clear(frame)
	return err
}

// ReadRequest reads a request, or io.EOF where the last one has ended.
func ReadRequest(r io.Reader) (*Request, error) {
	id, kind, rest, err := read(r)
	if err != nil {
		return nil, err
	}
	limits, known := bounds[Op(kind)]
	if !known {
		return nil, ErrMalformed
	}
	request := &Request{ID: id, Op: Op(kind), Fields: make([][]byte, len(limits))}
	for i, limit := range limits {
		if request.Fields[i], rest, err = field(rest, limit); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 {
		return nil, ErrMalformed
	}
	return request, nil
}

// ReadAnswer reads an answer, or io.EOF where the last one has ended.
func ReadAnswer(r io.Reader) (*Answer, error) {
	id, kind, rest, err := read(r)
	if err != nil {
		return nil, err
	}
	if Status(kind) >= numStatuses || len(rest) < 4 {
		return nil, ErrMalformed
	}
	answer := &Answer{ID: id, Status: Status(kind), Code: binary.BigEndian.Uint32(rest)}
	if answer.Body, rest, err = field(rest[4:], maxSealed); err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, ErrMalformed
	}
	return answer, nil
}

// read reads one frame, and takes its head off.
func read(r io.Reader) (id uint32, kind byte, rest []byte, err error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return 0, 0, nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 6 || n > maxFrame {
		return 0, 0, nil, ErrMalformed
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r, frame); errors.Is(err, io.EOF) {
		return 0, 0, nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return 0, 0, nil, err
	}
	if frame[0] != Version {
		return 0, 0, nil, ErrVersion
	}
	return binary.BigEndian.Uint32(frame[1:]), frame[5], frame[6:], nil
}

// field takes one field off the front of a frame's rest.
func field(rest []byte, limit int) (value, after []byte, err error) {
	if len(rest) < 4 {
		return nil, nil, ErrMalformed
	}
	n := binary.BigEndian.Uint32(rest)
	rest = rest[4:]
	if uint64(n) > uint64(len(rest)) || uint64(n) > uint64(limit) {
		return nil, nil, ErrMalformed
	}
	return rest[:n:n], rest[n:], nil
}
