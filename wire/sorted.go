package wire

import (
	"reflect"
	"slices"
	"strings"
)

// SortedKeys are the keys of the map v, of a string type, in order: an answer
// is the same each time it is given.
func SortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}
