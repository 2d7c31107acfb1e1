package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// sizes are the objects' that are put and got. The largest is moved over one
// connection alone: over 64 the client's own memory would be measured.
var sizes = []struct {
	name  string
	bytes int
	many  bool
}{{"1 KiB", 1 << 10, true}, {"1 MiB", 1 << 20, true}, {"100 MiB", 100 << 20, false}}

// benchBucket is where objects are put.
const benchBucket = "bench-bucket"

// objects measures S3 beside writing and reading a plain file with the same digests and the same sealing.
func (b *bench) objects() error {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := b.garrison(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer s.kill()
	if _, err := s.send(s.object(http.MethodPut, "", "", nil)); err != nil {
		return err
	}
	fmt.Printf("## Objects, beside a plain file with the same digests and sealing\n\n")
	fmt.Println("| call | encrypted by | connections | calls/s | MiB/s | p50 | p99 | CPU ms a call | the file, CPU ms | × | resident, MiB |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, size := range sizes {
		content := make([]byte, size.bytes)
		for i := range content {
			content[i] = byte(i * 2654435761 >> 11)
		}
		wrote, read, err := plainFile(filepath.Join(dir, "plain"), content, b.span)
		if err != nil {
			return err
		}
		for _, encryption := range []string{"AES256", "aws:kms"} {
			for _, connections := range []int{1, 64} {
				if connections > 1 && !size.many {
					continue
				}
				if err := b.putAndGet(s, size.name, content, encryption, connections, wrote, read); err != nil {
					return err
				}
			}
		}
	}
	if err := b.list(s); err != nil {
		return err
	}
	fmt.Println()
	return nil
}

// putAndGet measures one object's size, each connection with a key of its own.
func (b *bench) putAndGet(s *server, name string, content []byte, encryption string, connections int, wrote, read time.Duration) error {
	puts, gets := make([][]byte, connections), make([][]byte, connections)
	for i := range connections {
		key := fmt.Sprintf("%d-%s-%d", len(content), encryption[:3], i)
		var err error
		if puts[i], err = s.object(http.MethodPut, key, "", content, "X-Amz-Server-Side-Encryption", encryption); err != nil {
			return err
		}
		if gets[i], err = s.object(http.MethodGet, key, "", nil); err != nil {
			return err
		}
		if _, err := s.send(puts[i], nil); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		name     string
		requests [][]byte
		beside   time.Duration
	}{{"PutObject", puts, wrote}, {"GetObject", gets, read}} {
		f, err := s.measure(connections, b.span, func(i int) []byte { return m.requests[i] })
		if err != nil {
			return fmt.Errorf("%s of %s: %w", m.name, name, err)
		}
		fmt.Printf("| %s of %s | %s | %d | %.1f | %.1f | %.2f ms | %.2f ms | %.3f | %.3f | %.2f | %.0f |\n", m.name, name, encryption, connections, f.rate,
			f.rate*float64(len(content))/(1<<20), ms(f.p50), ms(f.p99), ms(f.cpu), ms(m.beside), float64(f.cpu)/float64(max(m.beside, 1)), s.resident())
	}
	return nil
}

// list measures a page of 1,000 keys.
func (b *bench) list(s *server) error {
	conn, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer conn.conn.Close()
	for i := range 1000 {
		request, err := s.object(http.MethodPut, fmt.Sprintf("listed/%04d", i), "", []byte("x"))
		if err != nil {
			return err
		}
		if _, err := conn.call(request); err != nil {
			return err
		}
	}
	request, err := s.object(http.MethodGet, "", "list-type=2&prefix=listed%2F", nil)
	if err != nil {
		return err
	}
	for _, connections := range []int{1, 64} {
		f, err := s.measure(connections, b.span, func(int) []byte { return request })
		if err != nil {
			return err
		}
		fmt.Printf("| ListObjectsV2 of 1,000 keys | | %d | %.1f | | %.2f ms | %.2f ms | %.3f | | | %.0f |\n", connections, f.rate, ms(f.p50), ms(f.p99), ms(f.cpu), s.resident())
	}
	return nil
}

// object is a signed request of S3 for a key of the bench's bucket ("": the bucket itself), as bytes.
func (s *server) object(method, key, query string, body []byte, headers ...string) ([]byte, error) {
	target := "/" + benchBucket
	if key != "" {
		target += "/" + key
	}
	if query != "" {
		target += "?" + query
	}
	r, err := http.NewRequest(method, "http://"+s.addr+target, nil)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	r.ContentLength = int64(len(body))
	names := []string{"X-Amz-Date", "Authorization"}
	for i, pairs := 0, append(headers, "X-Amz-Content-Sha256", digest); i+1 < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
		names = append(names, pairs[i])
	}
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: root.id, SecretAccessKey: root.secret}, r, digest, "s3", "us-east-1", time.Now())
	if err != nil {
		return nil, err
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", method, target, s.addr, len(body))
	for _, name := range names {
		fmt.Fprintf(&head, "%s: %s\r\n", name, r.Header.Get(name))
	}
	head.WriteString("\r\n")
	return append([]byte(head.String()), body...), nil
}

// send sends one request over a connection of its own; err is that of making it.
func (s *server) send(request []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	c, err := dial(s.addr)
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	return c.call(request)
}
