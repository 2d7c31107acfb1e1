package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/blobtest"
	"github.com/garrison-security/garrison/blob/bucket"
)

// objectStore is a garrison whose bucket keeps another's blobs, behind a proxy
// that tests break.
type objectStore struct {
	server *server
	root   key
	proxy  *httptest.Server

	mu    sync.Mutex
	fault func(w http.ResponseWriter, r *http.Request, pass http.Handler) // under mu; nil: the proxy passes all on
	seen  []string                                                        // under mu: methods and paths of requests
}

const blobBucket = "blobs-of-another"

func newObjectStore(t *testing.T) *objectStore {
	t.Helper()
	o := new(objectStore)
	o.server, o.root = serving(t, "--engine", "pebble")
	if _, err := o.client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new(blobBucket)}); err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(o.server.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = upstream.Scheme, upstream.Host },
		ErrorLog: log.New(io.Discard, "", 0), FlushInterval: -1,
	}
	o.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		fault := o.fault
		o.seen = append(o.seen, r.Method+" "+r.URL.Path)
		o.mu.Unlock()
		if fault == nil {
			pass.ServeHTTP(w, r)
		} else {
			fault(w, r, pass)
		}
	}))
	t.Cleanup(o.proxy.Close)
	return o
}

func (o *objectStore) client() *s3.Client {
	return s3.NewFromConfig(config(o.server.endpoint, "us-east-1", o.root, &http.Transport{}), func(c *s3.Options) { c.UsePathStyle = true })
}

func (o *objectStore) breaks(fault func(http.ResponseWriter, *http.Request, http.Handler)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault, o.seen = fault, nil
}

// requests are those since breaks was last called.
func (o *objectStore) requests() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen
}

// open opens a place of its own in the bucket.
func (o *objectStore) open(t testing.TB, endpoint, prefix string) *bucket.Store {
	t.Helper()
	location, err := bucket.Parse("s3://" + blobBucket + "/" + prefix + "?region=us-east-1&endpoint=" + endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s, err := bucket.Open(t.Context(), bucket.Options{
		Location: location, Spool: t.TempDir(), PartSize: 5 << 20, Patience: time.Second,
		Credentials: credentials.NewStaticCredentialsProvider(o.root.ID, o.root.Secret, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (o *objectStore) claimed(t testing.TB, endpoint string) *bucket.Store {
	t.Helper()
	s := o.open(t, endpoint, "place/"+string(blob.NewID()))
	s.Own("me")
	if err := s.Claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBlobsInABucketOfAnotherGarrison is the contract of blobs, kept in a bucket
// of Garrison itself.
func TestBlobsInABucketOfAnotherGarrison(t *testing.T) {
	t.Parallel()
	o := newObjectStore(t)
	blobtest.Run(t, func(t testing.TB) blob.Store { return o.claimed(t, o.server.endpoint) })
}

// TestBlobsInABrokenBucket breaks requests on their way to the object store, and answers on theirs back.
func TestBlobsInABrokenBucket(t *testing.T) {
	t.Parallel()
	o := newObjectStore(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *objectStore, *bucket.Store)
	}{
		{"a put whose answer is lost was made once", lostAnswer},
		{"a large blob goes in parts, and is there once all are", inParts},
		{"a large blob whose last answer is lost was made once", lostCompletion},
		{"a large blob that fails leaves no upload", failedPart},
		{"an answer that breaks off is asked for again", brokenAnswer},
		{"an answer that stands still is asked for again", standstill},
		{"a blob that is emptied while it is read is no blob that ends well", emptied},
		{"a bit that is flipped is found before it is answered", flippedBit},
		{"a store that is down is unavailable, in bounded time", down},
		{"a store without room is full", noRoom},
		{"a bucket that is gone is no blob that is gone", noBucket},
		{"a store without conditional writes is written to", unconditional},
		{"times are the node's, whatever the store's clock says", otherClock},
		{"a blob in parts is as young as its last part may be", longUpload},
		{"an upload that a crash left is given up after a day", leftUpload},
		{"reading a range costs a range", cheapRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			o.breaks(nil)
			s := o.claimed(t, o.proxy.URL)
			defer s.Close()
			c.run(t, o, s)
		})
	}
}

// once breaks the first request that matches, by method and a part of its URL.
func (o *objectStore) once(method, part string, how func(http.ResponseWriter, *http.Request, http.Handler)) {
	var first sync.Once
	o.breaks(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		broke := false
		if r.Method == method && strings.Contains(r.URL.String(), part) {
			first.Do(func() { broke = true })
		}
		if broke {
			how(w, r, pass)
		} else {
			pass.ServeHTTP(w, r)
		}
	})
}

// loses passes a request on, and the answer to nobody.
func loses(_ http.ResponseWriter, r *http.Request, pass http.Handler) {
	pass.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

func refuses(status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>broken by a test</Message></Error>", code)
	}
}

func wholly(t *testing.T, s blob.Store, id blob.ID, data []byte) {
	t.Helper()
	if got, err := blobtest.Get(t.Context(), s, id); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
	}
}

func lostAnswer(t *testing.T, o *objectStore, s *bucket.Store) {
	o.once(http.MethodPut, "/blob/", loses)
	data := blobtest.Bytes(700_000, 1) // in a file, and sent again from it
	wholly(t, s, blobtest.Put(t, s, data), data)
	if n := strings.Count(strings.Join(o.requests(), "\n"), "PUT "); n != 2 {
		t.Errorf("put %d times", n)
	}
}

func inParts(t *testing.T, o *objectStore, s *bucket.Store) {
	data := blobtest.Bytes(11<<20+3, 2)
	wholly(t, s, blobtest.Put(t, s, data), data)
	if n := strings.Count(strings.Join(o.requests(), "\n"), "PUT "); n != 4 { // its owner's mark, and three parts
		t.Errorf("put %d times", n)
	}
}

func lostCompletion(t *testing.T, o *objectStore, s *bucket.Store) {
	o.once(http.MethodPost, "uploadId=", loses)
	data := blobtest.Bytes(6<<20, 3)
	wholly(t, s, blobtest.Put(t, s, data), data)
}

func failedPart(t *testing.T, o *objectStore, s *bucket.Store) {
	o.breaks(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if strings.Contains(r.URL.RawQuery, "partNumber=2") {
			refuses(http.StatusForbidden, "AccessDenied")(w, r, pass)
			return
		}
		pass.ServeHTTP(w, r)
	})
	w, err := s.Create(t.Context(), blob.NewID())
	if err != nil {
		t.Fatal(err)
	}
	w.Write(blobtest.Bytes(6<<20, 4))
	if err := w.Commit(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
		t.Error(err)
	}
	left, err := o.client().ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: new(blobBucket)})
	if err != nil || len(left.Uploads) != 0 {
		t.Errorf("%d uploads are left, %v", len(left.Uploads), err)
	}
}

