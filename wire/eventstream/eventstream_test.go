package eventstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// service has an operation whose output streams events of every form.
var service = &aws.Service{Name: "tail", Source: `garrison-model 1 1 17 22 0
op Watch POST / out=Output
structure Output payload=Events
	Events Events
union Events eventstream
	Bytes Bytes
	Words Words
	Details Details
	Plain Plain
	Mixed Mixed
	End End
	Gone GoneException
structure Bytes event
	Payload Blob eventpayload
structure Words event
	Payload Text eventpayload
structure Details event
	Details Plain eventpayload
structure Plain event
	Text Text
structure Mixed event
	On Flag eventheader
	Byte Byte eventheader
	Short Short eventheader
	Number Number eventheader
	Long Long eventheader
	Blob Blob eventheader
	Word Text eventheader
	Time Time eventheader
	Text Text
structure End event
structure GoneException error status=410
	message Text
string Text
blob Blob
boolean Flag
integer Byte bits=8
integer Short bits=16
integer Number
long Long
timestamp Time
`}

type output struct{ Events iter.Seq2[*union, error] }

type union struct {
	Bytes   *payloadBytes
	Words   *payloadText
	Details *details
	Plain   *plain
	Mixed   *mixed
	End     *end
	Gone    *gone
}

type (
	payloadBytes struct{ Payload []byte }
	payloadText  struct{ Payload *string }
	details      struct{ Details *plain }
	plain        struct{ Text *string }
	end          struct{}
	gone         struct{ Message string }
	mixed        struct {
		On     *bool
		Byte   *int32
		Short  *int32
		Number *int32
		Long   *int64
		Blob   []byte
		Word   *string
		Time   *time.Time
		Text   *string
	}
)

func (e *gone) Error() string      { return "GoneException: " + e.Message }
func (e *gone) ErrorShape() string { return "GoneException" }
func (e *gone) ErrorText() string  { return e.Message }

// textBody writes a structure as its members' names and values.
var textBody = Body{Protocol: aws.AWSJSON11, ContentType: "text/x-test", Append: func(b []byte, _ *aws.Member, p *wire.Plan, v reflect.Value) []byte {
	for i := range p.Fields {
		if fv, ok := p.Fields[i].Get(v); ok {
			b = append(b, p.Fields[i].Member.Name+"="+fv.String()+"\n"...)
		}
	}
	return b
}}

// open is the answer that streams events and then fails, if failed is not nil.
func open(t *testing.T, failed error, events ...*union) io.ReadCloser {
	t.Helper()
	out := &output{Events: func(yield func(*union, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		if failed != nil {
			yield(nil, failed)
		}
	}}
	p, v, err := wire.OutputPlan(service.Operation("Watch"), out)
	if err != nil {
		t.Fatal(err)
	}
	var to wire.Response
	if err := Answer(p.Events(), v, textBody, &to); err != nil {
		t.Fatal(err)
	}
	if to.Length != -1 || to.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" {
		t.Errorf("length %d, header %v", to.Length, to.Header)
	}
	return to.Stream
}

// frames reads a stream as a client does, each frame as its headers, each on a
// line, an empty line, and the payload.
func frames(t *testing.T, data []byte) (frames []string) {
	t.Helper()
	for len(data) > 0 {
		total, headers := binary.BigEndian.Uint32(data), int(binary.BigEndian.Uint32(data[4:]))
		if crc32.ChecksumIEEE(data[:8]) != binary.BigEndian.Uint32(data[8:]) {
			t.Fatal("checksum of the prelude")
		}
		frame := data[:total]
		if n := total - 4; crc32.ChecksumIEEE(frame[:n]) != binary.BigEndian.Uint32(frame[n:]) {
			t.Fatal("checksum of the frame")
		}
		data = data[total:]
		frames = append(frames, headerLines(t, frame[12:12+headers])+"\n"+string(frame[12+headers:total-4]))
	}
	return frames
}

func headerLines(t *testing.T, b []byte) string {
	var text strings.Builder
	take := func(n int) []byte { part := b[:n]; b = b[n:]; return part }
	for len(b) > 0 {
		name := string(take(int(take(1)[0])))
		var value any
		switch typ := take(1)[0]; typ {
		case 0, 1:
			value = typ == 0
		case 2:
			value = fmt.Sprint("byte ", int8(take(1)[0]))
		case 3:
			value = fmt.Sprint("short ", int16(binary.BigEndian.Uint16(take(2))))
		case 4:
			value = fmt.Sprint("int ", int32(binary.BigEndian.Uint32(take(4))))
		case 5:
			value = fmt.Sprint("long ", int64(binary.BigEndian.Uint64(take(8))))
		case 6:
			value = take(int(binary.BigEndian.Uint16(take(2))))
		case 7:
			value = string(take(int(binary.BigEndian.Uint16(take(2)))))
		case 8:
			value = time.UnixMilli(int64(binary.BigEndian.Uint64(take(8)))).UTC().Format(time.RFC3339Nano)
		default:
			t.Fatalf("type %d", typ)
		}
		fmt.Fprintf(&text, "%s: %v\n", name, value)
	}
	return text.String()
}

