package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// generateAll writes every package of the list into a map: path below the
// module's root → text.
func generateAll(src *sources, services []string) (map[string][]byte, error) {
	files, err := catalogFiles(src)
	if err != nil {
		return nil, err
	}
	var left strings.Builder
	for _, service := range services {
		m, err := src.service(service)
		if err != nil {
			return nil, err
		}
		name := packageName(service)
		written, err := goPackage(name, m)
		if err != nil {
			return nil, err
		}
		for file, text := range written {
			files["api/"+name+"/"+file] = text
		}
		for _, u := range m.unmatched {
			fmt.Fprintf(&left, "%s %s: %s: %s\n", service, u.shape, u.reason, strings.ReplaceAll(u.pattern, "\n", `\n`))
		}
	}
	files["modelgen/unmatched.txt"] = []byte(unmatchedHead + left.String())
	return files, nil
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
