// Package xkstest is a proxy of an external key store for tests, written from
// AWS's specification of the proxy's API: it verifies signatures and dates,
// encrypts with AES-GCM under keys of its own, and can be made to fail. It
// keeps its keys in memory and is for no other use.
//
// https://github.com/aws/aws-kms-xksproxy-api-spec
package xkstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Proxy is a proxy with keys behind it.
type Proxy struct {
	Path        string // "/prefix/kms/xks/v1"
	AccessKeyID string
	Secret      string
	Clock       func() time.Time

	mu     sync.Mutex
	keys   map[string]*Key   // under mu
	faults map[string]Answer // under mu: by operation
	asked  []Request         // under mu
}

// Key is an external key.
type Key struct {
	Spec, Status string
	Usage        []string
	secret       []byte
}

// Answer is what an operation is to answer instead of what it would.
type Answer struct {
	Status int
	Name   string        // of the error
	Body   string        // instead of an error's
	Delay  time.Duration // before all
	Do     func()        // before all
	Once   bool
}

// Request is what a proxy was asked, as its log has it.
type Request struct {
	Operation, Key string
	Metadata       struct{ AwsPrincipalArn, KmsKeyArn, KmsOperation, KmsRequestId, KmsViaService string }
	Plaintext      []byte
}

// New makes a proxy that takes a credential.
func New(path, accessKeyID, secret string) *Proxy {
	return &Proxy{Path: path, AccessKeyID: accessKeyID, Secret: secret, Clock: time.Now, keys: map[string]*Key{}, faults: map[string]Answer{}}
}

