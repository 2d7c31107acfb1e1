package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// accessKey is a root user's long-term key.
type accessKey struct{ ID, Secret string }

// The first lines of credentials files that Garrison wrote.
const (
	keptMark     = "# Written by garrison, for the store in this directory. Keep it secret."
	fleetingMark = "# Written by garrison, for an engine that keeps nothing."
)

// credentialsFile is a file in AWS's shared-credentials format.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
type credentialsFile string

// anew begins the file again with root's key as profile default. A file that
// another program wrote is not touched, and one that holds a kept store's keys is set aside.
func (c credentialsFile) anew(mark string, key accessKey) (setAside string, err error) {
	text, err := os.ReadFile(string(c))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case strings.HasPrefix(string(text), keptMark):
		setAside = string(c) + ".kept"
		if err := os.Rename(string(c), setAside); err != nil {
			return "", err
		}
	case !strings.HasPrefix(string(text), fleetingMark):
		return "", fmt.Errorf("%s is there already, and garrison did not write it", c)
	}
	return setAside, replaceFile(string(c), []byte(mark+"\n"+profile("default", key)), 0o600)
}

// add writes a profile, in place of one of the same name.
func (c credentialsFile) add(name string, key accessKey) error {
	text, err := os.ReadFile(string(c))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte(keptMark+"\n"), nil
	}
	if err != nil {
		return err
	}
	return replaceFile(string(c), []byte(without(string(text), name)+profile(name, key)), 0o600)
}

// remove takes a profile out again.
func (c credentialsFile) remove(name string) error {
	text, err := os.ReadFile(string(c))
	if err != nil {
		return err
	}
	return replaceFile(string(c), []byte(without(string(text), name)), 0o600)
}

func profile(name string, key accessKey) string {
	return fmt.Sprintf("\n[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, key.ID, key.Secret)
}

// without is text without the named profile and the empty line below it.
func without(text, name string) string {
	var kept strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "[") {
			inside = trimmed == "["+name+"]"
		}
		if !inside {
			kept.WriteString(line)
		}
	}
	return strings.TrimRight(kept.String(), "\n") + "\n"
}

// Names of the variables that give root's key to a first start.
const (
	rootKeyVariable    = "GARRISON_ROOT_ACCESS_KEY_ID"
	rootSecretVariable = "GARRISON_ROOT_SECRET_ACCESS_KEY"
)

// givenKey is root's key from the environment; nil if none is given. The secret
// is taken out of the environment. What may be in a key, package iam knows.
func givenKey() *accessKey {
	key := accessKey{os.Getenv(rootKeyVariable), os.Getenv(rootSecretVariable)}
	os.Unsetenv(rootSecretVariable)
	if key == (accessKey{}) {
		return nil
	}
	return &key
}
