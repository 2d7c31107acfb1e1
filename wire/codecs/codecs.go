// Package codecs is the list of all protocols.
package codecs

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/awsquery"
)

var all = [...]wire.Codec{
	aws.AWSQuery: awsquery.Codec{},
}

// For is the codec of a protocol, nil if there is none.
func For(p aws.Protocol) wire.Codec {
	if int(p) >= len(all) {
		return nil
	}
	return all[p]
}
