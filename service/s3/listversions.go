package s3

import (
	"context"
	"errors"
	"iter"
	"math"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// versioned is a version in a listing of versions.
type versioned struct {
	key    string
	v      *Version // nil: key is a common prefix
	latest bool
}

// merge yields the versions of a bucket key by key, each key's newest first, from
// a place in both tables on. last is a key of which a newer version was listed already.
func (b *Bucket) merge(tx store.Tx, afterObject, afterVersion []byte, last string) iter.Seq2[versioned, error] {
	return func(yield func(versioned, error) bool) {
		nextObject, stopObjects := iter.Pull2(objects.List(tx, b.Account, afterObject, b.ID))
		defer stopObjects()
		nextVersion, stopVersions := iter.Pull2(versions.List(tx, b.Account, afterVersion, b.ID))
		defer stopVersions()
		o, oErr, haveObject := nextObject()
		v, vErr, haveVersion := nextVersion()
		for haveObject || haveVersion {
			if err := errors.Join(oErr, vErr); err != nil {
				yield(versioned{}, err)
				return
			}
			if haveObject && (!haveVersion || o.Parts[1] <= v.Parts[1]) {
				if !yield(versioned{o.Parts[1], o.Value, true}, nil) {
					return
				}
				last = o.Parts[1]
				o, oErr, haveObject = nextObject()
				continue
			}
			if !yield(versioned{v.Parts[1], v.Value, v.Parts[1] != last}, nil) {
				return
			}
			last = v.Parts[1]
			v, vErr, haveVersion = nextVersion()
		}
	}
}

// versionPage finds the versions after a key, or after a version of it.
func (b *Bucket) versionPage(tx store.Tx, prefix, delimiter, keyMarker string, after *Version, limit int) (page []versioned, more bool, err error) {
	if limit == 0 {
		return nil, false, nil
	}
	object, version, last := behind(b.ID, keyMarker, false), behindAll(b.ID, keyMarker), ""
	if keyMarker == "" || keyMarker < prefix {
		object = before(b.ID, prefix)
		version = object
	} else if after != nil {
		version, last = versionAt(b.ID, keyMarker, after.Sequence), keyMarker
	}
	if up := rolled(keyMarker, prefix, delimiter); up != "" {
		object = behind(b.ID, up, true)
		version, last = object, ""
	}
	for {
		skip := ""
		for e, err := range b.merge(tx, object, version, last) {
			if err != nil {
				return nil, false, err
			}
			if !strings.HasPrefix(e.key, prefix) {
				return page, false, nil
			}
			if len(page) == limit {
				return page, true, nil
			}
			if skip = rolled(e.key, prefix, delimiter); skip != "" {
				page = append(page, versioned{key: skip})
				break
			}
			page = append(page, e)
		}
		if skip == "" {
			return page, false, nil
		}
		object = behind(b.ID, skip, true)
		version, last = object, ""
	}
}

// behindAll is the place behind all versions of a key: their sequences are eight bytes.
func behindAll(bucket, key string) []byte {
	base := len(store.Key("", ""))
	return store.Key("", "", bucket, key, "\xff\xff\xff\xff\xff\xff\xff\xff\xff")[base:]
}

func versionAt(bucket, key string, sequence uint64) []byte {
	base := len(store.Key("", ""))
	return store.Key("", "", bucket, key, sequencePart(sequence))[base:]
}

func (s *Service) listObjectVersions(_ context.Context, call *gateway.Call, b *onBucket, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	prefix, delimiter, keyMarker := text(in.Prefix), text(in.Delimiter), text(in.KeyMarker)
	var after *Version
	if in.VersionIdMarker != nil && *in.VersionIdMarker != "" {
		if in.KeyMarker == nil || keyMarker == "" {
			return nil, invalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", *in.VersionIdMarker)
		}
		var err error
		if after, err = b.find(call.Tx, keyMarker, in.VersionIdMarker); err != nil {
			// It was deleted meanwhile. Its place is known all the same; null's is not, so the key is listed whole.
			sequence, ok := sequenceOf(*in.VersionIdMarker)
			if *in.VersionIdMarker == nullID {
				sequence, ok = math.MaxUint64, true
			}
			if !isFault(err, "NoSuchVersion") || !ok {
				return nil, invalidArgument("Invalid version id specified", "version-id-marker", *in.VersionIdMarker)
			}
			after = &Version{Sequence: sequence}
		}
	}
	page, more, err := b.versionPage(call.Tx, prefix, delimiter, keyMarker, after, limit(in.MaxKeys))
	if err != nil {
		return nil, err
	}
	encode := encoding(in.EncodingType)
	out := &s3.ListObjectVersionsOutput{
		Name: &b.Name, Prefix: new(encode(prefix)), Delimiter: encoded(some(delimiter), encode), MaxKeys: new(int32(limit(in.MaxKeys))),
		EncodingType: in.EncodingType, IsTruncated: &more, KeyMarker: new(encode(keyMarker)), VersionIdMarker: new(text(in.VersionIdMarker)),
	}
	if in.MaxKeys != nil {
		out.MaxKeys = new(*in.MaxKeys)
	}
	for i := range page {
		e := &page[i]
		switch {
		case e.v == nil:
			out.CommonPrefixes = append(out.CommonPrefixes, s3.CommonPrefix{Prefix: new(encode(e.key))})
		case e.v.Marker:
			out.DeleteMarkers = append(out.DeleteMarkers, s3.DeleteMarkerEntry{
				Key: new(encode(e.key)), VersionId: &e.v.ID, IsLatest: &e.latest, LastModified: &e.v.Modified, Owner: owner(b.ownerOf(e.v)),
			})
		default:
			listed := s3.ObjectVersion{
				Key: new(encode(e.key)), VersionId: &e.v.ID, IsLatest: &e.latest, LastModified: &e.v.Modified, Owner: owner(b.ownerOf(e.v)),
				ETag: new(quoted(e.v.ETag)), Size: &e.v.Size, StorageClass: new(s3.ObjectVersionStorageClass(e.v.Class)),
			}
			if e.v.Checksum.Algorithm != "" {
				listed.ChecksumAlgorithm, listed.ChecksumType = []s3.ChecksumAlgorithm{e.v.Checksum.Algorithm}, &e.v.Checksum.Type
			}
			out.Versions = append(out.Versions, listed)
		}
	}
	if more {
		last := page[len(page)-1]
		out.NextKeyMarker = new(encode(last.key))
		if last.v != nil {
			out.NextVersionIdMarker = &last.v.ID
		}
	}
	return out, nil
}
