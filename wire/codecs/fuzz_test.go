package codecs_test

import (
	"bytes"
	"net/http"
	"reflect"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/internal/sample"
)

// fuzz decodes bytes that may be anything. What decodes must be written again
// and read again as the same, and neither may panic.
func fuzz(f *testing.F, p aws.Protocol, seeds ...string) {
	codec := codecs.For(p)
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var first, second sample.Everything
		req := &wire.Request{Header: wire.HTTPHeader(http.Header{})}
		if codec.Decode(sample.Do, req, body, nil, &first) != nil {
			return
		}
		var to wire.Response
		if err := codec.Encode(&wire.Answer{Protocol: p, Service: sample.Service, Operation: sample.Do}, &first, &to); err != nil {
			t.Fatal(err)
		}
		if p == aws.AWSQuery || p == aws.EC2Query {
			return
		}
		if err := codec.Decode(sample.Do, req, to.Body, nil, &second); err != nil {
			t.Fatalf("%q was read, and written as %q, which is refused: %v", body, to.Body, err)
		}
		if err := same(sample.Do.Input, reflect.ValueOf(&first).Elem(), reflect.ValueOf(&second).Elem()); err != nil {
			t.Fatalf("%q was read, and written as %q: %v", body, to.Body, err)
		}
	})
}

const jsonSeed = `{"Required":"a","Text":"\ud83d\ude00\n","Flag":true,"Whole":-1,"Small":5,"Long":1e3,"Single":1.5,"Double":"NaN","When":1.5,
"Bytes":"YQ==","Texts":["a",""],"Sparse":[null,"b"],"Pairs":{"a":"b"},"Inner":{"Required":"b"},"Inners":[{"Required":"c"}],
"Table":{"x":{"Required":"d"}},"Choice":{"Inner":{"Required":"e"}},"Any":{"a":[1,2.5,null,true]},"Unknown":[{}]}`

func FuzzJSON(f *testing.F) {
	fuzz(f, aws.AWSJSON11, jsonSeed, `{}`, `{"Inner":{"Inner":{"Inner":{}}}}`, `{"a":1,"a":2}`, `[[[[`, `{"Whole":1e400}`)
}

func FuzzRESTJSON(f *testing.F) { fuzz(f, aws.RESTJSON, jsonSeed, `{}`) }

func FuzzQuery(f *testing.F) {
	fuzz(f, aws.AWSQuery, "Required=a&Texts.member.1=b&Texts.member.3=c&Flat.1=d&Pairs.entry.1.key=e&Pairs.entry.1.value=f",
		"Required=a&Inners.member.1.Inner.Texts=&Choice.Text=x", "Required=a&Required=b", "Texts.member.999999999=x&Required=%zz")
}

func FuzzEC2(f *testing.F) {
	fuzz(f, aws.EC2Query, "Required=a&Texts.1=b&Texts.3=c&Inners.1.Required=d", "Required=a&Texts.01=b")
}

func FuzzXML(f *testing.F) {
	fuzz(f, aws.RESTXML, `<a xmlns="x"><Required>a</Required><Texts><member>b</member></Texts><Flat>c</Flat><Pairs><entry><key>d</key><value>e</value></entry></Pairs><Bytes>YQ==</Bytes></a>`,
		`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, `<a><Required>a</Required><Inner/><Choice><Text>x</Text></Choice></a>`)
}

func FuzzCBOR(f *testing.F) {
	fuzz(f, aws.RPCV2CBOR, "\xa1\x68Required\x61a", "\xbf\x68Required\x7f\x61a\xff\x65Texts\x9f\x61b\xff\xff", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff")
}

// FuzzREST decodes paths, query strings and header fields that may be anything.
func FuzzREST(f *testing.F) {
	f.Add("a%2Fb", "query=a&queries=b&queries=c&flag=true", `a, "b\"c"`, "Tue, 29 Apr 2014 18:30:38 GMT, Mon, 16 Dec 2019 23:48:18 GMT", "1")
	f.Add("%", "query=%zz&flag=1", `"`, "Tue,", "x")
	f.Fuzz(func(t *testing.T, label, query, list, dates, whole string) {
		for _, p := range []aws.Protocol{aws.RESTJSON, aws.RESTXML} {
			codec := codecs.For(p)
			header := http.Header{"X-Headers": {list}, "X-Dates": {dates}, "X-Whole": {whole}, "X-Header": {list}, "X-Meta-A": {list}}
			req := &wire.Request{RawQuery: query, Header: wire.HTTPHeader(header)}
			var first, second sample.Located
			if codec.Decode(sample.Locate, req, nil, map[string]string{"Label": label}, &first) != nil {
				continue
			}
			var to wire.Response
			if err := codec.Encode(&wire.Answer{Protocol: p, Service: sample.Service, Operation: sample.Locate}, &first, &to); err != nil {
				t.Fatal(err)
			}
			for name, values := range to.Header {
				if bytes.ContainsAny([]byte(values[0]), "\r\n\x00") {
					t.Fatalf("header %s holds %q", name, values[0])
				}
			}
			req = &wire.Request{Header: wire.HTTPHeader(to.Header)}
			if err := codec.Decode(sample.Locate, req, nil, map[string]string{"Label": label}, &second); err != nil {
				t.Fatalf("%q was written, and is refused: %v", to.Header, err)
			}
			if !reflect.DeepEqual(first.Dates, second.Dates) && len(first.Dates) > 0 {
				t.Fatalf("dates %v became %v", first.Dates, second.Dates)
			}
		}
	})
}
