package front

import (
	"bufio"
	"io"
	"net/http"
	"testing"
)

// One request has one reading: what two parsers could split differently is
// refused, or is read in the one way that RFC 9112 gives, with nothing left over for a second request.
func TestRequestsThatCouldBeReadInTwoWays(t *testing.T) {
	const next = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, c := range []struct {
		name, sent string
		want       int
		body       string // as the handler saw it
	}{
		{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, ""},
		{"two lengths in a field", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na", 400, ""},
		{"a signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", 400, ""},
		{"no length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400, ""},
		{"an unknown coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, ""},
		{"two codings", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501, ""},
		{"a blank before the colon", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\na", 400, ""},
		{"a control character in a field", "GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", 400, ""},
		{"a lone carriage return", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rContent-Length: 1\r\n\r\n", 400, ""},
		{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, ""},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, ""},
		{"an extension that ends a chunk's line early", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n", 200, "broken"},
		{"a chunk longer than it says", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 200, "broken"},
		{"a length beside chunks", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "a"},
		{"a folded field", "POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n Content-Length: 40\r\nContent-Length: 1\r\n\r\na", 200, "a"},
		{"bare line feeds", "POST / HTTP/1.1\nHost: x\nContent-Length: 1\n\na", 200, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			paths := make(chan string, 9)
			r := start(t, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				paths <- r.URL.Path
				body, err := io.ReadAll(r.Body)
				if err != nil {
					body = []byte("broken")
				}
				w.Write(body)
			})})
			conn := r.dial(t)
			io.WriteString(conn, c.sent)
			answers := bufio.NewReader(conn)
			answer, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != c.want || c.want == 200 && string(body) != c.body {
				t.Errorf("answered %d %q, want %d %q", answer.StatusCode, body, c.want, c.body)
			}
			if c.want != 200 || c.body == "broken" {
				if !gone(conn) {
					t.Error("the connection is used on")
				}
				return
			}
			io.WriteString(conn, next) // what follows is one request, whole
			if _, err := http.ReadResponse(answers, nil); err != nil {
				t.Fatal(err)
			}
			if first, second := <-paths, <-paths; first != "/" || second != "/smuggled" || len(paths) > 0 {
				t.Errorf("read as %s, %s and %d more", first, second, len(paths))
			}
		})
	}
}
