package sts

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
)

// packedLimit is what the policies and tags of a session may measure, packed,
// in bytes. AWS packs them, too, into a form and a space that it does not
// publish; answers tell the share that is used.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-limits-entity-length
const packedLimit = 2048

// unpackedLimit bounds what a packed text may inflate to.
const unpackedLimit = 256 << 10

// pack packs a session's policies and tags: count and texts of the inline
// policies, of the managed policies' ARNs, of the tags' keys and values by key,
// and of the transitive keys; all deflated. Percent is the share of the allowed
// space they take; with none of them pack answers nothing.
func pack(s *aws.Session) (packed []byte, percent int, err error) {
	if len(s.Policies)+len(s.PolicyARNs)+len(s.Tags) == 0 {
		return nil, 0, nil
	}
	var w writer
	w.texts(s.Policies)
	w.texts(s.PolicyARNs)
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		tags = append(tags, key, s.Tags[key])
	}
	w.texts(tags)
	w.texts(s.Transitive)
	if len(w.b) > unpackedLimit {
		return nil, 0, tooLarge(100 * len(w.b) / unpackedLimit)
	}
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, 0, err
	}
	if _, err := z.Write(w.b); err != nil {
		return nil, 0, err
	}
	if err := z.Close(); err != nil {
		return nil, 0, err
	}
	percent = (100*out.Len() + packedLimit - 1) / packedLimit
	if percent > 100 {
		return nil, 0, tooLarge(percent)
	}
	return out.Bytes(), percent, nil
}

func tooLarge(percent int) error {
	return &sts.PackedPolicyTooLargeException{
		Message: fmt.Sprintf("Packed policy consumes %d%% of allotted space, please use smaller policy.", max(percent, 101)),
	}
}

func (w *writer) texts(all []string) {
	w.number(uint64(len(all)))
	for _, s := range all {
		w.text(s)
	}
}

func (r *reader) texts() []string {
	var all []string
	for range r.number() {
		if r.bad {
			return nil
		}
		all = append(all, r.text())
	}
	return all
}

var errPacked = errors.New("sts: packed policies do not unpack")

// unpack sets what pack packed.
func unpack(packed []byte, s *aws.Session) error {
	if len(packed) == 0 {
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), unpackedLimit+1))
	if err != nil || len(plain) > unpackedLimit {
		return errPacked
	}
	r := reader{b: plain}
	s.Policies, s.PolicyARNs = r.texts(), r.texts()
	tags := r.texts()
	s.Transitive = r.texts()
	if r.bad || len(r.b) > 0 || len(tags)%2 != 0 {
		return errPacked
	}
	if len(tags) > 0 {
		s.Tags = make(map[string]string, len(tags)/2)
	}
	for i := 0; i < len(tags); i += 2 {
		s.Tags[tags[i]] = tags[i+1]
	}
	return nil
}