func TestEvents(t *testing.T) {
	const event = ":message-type: event\n:event-type: "
	for _, c := range []struct {
		name  string
		event union
		want  string
	}{
		{"bytes", union{Bytes: &payloadBytes{[]byte{0, 255}}}, event + "Bytes\n:content-type: application/octet-stream\n\n\x00\xff"},
		{"text", union{Words: &payloadText{new("hi")}}, event + "Words\n:content-type: text/plain\n\nhi"},
		{"a payload that is absent", union{Words: &payloadText{}}, event + "Words\n\n"},
		{"a structure in a member", union{Details: &details{&plain{new("x")}}}, event + "Details\n:content-type: text/x-test\n\nText=x\n"},
		{"a structure", union{Plain: &plain{new("x")}}, event + "Plain\n:content-type: text/x-test\n\nText=x\n"},
		{"nothing in it", union{End: &end{}}, event + "End\n\n"},
		{"an exception", union{Gone: &gone{"bye"}}, ":message-type: exception\n:exception-type: Gone\n:content-type: text/x-test\n\nmessage=bye\n"},
		{"members as headers", union{Mixed: &mixed{On: new(true), Byte: new(int32(-1)), Short: new(int32(-2)), Number: new(int32(-3)), Long: new(int64(-4)),
			Blob: []byte{7}, Word: new("w"), Time: new(time.UnixMilli(1500)), Text: new("x")}},
			event + "Mixed\nOn: true\nByte: byte -1\nShort: short -2\nNumber: int -3\nLong: long -4\nBlob: [7]\nWord: w\n" +
				"Time: 1970-01-01T00:00:01.5Z\n:content-type: text/x-test\n\nText=x\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := open(t, nil, &c.event)
			data, err := io.ReadAll(iotest.OneByteReader(stream))
			if err != nil || stream.Close() != nil {
				t.Fatal(err)
			}
			if got := frames(t, data); len(got) != 1 || got[0] != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestStreamEndsInAnError(t *testing.T) {
	for _, c := range []struct {
		name   string
		failed error
		event  union
		want   string
	}{
		{"that the stream has a member for", fmt.Errorf("wrapped: %w", &gone{"bye"}), union{},
			":message-type: exception\n:exception-type: Gone\n:content-type: text/x-test\n\nmessage=bye\n"},
		{"of the path of a call", &aws.Error{Kind: aws.Throttled, Message: "slower"}, union{},
			":message-type: error\n:error-code: ThrottlingException\n:error-message: slower\n\n"},
		{"of which nothing is told", errors.New("disk on fire"), union{},
			":message-type: error\n:error-code: InternalFailure\n:error-message: An internal error occurred.\n\n"},
		{"because a payload is too large", nil, union{Bytes: &payloadBytes{make([]byte, maxPayload+1)}},
			":message-type: error\n:error-code: InternalFailure\n:error-message: An internal error occurred.\n\n"},
		{"because a header is too large", nil, union{Mixed: &mixed{Word: new(strings.Repeat("x", maxValue+1))}},
			":message-type: error\n:error-code: InternalFailure\n:error-message: An internal error occurred.\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := open(t, c.failed, &union{Words: &payloadText{new("first")}}, &c.event)
			defer stream.Close()
			data, err := io.ReadAll(stream)
			if err != nil {
				t.Fatal(err)
			}
			if got := frames(t, data); len(got) != 2 || got[1] != c.want {
				t.Errorf("got  %q\nwant %q behind the first", got, c.want)
			}
		})
	}
}

// TestClosedStreamStopsTheEvents shows that who makes events is told, and runs
// no further than it was read.
func TestClosedStreamStopsTheEvents(t *testing.T) {
	made, ended := 0, false
	out := &output{Events: func(yield func(*union, error) bool) {
		defer func() { ended = true }()
		for yield(&union{End: &end{}}, nil) {
			made++
		}
	}}
	p, v, err := wire.OutputPlan(service.Operation("Watch"), out)
	if err != nil {
		t.Fatal(err)
	}
	var to wire.Response
	if err := Answer(p.Events(), v, textBody, &to, Initial("text/x-test", []byte("own"))...); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 4096)
	n, err := to.Stream.Read(first)
	if want := ":message-type: event\n:event-type: initial-response\n:content-type: text/x-test\n\nown"; err != nil || frames(t, first[:n])[0] != want {
		t.Errorf("got %q, %v, want %q", frames(t, first[:n]), err, want)
	}
	if _, err := to.Stream.Read(first); err != nil || made != 0 {
		t.Errorf("%d events were made before they were read, %v", made, err)
	}
	if err := to.Stream.Close(); err != nil || !ended {
		t.Errorf("closed with %v; ended: %v", err, ended)
	}
	if n, err := to.Stream.Read(first); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes of a closed stream, %v", n, err)
	}
}

func TestAnswerWithoutEvents(t *testing.T) {
	p, v, err := wire.OutputPlan(service.Operation("Watch"), &output{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Answer(p.Events(), v, textBody, &wire.Response{}); err == nil {
		t.Error("an output without its stream is no error")
	}
}

func TestFrameAsAmazonPublishesIt(t *testing.T) {
	// The example of a message with no headers and no payload, and its checksums.
	got, err := appendFrame(nil, nil, nil)
	want := []byte{0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}
