// Package codecs is the list of all protocols.
package codecs

import (
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/awsjson"
	"github.com/garrison-security/garrison/wire/awsquery"
	"github.com/garrison-security/garrison/wire/cbor"
	"github.com/garrison-security/garrison/wire/ec2query"
	"github.com/garrison-security/garrison/wire/restjson"
	"github.com/garrison-security/garrison/wire/restxml"
)

var all = [...]wire.Codec{
	aws.NoProtocol: awsjson.Codec{},
	aws.AWSJSON10:  awsjson.Codec{},
	aws.AWSJSON11:  awsjson.Codec{},
	aws.AWSQuery:   awsquery.Codec{},
	aws.EC2Query:   ec2query.Codec{},
	aws.RESTJSON:   restjson.Codec{},
	aws.RESTXML:    restxml.Codec{},
	aws.RPCV2CBOR:  cbor.Codec{},
}

// For is the codec of a protocol. Errors of requests whose protocol nobody
// found are JSON.
func For(p aws.Protocol) wire.Codec {
	if int(p) >= len(all) {
		p = aws.NoProtocol
	}
	return all[p]
}
