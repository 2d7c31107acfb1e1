package post

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

func request(body io.Reader, length int64) *wire.Request {
	return &wire.Request{Method: "POST", RawPath: "/bucket", Host: "localhost", Body: body, ContentLength: length,
		Header: wire.HTTPHeader(http.Header{"Content-Type": {"multipart/form-data; boundary=edge"}})}
}

func piece(name, value string) string {
	return "--edge\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func file(content string) string {
	return "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + content + "\r\n"
}

// named is a file of that name.
func named(name string) string { return strings.Replace(file("x"), `"a"`, `"`+name+`"`, 1) }

func code(err error) string {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// upload is the file of a form, of which nothing counts if there is an error.
func upload(body io.Reader, length int64) (*Form, string, error) {
	f, err := Read(request(body, length))
	if err != nil {
		return nil, "", err
	}
	content, err := io.ReadAll(f.File)
	return f, string(content), err
}

func TestFormsAreReadInAnyPieces(t *testing.T) {
	const end = "--edge--\r\n"
	for _, c := range []struct{ name, form, content, err string }{
		{"a file", piece("key", "k") + file("x") + end, "x", ""},
		{"an empty one", piece("key", "k") + file("") + end, "", ""},
		{"one with what looks like its end", piece("key", "k") + file("\r\n--edg\r\n-edge--\r\n--") + end, "\r\n--edg\r\n-edge--\r\n--", ""},
		{"a preamble", "before\r\n" + piece("key", "k") + file("x") + end, "x", ""},
		{"fields behind the file", piece("key", "k") + file("x") + piece("key", "other") + end, "x", ""},
		{"two files", piece("key", "k") + file("x") + file("y") + end, "", "InvalidArgument"},
		{"no file", piece("key", "k") + end, "", "InvalidArgument"},
		{"nothing", "", "", "MalformedPOSTRequest"},
		{"no end", piece("key", "k") + file("x"), "", "MalformedPOSTRequest"},
		{"an end within the file", piece("key", "k") + "--edge\r\nContent-Disposition: form-data; name=file\r\n\r\nabc", "", "MalformedPOSTRequest"},
		{"a field twice", piece("key", "k") + piece("Key", "l") + file("x") + end, "", "InvalidArgument"},
		{"a part without a name", piece("", "k") + file("x") + end, "", "MalformedPOSTRequest"},
		{"a part of another kind", strings.Replace(piece("key", "k"), "form-data", "file", 1) + file("x") + end, "", "MalformedPOSTRequest"},
		{"a name that is said twice", strings.Replace(piece("key", "k"), `"key"`, `"key"; name="policy"`, 1) + file("x") + end, "", "MalformedPOSTRequest"},
		{"bytes that are no text", piece("key", "\xff") + file("x") + end, "", "MalformedPOSTRequest"},
		{"a part that names itself twice", "--edge\r\nContent-Disposition: form-data; name=x" + strings.TrimPrefix(piece("key", "k"), "--edge") + file("x") + end, "", "MalformedPOSTRequest"},
		{"a file's name that is no text", piece("key", "k") + named("\xff") + end, "x", ""},
		{"one that a field takes", piece("key", "${filename}") + named("\xff") + end, "", "MalformedPOSTRequest"},
		{"fields of 20 KiB", piece("key", strings.Repeat("k", MaxFields-200)) + file("x") + end, "x", ""},
		{"more", piece("key", strings.Repeat("k", MaxFields)) + file("x") + end, "", "MaxPostPreDataLengthExceeded"},
		{"more, and no file", piece("key", strings.Repeat("k", MaxFields)) + end, "", "MaxPostPreDataLengthExceeded"},
		{"much more", piece("key", strings.Repeat("k", 1<<20)) + file("x") + end, "", "MaxPostPreDataLengthExceeded"},
		{"headers without end", "--edge\r\nX: " + strings.Repeat("x", 1<<20), "", "MaxPostPreDataLengthExceeded"},
		{"a preamble without end", strings.Repeat("x\r\n", 1<<20), "", "MaxPostPreDataLengthExceeded"},
		{"much behind the file", file("x") + piece("x", strings.Repeat("x", 1<<20)) + end, "", "MaxPostPreDataLengthExceeded"},
		{"a name that makes a field long", piece("key", strings.Repeat("${filename}", 100)) + named(strings.Repeat("n", 200)) + end, "x", ""},
		{"one that makes it too long", piece("key", strings.Repeat("${filename}", 100)) + named(strings.Repeat("n", 300)) + end, "", "MaxPostPreDataLengthExceeded"},
		{"one that makes two so", piece("key", strings.Repeat("${filename}", 60)) + piece("x-ignore", strings.Repeat("${filename}", 60)) + named(strings.Repeat("n", 200)) + end, "", "MaxPostPreDataLengthExceeded"},
		{"many fields", manyFields(2000) + file("x") + end, "", "MaxPostPreDataLengthExceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for how, body := range map[string]io.Reader{
				"at once": strings.NewReader(c.form), "by bytes": iotest.OneByteReader(strings.NewReader(c.form)),
				"with its end": iotest.DataErrReader(strings.NewReader(c.form)),
			} {
				_, content, err := upload(body, int64(len(c.form)))
				if code(err) != c.err || err == nil && content != c.content {
					t.Errorf("%s: %q, %v, want %q, %q", how, content, err, c.content, c.err)
				}
			}
		})
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(piece("x-ignore-f"+strconv.Itoa(i), ""))
	}
	return b.String()
}

