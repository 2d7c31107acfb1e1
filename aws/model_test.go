package aws

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// library is a model in which each line of the grammar occurs.
const library = `garrison-model 1 2 12 15 4
resource book arn:${Partition}:library:${Region}:${Account}:book/${Id} aws:ResourceTag/${TagKey}
resource shelf arn:${Partition}:library::${Account}:shelf
op GetBook GET /books/{Id}?full in=GetBookRequest out=Book wrap=GetBookResult host={Account}. event=ReadBook access=read readonly data unsigned unsignedbody unwrapped idempotent
	error NotFound
	action library:GetBook library:Peek
	when library:GetCover Cover of a book
	when library:GetIndex Index
	depends iam:PassRole
	keys aws:TagKeys library:Colour
	on book! library:Shelf > kms:Decrypt kms:Sign
	on shelf
op PutBook PUT /books status=201 access=write checksumrequired checksum=Algorithm
blob Body streaming length media=text/plain
structure Book payload=Body ns=http://a name=BOOK
	Body Body streaming
	names Names name=Name flattened in=header
	Tags Tags in=headers name=x-tag-
	Page Page attribute ns=http://b prefix=b
	Own Book
union Choice eventstream
	One Event eventheader
	Two Book eventpayload
string Colour box
	=red
	=dark blue
	=-hidden
structure Event event
structure GetBookRequest
	Id Id! in=uri hostlabel
	Token Id in=query token sensitive query=Tok
	When Time time=rfc822 jsonvalue in=status
string Id min=1 max=2e+06 sensitive pattern=[a-z ]+=
	/[\p{Lower} ]+=
list Names min=1 unique flattened sparse
	member Colour name=N
structure NotFound error=NoBook status=404 sender fault
	message Id
	error Id
integer Page bits=8
	=7
map Tags
	key Id name=K
	value Choice name=V
timestamp Time time=iso8601
`

