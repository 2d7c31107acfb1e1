package codecs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/wire"
)

// TestMalformedRequests refuses every malformed request of Smithy's protocol
// tests with its status and error.
func TestMalformedRequests(t *testing.T) {
	for _, name := range []string{"RestJson", "RestJsonValidation"} {
		dir := shared.Path(t, "data/protocol-tests/smithy")
		service := load(t, filepath.Join(dir, name+".model.json"), "vectors")
		types := newTypes(4)
		var cases []struct {
			ID, Operation string
			Request       struct {
				Method, URI, Body string
				QueryParams       []string
				Headers           map[string]string
			}
			Response struct {
				Code    int
				Headers map[string]string
			}
		}
		readJSON(t, filepath.Join(dir, name+".malformed.json"), &cases)
		for _, c := range cases {
			t.Run(c.ID, func(t *testing.T) {
				if why := accepted(c.ID); why != "" {
					t.Log(why)
					return
				}
				r := c.Request
				_, v, err := decode(types, service.Operation(c.Operation), &sent{method: r.Method, uri: r.URI, body: r.Body, query: r.QueryParams, headers: r.Headers})
				want := c.Response.Headers["x-amzn-errortype"]
				if err == nil {
					t.Fatalf("%+v decoded to %+v, want %s", r, v.Elem(), want)
				}
				f := wire.FaultOf(aws.RESTJSON, service, err)
				if f.Code != want || f.Status != c.Response.Code {
					t.Errorf("%+v: %s %d (%s), want %s %d", r, f.Code, f.Status, f.Message, want, c.Response.Code)
				}
			})
		}
	}
}

// accepted says why a malformed request is taken; "" if it is refused.
func accepted(id string) string {
	id, _, _ = strings.Cut(id, "_case")
	return taken[id]
}

var taken = map[string]string{
	"RestJsonStringPayloadNoContentType":                         noType,
	"RestJsonWithBodyExpectsApplicationJsonContentTypeNoHeaders": noType,
}

const noType = "AWS's services take a body that does not say its type, and botocore sends such"
