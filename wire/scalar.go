package wire

import (
	"math"
	"reflect"
	"strconv"

	"github.com/garrison-security/garrison/aws"
)

// AppendFloat writes f with as many digits as tell it from its neighbours,
// and NaN, Infinity and -Infinity as those words. bits is 32 or 64.
func AppendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

// parseFloat reads a decimal number or one of the three words. Go's
// hexadecimal and underscored forms are no numbers here, and neither is what
// is too large to hold.
func parseFloat(s string, bits int) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, bits)
	return f, err == nil
}

// SetText sets the scalar v of shape from its text in a query, a header or
// XML, and says whether it can be read. Blobs are not among them: their bytes
// are SetBytes's.
func SetText(shape *aws.Shape, v reflect.Value, text string, format aws.TimestampFormat) bool {
	switch shape.Kind {
	case aws.String:
		v.SetString(text)
	case aws.Boolean:
		if text != "true" && text != "false" {
			return false
		}
		v.SetBool(text == "true")
	case aws.Integer, aws.Long:
		n, ok := parseInt(text, IntBits(shape))
		if !ok {
			return false
		}
		v.SetInt(n)
	case aws.Float, aws.Double:
		f, ok := parseFloat(text, FloatBits(shape))
		if !ok {
			return false
		}
		v.SetFloat(f)
	case aws.Timestamp:
		t, ok := ParseTime(text, format, true)
		if !ok {
			return false
		}
		SetTime(v, t)
	default:
		return false
	}
	return true
}

// parseInt reads a decimal integer of at most bits bits, without a plus sign.
func parseInt(s string, bits int) (int64, bool) {
	if s == "" || s[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, bits)
	return n, err == nil
}

// IntBits is how wide the integers of shape are: 8, 16, 32 or 64.
func IntBits(shape *aws.Shape) int {
	switch {
	case shape.Kind == aws.Long:
		return 64
	case shape.Bits != 0:
		return shape.Bits
	}
	return 32
}

// FloatBits is how wide the floats of shape are: 32 or 64.
func FloatBits(shape *aws.Shape) int {
	if shape.Kind == aws.Float {
		return 32
	}
	return 64
}

// AppendText writes the scalar v of shape as it stands in a query, a header or
// XML, without any escaping. Blobs are not among them.
func AppendText(b []byte, shape *aws.Shape, v reflect.Value, format aws.TimestampFormat) []byte {
	switch shape.Kind {
	case aws.String:
		return append(b, v.String()...)
	case aws.Boolean:
		return strconv.AppendBool(b, v.Bool())
	case aws.Integer, aws.Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case aws.Float, aws.Double:
		return AppendFloat(b, v.Float(), FloatBits(shape))
	case aws.Timestamp:
		return AppendTime(b, Time(v), format)
	}
	return b
}
