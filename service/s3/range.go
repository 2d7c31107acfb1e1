package s3

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// part is what of an object is read.
type part struct {
	offset, length int64
	partial        bool
}

// header is the part's Content-Range; nil for a whole object.
func (p part) header(size int64) *string {
	if !p.partial {
		return nil
	}
	return new("bytes " + strconv.FormatInt(p.offset, 10) + "-" + strconv.FormatInt(p.offset+p.length-1, 10) + "/" + strconv.FormatInt(size, 10))
}

// part reads a Range header of one range. What is none is passed over, as RFC 9110 has it.
func (r reading) part(v *Version) (part, error) {
	whole := part{0, v.Size, false}
	if r.partNumber != nil {
		if r.byteRange != nil {
			return part{}, invalidRequest("Cannot specify both Range header and partNumber query parameter")
		}
		if *r.partNumber != 1 {
			return part{}, noSuchPart(*r.partNumber, 1)
		}
		return part{0, v.Size, v.Size > 0}, nil
	}
	spec, ok := strings.CutPrefix(text(r.byteRange), "bytes=")
	from, to, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return whole, nil
	}
	unsatisfiable := fault(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable",
		"RangeRequested", text(r.byteRange), "ActualObjectSize", strconv.FormatInt(v.Size, 10))
	if from == "" {
		n, err := strconv.ParseInt(to, 10, 64)
		if err != nil || n < 0 {
			return whole, nil
		}
		if n == 0 || v.Size == 0 {
			return part{}, unsatisfiable
		}
		n = min(n, v.Size)
		return part{v.Size - n, n, true}, nil
	}
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil || first < 0 {
		return whole, nil
	}
	last := v.Size - 1
	if to != "" {
		n, err := strconv.ParseInt(to, 10, 64)
		if err != nil || n < first {
			return whole, nil
		}
		last = min(last, n)
	}
	if first >= v.Size {
		return part{}, unsatisfiable
	}
	return part{first, last - first + 1, true}, nil
}

func noSuchPart(number int32, have int) error {
	return fault(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable",
		"PartNumberRequested", strconv.Itoa(int(number)), "ActualPartCount", strconv.Itoa(have))
}

// part is the part of that place among those that an object was uploaded in.
func (o *onObject) part(call *gateway.Call, v *Version, r reading) (part, error) {
	if r.byteRange != nil {
		return part{}, invalidRequest("Cannot specify both Range header and partNumber query parameter")
	}
	offset, n := int64(0), int32(0)
	for entry, err := range parts.List(call.Tx, o.bucket.Account, nil, o.bucket.ID, v.Data.ID) {
		if err != nil {
			return part{}, err
		}
		if n++; n == *r.partNumber {
			if v.Checksum.Type == s3.ChecksumTypeComposite || v.Data.Parts == 1 { // the checksum of a whole is not that of a part
				o.sum = &entry.Value.Checksum
			}
			return part{offset, entry.Value.Size, true}, nil
		}
		offset += entry.Value.Size
	}
	return part{}, noSuchPart(*r.partNumber, v.Data.Parts)
}
