// Package form reads application/x-www-form-urlencoded parameters, as awsQuery
// and ec2Query number and nest them, within bounds.
package form

import (
	"bytes"
	"slices"

	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/escape"
)

// maxParameters bounds the parameters of one request.
const maxParameters = 20_000

// Values are the parameters of a request, sorted by name.
type Values []pair

type pair struct{ name, value []byte }

var (
	errEscape    = wire.Malformed("A parameter is not correctly URL-encoded.")
	errDuplicate = wire.Malformed("A parameter is given more than once.")
	errMany      = wire.Malformed("The request has too many parameters.")
)

// Parse reads the parameters of a request's query string and body together. A
// name that comes twice, wherever, is refused, for such a request can be read
// in two ways.
func Parse(query string, body []byte) (Values, error) {
	n := bytes.Count(body, []byte{'&'}) + 1
	if query != "" {
		n += bytes.Count([]byte(query), []byte{'&'}) + 1
	}
	if n > maxParameters {
		return nil, errMany
	}
	values := make(Values, 0, n)
	var err error
	if values, err = values.parse(body); err == nil && query != "" {
		values, err = values.parse([]byte(query))
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(values, func(a, b pair) int { return bytes.Compare(a.name, b.name) })
	for i := 1; i < len(values); i++ {
		if bytes.Equal(values[i-1].name, values[i].name) {
			return nil, errDuplicate
		}
	}
	return values, nil
}

func (v Values) parse(text []byte) (Values, error) {
	for len(text) > 0 {
		var part []byte
		part, text, _ = bytes.Cut(text, []byte{'&'})
		if len(part) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(part, []byte{'='})
		name, ok := escape.Undo(name, true)
		value, ok2 := escape.Undo(value, true)
		if !ok || !ok2 {
			return nil, errEscape
		}
		v = append(v, pair{name, value})
	}
	return v, nil
}

// Get is the value of the parameter called name, and whether there is one.
func (v Values) Get(name []byte) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(v, name, func(p pair, name []byte) int { return bytes.Compare(p.name, name) })
	if !ok {
		return nil, false
	}
	return v[i].value, true
}

// Under are the parameters whose names begin with prefix.
func (v Values) Under(prefix []byte) Values {
	from, _ := slices.BinarySearchFunc(v, prefix, func(p pair, prefix []byte) int { return bytes.Compare(p.name, prefix) })
	to := from
	if n := len(v); from < n && bytes.HasPrefix(v[from].name, prefix) {
		to = from + searchEnd(v[from:], prefix)
	}
	return v[from:to]
}

// searchEnd counts the parameters at the front of v that begin with prefix.
func searchEnd(v Values, prefix []byte) int {
	lo, hi := 0, len(v)
	for lo < hi {
		if mid := (lo + hi) / 2; bytes.HasPrefix(v[mid].name, prefix) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Numbers are the numbers that stand behind prefix in v's names, in order, each
// once. What is no decimal number from 1 up without leading zeros is ignored,
// as unknown parameters are.
func (v Values) Numbers(prefix []byte) []int {
	var numbers []int
	for _, p := range v {
		if n, ok := number(p.name[len(prefix):]); ok && (len(numbers) == 0 || numbers[len(numbers)-1] != n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// number reads the number that name begins with, up to its end or a point.
func number(name []byte) (n int, ok bool) {
	for i, c := range name {
		if c == '.' {
			return n, i > 0
		}
		if c < '0' || c > '9' || i == 0 && c == '0' || i >= 9 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(name) > 0
}
