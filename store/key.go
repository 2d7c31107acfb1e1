package store

import "bytes"

// Key builds a key: table, scope (an account, or "" for the installation),
// and parts. Parts may hold any byte; keys order by table, then scope, then
// part by part, each as bytes, a shorter part before a longer one it begins.
//
// On disk a part's 0x00 is written 0x00 0xFF and each part ends 0x00 0x01.
func Key(table, scope string, parts ...string) []byte {
	n := len(table) + len(scope) + 4
	for _, p := range parts {
		n += len(p) + 2
	}
	k := make([]byte, 0, n)
	k = appendPart(k, table)
	k = appendPart(k, scope)
	for _, p := range parts {
		k = appendPart(k, p)
	}
	return k
}

func appendPart(k []byte, p string) []byte {
	for i := 0; i < len(p); i++ {
		if k = append(k, p[i]); p[i] == 0 {
			k = append(k, 0xFF)
		}
	}
	return append(k, 0, 1)
}

// Parts splits a key again; ok is false for bytes that Key did not make.
func Parts(key []byte) (table, scope string, parts []string, ok bool) {
	var all []string
	for len(key) > 0 {
		part, rest, found := cutPart(key)
		if !found {
			return "", "", nil, false
		}
		all, key = append(all, part), rest
	}
	if len(all) < 2 {
		return "", "", nil, false
	}
	return all[0], all[1], all[2:], true
}

func cutPart(key []byte) (part string, rest []byte, ok bool) {
	var b []byte
	for {
		i := bytes.IndexByte(key, 0)
		if i < 0 || i+1 == len(key) {
			return "", nil, false
		}
		switch key[i+1] {
		case 1:
			return string(append(b, key[:i]...)), key[i+2:], true
		case 0xFF:
			b = append(append(b, key[:i]...), 0)
			key = key[i+2:]
		default:
			return "", nil, false
		}
	}
}

// Scope is the scope a key was built with, "" if it was not built by Key.
func Scope(key []byte) string {
	_, rest, ok := cutPart(key)
	if !ok {
		return ""
	}
	scope, _, _ := cutPart(rest)
	return scope
}

// Prefix bounds the keys that begin with the given parts: from <= key < to.
func Prefix(table, scope string, parts ...string) (from, to []byte) {
	from = Key(table, scope, parts...)
	to = bytes.Clone(from)
	to[len(to)-1] = 2 // the last part's terminator is 0x00 0x01; no key holds 0x00 0x02
	return from, to
}
