package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startup measures the time to ready and the memory, on an empty store and on a grown one.
func (b *bench) startup() error {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("## Start-up and memory\n\n")
	fmt.Println("| store | after | ready | idle, MiB resident |")
	fmt.Println("|---|---|---|---|")
	row := func(store, after, data string) (*server, error) {
		s, err := b.garrison(data)
		if err == nil {
			time.Sleep(200 * time.Millisecond)
			fmt.Printf("| %s | %s | %.0f ms | %.0f |\n", store, after, ms(s.ready), s.resident())
		}
		return s, err
	}
	data := filepath.Join(dir, "data")
	s, err := row("empty", "first start", data)
	if err != nil {
		return err
	}
	s.stop()
	if s, err = row("empty", "a clean stop", data); err != nil {
		return err
	}
	size, err := s.grow(data, b.storeBytes())
	if err != nil {
		return err
	}
	loaded := s.resident()
	s.stop()
	grown := fmt.Sprintf("%d MiB", size>>20)
	if s, err = row(grown, "a clean stop", data); err != nil {
		return err
	}
	if _, err := s.grow(data, 0); err != nil { // something to replay
		return err
	}
	s.kill()
	if s, err = row(grown, "SIGKILL under load", data); err != nil {
		return err
	}
	s.kill()
	fmt.Printf("\nResident under load: %.0f MiB.\n\n", loaded)
	return nil
}

func (b *bench) storeBytes() int64 {
	if b.entities < 1000 {
		return 4 << 20
	}
	return 1 << 30
}

// grow makes policies as large as may be, in many calls at once, until the
// store holds so many bytes, and answers how many it holds.
func (s *server) grow(data string, bytes int64) (int64, error) {
	text := `{"Version":"2012-10-17","Statement":[{"Sid":"` + strings.Repeat("A", 5900) + `","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	for {
		next := func(int) []byte {
			request, err := s.query(root, "iam", "Action", "CreatePolicy", "PolicyName", fmt.Sprintf("grow-%09d", serial.Add(1)), "PolicyDocument", text)
			if err != nil {
				return nil
			}
			return request
		}
		if _, err := s.measure(32, 400*time.Millisecond, next); err != nil {
			return 0, err
		}
		size, err := sizeOf(data)
		if err != nil || size >= bytes {
			return size, err
		}
	}
}

// sizeOf is how many bytes the files below dir hold.
func sizeOf(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // what is removed meanwhile does not count
		}
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size, err
}
