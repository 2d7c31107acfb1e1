package jsonbody

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/internal/jsontext"
)

func (d *decoder) integer(p *wire.Plan, v reflect.Value) error {
	text, exact, err := d.r.Number()
	if err != nil {
		return err
	}
	bits := wire.IntBits(p.Shape)
	if exact {
		n, err := strconv.ParseInt(string(text), 10, bits)
		if err != nil {
			return wire.Malformed("A number is out of range for " + noun(p.Shape) + ".")
		}
		v.SetInt(n)
		return nil
	}
	// 1.0 and 1e3 are integers, as clients in some languages write them.
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || bits < 64 && math.Abs(f) > float64(int64(1)<<(bits-1)-1) {
		return wire.Malformed("NUMBER_VALUE can not be converted to " + noun(p.Shape))
	}
	v.SetInt(int64(f))
	return nil
}

func (d *decoder) float(p *wire.Plan, v reflect.Value, kind jsontext.Kind) error {
	if kind == jsontext.String {
		text, err := d.r.Text(d.text[:0])
		if err != nil {
			return err
		}
		switch string(text) {
		case "NaN":
			v.SetFloat(math.NaN())
		case "Infinity":
			v.SetFloat(math.Inf(1))
		case "-Infinity":
			v.SetFloat(math.Inf(-1))
		default:
			return wire.Malformed("STRING_VALUE can not be converted to " + noun(p.Shape))
		}
		return nil
	}
	text, _, err := d.r.Number()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(text), wire.FloatBits(p.Shape))
	if err != nil {
		return wire.Malformed("A number is out of range for " + noun(p.Shape) + ".")
	}
	v.SetFloat(f)
	return nil
}

func (d *decoder) blob(v reflect.Value) error {
	text, err := d.r.Text(d.text[:0])
	if err != nil {
		return err
	}
	blob := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(blob, text)
	// Go's decoder passes over line ends; base64 in JSON has none.
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(text) {
		return wire.Malformed("STRING_VALUE can not be converted to a Blob: it is not base64.")
	}
	v.SetBytes(blob[:n])
	return nil
}

func (d *decoder) timestamp(m *aws.Member, p *wire.Plan, v reflect.Value, kind jsontext.Kind) error {
	format := wire.Format(m, aws.UnixTime)
	var text []byte
	var err error
	switch {
	case kind == jsontext.Number && format == aws.UnixTime:
		text, _, err = d.r.Number()
	case kind == jsontext.String && format != aws.UnixTime:
		text, err = d.r.Text(d.text[:0])
	default:
		return d.unexpected(p.Shape)
	}
	if err != nil {
		return err
	}
	t, ok := wire.ParseTime(string(text), format, false)
	if !ok {
		return wire.Malformed("A value can not be converted to a Timestamp.")
	}
	wire.SetTime(v, t)
	return nil
}
