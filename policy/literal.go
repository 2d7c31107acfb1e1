package policy

import (
	"cmp"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// holds tells whether an order (-1, 0, 1) is the wanted relation.
func (r relation) holds(order int) bool {
	switch r {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	}
	return order == 0
}

// number is an integer, exactly, or a decimal.
type number struct {
	decimal float64
	integer int64
	exact   bool // integer holds the value
}

// parseNumber reads an integer or a decimal, with an exponent or without.
func parseNumber(s string) (number, bool) {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && !strings.ContainsRune("+-.eE", rune(c)) {
			return number{}, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return number{}, false
	}
	n := number{decimal: f}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		n.integer, n.exact = i, true
	}
	return n, true
}

func (n number) compare(m number) int {
	if n.exact && m.exact {
		return cmp.Compare(n.integer, m.integer)
	}
	return cmp.Compare(n.decimal, m.decimal)
}

func (v *value) asNumber() (number, bool) {
	switch v.kind {
	case numberValue:
		n := number{decimal: v.number}
		if math.Trunc(v.number) == v.number && math.Abs(v.number) < 1<<53 {
			n.integer, n.exact = int64(v.number), true
		}
		return n, !math.IsNaN(v.number)
	case timeValue:
		return number{decimal: float64(v.time.Unix()), integer: v.time.Unix(), exact: true}, true
	case textValue:
		return parseNumber(v.text)
	}
	return number{}, false
}

// instant is a point in time.
type instant struct {
	seconds int64 // since 1970
	nanos   int32
}

func (t instant) compare(u instant) int {
	return cmp.Or(cmp.Compare(t.seconds, u.seconds), cmp.Compare(t.nanos, u.nanos))
}

func (v *value) asInstant() (instant, bool) {
	switch v.kind {
	case timeValue:
		return instant{v.time.Unix(), int32(v.time.Nanosecond())}, true
	case numberValue:
		whole, part := math.Modf(v.number)
		return instant{int64(whole), int32(part * 1e9)}, math.Abs(v.number) < 1<<53
	case textValue:
		return parseDate(v.text)
	}
	return instant{}, false
}

// parseDate reads a date in one of the W3C's ISO 8601 formats, as generously
// as IAM does (leading zeros may be missing), or seconds since 1970: a number
// without a hyphen is such. A time without a zone is UTC.
//
// https://www.w3.org/TR/NOTE-datetime
func parseDate(s string) (instant, bool) {
	if !strings.ContainsAny(s, "-tT") {
		seconds, err := strconv.ParseUint(s, 10, 63)
		return instant{seconds: int64(seconds)}, err == nil
	}
	d := dateReader{rest: s, ok: true}
	sign, month, day := 1, 1, 1
	if d.take('-') {
		sign = -1
	}
	year := sign * d.digits(9)
	if d.take('-') {
		month = d.digits(2)
		if d.take('-') {
			day = d.digits(2)
		}
	}
	seconds, nanos := 0, 0
	if (d.take('T') || d.take('t')) && d.rest != "" {
		seconds, nanos = d.clock()
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !d.ok || d.rest != "" || date.Day() != day || int(date.Month()) != month {
		return instant{}, false
	}
	return instant{date.Unix() + int64(seconds), int32(nanos)}, true
}

// dateReader reads a date from the left; ok falls with the first thing wrong.
type dateReader struct {
	rest string
	ok   bool
}

func (d *dateReader) take(c byte) bool {
	if d.rest == "" || d.rest[0] != c {
		return false
	}
	d.rest = d.rest[1:]
	return true
}

// digits reads a number of at least one digit and at most n.
func (d *dateReader) digits(n int) int {
	v, start := 0, len(d.rest)
	for start-len(d.rest) < n && d.rest != "" && d.rest[0] >= '0' && d.rest[0] <= '9' {
		v = v*10 + int(d.rest[0]-'0')
		d.rest = d.rest[1:]
	}
	d.ok = d.ok && len(d.rest) < start
	return v
}

// clock reads a time of day with its zone, in seconds since midnight in UTC.
func (d *dateReader) clock() (seconds, nanos int) {
	hour, minute, second := d.digits(2), 0, 0
	if d.take(':') {
		minute = d.digits(2)
		if d.take(':') {
			second = d.digits(2)
			if d.take('.') {
				nanos = d.fraction()
			}
		}
	}
	d.ok = d.ok && hour < 24 && minute < 60 && second < 60
	return hour*3600 + minute*60 + second - d.zone(), nanos
}

// fraction reads a second's fraction, in nanoseconds.
func (d *dateReader) fraction() int {
	v, unit := 0, 1_000_000_000
	start := len(d.rest)
	for d.rest != "" && d.rest[0] >= '0' && d.rest[0] <= '9' {
		unit /= 10
		v += unit * int(d.rest[0]-'0')
		d.rest = d.rest[1:]
	}
	d.ok = d.ok && len(d.rest) < start && start-len(d.rest) <= 9
	return v
}

// zone reads Z, +hh:mm, -hh:mm or nothing, in seconds east of UTC.
func (d *dateReader) zone() int {
	sign := 1
	switch {
	case d.rest == "" || d.take('Z') || d.take('z'):
		return 0
	case d.take('-'):
		sign = -1
	case !d.take('+'):
		d.ok = false
		return 0
	}
	d.ok = d.ok && (len(d.rest) == 2 || len(d.rest) == 5)
	hour, minute := d.digits(2), 0
	if d.take(':') {
		minute = d.digits(2)
	}
	d.ok = d.ok && hour < 24 && minute < 60
	return sign * (hour*3600 + minute*60)
}

// parsePrefix reads a CIDR range, or an address as the range of itself.
func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func (v *value) asAddress() (netip.Addr, bool) {
	switch v.kind {
	case addressValue:
		return v.address, v.address.IsValid()
	case textValue:
		a, err := netip.ParseAddr(v.text)
		return a.Unmap().WithZone(""), err == nil
	}
	return netip.Addr{}, false
}

// parseBool reads true or false, in any case.
func parseBool[T ~string | ~[]byte](s T) (v, ok bool) {
	return equalFold(s, "true"), equalFold(s, "true") || equalFold(s, "false")
}

// IsDate tells whether a text is a date as conditions compare them.
func IsDate(text string) bool {
	_, ok := parseDate(text)
	return ok
}