func TestModelIsReadWhole(t *testing.T) {
	s := &Service{Name: "library", Source: library}
	get := s.Operation("GetBook")
	book, colour := s.Shape("Book"), s.Shape("Colour")
	wantGet := &Operation{
		Service: s, Name: "GetBook", Method: "GET", URI: "/books/{Id}?full", Status: 200, Input: s.Shape("GetBookRequest"), Output: book,
		ResultWrapper: "GetBookResult", Errors: []*Shape{s.Shape("NotFound")}, HostPrefix: "{Account}.", Unsigned: true,
		AllowUnsignedBody: true, UnwrappedOutput: true, Idempotent: true,
		Actions:     []string{"library:GetBook", "library:Peek"},
		ActionsWhen: []ActionWhen{{"Cover of a book", "library:GetCover"}, {"Index", "library:GetIndex"}},
		Access:      AccessRead, ReadOnly: true, EventName: "ReadBook", DataEvent: true,
		Resources: []ResourceKind{
			{Type: "book", ARN: "arn:${Partition}:library:${Region}:${Account}:book/${Id}", Required: true,
				ConditionKeys: []string{"aws:ResourceTag/${TagKey}", "library:Shelf"}, DependentActions: []string{"kms:Decrypt", "kms:Sign"}},
			{Type: "shelf", ARN: "arn:${Partition}:library::${Account}:shelf"},
		},
		ConditionKeys: []string{"aws:TagKeys", "library:Colour"}, DependentActions: []string{"iam:PassRole"},
	}
	if !reflect.DeepEqual(get, wantGet) {
		t.Errorf("GetBook = %+v\nwant %+v", get, wantGet)
	}
	wantPut := &Operation{Service: s, Name: "PutBook", Method: "PUT", URI: "/books", Status: 201, Access: AccessWrite,
		EventName: "PutBook", ChecksumRequired: true, ChecksumMember: "Algorithm"}
	if put := s.Operations()[1]; !reflect.DeepEqual(put, wantPut) {
		t.Errorf("PutBook = %+v\nwant %+v", put, wantPut)
	}
	id := s.Shape("Id")
	for _, want := range []*Shape{
		{Name: "Body", Kind: Blob, Streaming: true, RequiresLength: true, MediaType: "text/plain"},
		{Name: "Book", Kind: Structure, Payload: "Body", XMLNamespace: "http://a", LocationName: "BOOK", Members: []*Member{
			{Name: "Body", Shape: s.Shape("Body"), Streaming: true},
			{Name: "names", Shape: s.Shape("Names"), LocationName: "Name", Flattened: true, Location: InHeader},
			{Name: "Tags", Shape: s.Shape("Tags"), LocationName: "x-tag-", Location: InHeaders},
			{Name: "Page", Shape: s.Shape("Page"), XMLAttribute: true, XMLNamespace: "http://b", XMLPrefix: "b"},
			{Name: "Own", Shape: book},
		}},
		{Name: "Choice", Kind: Union, EventStream: true, Members: []*Member{
			{Name: "One", Shape: s.Shape("Event"), EventHeader: true}, {Name: "Two", Shape: book, EventPayload: true}}},
		{Name: "Colour", Kind: String, Box: true, Enum: []string{"red", "dark blue", "hidden"}, HiddenEnum: []string{"hidden"}},
		{Name: "Event", Kind: Structure, Event: true, Members: []*Member{}},
		{Name: "GetBookRequest", Kind: Structure, Members: []*Member{
			{Name: "Id", Shape: id, Required: true, Location: InURI, HostLabel: true},
			{Name: "Token", Shape: id, Location: InQuery, IdempotencyTok: true, Sensitive: true, QueryName: "Tok"},
			{Name: "When", Shape: s.Shape("Time"), TimestampFormat: RFC822, JSONValue: true, Location: InStatus},
		}},
		{Name: "Id", Kind: String, HasMin: true, Min: 1, HasMax: true, Max: 2e6, Sensitive: true, Pattern: "[a-z ]+=",
			PatternText: `[\p{Lower} ]+=`},
		{Name: "Names", Kind: List, HasMin: true, Min: 1, UniqueItems: true, Flattened: true, Sparse: true,
			Elem: &Member{Name: "member", Shape: colour, LocationName: "N"}},
		{Name: "NotFound", Kind: Structure, Error: &ErrorTrait{Code: "NoBook", Status: 404, Sender: true, Fault: true},
			Members: []*Member{{Name: "message", Shape: id}, {Name: "error", Shape: id, field: "Error_"}}},
		{Name: "Page", Kind: Integer, Bits: 8, Enum: []string{"7"}},
		{Name: "Tags", Kind: Map, Key: &Member{Name: "key", Shape: id, LocationName: "K"},
			Elem: &Member{Name: "value", Shape: s.Shape("Choice"), LocationName: "V"}},
		{Name: "Time", Kind: Timestamp, TimestampFormat: ISO8601},
	} {
		if got := s.Shape(want.Name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %+v\nwant %+v", want.Name, got, want)
		}
	}
	if s.Operation("NoBook") != nil || s.Shape("NoBook") != nil {
		t.Error("what is not in the model was found")
	}
}

func TestMemberGoName(t *testing.T) {
	s := &Service{Name: "library", Source: library}
	for _, c := range []struct {
		member *Member
		want   string
	}{
		{s.Shape("Book").Members[1], "Names"},
		{s.Shape("Book").Members[2], "Tags"},
		{s.Shape("NotFound").Members[0], "Message"},
		{s.Shape("NotFound").Members[1], "Error_"},
		{&Member{Name: "error_description"}, "Error_description"},
		{&Member{Name: "error"}, "Error"},
	} {
		if got := c.member.GoName(); got != c.want {
			t.Errorf("GoName of %s = %s, want %s", c.member.Name, got, c.want)
		}
	}
}

func TestServiceWithoutModelIsEmpty(t *testing.T) {
	s := &Service{Name: "none"}
	if len(s.Operations()) != 0 || s.Operation("x") != nil || s.Shape("x") != nil {
		t.Error("a service without a model has some")
	}
}

// parsePanic parses a text and returns what it panicked with, nil if it did not.
func parsePanic(source string) (panicked any) {
	defer func() { panicked = recover() }()
	(&Service{Name: "library", Source: source}).parse()
	return nil
}

func TestModelRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no header", "garrison-model 1 ", "garrison-model 2 ", "line 1: no header"},
		{"a header without counts", "12 15 4", "12 15", "line 1: a count is missing"},
		{"a count that is none", "12 15 4", "12 x 4", `line 1: "x" is no number`},
		{"a count beyond all bounds", "12 15 4", "12 999999999 4", "line 1: a count larger than the text"},
		{"too many operations", "1 2 12", "1 1 12", "line 13: more operations than the header says"},
		{"too many shapes", "2 12 15", "2 11 15", "more shapes than the header says"},
		{"too many members", "12 15 4", "12 14 4", "more members than the header says"},
		{"too many values", "15 4", "15 3", "more values than the header says"},
		{"fewer than counted", "15 4", "15 5", "the header's counts are not those of the text"},
		{"an unknown block", "union Choice", "onion Choice", `line 21: unknown block "onion"`},
		{"an unknown trait of an operation", "readonly", "readsome", `line 4: unknown trait "readsome" of an operation`},
		{"an unknown line of an operation", "\tdepends", "\tdepend", `line 9: unknown line "depend" of an operation`},
		{"an unknown access level", "access=read", "access=rd", `line 4: unknown access level "rd"`},
		{"an unknown trait of a shape", " box", " bax", `unknown trait "bax" of a shape`},
		{"an unknown trait of a member", "hostlabel", "hostname", `unknown trait "hostname" of a member`},
		{"an unknown location", "in=headers", "in=body", `unknown location "body"`},
		{"an unknown timestamp format", "time=rfc822", "time=rfc", `unknown timestamp format "rfc"`},
		{"an unknown resource", "on shelf", "on desk", `line 12: unknown resource "desk"`},
		{"a condition without a parameter", "GetIndex Index", "GetIndex", "line 8: a parameter is missing"},
		{"operations out of order", "op PutBook", "op Book", "operation Book stands out of order"},
		{"a shape twice", "structure Event event", "structure Book event", "shape Book has two blocks"},
		{"a shape without a block", "error NotFound", "error Missing", "shapes than the header says"},
		{"a list of something else", "\tmember Colour", "\telement Colour", "list Names holds other than a member"},
		{"a map without a key", "\tkey Id", "\tKey Id", "map Tags holds other than key and value"},
		{"members of a scalar", "timestamp Time time=iso8601\n", "timestamp Time time=iso8601\n\tx Id\n", "more members"},
		{"an enum that is a timestamp", "timestamp Time time=iso8601\n", "timestamp Time time=iso8601\n\t=x\n", "Time can't be an enum"},
		{"an error's trait without the error", "error=NoBook status=404", "status=404", "status without error"},
		{"a line below no block", "1 2 12 15 4\n", "1 2 12 15 4\n\tx y\n", "line 2: a line below no block"},
		{"an empty line", "event\nstructure Get", "event\n\nstructure Get", "an empty line"},
		{"two spaces", "Body Body streaming", "Body  Body streaming", "two spaces"},
		{"a space at the end", "Own Book", "Own Book ", "two spaces, or one at the end"},
		{"a last line without its end", "iso8601\n", "iso8601", "the last without its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := strings.Replace(library, c.old, c.new, 1)
			if source == library {
				t.Fatalf("the model holds no %q", c.old)
			}
			got := fmt.Sprint(parsePanic(source))
			if !strings.HasPrefix(got, "aws: model of library, line ") || !strings.Contains(got, c.want) {
				t.Errorf("parse = %s, want %s", got, c.want)
			}
		})
	}
}

// Whatever byte is lost or changed, the parser says so in its own words or
// reads the rest; it never runs into an index or a nil pointer.
func TestModelNeverFailsAtRandom(t *testing.T) {
	check := func(source string) {
		if p := parsePanic(source); p != nil {
			if text, ok := p.(string); !ok || !strings.HasPrefix(text, "aws: model of library, line ") {
				t.Fatalf("parse panics with %v for\n%s", p, source)
			}
		}
	}
	for i := range library {
		check(library[:i])
		check(library[:i] + library[i+1:])
		for _, c := range "\n\t =!>-" {
			check(library[:i] + string(c) + library[i+1:])
			check(library[:i] + string(c) + library[i:])
		}
	}
}