func brokenAnswer(t *testing.T, o *objectStore, s *bucket.Store) {
	data := blobtest.Bytes(400_000, 5)
	id := blobtest.Put(t, s, data)
	o.once(http.MethodGet, string(id), func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		whole := httptest.NewRecorder()
		pass.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(whole.Code)
		w.Write(whole.Body.Bytes()[:100_000])
		panic(http.ErrAbortHandler)
	})
	wholly(t, s, id, data)
}

func standstill(t *testing.T, o *objectStore, s *bucket.Store) {
	data := blobtest.Bytes(100_000, 6)
	id := blobtest.Put(t, s, data)
	o.once(http.MethodGet, string(id), func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		w.Header().Set("Content-Range", "bytes 0-99999/100000")
		w.Header().Set("Content-Length", "100000")
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[:10])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	wholly(t, s, id, data)
}

func emptied(t *testing.T, o *objectStore, s *bucket.Store) {
	id := blobtest.Put(t, s, blobtest.Bytes(100_000, 6))
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.ReadAt(make([]byte, r.Size()), 0); err != nil {
		t.Fatal(err)
	}
	o.breaks(refuses(http.StatusRequestedRangeNotSatisfiable, "InvalidRange"))
	if n, err := r.ReadAt(make([]byte, 10), 0); n != 0 || !errors.Is(err, blob.ErrUnavailable) || r.Size() != 100_000 {
		t.Errorf("%d bytes of %d, %v", n, r.Size(), err)
	}
}

