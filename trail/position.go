package trail

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Position is where an event stands: its stream, and its number in it, from 1.
// Positions of one stream are in the order of commits; between streams there is
// no order.
type Position struct {
	Stream, Number uint64
}

// String is the position as people and files write it: "3:1207".
func (p Position) String() string {
	return strconv.FormatUint(p.Stream, 10) + ":" + strconv.FormatUint(p.Number, 10)
}

// errPosition is what ParsePosition answers.
var errPosition = errors.New("not a position: want STREAM:NUMBER")

// ParsePosition reads what String writes.
func ParsePosition(s string) (Position, error) {
	stream, number, ok := strings.Cut(s, ":")
	a, errA := strconv.ParseUint(stream, 10, 64)
	b, errB := strconv.ParseUint(number, 10, 64)
	if !ok || errA != nil || errB != nil {
		return Position{}, fmt.Errorf("%q: %w", s, errPosition)
	}
	return Position{a, b}, nil
}
