package codecs_test

import "strings"

// differing are the vectors that this server does not follow, and why.
var differing = map[string]string{
	"AwsJson10ServerPopulatesDefaultsWhenMissingInRequestBody":       noDefaults,
	"AwsJson10ServerPopulatesNestedDefaultsWhenMissingInRequestBody": noDefaults,
	"RestJsonServerPopulatesDefaultsWhenMissingInRequestBody":        noDefaults,
	"RestJsonServerPopulatesNestedDefaultsWhenMissingInRequestBody":  noDefaults,
	"RpcV2CborServerPopulatesDefaultsWhenMissingInRequestBody":       noDefaults,

	"AllQueryStringTypes":                             wholeQuery,
	"RestXmlQueryStringMap":                           wholeQuery,
	"RestXmlQueryStringEscaping":                      wholeQuery,
	"RestXmlSupportsNaNFloatQueryValues":              wholeQuery,
	"RestXmlSupportsInfinityFloatQueryValues":         wholeQuery,
	"RestXmlSupportsNegativeInfinityFloatQueryValues": wholeQuery,
	"RestXmlZeroAndFalseQueryValues":                  wholeQuery,
	"RestJsonQueryParamsStringListMap":                wholeQuery,
	"RestXmlQueryParamsStringListMap":                 wholeQuery,
	"RestJsonQueryPrecedence":                         wholeQuery,
	"RestXmlQueryPrecedence":                          wholeQuery,

	"RestJsonHostWithPath": "the client was given an endpoint with a path of its own, which no server's model knows",
	"rest-json/13.1":       "a body of {} is a payload without members, not none",
	"rest-json/25.7":       "the client fills in a Content-Type that its parameters do not have",
	"rest-xml/11.0":        "the header's prefix stands on the shape, as in no model of a service",
}

const (
	noDefaults = "models in c2j form know no defaults: a member that is absent stays absent"
	wholeQuery = "a map of the query string holds all of it, as Smithy's server cases of the same operations say"
)

// differs says why a vector is not followed; "" if it is.
func differs(id string) string {
	if strings.HasPrefix(id, "SDKApp") {
		return "the vector gives the name of the body's compression and no body"
	}
	return differing[id]
}
