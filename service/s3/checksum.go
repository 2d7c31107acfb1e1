package s3

import (
	"crypto/md5" //nolint:gosec // what S3 names content by, not what protects it
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"

	"github.com/garrison-security/garrison/api/s3"
)

// Checksum is the checksum that an object is kept with.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
type Checksum struct {
	Algorithm s3.ChecksumAlgorithm // "": none
	Type      s3.ChecksumType
	Value     string // base64 of the digest, with "-N" behind one of the checksums of N parts
}

// digests are the algorithms that Garrison computes.
var digests = map[s3.ChecksumAlgorithm]func() hash.Hash{
	s3.ChecksumAlgorithmCrc32:     func() hash.Hash { return crc32.NewIEEE() },
	s3.ChecksumAlgorithmCrc32c:    func() hash.Hash { return crc32.New(castagnoli) },
	s3.ChecksumAlgorithmCrc64nvme: func() hash.Hash { return crc64nvme.New() },
	s3.ChecksumAlgorithmSha1:      sha1.New,
	s3.ChecksumAlgorithmSha256:    sha256.New,
	s3.ChecksumAlgorithmSha512:    sha512.New,
	s3.ChecksumAlgorithmMd5:       md5.New,
	s3.ChecksumAlgorithmXxhash64:  func() hash.Hash { return xxhash.New() },
	s3.ChecksumAlgorithmXxhash3:   func() hash.Hash { return xxh3.New() },
	s3.ChecksumAlgorithmXxhash128: func() hash.Hash { return &xxhash128{xxh3.New()} },
}

// xxhash128 is XXH3's hash of 128 bits, in its canonical order of bytes.
type xxhash128 struct{ *xxh3.Hasher }

// Size implements hash.Hash.
func (h *xxhash128) Size() int { return 16 }

