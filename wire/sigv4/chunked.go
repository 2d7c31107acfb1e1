package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// Bounds of the aws-chunked form. S3 takes no chunk of less than 8 KiB but the
// last.
const (
	minChunk     = 8 << 10
	maxChunkLine = 512
	maxTrailers  = 16
	maxTrailer   = 4 << 10 // a line
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunked decodes an aws-chunked body:
//
//	<hex>[;chunk-signature=<hex>]\r\n <data> \r\n … 0[;chunk-signature=<hex>]\r\n
//	[name:value\r\n … [x-amz-trailer-signature:<hex>\r\n]] \r\n
//
// Each chunk's signature is over its data and the signature before it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
type chunked struct {
	r        *bufio.Reader
	sig      *Signature
	left     int64 // of the whole body, decoded
	inChunk  int64 // left of the chunk
	short    bool  // a chunk below minChunk was seen: it must be the last with data
	opened   bool  // a chunk is open and its end is not yet read
	given    string
	previous string
	sum      hash.Hash // of the chunk's data; nil: chunks are unsigned
	expected []string  // names announced in x-amz-trailer, lower-case
	trailers []aws.Field
	err      error
}

func newChunked(req *wire.Request, sig *Signature, source io.Reader) (*chunked, error) {
	text, err := one(req, sig.rules, "X-Amz-Decoded-Content-Length")
	if err != nil {
		return nil, err
	}
	length, bad := strconv.ParseInt(text, 10, 64)
	if bad != nil || length < 0 || text[0] == '+' {
		return nil, custom("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
	}
	c := &chunked{r: bufio.NewReader(source), sig: sig, left: length, previous: sig.given}
	if sig.Payload != PayloadUnsignedStream {
		c.sum = sha256.New()
	}
	for _, value := range req.Header.Values("X-Amz-Trailer") {
		for name := range strings.SplitSeq(value, ",") {
			c.expected = append(c.expected, strings.ToLower(strings.TrimSpace(name)))
		}
	}
	if sig.Payload == PayloadStream && c.expected != nil || len(c.expected) > maxTrailers {
		return nil, badTrailer()
	}
	return c, nil
}

func badTrailer() *aws.Error {
	return custom("MalformedTrailerError", 400, "The request contained trailing data that was not well-formed or did not "+
		"conform to our published schema.")
}

func incompleteBody() *aws.Error {
	return custom("IncompleteBody", 400, "The request body terminated unexpectedly")
}

func wrongLength() *aws.Error {
	return custom("IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header.")
}

// Read implements io.Reader.
func (c *chunked) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	for c.inChunk == 0 {
		if err := c.next(); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = incompleteBody()
			}
			c.err = err
			return 0, err
		}
	}
	if int64(len(p)) > c.inChunk {
		p = p[:c.inChunk]
	}
	n, err := c.r.Read(p)
	c.inChunk -= int64(n)
	c.left -= int64(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		err = incompleteBody()
	}
	c.err = err
	return n, err
}

