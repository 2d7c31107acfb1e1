package conform

import (
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
)

const library = `garrison-model 1 2 10 11 1
op GetBook GET /books/{Id} in=GetBookRequest out=Book
	error NoBook
op PutBook PUT /books
blob Body streaming
structure Book
	title String!
	Colour Colour
	Pages Pages
	Notes Notes
	Own Book
	Body Body
	Events Events
	Printed Time
string Colour
	=red
union Events eventstream
	Book Book
structure GetBookRequest
structure NoBook error
list Notes sparse
	member Colour
list Pages
	member String
string String
timestamp Time
`

type (
	colour string
	book   struct {
		Title   string
		Colour  *colour
		Pages   []string
		Notes   []*colour
		Own     *book
		Body    io.ReadCloser
		Events  iter.Seq2[*events, error]
		Printed *time.Time
	}
	events struct{ Book *book }
	empty  struct{}
	noBook struct{ Message string }
)

func (e *noBook) Error() string     { return "NoBook: " + e.Message }
func (*noBook) ErrorShape() string  { return "NoBook" }
func (e *noBook) ErrorText() string { return e.Message }

// silent is an error that keeps its message to itself.
type silent struct{ Message string }

func (*silent) Error() string      { return "NoBook" }
func (*silent) ErrorShape() string { return "NoBook" }
func (*silent) ErrorText() string  { return "" }

// unknown is an error that the schema does not have.
type unknown struct{ noBook }

func (*unknown) ErrorShape() string { return "Unknown" }

func check(get Operation, more ...aws.Modelled) []string {
	service := &aws.Service{Name: "library", Source: library}
	put := Operation{"PutBook", (*empty)(nil), (*empty)(nil)}
	return Check(service, []Operation{get, put}, append(more, &noBook{}))
}

func TestCheckAccepts(t *testing.T) {
	if wrong := check(Operation{"GetBook", (*empty)(nil), (*book)(nil)}); len(wrong) > 0 {
		t.Error(wrong)
	}
}

func TestCheckTells(t *testing.T) {
	type fewer struct{ Title string }
	type renamed struct {
		Name    string
		Colour  *colour
		Pages   []string
		Notes   []*colour
		Own     *book
		Body    io.ReadCloser
		Events  iter.Seq2[*events, error]
		Printed *time.Time
	}
	type retyped struct {
		Title   *string
		Colour  *string
		Pages   []colour
		Notes   []colour
		Own     book
		Body    []byte
		Events  []events
		Printed time.Time
	}
	for _, c := range []struct {
		name  string
		wrong []string
		want  []string
	}{
		{"a field too few", check(Operation{"GetBook", (*empty)(nil), (*fewer)(nil)}),
			[]string{"conform.fewer has 1 fields, the shape Book 8 members"}},
		{"another name", check(Operation{"GetBook", (*empty)(nil), (*renamed)(nil)}),
			[]string{"conform.renamed.Name stands for the member title, want Title"}},
		{"other types", check(Operation{"GetBook", (*empty)(nil), (*retyped)(nil)}), []string{
			"conform.retyped.Title is *string, want a string, named if the shape is an enum",
			"conform.retyped.Colour is string, want a string, named if the shape is an enum",
			"conform.retyped.Pages[] is conform.colour, want a string, named if the shape is an enum",
			"conform.retyped.Notes[] is conform.colour, want a pointer",
			"conform.retyped.Own is conform.book, want a pointer",
			"conform.retyped.Body is []uint8, want io.ReadCloser",
			"conform.retyped.Events is []conform.events, want an iter.Seq2",
			"conform.retyped.Printed is time.Time, want a pointer",
		}},
		{"an operation that is missing", check(Operation{"PutBook", (*empty)(nil), (*empty)(nil)}),
			[]string{"library: operation GetBook has no types"}},
		{"an operation too many", check(Operation{"BurnBook", (*empty)(nil), (*empty)(nil)}),
			[]string{"library: the schema has no operation BurnBook", "library: operation GetBook has no types"}},
		{"members where there are none", check(Operation{"PutBook", (*book)(nil), (*empty)(nil)}),
			[]string{"PutBookInput is conform.book, want an empty struct", "library: operation GetBook has no types"}},
		{"an error that says nothing", check(Operation{"GetBook", (*empty)(nil), (*book)(nil)}, &silent{}),
			[]string{"*conform.silent does not say its message"}},
		{"an unknown error", check(Operation{"GetBook", (*empty)(nil), (*book)(nil)}, &unknown{}),
			[]string{"*conform.unknown: the schema has no error Unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !slices.Equal(c.wrong, c.want) {
				t.Errorf("Check = %q\nwant %q", c.wrong, c.want)
			}
		})
	}
}
