package post

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

const (
	// MaxFields bounds what stands before the file, and behind it: 20 KiB.
	//
	// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
	MaxFields = 20 << 10
	// readAhead is more than a reader of parts looks ahead of the part it is in.
	readAhead = 8 << 10
)

// Form is an upload as its fields tell of it, in the order in which they came.
type Form struct {
	// File is the file's content, not yet read.
	File *File

	fields []field
}

// field is one of a form. Names are compared in lower case.
type field struct{ sent, name, value string }

// Read reads the form as far as the file, whose content is left to who reads File.
func Read(req *wire.Request) (*Form, error) {
	var boundary string
	if values := req.Header.Values("Content-Type"); len(values) == 1 {
		if kind, parameters, err := mime.ParseMediaType(values[0]); err == nil && kind == "multipart/form-data" {
			boundary = parameters["boundary"]
		}
	}
	if boundary == "" || len(boundary) > 70 || req.Body == nil {
		return nil, malformed()
	}
	from := &meter{r: req.Body, left: MaxFields + readAhead}
	f := &Form{File: &File{from: from, parts: multipart.NewReader(from, boundary), max: -1, left: req.ContentLength}}
	size := 0
	for {
		p, err := f.File.next()
		if errors.Is(err, io.EOF) {
			return nil, fileCount(0)
		} else if err != nil {
			return nil, err
		}
		size += len(boundary) + len("\r\n--\r\n\r\n") + p.headers
		if p.name == "file" {
			if err := f.File.begin(p, size, boundary); err != nil {
				return nil, err
			}
			return f, f.expand(p.filename)
		}
		value, err := io.ReadAll(p.Part)
		if err != nil {
			return nil, broken(err)
		}
		if size += len(value); size > MaxFields {
			return nil, tooMuch()
		}
		if !utf8.Valid(value) {
			return nil, malformed()
		}
		if _, twice := f.Field(p.name); twice {
			return nil, argument("A form must contain the field '"+clip(p.sent)+"' once.", clip(p.sent), "")
		}
		f.fields = append(f.fields, field{p.sent, p.name, string(value)})
	}
}

// Field is the value of the field of that name, in lower case.
func (f *Form) Field(name string) (string, bool) {
	for i := range f.fields {
		if f.fields[i].name == name {
			return f.fields[i].value, true
		}
	}
	return "", false
}

// Key is the key of the object to be.
func (f *Form) Key() (string, error) {
	if key, _ := f.Field("key"); key != "" {
		return key, nil
	}
	return "", argument("Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.", "key", "")
}

// expand puts the file's own name, without its path, where fields say
// ${filename}; a file without a name leaves it. What that makes longer than the
// fields may be is refused before it is made.
func (f *Form) expand(filename *string) error {
	if filename == nil {
		return nil
	}
	const place = "${filename}"
	name := (*filename)[strings.LastIndexAny(*filename, `/\`)+1:]
	size := 0
	for i := range f.fields {
		at := &f.fields[i]
		if at.name == "policy" {
			continue
		}
		n := strings.Count(at.value, place)
		if size += len(at.value) + n*(len(name)-len(place)); size > MaxFields {
			return tooMuch()
		}
		if n > 0 && !utf8.ValidString(name) {
			return malformed()
		}
		at.value = strings.ReplaceAll(at.value, place, name)
	}
	return nil
}

// part is one of a form, with its name as it was sent and in lower case.
type part struct {
	*multipart.Part
	sent, name string
	filename   *string // nil: it has none
	headers    int     // bytes
}

func (f *File) next() (*part, error) {
	p, err := f.parts.NextRawPart()
	if err != nil {
		return nil, broken(err)
	}
	dispositions := p.Header["Content-Disposition"]
	if len(dispositions) != 1 {
		return nil, malformed()
	}
	kind, parameters, err := mime.ParseMediaType(dispositions[0])
	if err != nil || kind != "form-data" || parameters["name"] == "" || !utf8.ValidString(parameters["name"]) {
		return nil, malformed()
	}
	of := &part{Part: p, sent: parameters["name"], name: strings.ToLower(parameters["name"])}
	if name, ok := parameters["filename"]; ok {
		of.filename = &name
	}
	for name, values := range p.Header {
		for _, value := range values {
			of.headers += len(name) + len(value) + len(": \r\n")
		}
	}
	return of, nil
}

// meter passes on what is left to pass, of -1 all.
type meter struct {
	r    io.Reader
	left int64
}

var errMeter = errors.New("post: more than is left to pass")

// Read implements io.Reader.
func (m *meter) Read(b []byte) (int, error) {
	if m.left == 0 {
		return 0, errMeter
	}
	if m.left > 0 && int64(len(b)) > m.left {
		b = b[:m.left]
	}
	n, err := m.r.Read(b)
	if m.left > 0 {
		m.left -= int64(n)
	}
	return n, err
}

// broken is an error in reading parts as the caller sees it. The end stays the end.
func broken(err error) error {
	if _, ours := errors.AsType[*aws.Error](err); ours || err == io.EOF {
		return err
	}
	if errors.Is(err, errMeter) {
		return tooMuch()
	}
	return malformed()
}

func custom(status int, code, message string, fields ...string) *aws.Error {
	e := &aws.Error{Kind: aws.Custom, Code: code, Status: status, Message: message}
	for i := 0; i+1 < len(fields); i += 2 {
		e.Fields = append(e.Fields, aws.Field{Name: fields[i], Value: fields[i+1]})
	}
	return e
}

func malformed() *aws.Error {
	return custom(400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
}

// tooMuch is worded as AWS words it: waynehoover/s3_direct_upload, issue 45.
func tooMuch() *aws.Error {
	return custom(400, "MaxPostPreDataLengthExceeded", "Your POST request fields preceeding the upload file was too large.",
		"MaxPostPreDataLengthBytes", strconv.Itoa(MaxFields))
}

func fileCount(n int) *aws.Error {
	return argument("POST requires exactly one file upload per request.", "file", strconv.Itoa(n))
}

func argument(message, name, value string) *aws.Error {
	return custom(400, "InvalidArgument", message, "ArgumentName", name, "ArgumentValue", value)
}

// clip bounds what an error repeats of a request.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
