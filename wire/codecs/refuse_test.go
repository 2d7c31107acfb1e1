package codecs_test

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
	"github.com/garrison-security/garrison/wire/internal/sample"
)

// TestRefusals: what can be read in two ways, or without end, is not read.
func TestRefusals(t *testing.T) {
	deep := func(open, close string, n int) string { return strings.Repeat(open, n) + strings.Repeat(close, n) }
	for _, c := range []struct {
		name  string
		p     aws.Protocol
		query string
		body  string
	}{
		{"a JSON member twice", aws.AWSJSON11, "", `{"Required":"a","Required":"b"}`},
		{"a JSON member twice, once escaped", aws.AWSJSON11, "", `{"Required":"a","\u0052equired":"b"}`},
		{"a map's key twice", aws.AWSJSON11, "", `{"Required":"a","Pairs":{"k":"1","k":"2"}}`},
		{"a document's key twice", aws.AWSJSON11, "", `{"Required":"a","Any":{"k":"1","k":"2"}}`},
		{"garbage behind JSON", aws.AWSJSON11, "", `{"Required":"a"}{}`},
		{"JSON that is no object", aws.AWSJSON11, "", `["Required"]`},
		{"bytes that are no UTF-8", aws.AWSJSON11, "", "{\"Required\":\"a\xff\"}"},
		{"half a surrogate pair", aws.AWSJSON11, "", `{"Required":"\ud800"}`},
		{"a byte order mark", aws.AWSJSON11, "", "\ufeff{\"Required\":\"a\"}"},
		{"a number too large", aws.AWSJSON11, "", `{"Required":"a","Double":1e400}`},
		{"a number of two readings", aws.AWSJSON11, "", `{"Required":"a","Whole":010}`},
		{"an integer beyond its width", aws.AWSJSON11, "", `{"Required":"a","Whole":2147483648}`},
		{"a time beyond years", aws.AWSJSON11, "", `{"Required":"a","When":1e300}`},
		{"a text for a number", aws.AWSJSON11, "", `{"Required":"a","Whole":"1"}`},
		{"null within a list", aws.AWSJSON11, "", `{"Required":"a","Texts":[null]}`},
		{"base64 with line ends", aws.AWSJSON11, "", `{"Required":"a","Bytes":"YW\nJj"}`},
		{"two members of a union", aws.AWSJSON11, "", `{"Required":"a","Choice":{"Text":"b","Inner":{"Required":"c"}}}`},
		{"an unknown member of a union", aws.AWSJSON11, "", `{"Required":"a","Choice":{"Other":"b"}}`},
		{"deep JSON", aws.AWSJSON11, "", deep(`{"Inner":`, `}`, 100)},
		{"deep JSON that is skipped", aws.AWSJSON11, "", `{"Unknown":` + deep(`[`, `]`, 100_000) + `}`},
		{"a deep document", aws.AWSJSON11, "", `{"Any":` + deep(`[`, `]`, 100_000) + `}`},
		{"many elements", aws.AWSJSON11, "", `{"Inners":[` + strings.Repeat(`{},`, 300_000) + `{}]}`},
		{"a parameter twice", aws.AWSQuery, "", "Required=a&Required=b"},
		{"a parameter in body and query string", aws.AWSQuery, "Required=b", "Required=a"},
		{"a parameter twice, once escaped", aws.AWSQuery, "", "Required=a&%52equired=b"},
		{"an escape cut short", aws.AWSQuery, "", "Required=%2"},
		{"a form that is no UTF-8", aws.AWSQuery, "", "Required=%ff"},
		{"a value and elements", aws.AWSQuery, "", "Required=a&Texts=b&Texts.member.1=c"},
		{"a map's key twice in a form", aws.AWSQuery, "", "Required=a&Pairs.entry.1.key=k&Pairs.entry.1.value=1&Pairs.entry.2.key=k&Pairs.entry.2.value=2"},
		{"a deep form", aws.AWSQuery, "", strings.Repeat("Inner.", 100) + "Required=a"},
		{"many parameters", aws.AWSQuery, "", strings.Repeat("a=&", 30_000)},
		{"an entity", aws.RESTXML, "", `<!DOCTYPE a [<!ENTITY e "x">]><a><Required>&e;</Required></a>`},
		{"an unknown entity", aws.RESTXML, "", `<a><Required>&nbsp;</Required></a>`},
		{"an XML member twice", aws.RESTXML, "", `<a><Required>a</Required><Required>b</Required></a>`},
		{"an XML member twice, with a prefix", aws.RESTXML, "", `<a xmlns:x="y"><Required>a</Required><x:Required>b</x:Required></a>`},
		{"two roots", aws.RESTXML, "", `<a><Required>a</Required></a><a/>`},
		{"text between elements", aws.RESTXML, "", `<a>text<Required>a</Required></a>`},
		{"elements within a text", aws.RESTXML, "", `<a><Required>a<b/></Required></a>`},
		{"deep XML", aws.RESTXML, "", deep(`<Inner>`, `</Inner>`, 1000)},
		{"deep XML that is skipped", aws.RESTXML, "", `<a>` + deep(`<b>`, `</b>`, 10_000) + `</a>`},
		{"a CBOR member twice", aws.RPCV2CBOR, "", "\xa2\x68Required\x61a\x68Required\x61b"},
		{"a CBOR list longer than the body", aws.RPCV2CBOR, "", "\xa1\x65Texts\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"},
		{"a query parameter twice", aws.RESTJSON, "query=a&query=b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			op, in := sample.Do, any(&sample.Everything{})
			if c.p == aws.RESTJSON {
				op, in = sample.Locate, &sample.Located{}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := codecs.For(c.p).Decode(op, &wire.Request{RawQuery: c.query, Header: wire.HTTPHeader(http.Header{})}, []byte(c.body), map[string]string{"Label": "a"}, in)
			runtime.ReadMemStats(&after)
			if e, ok := errors.AsType[*aws.Error](err); !ok || e.Kind != aws.Serialization {
				t.Errorf("%v (%T)", err, err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 80<<20 {
				t.Errorf("%d MiB were allocated", used>>20)
			}
		})
	}
}

// TestTolerance: what clients do differently is read alike.
func TestTolerance(t *testing.T) {
	for _, c := range []struct {
		name string
		p    aws.Protocol
		body string
		want func(*sample.Everything) bool
	}{
		{"case counts", aws.AWSJSON11, `{"Required":"a","required":"b","TEXT":"c"}`, func(e *sample.Everything) bool { return e.Required == "a" && e.Text == nil }},
		{"unknown members pass", aws.AWSJSON11, `{"Required":"a","New":{"x":[1]}}`, func(e *sample.Everything) bool { return e.Required == "a" }},
		{"null is absent", aws.AWSJSON11, `{"Required":"a","Texts":null,"Inner":null}`, func(e *sample.Everything) bool { return e.Texts == nil && e.Inner == nil }},
		{"empty is present", aws.AWSJSON11, `{"Required":"a","Texts":[],"Pairs":{}}`, func(e *sample.Everything) bool { return e.Texts != nil && e.Pairs != nil }},
		{"whole numbers of other spellings", aws.AWSJSON11, `{"Required":"a","Long":1.5e3,"When":1.5e9}`, func(e *sample.Everything) bool { return *e.Long == 1500 && e.When.Unix() == 1_500_000_000 }},
		{"an empty list in a form", aws.AWSQuery, "Required=a&Texts=&Pairs=", func(e *sample.Everything) bool { return e.Texts != nil && len(e.Texts) == 0 && e.Pairs != nil }},
		{"gaps in a form's list", aws.AWSQuery, "Required=a&Texts.member.7=x&Texts.member.10=z&Texts.member.9=y", func(e *sample.Everything) bool { return strings.Join(e.Texts, "") == "xyz" }},
		{"empty text", aws.AWSQuery, "Required=a&Text=", func(e *sample.Everything) bool { return e.Text != nil && *e.Text == "" }},
		{"offsets in a form's time", aws.AWSQuery, "Required=a&When=2023-11-14T23:13:20%2B01:00", func(e *sample.Everything) bool { return e.When.Unix() == 1_700_000_000 }},
		{"any root, any prefix", aws.RESTXML, `<?xml version="1.0"?><x:y xmlns:x="z"><x:Required>a</x:Required><Text/></x:y>`, func(e *sample.Everything) bool { return e.Required == "a" && *e.Text == "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in sample.Everything
			if err := codecs.For(c.p).Decode(sample.Do, &wire.Request{Header: wire.HTTPHeader(http.Header{})}, []byte(c.body), nil, &in); err != nil || !c.want(&in) {
				t.Errorf("%+v, %v", in, err)
			}
		})
	}
}
