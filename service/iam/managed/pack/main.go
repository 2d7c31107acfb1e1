// Command pack writes the AWS managed policies as package managed reads them.
//
//	go run ./service/iam/managed/pack aws-managed-policies.json.gz policies.bin
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"

	"github.com/garrison-security/garrison/service/iam/managed"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack SOURCE.json.gz TARGET")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(source, target string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	var from managed.Source
	if err := json.NewDecoder(z).Decode(&from); err != nil {
		return err
	}
	packed, err := managed.Pack(&from)
	if err != nil {
		return err
	}
	return os.WriteFile(target, packed, 0o644)
}
