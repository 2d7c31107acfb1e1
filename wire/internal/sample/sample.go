// Package sample is a small service with a member of every kind, for the tests,
// fuzzers and benchmarks of the codecs.
package sample

import (
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Everything has a member of each kind that stands in a body.
type Everything struct {
	Required string
	Text     *string
	Secret   *string // sensitive by its shape
	Hidden   *string // sensitive by the member
	Flag     *bool
	Whole    *int32
	Small    *int32
	Long     *int64
	Single   *float32
	Double   *float64
	When     *time.Time
	Seconds  *time.Time
	Bytes    []byte
	Texts    []string
	Flat     []string
	Sparse   []*string
	Pairs    map[string]string
	Inner    *Everything
	Inners   []Everything
	Table    map[string]Everything
	Choice   *Choice
	Any      any
}

// Choice is a union.
type Choice struct {
	Text  *string
	Inner *Everything
}

// Located has members wherever REST puts them.
type Located struct {
	Label   string
	Query   *string
	Queries []string
	Flag    *bool
	Header  *string
	Headers []string
	Whole   *int32
	When    *time.Time
	Dates   []time.Time
	Meta    map[string]string
	Body    *Everything
}

// Fault is an error with a member beside its message.
type Fault struct {
	Message string
	Retry   *int32
}

func (f *Fault) Error() string    { return f.ErrorShape() + ": " + f.Message }
func (*Fault) ErrorShape() string { return "FaultException" }

// ErrorText implements aws.Modelled.
func (f *Fault) ErrorText() string { return f.Message }

func scalar(name string, kind aws.ShapeKind) *aws.Shape { return &aws.Shape{Name: name, Kind: kind} }

var (
	text    = scalar("Text", aws.String)
	secret  = &aws.Shape{Name: "Secret", Kind: aws.String, Sensitive: true, HasMax: true, Max: 3}
	name    = &aws.Shape{Name: "Name", Kind: aws.String, HasMin: true, HasMax: true, Min: 1, Max: 64, Pattern: `[\w+=,.@-]+`}
	flag    = scalar("Flag", aws.Boolean)
	whole   = scalar("Whole", aws.Integer)
	small   = &aws.Shape{Name: "Small", Kind: aws.Integer, HasMin: true, HasMax: true, Min: 1, Max: 1000}
	when    = scalar("When", aws.Timestamp)
	texts   = &aws.Shape{Name: "Texts", Kind: aws.List, Elem: &aws.Member{Name: "member", Shape: text}}
	pairs   = &aws.Shape{Name: "Pairs", Kind: aws.Map, Key: &aws.Member{Name: "key", Shape: text}, Elem: &aws.Member{Name: "value", Shape: text}}
	dates   = &aws.Shape{Name: "Dates", Kind: aws.List, Elem: &aws.Member{Name: "member", Shape: when}}
	choice  = &aws.Shape{Name: "Choice", Kind: aws.Union}
	located = &aws.Shape{Name: "Located", Kind: aws.Structure, Payload: "Body", Members: []*aws.Member{
		{Name: "Label", Shape: name, Required: true, Location: aws.InURI},
		{Name: "Query", Shape: text, Location: aws.InQuery, LocationName: "query"},
		{Name: "Queries", Shape: texts, Location: aws.InQuery, LocationName: "queries"},
		{Name: "Flag", Shape: flag, Location: aws.InQuery, LocationName: "flag"},
		{Name: "Header", Shape: text, Location: aws.InHeader, LocationName: "X-Header"},
		{Name: "Headers", Shape: texts, Location: aws.InHeader, LocationName: "X-Headers"},
		{Name: "Whole", Shape: whole, Location: aws.InHeader, LocationName: "X-Whole"},
		{Name: "When", Shape: when, Location: aws.InHeader, LocationName: "X-When"},
		{Name: "Dates", Shape: dates, Location: aws.InHeader, LocationName: "X-Dates"},
		{Name: "Meta", Shape: pairs, Location: aws.InHeaders, LocationName: "X-Meta-"},
	}}
	everything = makeEverything()
)

func makeEverything() *aws.Shape {
	s := &aws.Shape{Name: "Everything", Kind: aws.Structure}
	member := &aws.Member{Name: "member", Shape: s}
	add := func(name string, shape *aws.Shape) *aws.Member {
		m := &aws.Member{Name: name, Shape: shape}
		s.Members = append(s.Members, m)
		return m
	}
	add("Required", name).Required = true
	add("Text", text)
	add("Secret", secret)
	add("Hidden", text).Sensitive = true
	add("Flag", flag)
	add("Whole", whole)
	add("Small", small)
	add("Long", scalar("Long", aws.Long))
	add("Single", scalar("Single", aws.Float))
	add("Double", scalar("Double", aws.Double))
	add("When", when)
	add("Seconds", when).TimestampFormat = aws.UnixTime
	add("Bytes", scalar("Bytes", aws.Blob))
	add("Texts", texts)
	add("Flat", texts).Flattened = true
	add("Sparse", &aws.Shape{Name: "Sparse", Kind: aws.List, Sparse: true, Elem: &aws.Member{Name: "member", Shape: text}})
	add("Pairs", pairs)
	add("Inner", s)
	add("Inners", &aws.Shape{Name: "Inners", Kind: aws.List, Elem: member})
	add("Table", &aws.Shape{Name: "Table", Kind: aws.Map, Key: &aws.Member{Name: "key", Shape: text}, Elem: member})
	add("Choice", choice)
	add("Any", scalar("Any", aws.Document))
	choice.Members = []*aws.Member{{Name: "Text", Shape: text}, {Name: "Inner", Shape: s}}
	located.Members = append(located.Members, &aws.Member{Name: "Body", Shape: s})
	return s
}

// Service is the sample's service.
var Service = &aws.Service{
	Name: "sample", ServiceID: "Sample", TargetPrefix: "Sample", Version: "2026-01-01", SmithyName: "Sample",
	XMLNamespace: "https://sample.example/", Protocols: []aws.Protocol{aws.AWSJSON11},
}

// Do takes and answers Everything.
var Do = &aws.Operation{Service: Service, Name: "Do", Method: "POST", URI: "/", Input: everything, Output: everything, ResultWrapper: "DoResult"}

// Locate takes and answers Located.
var Locate = &aws.Operation{Service: Service, Name: "Locate", Method: "POST", URI: "/located/{Label}", Input: located, Output: located}
