package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
)

// unpack reads a tar into memory.
func unpack(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	all := map[string]string{}
	for list := tar.NewReader(r); ; {
		header, err := list.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(list)
		if err != nil {
			t.Fatal(err)
		}
		all[header.Name] = string(content)
	}
}

func TestImageIsWhole(t *testing.T) {
	program := bytes.Repeat([]byte("program"), 1000)
	image, err := pack(program, "arm64", "garrison:1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := pack(program, "arm64", "garrison:1")
	if err != nil || !bytes.Equal(image, again) {
		t.Errorf("the same program gives another image (%v)", err)
	}
	all := unpack(t, bytes.NewReader(image))
	for name, content := range all {
		if hash, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && hash != "" && hash != digest([]byte(content)) {
			t.Errorf("%s holds something else", name)
		}
	}
	at := func(d descriptor) string {
		content, ok := all["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if !ok || len(content) != d.Size {
			t.Errorf("%v points to a blob of %d bytes", d, len(content))
		}
		return content
	}
	parse := func(text string, into any) {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	var index struct{ Manifests []descriptor }
	parse(all["index.json"], &index)
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	parse(at(index.Manifests[0]), &manifest)
	var config struct {
		Architecture string
		Config       struct {
			User    string
			Env     []string
			Volumes map[string]any
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	parse(at(manifest.Config), &config)
	if config.Architecture != "arm64" || config.Config.User != "65532:65532" || config.Config.Volumes["/data"] == nil {
		t.Errorf("the configuration is %+v", config)
	}
	zip, err := gzip.NewReader(strings.NewReader(at(manifest.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	if got := "sha256:" + digest(layer); got != config.RootFS.DiffIDs[0] {
		t.Errorf("the layer is %s, the configuration says %s", got, config.RootFS.DiffIDs[0])
	}
	if unpack(t, bytes.NewReader(layer))["garrison"] != string(program) {
		t.Error("the layer does not hold the program")
	}
	var legacy []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	parse(all["manifest.json"], &legacy)
	if len(legacy) != 1 || all[legacy[0].Config] == "" || all[legacy[0].Layers[0]] == "" || legacy[0].RepoTags[0] != "garrison:1" {
		t.Errorf("manifest.json is %+v", legacy)
	}
}

func TestRefusesAProgramThatNeedsALoader(t *testing.T) {
	for _, path := range []string{"/bin/sh", "/usr/bin/env"} {
		program, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if _, err := architectureOf(program); err == nil {
			t.Errorf("%s is taken for static", path)
		}
	}
	if _, err := architectureOf([]byte("#!/bin/sh\n")); err == nil {
		t.Error("a script is taken for a program")
	}
}
