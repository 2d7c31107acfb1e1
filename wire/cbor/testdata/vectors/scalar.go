package vectors

import (
	"math"
	"reflect"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// equal compares a scalar with what stands for it in a vector: epoch seconds
// for a timestamp, plain text for a blob, words for what JSON has no number for.
func equal(shape *aws.Shape, want any, v reflect.Value) bool {
	switch want := want.(type) {
	case string:
		switch shape.Kind {
		case aws.String:
			return v.String() == want
		case aws.Blob:
			return string(v.Bytes()) == want
		case aws.Float, aws.Double:
			return want == "NaN" && math.IsNaN(v.Float()) || want == "Infinity" && math.IsInf(v.Float(), 1) ||
				want == "-Infinity" && math.IsInf(v.Float(), -1)
		}
	case bool:
		return shape.Kind == aws.Boolean && v.Bool() == want
	case float64:
		switch shape.Kind {
		case aws.Integer, aws.Long:
			return v.Int() == int64(want)
		case aws.Float:
			return float32(v.Float()) == float32(want)
		case aws.Double:
			return v.Float() == want
		case aws.Timestamp:
			return wire.Time(v).Equal(time.UnixMilli(int64(math.Round(want * 1000))))
		}
	}
	return false
}
