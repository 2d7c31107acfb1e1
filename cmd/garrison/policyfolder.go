package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/garrison-security/garrison/policy/scenario"
)

// readPolicyFolder reads the policies that bear on a request. An entry that is
// none of the layout's is an error: a policy in the wrong place would not count.
func readPolicyFolder(dir string) (p scenario.Policies, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return p, err
	}
	defer root.Close()
	f := policyFolder{root}
	entries, err := f.entries(".")
	if err != nil {
		return p, err
	}
	for _, entry := range entries {
		switch name := entry.Name(); name {
		case "identity":
			p.Identity, err = f.documents(name)
		case "boundary":
			p.Boundaries, err = f.documents(name)
		case "session":
			p.Session, err = f.documents(name)
		case "endpoint":
			p.Endpoint, err = f.documents(name)
		case "scps":
			p.SCPs, err = f.levels(name)
		case "rcps":
			p.RCPs, err = f.levels(name)
		case "resource.json":
			p.Resource, err = f.document(name)
		default:
			err = fmt.Errorf("%s: there is no place for %s", dir, name)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

type policyFolder struct{ root *os.Root }

// entries lists a folder, in the order of names, but what begins with a dot.
func (f policyFolder) entries(name string) (list []fs.DirEntry, err error) {
	all, err := fs.ReadDir(f.root.FS(), name)
	for _, entry := range all {
		if !strings.HasPrefix(entry.Name(), ".") {
			list = append(list, entry)
		}
	}
	return list, err
}

func (f policyFolder) documents(dir string) ([]scenario.Document, error) {
	entries, err := f.entries(dir)
	if err != nil {
		return nil, err
	}
	list := []scenario.Document{}
	for _, entry := range entries {
		d, err := f.document(path.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		list = append(list, *d)
	}
	return list, nil
}

func (f policyFolder) document(name string) (*scenario.Document, error) {
	if !strings.HasSuffix(name, ".json") {
		return nil, fmt.Errorf("%s is no .json file", name)
	}
	text, err := readIn(f.root, name, maxPolicyFile)
	return &scenario.Document{Name: name, Text: text}, err
}

func (f policyFolder) levels(dir string) ([][]scenario.Document, error) {
	entries, err := f.entries(dir)
	if err != nil {
		return nil, err
	}
	var levels [][]scenario.Document
	for _, entry := range entries {
		level, err := f.documents(path.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		levels = append(levels, level)
	}
	return levels, nil
}