// endless is a file's content, of any length.
type endless struct{ left int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), e.left)
	e.left -= n
	clear(b[:n])
	return int(n), nil
}

func TestFilesTakeNoMemory(t *testing.T) {
	const size = 8 << 20
	head := piece("key", "k") + strings.TrimSuffix(file(""), "\r\n")
	f, err := Read(request(io.MultiReader(strings.NewReader(head), &endless{size}, strings.NewReader("\r\n--edge--\r\n")), -1))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, f.File)
	runtime.ReadMemStats(&after)
	if err != nil || n != size {
		t.Errorf("read %d bytes of %d: %v", n, size, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes of memory were asked for", took)
	}
}

func TestAFileOverItsBoundIsReadNoFurther(t *testing.T) {
	body := strings.NewReader(piece("key", "k") + file(strings.Repeat("x", 1<<20)) + "--edge--\r\n")
	f, err := Read(request(body, body.Size()))
	if err != nil {
		t.Fatal(err)
	}
	f.File.bound(0, 10)
	f.File.bound(5, 20)
	_, err = io.ReadAll(f.File)
	e, ok := errors.AsType[*aws.Error](err)
	if !ok || e.Code != "EntityTooLarge" || e.Fields[0].Value != strconv.Itoa(1<<20) || e.Fields[1].Value != "10" {
		t.Errorf("%+v", err)
	}
	if body.Len() < 1<<19 {
		t.Errorf("%d bytes are left of 1 MiB", body.Len())
	}
	if _, err := f.File.Read(make([]byte, 1)); err != e {
		t.Errorf("and again: %v", err)
	}
}

// FuzzForm: whatever is sent, fields are bounded and told apart, and what is
// read of the file is in the body.
func FuzzForm(f *testing.F) {
	f.Add([]byte(piece("key", "k") + piece("policy", "e30=") + file("x") + "--edge--\r\n"))
	f.Add([]byte("--edge\nContent-Disposition: form-data; name=file\n\nx\n--edge--\n"))
	f.Add([]byte(piece("tagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>") + file("") + "--edge--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		form, content, err := upload(bytes.NewReader(body), int64(len(body)))
		if _, known := errors.AsType[*aws.Error](err); err != nil && !known {
			t.Fatalf("an error of another kind: %v", err)
		}
		if form == nil {
			return
		}
		if err == nil && !bytes.Contains(body, []byte(content)) {
			t.Fatalf("%q was never sent", content)
		}
		seen := map[string]bool{}
		for _, at := range form.fields {
			if seen[at.name] || at.name != strings.ToLower(at.sent) || len(at.value) > MaxFields {
				t.Fatalf("field %+v", at)
			}
			seen[at.name] = true
		}
		form.Check("bucket", time.Now())
		if put, _, err := form.Request(request(nil, 0)); err == nil {
			for name, values := range put.Header.All() {
				if len(values) != 1 || !wire.NamesHeader(name) {
					t.Fatalf("header %q: %q", name, values)
				}
			}
		}
		form.Answer(request(nil, 0), "bucket", &wire.Response{Header: http.Header{}})
	})
}
