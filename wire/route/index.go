package route

import (
	"strings"
	"sync"

	"github.com/garrison-security/garrison/api/catalog"
	"github.com/garrison-security/garrison/aws"
)

// entry is a service with what routing to it needs.
type entry struct {
	*catalog.Service
	names []string // signing names it takes
	s3    bool

	once sync.Once
	rest *table
}

// table is the service's table of methods and paths, built on first use.
func (e *entry) table() *table {
	e.once.Do(func() { e.rest = newTable(e.Operations()) })
	return e.rest
}

// index finds services by the ways in which requests name them.
type index struct {
	named    map[string]*entry
	targets  map[string][]*entry // by X-Amz-Target's prefix; one but for Timestream
	smithy   map[string][]*entry // by the name in a CBOR request's path; one but for Timestream
	signed   map[string][]*entry // by signing name
	queries  map[string][]*entry // query services by signing name
	versions map[string][]*entry // query services by Version
	tables   map[string][]*entry // REST services by signing name, S3's apart
	hosts    map[string][]*entry // by endpoint prefix
}

// s3Names are what S3's requests are signed for.
var s3Names = []string{"s3", "s3express", "s3-object-lambda", "s3-outposts"}

func isS3(signer string) bool {
	switch signer {
	case "s3", "s3express", "s3-object-lambda", "s3-outposts":
		return true
	}
	return false
}

// services indexes the catalog once.
var services = sync.OnceValue(func() *index {
	all := catalog.Services()
	x := &index{
		named: make(map[string]*entry, len(all)), targets: make(map[string][]*entry, len(all)), smithy: make(map[string][]*entry, len(all)),
		signed: make(map[string][]*entry, len(all)), queries: map[string][]*entry{}, versions: map[string][]*entry{},
		tables: make(map[string][]*entry, len(all)), hosts: make(map[string][]*entry, len(all)),
	}
	for _, s := range all {
		e := &entry{Service: s, names: []string{s.SigningName}, s3: s.Name == "s3" || s.Name == "s3control"}
		if e.s3 {
			e.names = s3Names
		}
		x.add(e)
	}
	return x
})

func (x *index) add(e *entry) {
	x.named[e.Name] = e
	x.signed[e.SigningName] = append(x.signed[e.SigningName], e)
	if e.TargetPrefix != "" {
		short := lastOf(e.TargetPrefix)
		x.targets[e.TargetPrefix] = append(x.targets[e.TargetPrefix], e)
		if short != e.TargetPrefix { // CloudTrail's: SDKs built with Smithy send the last component alone
			x.targets[short] = append(x.targets[short], e)
		}
	}
	rpc := e.speaks(aws.AWSJSON10, aws.AWSJSON11, aws.AWSQuery, aws.EC2Query, aws.RPCV2CBOR)
	if rpc {
		name := e.SmithyName
		if name == "" {
			name = lastOf(e.TargetPrefix)
		}
		if name != "" {
			x.smithy[name] = append(x.smithy[name], e)
		}
	}
	if e.speaks(aws.AWSQuery, aws.EC2Query) {
		x.queries[e.SigningName] = append(x.queries[e.SigningName], e)
		x.versions[e.Version] = append(x.versions[e.Version], e)
	}
	if e.speaks(aws.RESTJSON, aws.RESTXML) && !e.s3 {
		x.tables[e.SigningName] = append(x.tables[e.SigningName], e)
	}
	x.hosts[e.EndpointPrefix] = append(x.hosts[e.EndpointPrefix], e)
}

// lastOf is what follows the last dot of s.
func lastOf(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
