package wire

import (
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Format is the timestamp format that holds for a member, fallback being the
// protocol's where it stands.
func Format(m *aws.Member, fallback aws.TimestampFormat) aws.TimestampFormat {
	switch {
	case m.TimestampFormat != aws.DefaultTime:
		return m.TimestampFormat
	case m.Shape.TimestampFormat != aws.DefaultTime:
		return m.Shape.TimestampFormat
	}
	return fallback
}

// Time is the time that v, of type time.Time, holds.
func Time(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}

// SetTime sets v, an addressable time.Time.
func SetTime(v reflect.Value, t time.Time) { *v.Addr().Interface().(*time.Time) = t }

// The years that a timestamp may have. Beyond them its text would not be read again.
const (
	minSeconds = -62167219200 // 0000-01-01
	maxSeconds = 253402300799 // 9999-12-31T23:59:59
)

// AppendTime writes t with the milliseconds it has, as all of AWS's formats
// allow: seconds since 1970, RFC 3339 with Z, or an http-date.
func AppendTime(b []byte, t time.Time, format aws.TimestampFormat) []byte {
	t = t.UTC()
	ms := t.Nanosecond() / 1e6
	switch format {
	case aws.UnixTime:
		s := t.Unix()
		if s < 0 && ms > 0 { // -1.5 is 500 ms after -2
			s, ms = s+1, 1000-ms
			if s == 0 {
				b = append(b, '-')
			}
		}
		return appendMillis(strconv.AppendInt(b, s, 10), ms)
	case aws.RFC822:
		b = t.AppendFormat(b, "Mon, 02 Jan 2006 ")
		b = appendClock(b, t)
		return append(appendMillis(b, ms), " GMT"...)
	}
	year, month, day := t.Date()
	b = appendPair(appendPair(b, year/100), year%100)
	b = appendPair(append(b, '-'), int(month))
	b = appendPair(append(b, '-'), day)
	b = appendClock(append(b, 'T'), t)
	return append(appendMillis(b, ms), 'Z')
}

func appendClock(b []byte, t time.Time) []byte {
	hour, minute, second := t.Clock()
	b = append(appendPair(b, hour), ':')
	b = append(appendPair(b, minute), ':')
	return appendPair(b, second)
}

// appendPair writes n, from 0 to 99, in two digits.
func appendPair(b []byte, n int) []byte { return append(b, byte('0'+n/10%10), byte('0'+n%10)) }

func appendMillis(b []byte, ms int) []byte {
	if ms == 0 {
		return b
	}
	b = append(b, '.', byte('0'+ms/100))
	if ms%100 != 0 {
		b = append(b, byte('0'+ms/10%10))
	}
	if ms%10 != 0 {
		b = append(b, byte('0'+ms%10))
	}
	return b
}

// ParseTime reads what stands for a timestamp of the given format. With
// offsets an ISO 8601 time may name another zone than Z.
func ParseTime(s string, format aws.TimestampFormat, offsets bool) (time.Time, bool) {
	switch format {
	case aws.UnixTime:
		f, ok := parseFloat(s, 64)
		if !ok {
			return time.Time{}, false
		}
		if n, exact := parseInt(s, 64); exact {
			return unixTime(n, 0)
		}
		return EpochTime(f)
	case aws.RFC822:
		return parseHTTPDate(s)
	}
	return parseISO(s, offsets)
}

// EpochTime is the time f seconds after 1970, to the millisecond, which is as
// fine as a double holds it.
func EpochTime(f float64) (time.Time, bool) {
	if math.IsNaN(f) || f < minSeconds || f > maxSeconds {
		return time.Time{}, false
	}
	ms := int64(math.Round(f * 1000))
	return time.UnixMilli(ms).UTC(), true
}

func unixTime(s, ns int64) (time.Time, bool) {
	if s < minSeconds || s > maxSeconds {
		return time.Time{}, false
	}
	return time.Unix(s, ns).UTC(), true
}

// parseISO reads RFC 3339's date-time, in capitals, with at most nine digits
// after the point.
func parseISO(s string, offsets bool) (time.Time, bool) {
	const form = "dddd-dd-ddTdd:dd:dd"
	rest, ok := digits(s, form)
	if !ok {
		return time.Time{}, false
	}
	if rest != "" && rest[0] == '.' {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 1 || n > 10 {
			return time.Time{}, false
		}
		rest = rest[n:]
	}
	if rest != "Z" {
		if tail, ok := digits(rest, "sdd:dd"); !offsets || !ok || tail != "" {
			return time.Time{}, false
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, false
	}
	return unixTime(t.Unix(), int64(t.Nanosecond()))
}

// digits matches the front of s with form, in which d is a digit, s a sign and
// all else itself, and answers what follows.
func digits(s, form string) (rest string, ok bool) {
	if len(s) < len(form) {
		return "", false
	}
	for i := range len(form) {
		c := s[i]
		switch form[i] {
		case 'd':
			ok = c >= '0' && c <= '9'
		case 's':
			ok = c == '+' || c == '-'
		default:
			ok = c == form[i]
		}
		if !ok {
			return "", false
		}
	}
	return s[len(form):], true
}

// parseHTTPDate reads RFC 9110's IMF-fixdate, with a fraction of a second if
// there is one.
func parseHTTPDate(s string) (time.Time, bool) {
	if len(s) < len("Mon, 02 Jan 2006 15:04:05 GMT") || len(s) > len("Mon, 02 Jan 2006 15:04:05.000000000 GMT") {
		return time.Time{}, false
	}
	t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", s)
	if err != nil {
		return time.Time{}, false
	}
	return unixTime(t.Unix(), int64(t.Nanosecond()))
}