// Sum implements hash.Hash.
func (h *xxhash128) Sum(b []byte) []byte {
	sum := h.Sum128().Bytes()
	return append(b, sum[:]...)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksums are what a request says of its content, by algorithm.
type checksums map[s3.ChecksumAlgorithm]string

// checksumsIn are those that an input's members say.
func checksumsIn(input any) checksums {
	said := checksums{}
	v := reflect.ValueOf(input).Elem()
	for a, i := range checksumMembers(v.Type()) {
		if value := v.Field(i).Interface().(*string); value != nil {
			said[a] = *value
		}
	}
	return said
}

// showIn sets the member of an output that holds the checksum's value.
func (c Checksum) showIn(output any) {
	v := reflect.ValueOf(output).Elem()
	if i, ok := checksumMembers(v.Type())[c.Algorithm]; ok {
		v.Field(i).Set(reflect.ValueOf(&c.Value))
	}
}

// checksummed are the members of each shape that was looked through for checksums.
var checksummed sync.Map // reflect.Type: map[s3.ChecksumAlgorithm]int

// checksumMembers are the members of a shape that hold checksums, by algorithm.
func checksumMembers(shape reflect.Type) map[s3.ChecksumAlgorithm]int {
	if found, ok := checksummed.Load(shape); ok {
		return found.(map[s3.ChecksumAlgorithm]int)
	}
	members := map[s3.ChecksumAlgorithm]int{}
	for a := range digests {
		if field, ok := shape.FieldByName("Checksum" + string(a)); ok {
			members[a] = field.Index[0]
		}
	}
	checksummed.Store(shape, members)
	return members
}

// trailing is a body with checksums behind it.
type trailing interface {
	Trailers() []string
	Trailer(name string) (string, bool)
}

const checksumHeader = "x-amz-checksum-"

// verifier computes what content is checked with as it passes.
type verifier struct {
	md5       hash.Hash
	digest    hash.Hash
	algorithm s3.ChecksumAlgorithm
	usual     hash.Hash // CRC64NVME besides, if the digest is another and S3 keeps this one
	want      *string   // of the digest, base64; nil: nobody said, or a trailer says
	wantMD5   *string
	part      bool   // of an upload, whose refusals have other words
	trailer   string // the trailer that says it; "": none
	said      bool   // the request names a checksum, or an MD5
	size      int64
}

// verify prepares to check a body against what its request says of it. Where it
// names no algorithm CRC64NVME is taken, as S3 does.
func verify(body any, declared *s3.ChecksumAlgorithm, said checksums, contentMD5 *string) (*verifier, error) {
	v := &verifier{md5: md5.New(), wantMD5: contentMD5}
	if contentMD5 != nil {
		if b, err := base64.StdEncoding.DecodeString(*contentMD5); err != nil || len(b) != md5.Size {
			return nil, fault(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.", "Content-MD5", *contentMD5)
		}
	}
	take := func(a s3.ChecksumAlgorithm) error {
		if v.algorithm != "" && v.algorithm != a {
			return invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		v.algorithm = a
		return nil
	}
	for a, want := range said {
		if err := take(a); err != nil {
			return nil, err
		}
		v.want = &want
	}
	if v.want != nil {
		if b, err := base64.StdEncoding.DecodeString(*v.want); err != nil || len(b) != digests[v.algorithm]().Size() {
			return nil, invalidRequest("Value for " + checksumHeader + lower(v.algorithm) + " header is invalid.")
		}
	}
	if t, ok := body.(trailing); ok {
		for _, name := range t.Trailers() {
			algorithm, ok := strings.CutPrefix(name, checksumHeader)
			if !ok {
				continue
			}
			if err := take(s3.ChecksumAlgorithm(strings.ToUpper(algorithm))); err != nil {
				return nil, err
			}
			v.trailer = name
		}
	}
	if v.algorithm == "" && declared != nil {
		v.algorithm = *declared
	}
	v.said = v.algorithm != "" || contentMD5 != nil
	if v.algorithm == "" {
		v.algorithm = s3.ChecksumAlgorithmCrc64nvme
	}
	make, ok := digests[v.algorithm]
	if !ok {
		return nil, unsupported()
	}
	v.digest = make()
	return v, nil
}

// keepUsual computes CRC64NVME too, which an upload without an algorithm of its own is kept with.
func (v *verifier) keepUsual() {
	if v.algorithm != s3.ChecksumAlgorithmCrc64nvme {
		v.usual = crc64nvme.New()
	}
}

// unsupported is the refusal of an algorithm that S3 does not know.
func unsupported() error {
	return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]")
}

// Write implements io.Writer.
func (v *verifier) Write(b []byte) (int, error) {
	v.md5.Write(b)
	v.digest.Write(b)
	if v.usual != nil {
		v.usual.Write(b)
	}
	v.size += int64(len(b))
	return len(b), nil
}

// check tells whether what passed is what the request said, and answers its
// checksum.
func (v *verifier) check(body any) (Checksum, error) {
	value := base64.StdEncoding.EncodeToString(v.digest.Sum(nil))
	want := v.want
	if v.trailer != "" {
		if said, ok := body.(trailing).Trailer(v.trailer); ok {
			want = &said
		}
	}
	if want != nil && *want != value {
		return Checksum{}, fault(http.StatusBadRequest, "BadDigest", "The "+string(v.algorithm)+" you specified did not match the calculated checksum.")
	}
	if v.wantMD5 != nil && *v.wantMD5 != base64.StdEncoding.EncodeToString(v.md5.Sum(nil)) {
		return Checksum{}, fault(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.",
			"ExpectedDigest", v.expected(), "CalculatedDigest", base64.StdEncoding.EncodeToString(v.md5.Sum(nil)))
	}
	return Checksum{v.algorithm, s3.ChecksumTypeFullObject, value}, nil
}

// kept is the checksum that a part is kept with, which the request may not have named.
func (v *verifier) kept(c Checksum) Checksum {
	if v.usual == nil {
		return c
	}
	return Checksum{s3.ChecksumAlgorithmCrc64nvme, s3.ChecksumTypeFullObject, base64.StdEncoding.EncodeToString(v.usual.Sum(nil))}
}

// expected is the MD5 that the request named, as S3 repeats it: of an object in hexadecimal digits.
func (v *verifier) expected() string {
	if v.part {
		return *v.wantMD5
	}
	b, _ := base64.StdEncoding.DecodeString(*v.wantMD5)
	return hex.EncodeToString(b)
}

// etag names content by its MD5 digest.
func (v *verifier) etag() string { return hex.EncodeToString(v.md5.Sum(nil)) }