// next ends the chunk that is open and opens the one that follows. After the
// last it reads what is behind it, and answers io.EOF.
func (c *chunked) next() error {
	if c.opened {
		if line, err := c.line(2); err != nil || line != "" {
			return orIncomplete(err)
		}
		if err := c.checkChunk(); err != nil {
			return err
		}
		c.opened = false
	}
	line, err := c.line(maxChunkLine)
	if err != nil {
		return err
	}
	size, extension, extended := strings.Cut(line, ";")
	n, err := chunkSize(size)
	if err != nil || extended != (c.sum != nil) {
		return incompleteBody()
	}
	if extended {
		var ok bool
		if c.given, ok = strings.CutPrefix(extension, "chunk-signature="); !ok {
			return incompleteBody()
		}
		c.sum.Reset()
	}
	if n > 0 {
		switch {
		case n > c.left:
			return wrongLength()
		case c.short:
			return custom("InvalidChunkSizeError", 403, "Only the last chunk is allowed to have a size less than 8192 bytes")
		}
		c.inChunk, c.opened, c.short = n, true, n < minChunk
		return nil
	}
	if c.left > 0 {
		return wrongLength()
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	if err := c.readTrailers(); err != nil {
		return err
	}
	if _, err := c.r.ReadByte(); err == nil {
		return badTrailer() // bytes behind the end
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return io.EOF
}

// chunkSize reads a chunk's size; a leading zero or sign is no other spelling of it.
func chunkSize(s string) (int64, error) {
	for i := range len(s) {
		if unhex(s[i]) < 0 {
			return 0, errEscape
		}
	}
	if len(s) > 1 && s[0] == '0' {
		return 0, errEscape
	}
	return strconv.ParseInt(s, 16, 64)
}

func orIncomplete(err error) error {
	if err != nil {
		return err
	}
	return incompleteBody()
}

// line reads up to the next CRLF, of at most most bytes in all.
func (c *chunked) line(most int) (string, error) {
	raw, err := c.rawLine(most)
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(raw, "\r\n")
	if !ok {
		return "", incompleteBody()
	}
	return text, nil
}

// rawLine reads through the next line feed.
func (c *chunked) rawLine(most int) (string, error) {
	var line []byte
	for len(line) < most {
		b, err := c.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return "", io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		line = append(line, b)
		if b == '\n' {
			return string(line), nil
		}
	}
	return "", incompleteBody()
}

// checkChunk compares the signature that came before a chunk with its data.
func (c *chunked) checkChunk() error {
	if c.sum == nil {
		return nil
	}
	text := c.stringToSign("-PAYLOAD")
	text = append(append(text, emptyHash...), '\n')
	return c.check(hex.AppendEncode(text, c.sum.Sum(nil)))
}

// stringToSign begins the text that the next signature in the chain is over.
func (c *chunked) stringToSign(suffix string) []byte {
	s := c.sig
	text := append(append(append([]byte(nil), s.Algorithm...), suffix...), '\n')
	text = append(append(text, s.Timestamp...), '\n')
	text = append(s.appendScope(text), '\n')
	return append(append(text, c.previous...), '\n')
}

// check verifies the next signature of the chain. V4a's are padded with "*" to
// a fixed length.
func (c *chunked) check(text []byte) error {
	given := c.given
	if c.sig.Algorithm == V4a {
		given = strings.TrimRight(given, "*")
	}
	if !c.sig.key.verifies(text, given) {
		return &aws.Error{Kind: aws.BadSignature, Message: textS3Mismatch}
	}
	c.previous = given
	return nil
}

// readTrailers reads what is behind the last chunk, through the empty line
// that ends it. A trailer's line may end in a bare line feed, and then be
// followed by an empty line before the signature: AWS's documentation shows
// it so, and minio-go writes it.
func (c *chunked) readTrailers() error {
	signed := c.sig.Payload == PayloadStreamTrailer
	done := c.sig.Payload == PayloadStream
	for !done {
		raw, err := c.rawLine(maxTrailer)
		if err != nil {
			return err
		}
		line := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
		if bare := !strings.HasSuffix(raw, "\r\n"); bare {
			if blank, err := c.line(2); err != nil || blank != "" {
				return badTrailer()
			}
		}
		if line == "" {
			break // unsigned, or signed without its signature
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(name)
		if ok && signed && name == "x-amz-trailer-signature" {
			c.given, done = value, true
			break
		}
		if !ok || !lowerToken(name) || !slices.Contains(c.expected, name) || slices.ContainsFunc(c.trailers, func(t aws.Field) bool { return t.Name == name }) {
			return badTrailer()
		}
		c.trailers = append(c.trailers, aws.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
	if len(c.trailers) != len(c.expected) || signed && !done {
		return badTrailer()
	}
	if signed {
		if err := c.checkTrailers(); err != nil {
			return err
		}
	}
	if !done {
		return nil // the empty line is read
	}
	if line, err := c.line(2); err != nil || line != "" {
		return orIncomplete(err)
	}
	return nil
}

// checkTrailers verifies the signature over the trailers, sorted by name.
func (c *chunked) checkTrailers() error {
	canonical := sha256.New()
	for _, t := range slices.SortedFunc(slices.Values(c.trailers), func(a, b aws.Field) int { return strings.Compare(a.Name, b.Name) }) {
		io.WriteString(canonical, t.Name+":"+t.Value+"\n")
	}
	return c.check(hex.AppendEncode(c.stringToSign("-TRAILER"), canonical.Sum(nil)))
}
