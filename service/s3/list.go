package s3

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// listing is what all listings of a bucket have in common.
type listing struct {
	bucket            string
	owner             *string
	prefix, delimiter *string
	maxKeys           *int32
}

// pageSize is how many keys and common prefixes an answer holds at most.
const pageSize = 1000

// listingOf finds the bucket that is to be listed.
func listingOf[In any](of func(*In) listing) gateway.Target[In, *onBucket] {
	return func(call *gateway.Call, in *In) (*onBucket, error) {
		l := of(in)
		b, err := findBucket(call, l.bucket, l.owner)
		if err != nil {
			return nil, err
		}
		if l.prefix != nil {
			call.Condition("s3:prefix", *l.prefix)
		}
		if l.delimiter != nil {
			call.Condition("s3:delimiter", *l.delimiter)
		}
		if l.maxKeys != nil {
			if *l.maxKeys < 0 {
				return nil, invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys", strconv.Itoa(int(*l.maxKeys)))
			}
			call.Condition("s3:max-keys", strconv.Itoa(int(*l.maxKeys)))
		}
		return b, nil
	}
}

// limit is how many entries a page holds.
func limit(maxKeys *int32) int {
	if maxKeys == nil {
		return pageSize
	}
	return min(int(*maxKeys), pageSize)
}

// rolled is the common prefix that a key is rolled up into, or "".
func rolled(key, prefix, delimiter string) string {
	if delimiter == "" || !strings.HasPrefix(key, prefix) {
		return ""
	}
	rest := key[len(prefix):]
	i := strings.Index(rest, delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(prefix)+i+len(delimiter)]
}

// behind is the place in a listing of a table behind all rows of a key, or of
// all keys that begin with it: no key holds a byte 0xff.
func behind(bucket, key string, all bool) []byte {
	if all {
		key += "\xff"
	}
	base := len(store.Key("", ""))
	return store.Key("", "", bucket, key)[base:]
}

// found is an entry of a page: an object, or a common prefix.
type found struct {
	name   string
	object *Version // nil: a common prefix
}

// page finds the entries after marker: the first limit of them, and whether
// there are more. What is rolled up is passed over unread.
func (b *Bucket) page(tx store.Tx, prefix, delimiter, marker string, limit int) (page []found, more bool, err error) {
	if limit == 0 {
		return nil, false, nil
	}
	at := behind(b.ID, marker, false)
	if marker == "" || marker < prefix {
		at = before(b.ID, prefix)
	}
	if up := rolled(marker, prefix, delimiter); up != "" {
		at = behind(b.ID, up, true)
	}
	for {
		skip := ""
		for entry, err := range objects.List(tx, b.Account, at, b.ID) {
			if err != nil {
				return nil, false, err
			}
			key := entry.Parts[1]
			if !strings.HasPrefix(key, prefix) {
				return page, false, nil
			}
			if len(page) == limit {
				return page, true, nil
			}
			if skip = rolled(key, prefix, delimiter); skip != "" {
				page = append(page, found{name: skip})
				break
			}
			page = append(page, found{key, entry.Value})
		}
		if skip == "" {
			return page, false, nil
		}
		at = behind(b.ID, skip, true)
	}
}

// before is the place ahead of all keys that begin with prefix.
func before(bucket, prefix string) []byte {
	if prefix == "" {
		return nil
	}
	// The part's bytes without its end: a place that no row has, ahead of all rows that begin so.
	at := behind(bucket, prefix, false)
	return at[:len(at)-len(partEnd)]
}

// partEnd is how a part ends in a key.
var partEnd = bytes.TrimPrefix(store.Key("", "", ""), store.Key("", ""))

