// Command modelgen writes Go packages from AWS's service models: types,
// errors, and a table of operations in a compact text that package aws reads.
//
//	go run ./modelgen           writes api/<service> for each service in services.txt, and api/catalog's table
//	go run ./modelgen -check    says which of these files are out of step with their sources
//	go run ./modelgen -model FILE -package NAME -out DIR
//	                            writes one package from one model, without overlays; below a folder
//	                            called testdata it is no part of ./... and can be imported all the same
//
// It writes no code that encodes or decodes: the codecs of package wire follow
// the schema. Models and the tables beside them are read from the folder that
// GARRISON_SHARED names, or ../shared; models also from -models DIR, a folder
// such as botocore's data.
package main

//go:generate go run . -root ..

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/garrison-security/garrison/internal/shared"
)

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "the module's root")
	flag.StringVar(&o.models, "models", "", "the folder of models; empty: models in the shared folder")
	flag.BoolVar(&o.check, "check", false, "write nothing, fail if a file is out of step")
	flag.StringVar(&o.model, "model", "", "write one package from this service model")
	flag.StringVar(&o.name, "package", "", "with -model: the package's name")
	flag.StringVar(&o.out, "out", "", "with -model: the folder to write to")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "modelgen:", err)
		os.Exit(1)
	}
}

type options struct {
	root, models     string
	check            bool
	model, name, out string
}

func (o *options) run() error {
	if o.model != "" {
		return one(o.model, o.name, o.out)
	}
	dir := shared.Dir()
	if dir == "" {
		const missing = "the models are not here; set GARRISON_SHARED to the folder that holds them"
		if o.check && os.Getenv("GARRISON_CI") != "1" {
			fmt.Fprintln(os.Stderr, "modelgen: -check is skipped:", missing)
			return nil
		}
		return errors.New(missing)
	}
	if o.models == "" {
		o.models = filepath.Join(dir, "models")
	}
	src, err := readSources(dir, o.models, filepath.Join(o.root, "modelgen", "overlays"))
	if err != nil {
		return err
	}
	services, err := readServices(filepath.Join(o.root, "modelgen", "services.txt"))
	if err != nil {
		return err
	}
	files, err := generateAll(src, services)
	if err != nil {
		return err
	}
	if !o.check {
		return writeAll(o.root, files)
	}
	wrong, err := outOfStep(o.root, files)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("out of step, run make generate:\n%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// one writes the package name into the folder out, from one model and nothing else.
func one(path, name, out string) error {
	if name == "" || out == "" {
		return errors.New("-model needs -package and -out")
	}
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
	return writeAll(out, files)
}
