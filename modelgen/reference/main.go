// Command reference writes AWS's Service Authorization Reference as package
// policy/reference reads it.
//
//	go run ./modelgen/reference FOLDER TARGET
//
// FOLDER holds service-authorization.json and service-authorization-all.json.gz.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/garrison-security/garrison/policy/reference"
)

//go:generate go run . ../../../shared/data ../../policy/reference/reference.gz

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: reference FOLDER TARGET")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run(folder, target string) error {
	packed, err := pack(folder)
	if err != nil {
		return err
	}
	return os.WriteFile(target, packed, 0o644)
}

func pack(folder string) ([]byte, error) {
	planned, err := os.ReadFile(filepath.Join(folder, "service-authorization.json"))
	if err != nil {
		return nil, err
	}
	all, err := os.ReadFile(filepath.Join(folder, "service-authorization-all.json.gz"))
	if err != nil {
		return nil, err
	}
	return reference.Pack(planned, all)
}
