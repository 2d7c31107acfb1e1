package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// overlaid is the small model with an overlay, as text.
func overlaid(t *testing.T, text string) (*model, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "library.yaml"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	o, err := readOverlay(dir, "library")
	if err != nil {
		return nil, err
	}
	c, err := readModel(filepath.Join("testdata", "library.json"))
	if err != nil {
		t.Fatal(err)
	}
	return newModel("library", c, o)
}

func TestOverlayAlters(t *testing.T) {
	m, err := overlaid(t, `
service: {global: true, eventSource: books.amazonaws.com, actionPrefix: books}
operations:
  CountBooks: {unsigned: false, dataEvent: true, eventName: Count, status: 201}
errors:
  NoBookException: {status: 400, code: NoBook, sender: false}
  Burnt: {add: true, status: 410, fault: true}
shapes:
  Title: {min: 2, max: 50, sensitive: true}
  Slug: {pattern: '[a-z]+', complaint: It must be "small".}
  genre: {enum: [a, b]}
members:
  Book.Cover: {required: true, sensitive: true, locationName: cover}
  Chapters.member: {shape: Title}
`)
	if err != nil {
		t.Fatal(err)
	}
	if id := &m.identity; !id.Global || id.EventSource != "books.amazonaws.com" || id.ActionPrefix != "books" {
		t.Errorf("identity = %+v", id.Name)
	}
	text, err := modelText(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"op CountBooks GET /books out=Count host=count. status=201 event=Count data\n",
		"structure Burnt error status=410 fault\n",
		"structure NoBookException error=NoBook status=400\n",
		"string Title min=2 max=50 sensitive pattern=",
		"string Slug pattern=[a-z]+\n\t/(?!x)[a-z]+\n\t\"It must be \"small\".\n",
		"string genre\n\t=a\n\t=b\n",
		"\tCover Image! name=cover sensitive\n",
		"list Chapters\n\tmember Title name=chapter\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if len(m.unmatched) != 0 {
		t.Errorf("%v is left out though the overlay has a pattern", m.unmatched)
	}
}

func TestOverlayOnlyKeepsWhatIsReached(t *testing.T) {
	m, err := overlaid(t, "only: [CountBooks]")
	if err != nil {
		t.Fatal(err)
	}
	text, err := modelText(m)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "op CountBooks") || strings.Contains(string(text), "op ReadBook") ||
		strings.Contains(string(text), "\nstructure Book\n") {
		t.Errorf("only CountBooks was asked for:\n%s", text)
	}
}

func TestOverlayRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"service: {globl: true}", "field globl not found"},
		{"operations: {BurnBook: {readOnly: true}}", "no operation BurnBook"},
		{"operations: {ReadBook: {access: reading}}", "unknown access level reading"},
		{"only: [BurnBook]", "no operation BurnBook"},
		{"errors: {Burnt: {status: 400}}", "no error Burnt"},
		{"errors: {Book: {status: 400}}", "no error Book"},
		{"errors: {NoBookException: {add: true}}", "error NoBookException is in the model"},
		{"shapes: {Page: {min: 1}}", "no shape Page"},
		{"shapes: {Title: {pattern: '(?!x)'}}", "pattern of Title"},
		{"members: {Book.Author: {required: true}}", "no member Book.Author"},
		{"members: {Page.Author: {required: true}}", "no member Page.Author"},
		{"members: {Book.Cover: {shape: Picture}}", "no shape Picture"},
	} {
		if _, err := overlaid(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
