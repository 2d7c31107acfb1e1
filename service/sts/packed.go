package sts

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
)

// policySpace is what the policies of a session may measure, packed, in bytes,
// and tagSpace what the keys and values of its tags may. Both draw on one
// allotment, of which answers tell the share that is used. AWS publishes
// neither form nor space: policySpace gives a recorded policy its recorded 4%,
// tagSpace gives nine tags of 252 characters, alike throughout, the 498% that
// AWS was seen to refuse them with (aws-actions/configure-aws-credentials,
// issue 1898).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-limits-entity-length
const (
	policySpace = 2048
	tagSpace    = 455
)

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
	var tags []string
	size := 0
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		tags = append(tags, key, s.Tags[key])
		size += len(key) + len(s.Tags[key])
	}
	percent = share(size, tagSpace)
	if percent > 100 {
		return nil, 0, tagsTooLarge(percent)
	}
	var policies, rest writer
	policies.texts(s.Policies)
	policies.texts(s.PolicyARNs)
	rest.texts(tags)
	rest.texts(s.Transitive)
	packed, size, err = deflate(policies.b, rest.b)
	if err != nil {
		return nil, 0, err
	}
	if len(s.Policies)+len(s.PolicyARNs) > 0 {
		if percent += share(size, policySpace); percent > 100 {
			return nil, 0, policyTooLarge(percent)
		}
	}
	return packed, percent, nil
}

// share is n as a percentage of space, rounded down.
func share(n, space int) int { return 100 * n / space }

// deflaters are kept, for each takes half a megabyte.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a valid one
	}
	return w
}}

// syncMark is what a flush adds to a deflated stream.
const syncMark = 5

// deflate deflates two texts into one stream. Size is the first one's part of it.
func deflate(first, second []byte) (packed []byte, size int, err error) {
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	var out bytes.Buffer
	z.Reset(&out)
	if _, err := z.Write(first); err != nil {
		return nil, 0, err
	}
	if err := z.Flush(); err != nil {
		return nil, 0, err
	}
	size = out.Len() - syncMark
	if _, err := z.Write(second); err != nil {
		return nil, 0, err
	}
	err = z.Close()
	return out.Bytes(), size, err
}

func policyTooLarge(percent int) error {
	return &sts.PackedPolicyTooLargeException{
		Message: fmt.Sprintf("Packed policy consumes %d%% of allotted space, please use smaller policy.", max(percent, 101)),
	}
}

func tagsTooLarge(percent int) error {
	return &sts.PackedPolicyTooLargeException{Message: fmt.Sprintf("Packed size of session tags consumes %d%% of allotted space.", percent)}
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