func flippedBit(t *testing.T, o *objectStore, s *bucket.Store) {
	key, id, data := blob.NewKey(), blob.NewID(), blobtest.Bytes(200_000, 7)
	w, err := s.Create(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := blob.Seal(w, key, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed.Write(data)
	if err := errors.Join(sealed.Close(), w.Commit(t.Context())); err != nil {
		t.Fatal(err)
	}
	o.breaks(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		whole := httptest.NewRecorder()
		pass.ServeHTTP(whole, r)
		body := whole.Body.Bytes()
		if len(body) > 100_000 {
			body[100_000] ^= 1
		}
		for name, values := range whole.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(whole.Code)
		w.Write(body)
	})
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	u, err := blob.Unseal(r, key, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	got, err := io.ReadAll(u.Range(0, u.Size()))
	if !errors.Is(err, blob.ErrDamaged) || !bytes.Equal(got, data[:blob.Segment]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func down(t *testing.T, o *objectStore, s *bucket.Store) {
	id := blobtest.Put(t, s, []byte("x"))
	began := time.Now()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"it says so": refuses(http.StatusServiceUnavailable, "SlowDown"),
		"it is silent": func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"it breaks off": func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
	} {
		o.breaks(fault)
		var all sync.WaitGroup
		for what, ask := range map[string]func(context.Context) error{
			"open":   func(ctx context.Context) error { _, err := s.Open(ctx, id); return err },
			"remove": func(ctx context.Context) error { return s.Remove(ctx, id) },
			"list": func(ctx context.Context) (err error) {
				for _, err = range s.All(ctx, "") {
				}
				return err
			},
			"tidy": s.Tidy,
			"commit": func(ctx context.Context) error {
				w, err := s.Create(ctx, blob.NewID())
				if err != nil {
					return err
				}
				w.Write([]byte("y"))
				return w.Commit(ctx)
			},
		} {
			all.Go(func() {
				if err := ask(t.Context()); !errors.Is(err, blob.ErrUnavailable) || errors.Is(err, blob.ErrNotFound) {
					t.Errorf("%s, where %s: %v", what, name, err)
				}
			})
		}
		all.Wait()
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v to be told", took)
	}
}

func noRoom(t *testing.T, o *objectStore, s *bucket.Store) {
	o.once(http.MethodPut, "/blob/", refuses(http.StatusInsufficientStorage, "XMinioStorageFull"))
	w, err := s.Create(t.Context(), blob.NewID())
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("x"))
	if err := w.Commit(t.Context()); !errors.Is(err, blob.ErrFull) {
		t.Error(err)
	}
}

func noBucket(t *testing.T, o *objectStore, s *bucket.Store) {
	o.breaks(refuses(http.StatusNotFound, "NoSuchBucket"))
	if _, err := s.Open(t.Context(), blob.NewID()); errors.Is(err, blob.ErrNotFound) || !errors.Is(err, blob.ErrUnavailable) {
		t.Error(err)
	}
}

func unconditional(t *testing.T, o *objectStore, s *bucket.Store) {
	o.breaks(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Header.Get("If-None-Match") != "" {
			refuses(http.StatusNotImplemented, "NotImplemented")(w, r, pass)
			return
		}
		pass.ServeHTTP(w, r)
	})
	for _, n := range []int{1000, 6 << 20} {
		data := blobtest.Bytes(n, 8)
		wholly(t, s, blobtest.Put(t, s, data), data)
	}
}

var times = regexp.MustCompile(`<(LastModified|Initiated)>([^<]*)<`)

// behind makes the times of answers so much older, and their dates by another time.
func behind(times_, date time.Duration) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		whole := httptest.NewRecorder()
		pass.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.Header().Set("Date", time.Now().Add(-date).UTC().Format(http.TimeFormat))
		w.WriteHeader(whole.Code)
		w.Write(times.ReplaceAllFunc(whole.Body.Bytes(), func(b []byte) []byte {
			m := times.FindSubmatch(b)
			at, _ := time.Parse(time.RFC3339, string(m[2]))
			return fmt.Appendf(nil, "<%s>%s<", m[1], at.Add(-times_).UTC().Format("2006-01-02T15:04:05.000Z"))
		}))
	}
}

func otherClock(t *testing.T, o *objectStore, s *bucket.Store) {
	blobtest.Put(t, s, []byte("x"))
	o.breaks(behind(2*time.Hour, 2*time.Hour))
	n := 0
	for info, err := range s.All(t.Context(), "") {
		if n++; err != nil || time.Since(info.Kept).Abs() > time.Minute {
			t.Errorf("kept %v ago, %v", time.Since(info.Kept), err)
		}
	}
	if n != 1 {
		t.Errorf("%d blobs", n)
	}
}

