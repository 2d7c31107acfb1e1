package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// library is the small model in testdata.
func library(t *testing.T, o *overlay) *model {
	t.Helper()
	c, err := readModel(filepath.Join("testdata", "library.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := newModel("library", c, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPackageOfSmallModel shows what is generated: testdata/library.json → testdata/library.golden.
func TestPackageOfSmallModel(t *testing.T) {
	files, err := goPackage("library", library(t, &overlay{}))
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, name := range sortedKeys(files) {
		got.WriteString("-- " + name + " --\n")
		got.Write(files[name])
	}
	golden := filepath.Join("testdata", "library.golden")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the package differs from %s; look at what -update changes\n%s", golden, firstDifference(got.String(), string(want)))
	}
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one is the beginning of the other"
}

func TestPackageIsTheSameEachTime(t *testing.T) {
	first, err := goPackage("library", library(t, &overlay{}))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := goPackage("library", library(t, &overlay{}))
		if err != nil {
			t.Fatal(err)
		}
		for name := range first {
			if !bytes.Equal(first[name], again[name]) {
				t.Fatalf("%s differs from one run to the next", name)
			}
		}
	}
}
