package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// generateAll writes what is committed: path below the module's root → text.
func generateAll(src *sources, services []string) (map[string][]byte, error) {
	files, err := catalogFiles(src)
	if err != nil {
		return nil, err
	}
	packages, models, err := generatePackages(src, services, "api")
	if err != nil {
		return nil, err
	}
	maps.Copy(files, packages)
	left := unmatchedHead
	for _, m := range models {
		for _, u := range m.unmatched {
			left += fmt.Sprintf("%s %s: %s: %s\n", m.identity.Name, u.shape, u.reason, u.pattern)
		}
	}
	files["modelgen/unmatched.txt"] = []byte(left)
	return files, nil
}

// generatePackages writes a package a service into the folder dir, and a test
// of them all.
func generatePackages(src *sources, services []string, dir string) (map[string][]byte, []*model, error) {
	files := map[string][]byte{}
	var models []*model
	for _, service := range services {
		m, err := src.service(service)
		if err != nil {
			return nil, nil, err
		}
		models = append(models, m)
		name := packageName(service)
		written, err := goPackage(name, m)
		if err != nil {
			return nil, nil, err
		}
		for file, text := range written {
			files[path.Join(dir, name, file)] = text
		}
	}
	test, err := schemaTest(path.Join(module, dir), models)
	if err != nil {
		return nil, nil, err
	}
	files[path.Join(dir, "schema_test.go")] = test
	return files, models, nil
}

const unmatchedHead = `Patterns that Go's regular expressions can't express, of the services that are generated. Nothing
checks them, unless an overlay gives a pattern of our own. Written by modelgen: service, shape, reason, Java's pattern.

`

// packageName is a service's name as a Go package: "acm-pca" → acmpca.
func packageName(service string) string {
	return strings.ReplaceAll(service, "-", "")
}

// readServices reads the list of services to generate: words, with comments behind #.
func readServices(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var services []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		services = append(services, strings.Fields(line)...)
	}
	return services, nil
}

// outOfStep lists the files below root that are not as they would be
// generated, and those that would not be generated at all.
func outOfStep(root string, files map[string][]byte) ([]string, error) {
	var wrong []string
	for _, path := range sortedKeys(files) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(text, files[path]) {
			wrong = append(wrong, path)
		}
	}
	stale, err := staleFiles(root, files)
	return append(wrong, stale...), err
}

// staleFiles lists generated Go files below api/ that are not among files.
func staleFiles(root string, files map[string][]byte) ([]string, error) {
	var stale []string
	found, err := filepath.Glob(filepath.Join(root, "api", "*", "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return nil, err
		}
		if _, ok := files[filepath.ToSlash(relative)]; ok {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(text, []byte(generated)) {
			stale = append(stale, filepath.ToSlash(relative))
		}
	}
	return stale, nil
}

// writeAll writes the files below root and removes those that are generated no longer.
func writeAll(root string, files map[string][]byte) error {
	for _, path := range sortedKeys(files) {
		to := filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(to, files[path], 0o666); err != nil {
			return err
		}
	}
	stale, err := staleFiles(root, files)
	if err != nil {
		return err
	}
	for _, path := range stale {
		if err := os.Remove(filepath.Join(root, filepath.FromSlash(path))); err != nil {
			return err
		}
	}
	return nil
}