// AddKey makes an enabled AES-256 key, and lets change alter what is said of it.
func (p *Proxy) AddKey(id string, change ...func(*Key)) {
	k := &Key{Spec: "AES_256", Status: "ENABLED", Usage: []string{"ENCRYPT", "DECRYPT", "WRAP"}, secret: make([]byte, 32)}
	rand.Read(k.secret)
	for _, change := range change {
		change(k)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[id] = k
}

// Fail makes an operation ("health", "metadata", "encrypt", "decrypt") answer a. The zero Answer undoes it.
func (p *Proxy) Fail(operation string, a Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[operation] = a
}

// Asked is what was asked since it was asked for last.
func (p *Proxy) Asked() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

// refusal is an error as a proxy answers it.
type refusal struct {
	status int
	name   string
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return
	}
	var answer any
	failed := refusal{http.StatusMethodNotAllowed, "ValidationException"}
	if r.Method == http.MethodPost {
		answer, failed = p.answer(r, body)
	}
	w.Header().Set("Content-Type", "application/json")
	if text, ok := answer.(string); ok {
		w.WriteHeader(failed.status)
		_, _ = io.WriteString(w, text)
		return
	}
	if failed.status != 0 {
		w.WriteHeader(failed.status)
		answer = map[string]string{"errorName": failed.name, "errorMessage": "said by the proxy alone"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *Proxy) answer(r *http.Request, body []byte) (any, refusal) {
	path, ok := strings.CutPrefix(r.URL.Path, p.Path)
	if !ok {
		return nil, refusal{http.StatusNotFound, "InvalidUriPathException"}
	}
	if !p.authentic(r, body) {
		return nil, refusal{http.StatusUnauthorized, "AuthenticationFailedException"}
	}
	var asked Request
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/health":
		asked.Operation = "health"
	case len(parts) == 3 && parts[0] == "keys" && slices.Contains([]string{"metadata", "encrypt", "decrypt"}, parts[2]):
		asked.Key, asked.Operation = parts[1], parts[2]
	default:
		return nil, refusal{http.StatusNotFound, "InvalidUriPathException"}
	}
	var in input
	if json.Unmarshal(body, &in) != nil {
		return nil, refusal{http.StatusBadRequest, "ValidationException"}
	}
	asked.Metadata, asked.Plaintext = in.RequestMetadata, in.Plaintext
	p.mu.Lock()
	p.asked = append(p.asked, asked)
	fault, key := p.faults[asked.Operation], p.keys[asked.Key]
	if fault.Once {
		delete(p.faults, asked.Operation)
	}
	p.mu.Unlock()
	if fault.Do != nil {
		fault.Do()
	}
	time.Sleep(fault.Delay)
	switch {
	case fault.Body != "":
		return fault.Body, refusal{status: fault.Status}
	case fault.Status != 0:
		return nil, refusal{fault.Status, fault.Name}
	case asked.Operation == "health":
		return map[string]any{
			"xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "e",
			"ekmFleetDetails": []map[string]string{{"id": "1", "model": "m", "healthStatus": "ACTIVE"}},
		}, refusal{}
	case key == nil:
		return nil, refusal{http.StatusNotFound, "KeyNotFoundException"}
	case asked.Operation == "metadata":
		return map[string]any{"keySpec": key.Spec, "keyUsage": key.Usage, "keyStatus": key.Status}, refusal{}
	case key.Status != "ENABLED":
		return nil, refusal{http.StatusBadRequest, "InvalidStateException"}
	case asked.Operation == "encrypt":
		return key.encrypt(&in)
	}
	return key.decrypt(&in)
}

// input is what all operations may be asked with.
type input struct {
	RequestMetadata             struct{ AwsPrincipalArn, KmsKeyArn, KmsOperation, KmsRequestId, KmsViaService string }
	Plaintext, Ciphertext       []byte
	CiphertextMetadata          []byte
	AdditionalAuthenticatedData []byte
	InitializationVector        []byte
	AuthenticationTag           []byte
	EncryptionAlgorithm         string
}

// version stands in the metadata of ciphertexts.
const version = "key_version=1"

func (k *Key) cipher(in *input, metadata []byte) (cipher.AEAD, []byte, error) {
	block, err := aes.NewCipher(k.secret)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	bound := binary.BigEndian.AppendUint16(nil, uint16(len(in.AdditionalAuthenticatedData)))
	bound = append(append(bound, in.AdditionalAuthenticatedData...), byte(len(metadata)))
	return aead, append(bound, metadata...), err
}

func (k *Key) encrypt(in *input) (any, refusal) {
	aead, bound, err := k.cipher(in, []byte(version))
	if err != nil || in.EncryptionAlgorithm != "AES_GCM" {
		return nil, refusal{http.StatusBadRequest, "ValidationException"}
	}
	iv := make([]byte, 12)
	rand.Read(iv)
	sealed := aead.Seal(nil, iv, in.Plaintext, bound)
	ciphertext, tag := sealed[:len(in.Plaintext)], sealed[len(in.Plaintext):]
	sum := sha256.Sum256(slices.Concat(in.AdditionalAuthenticatedData, []byte(version), iv, ciphertext, tag))
	return map[string][]byte{
		"ciphertext": ciphertext, "ciphertextMetadata": []byte(version), "initializationVector": iv, "authenticationTag": tag,
		"ciphertextDataIntegrityValue": sum[:],
	}, refusal{}
}

func (k *Key) decrypt(in *input) (any, refusal) {
	aead, bound, err := k.cipher(in, in.CiphertextMetadata)
	if err != nil || in.EncryptionAlgorithm != "AES_GCM" || len(in.InitializationVector) != 12 {
		return nil, refusal{http.StatusBadRequest, "ValidationException"}
	}
	plaintext, err := aead.Open(nil, in.InitializationVector, append(slices.Clone(in.Ciphertext), in.AuthenticationTag...), bound)
	if err != nil {
		return nil, refusal{http.StatusBadRequest, "InvalidCiphertextException"}
	}
	return map[string][]byte{"plaintext": plaintext}, refusal{}
}

// authentic verifies a request's signature: version 4, over Host and X-Amz-Date, of the last five minutes.
func (p *Proxy) authentic(r *http.Request, body []byte) bool {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=")
	parts := strings.Split(rest, ", ")
	if !ok || len(parts) != 3 || parts[1] != "SignedHeaders=host;x-amz-date" {
		return false
	}
	scope := strings.Split(parts[0], "/")
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	if err != nil || len(scope) != 5 || scope[0] != p.AccessKeyID || scope[1] != stamp[:8] || scope[3] != "kms-xks-proxy" || scope[4] != "aws4_request" {
		return false
	}
	if away := p.Clock().Sub(at).Abs(); away > 5*time.Minute {
		return false
	}
	payload := sha256.Sum256(body)
	canonical := sha256.Sum256([]byte(strings.Join([]string{
		"POST", r.URL.EscapedPath(), "", "host:" + r.Host, "x-amz-date:" + stamp, "", "host;x-amz-date", hex.EncodeToString(payload[:]),
	}, "\n")))
	key := []byte("AWS4" + p.Secret)
	for _, part := range append(scope[1:], strings.Join([]string{"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), hex.EncodeToString(canonical[:])}, "\n")) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return hmac.Equal([]byte(parts[2]), []byte("Signature="+hex.EncodeToString(key)))
}
