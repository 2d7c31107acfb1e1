// Command modelgen writes Go packages from AWS's service models: types,
// errors, and a table of operations in a compact text that package aws reads.
//
//	go run ./modelgen                                writes api/<service> for each service in services.txt, and api/catalog
//	go run ./modelgen -check                         says which of these are out of step
//	go run ./modelgen -model FILE -package NAME -out DIR   writes one package from one model, without overlays
//
// It writes no code that encodes or decodes: the codecs in package wire follow
// the schema. Models and the tables beside them are read from the folder named
// by GARRISON_SHARED, or from ../shared; models also from an installed botocore.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	model := flag.String("model", "", "write one package from this service model")
	name := flag.String("package", "", "with -model: the package's name")
	out := flag.String("out", "", "with -model: the folder to write to")
	flag.Parse()
	if err := one(*model, *name, *out); err != nil {
		fmt.Fprintln(os.Stderr, "modelgen:", err)
		os.Exit(1)
	}
}

// one writes the package name into the folder out, from one model and nothing else.
func one(path, name, out string) error {
	c, err := readModel(path)
	if err != nil {
		return err
	}
	m, err := newModel(name, c, &overlay{})
	if err != nil {
		return err
	}
	files, err := goPackage(name, m)
	if err != nil {
		return err
	}
	return writeFiles(out, files)
}

// writeFiles writes files into dir, which is made.
func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, name := range sortedKeys(files) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o666); err != nil {
			return err
		}
	}
	return nil
}