func longUpload(t *testing.T, o *objectStore, s *bucket.Store) {
	blobtest.Put(t, s, blobtest.Bytes(6<<20, 4))
	o.breaks(behind(20*time.Hour, 0)) // as Amazon S3 tells the time when the upload was begun
	n := 0
	for info, err := range s.All(t.Context(), "") {
		if n++; err != nil || time.Since(info.Kept) > time.Minute {
			t.Errorf("kept %v ago, %v", time.Since(info.Kept), err)
		}
	}
	if n != 1 {
		t.Errorf("%d blobs", n)
	}
}

func leftUpload(t *testing.T, o *objectStore, s *bucket.Store) {
	w, err := s.Create(t.Context(), blob.NewID())
	if err != nil {
		t.Fatal(err)
	}
	w.Write(blobtest.Bytes(6<<20, 4))
	o.breaks(func(w http.ResponseWriter, r *http.Request, pass http.Handler) { // the node can't end it, nor give it up
		if r.Method == http.MethodDelete || strings.Contains(r.URL.RawQuery, "uploadId=") {
			refuses(http.StatusForbidden, "AccessDenied")(w, r, pass)
			return
		}
		pass.ServeHTTP(w, r)
	})
	if w.Commit(t.Context()) == nil {
		t.Fatal("committed")
	}
	for _, c := range []struct {
		old  time.Duration
		left int
	}{{23 * time.Hour, 1}, {25 * time.Hour, 0}} {
		o.breaks(behind(c.old, 0))
		if err := s.Tidy(t.Context()); err != nil {
			t.Error(err)
		}
		left, err := o.client().ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: new(blobBucket)})
		if err != nil || len(left.Uploads) != c.left {
			t.Errorf("%d uploads are left after %v, %v", len(left.Uploads), c.old, err)
		}
	}
}

func cheapRange(t *testing.T, o *objectStore, s *bucket.Store) {
	data := blobtest.Bytes(4<<20, 9)
	id := blobtest.Put(t, s, data)
	o.breaks(nil)
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, from := range []int{0, 1000, 3 << 20, 3<<20 + 1000} {
		b := make([]byte, 1000)
		if n, err := r.ReadAt(b, int64(from)); err != nil || !bytes.Equal(b[:n], data[from:from+1000]) {
			t.Errorf("at %d: %d, %v", from, n, err)
		}
	}
	if n := len(o.requests()); n != 2 { // the beginning, which Open asked for, and what is far from it
		t.Errorf("%d requests", n)
	}
	o.breaks(nil)
	wholly(t, s, id, data)
	if n := len(o.requests()); n > 6 {
		t.Errorf("%d requests for all of it", n)
	}
}

// TestABucketIsOneInstallations lets two installations want one place.
func TestABucketIsOneInstallations(t *testing.T) {
	t.Parallel()
	o := newObjectStore(t)
	const place = "place/shared"
	unclaimed := o.open(t, o.server.endpoint, place)
	if _, err := unclaimed.Create(t.Context(), blob.NewID()); err == nil {
		t.Error("written to before it was claimed")
	}
	outcomes := make([]error, 4)
	var all sync.WaitGroup
	for i := range outcomes {
		all.Go(func() {
			s := o.open(t, o.server.endpoint, place)
			s.Own([]string{"one", "other"}[i%2])
			outcomes[i] = s.Claim(context.Background())
		})
	}
	all.Wait()
	if (outcomes[0] == nil) == (outcomes[1] == nil) || (outcomes[0] == nil) != (outcomes[2] == nil) || (outcomes[1] == nil) != (outcomes[3] == nil) {
		t.Fatal(outcomes)
	}
	for _, err := range outcomes {
		if err != nil && !errors.Is(err, bucket.ErrTaken) {
			t.Error(err)
		}
	}
	late := o.open(t, o.proxy.URL, place)
	o.breaks(refuses(http.StatusServiceUnavailable, "SlowDown"))
	late.Own("third")
	if err := late.Claim(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
		t.Error(err)
	}
	o.breaks(nil)
	time.Sleep(time.Second) // what was found out stands for so long
	if err := late.Remove(t.Context(), blob.NewID()); !errors.Is(err, bucket.ErrTaken) {
		t.Errorf("what is another's was used: %v", err)
	}
}

// TestASpoolIsEmptiedAtTheStart leaves what a crash leaves where an open file can't lose its name.
func TestASpoolIsEmptiedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	file, err := os.CreateTemp(dir, "blob-*")
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if _, err := bucket.Open(t.Context(), bucket.Options{Location: bucket.Location{Bucket: "abc", Region: "us-east-1"}, Spool: dir}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files, %v", len(left), err)
	}
}
