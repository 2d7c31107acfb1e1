// Command image packs the program into a container image without a daemon: a
// tar that is both an OCI image layout and what `docker load` has always read.
//
//	image -binary FILE -tag NAME:TAG -out FILE
//
// The image holds the static program, two lines of /etc/passwd and /etc/group,
// /tmp and the volume /data, and runs as a user of its own. The same binary
// gives the same bytes.
//
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	user = 65532 // of no account of the host's, as in other small images
	port = "4566/tcp"
)

func main() {
	binary := flag.String("binary", "", "static program for Linux")
	tag := flag.String("tag", "garrison:latest", "name and tag")
	out := flag.String("out", "", "tar to write")
	flag.Parse()
	if err := run(*binary, *tag, *out); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(binary, tag, out string) error {
	if binary == "" || out == "" {
		return errors.New("-binary and -out are needed")
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	architecture, err := architectureOf(program)
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	image, err := pack(program, architecture, tag)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(out), 0o755), os.WriteFile(out, image, 0o644))
}

// architectureOf is what a program is for, in OCI's names; it must not need a loader.
func architectureOf(program []byte) (string, error) {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", errors.New("is not static: build it with CGO_ENABLED=0")
		}
	}
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	}
	return "", fmt.Errorf("is for %v", f.Machine)
}

// entry is a file, or a directory where content is nil.
type entry struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// files are the image's.
func files(program []byte) []entry {
	return []entry{
		{"data/", 0o700, user, nil},
		{"etc/", 0o755, 0, nil},
		{"etc/group", 0o644, 0, fmt.Appendf(nil, "garrison:x:%d:\n", user)},
		{"etc/passwd", 0o644, 0, fmt.Appendf(nil, "garrison:x:%d:%d::/data:/garrison\n", user, user)},
		{"garrison", 0o755, 0, program},
		{"tmp/", 0o1777, 0, nil},
	}
}

func tarOf(entries []entry) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		header := &tar.Header{
			Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.content)),
			ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if e.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// descriptor points to a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    map[string]string `json:"platform,omitempty"`
}

func describe(mediaType string, blob []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: "sha256:" + digest(blob), Size: len(blob)}
}

// pack makes the tar.
func pack(program []byte, architecture, tag string) ([]byte, error) {
	layer, err := tarOf(files(program))
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = zip.Write(layer)
	if err = cmp.Or(err, zip.Close()); err != nil {
		return nil, err
	}
	config, err1 := json.Marshal(configOf(architecture, digest(layer)))
	manifest, err2 := json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     "application/vnd.oci.image.manifest.v1+json",
		"config":        describe("application/vnd.oci.image.config.v1+json", config),
		"layers":        []descriptor{describe("application/vnd.oci.image.layer.v1.tar+gzip", packed.Bytes())},
	})
	root := describe("application/vnd.oci.image.manifest.v1+json", manifest)
	root.Platform = map[string]string{"os": "linux", "architecture": architecture}
	root.Annotations = map[string]string{"io.containerd.image.name": tag, "org.opencontainers.image.ref.name": tag}
	index, err3 := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []descriptor{root},
	})
	blob := func(b []byte) string { return "blobs/sha256/" + digest(b) }
	legacy, err4 := json.Marshal([]map[string]any{{
		"Config": blob(config), "RepoTags": []string{tag}, "Layers": []string{blob(packed.Bytes())},
	}})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return tarOf([]entry{
		{"oci-layout", 0o644, 0, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", 0o644, 0, index},
		{"manifest.json", 0o644, 0, legacy},
		{"blobs/", 0o755, 0, nil},
		{"blobs/sha256/", 0o755, 0, nil},
		{blob(manifest), 0o644, 0, manifest},
		{blob(config), 0o644, 0, config},
		{blob(packed.Bytes()), 0o644, 0, packed.Bytes()},
	})
}

// configOf is how a container of the image is run.
func configOf(architecture, layer string) map[string]any {
	return map[string]any{
		"os": "linux", "architecture": architecture, "created": time.Unix(0, 0).UTC(),
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layer}},
		"config": map[string]any{
			"User":         fmt.Sprintf("%d:%d", user, user),
			"Entrypoint":   []string{"/garrison"},
			"Cmd":          []string{"serve"},
			"Env":          []string{"GARRISON_DATA=/data", "GARRISON_LISTEN=:4566"},
			"WorkingDir":   "/data",
			"ExposedPorts": map[string]any{port: struct{}{}},
			"Volumes":      map[string]any{"/data": struct{}{}},
			"Labels": map[string]string{
				"org.opencontainers.image.title":    "Garrison",
				"org.opencontainers.image.licenses": "Apache-2.0",
			},
		},
	}
}
