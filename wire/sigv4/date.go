package sigv4

import (
	"net/http"
	"time"
)

// layout is the one form of a timestamp: ISO 8601, basic, UTC.
const layout = "20060102T150405Z"

// parseTimestamp reads YYYYMMDDTHHMMSSZ.
func parseTimestamp(s string) (time.Time, bool) {
	if len(s) != len(layout) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	year, month, day := digits(s[0:4]), digits(s[4:6]), digits(s[6:8])
	hour, minute, second := digits(s[9:11]), digits(s[11:13]), digits(s[13:15])
	if min(year, month, day, hour, minute, second) < 0 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	// time.Date carries 30 February over into March.
	if t.Year() != year || int(t.Month()) != month || t.Day() != day {
		return time.Time{}, false
	}
	return t, true
}

// digits is the number that s spells, or -1.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// parseDate reads a Date header, in the form of a timestamp or of HTTP, and
// gives the timestamp that stands for it in the string to sign.
func parseDate(s string) (string, time.Time, bool) {
	if t, ok := parseTimestamp(s); ok {
		return s, t, true
	}
	t, err := http.ParseTime(s)
	if err != nil {
		return "", time.Time{}, false
	}
	t = t.UTC()
	return t.Format(layout), t, true
}
