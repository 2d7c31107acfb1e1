package policy

import (
	"unicode"
	"unicode/utf8"
)

// lower folds an ASCII letter.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// lowerASCII folds the ASCII letters of s, and no others: no other letter
// stands for one of them.
func lowerASCII(s string) string {
	for i := range len(s) {
		if s[i] != lower(s[i]) {
			b := []byte(s)
			for i, c := range b {
				b[i] = lower(c)
			}
			return string(b)
		}
	}
	return s
}

// FNV-1a, over folded bytes. Hashes only choose candidates: every hit is compared.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hashByte(h uint64, c byte) uint64 { return (h ^ uint64(lower(c))) * hashPrime }

func hashFold(h uint64, s string) uint64 {
	for i := range len(s) {
		h = hashByte(h, s[i])
	}
	return h
}

// equalFold compares, ignoring the case of ASCII letters.
func equalFold[A, B ~string | ~[]byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// equalFoldUnicode compares under Unicode's simple folding, as strings.EqualFold does.
func equalFoldUnicode(a []byte, b string) bool {
	for i, j := 0, 0; ; {
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		r, n := utf8.DecodeRune(a[i:])
		s, m := utf8.DecodeRuneInString(b[j:])
		i, j = i+n, j+m
		if r == s {
			continue
		}
		if r < utf8.RuneSelf && s < utf8.RuneSelf {
			if lower(byte(r)) != lower(byte(s)) {
				return false
			}
			continue
		}
		f := unicode.SimpleFold(r)
		for f != r && f != s {
			f = unicode.SimpleFold(f)
		}
		if f != s {
			return false
		}
	}
}
