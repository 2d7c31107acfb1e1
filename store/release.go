package store

import (
	"strconv"
	"strings"
)

// Newer tells whether the release stamp is later than release. A name that is
// not "v" and dotted numbers, as of a development build, is neither.
func Newer(stamp, release string) bool {
	a, okA := numbers(stamp)
	b, okB := numbers(release)
	if !okA || !okB {
		return false
	}
	for i := range max(len(a), len(b)) {
		if x, y := at(a, i), at(b, i); x != y {
			return x > y
		}
	}
	return false
}

// numbers are those of a release; what follows a "-" or "+" is passed over.
func numbers(release string) (n []uint64, ok bool) {
	rest, ok := strings.CutPrefix(release, "v")
	if i := strings.IndexAny(rest, "-+"); i >= 0 {
		rest = rest[:i]
	}
	for part := range strings.SplitSeq(rest, ".") {
		v, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, false
		}
		n = append(n, v)
	}
	return n, ok
}

func at(n []uint64, i int) uint64 {
	if i < len(n) {
		return n[i]
	}
	return 0
}