func (s *Service) listObjectsV2(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	prefix, delimiter := text(in.Prefix), text(in.Delimiter)
	marker := text(in.StartAfter)
	of := store.Listing{Name: "s3:ListObjectsV2", Account: b.Account, Filter: b.ID}
	if in.ContinuationToken != nil {
		at, err := s.Tokens.Open(of, *in.ContinuationToken)
		if err != nil || at == nil {
			return nil, invalidArgument("The continuation token provided is incorrect", "continuation-token", *in.ContinuationToken)
		}
		marker = string(at)
	}
	page, more, err := b.page(call.Tx, prefix, delimiter, marker, limit(in.MaxKeys))
	if err != nil {
		return nil, err
	}
	encode := encoding(in.EncodingType)
	out := &s3.ListObjectsV2Output{
		Name: &b.Name, Prefix: new(encode(prefix)), Delimiter: encoded(some(delimiter), encode), MaxKeys: new(int32(limit(in.MaxKeys))),
		EncodingType: in.EncodingType, IsTruncated: &more, KeyCount: new(int32(len(page))),
		ContinuationToken: in.ContinuationToken, StartAfter: encoded(in.StartAfter, encode),
	}
	if in.MaxKeys != nil {
		out.MaxKeys = new(*in.MaxKeys)
	}
	out.Contents, out.CommonPrefixes = b.entries(page, encode, flag(in.FetchOwner))
	if more {
		next, err := s.Tokens.Seal(of, []byte(page[len(page)-1].name))
		if err != nil {
			return nil, err
		}
		out.NextContinuationToken = &next
	}
	return out, nil
}

func (s *Service) listObjects(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListObjectsInput) (*s3.ListObjectsOutput, error) {
	prefix, delimiter := text(in.Prefix), text(in.Delimiter)
	page, more, err := b.page(call.Tx, prefix, delimiter, text(in.Marker), limit(in.MaxKeys))
	if err != nil {
		return nil, err
	}
	encode := encoding(in.EncodingType)
	out := &s3.ListObjectsOutput{
		Name: &b.Name, Prefix: &prefix, Delimiter: encoded(some(delimiter), encode), Marker: new(encode(text(in.Marker))),
		MaxKeys: new(int32(limit(in.MaxKeys))), EncodingType: in.EncodingType, IsTruncated: &more,
	}
	if in.MaxKeys != nil {
		out.MaxKeys = new(*in.MaxKeys)
	}
	out.Contents, out.CommonPrefixes = b.entries(page, encode, call.Principal.Kind != aws.Anonymous)
	if more && delimiter != "" { // without one the last key is the next marker, and is not told
		out.NextMarker = new(encode(page[len(page)-1].name))
	}
	return out, nil
}

// entries are a page's objects and common prefixes as listings show them.
func (b *Bucket) entries(page []found, encode func(string) string, owners bool) (contents []s3.Object, prefixes []s3.CommonPrefix) {
	for i := range page {
		f := &page[i]
		if f.object == nil {
			prefixes = append(prefixes, s3.CommonPrefix{Prefix: new(encode(f.name))})
			continue
		}
		v := f.object
		o := s3.Object{
			Key: new(encode(f.name)), LastModified: &v.Modified, ETag: new(quoted(v.ETag)), Size: &v.Size, StorageClass: new(s3.ObjectStorageClass(v.Class)),
		}
		if v.Checksum.Algorithm != "" {
			o.ChecksumAlgorithm, o.ChecksumType = []s3.ChecksumAlgorithm{v.Checksum.Algorithm}, &v.Checksum.Type
		}
		if owners {
			o.Owner = owner(b.ownerOf(v))
		}
		contents = append(contents, o)
	}
	return contents, prefixes
}

// encoding is what a listing does to keys, which may hold what XML can't.
func encoding(kind *s3.EncodingType) func(string) string {
	if kind == nil {
		return func(s string) string { return s }
	}
	return urlEncode
}

func encoded(s *string, encode func(string) string) *string {
	if s == nil {
		return nil
	}
	return new(encode(*s))
}

// urlEncode is encoding-type=url: as HTML forms encode, but for "/".
func urlEncode(s string) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+16)
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '*', c == '/':
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}
