package gateway

import "strings"

const payerHeader = "x-amz-request-payer"

// Pays tells whether the caller says that they pay for the call: in a header,
// in the query of a link, or in a field of a form. One made in process says nothing.
func (c *Call) Pays() bool {
	const requester = "requester"
	if c.from.form != nil {
		value, _ := c.from.form.Field(payerHeader)
		return value == requester
	}
	if c.from.request == nil {
		return false
	}
	if c.from.request.Header.Get(payerHeader) == requester {
		return true
	}
	for pair := range strings.SplitSeq(c.from.request.RawQuery, "&") {
		if strings.EqualFold(pair, payerHeader+"="+requester) {
			return c.from.signature != nil && c.from.signature.Presigned
		}
	}
	return false
}
