package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/cloudtrail"
	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
)

func TestPatternOfJavaBecomesGo(t *testing.T) {
	for _, c := range []struct{ java, want string }{
		{`[\w+=,.@-]+`, `[\w+=,.@-]+`},
		{`[\u0009\u000A\u0020-\u00FF]+`, `[\x{0009}\x{000A}\x{0020}-\x{00FF}]+`},
		{`[\u0020-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*`, `[\x{0020}-\x{FFFD}\x{10000}-\x{10FFFF}\t]*`},
		{`[\p{Alnum}\p{LD}]\p{Punct}\P{Alnum}`, `[[:alnum:]\p{L}\p{Nd}][[:punct:]][^[:alnum:]]`},
		{`\p{L}[\p{N}\P{Z}]`, `\p{L}[\p{N}\P{Z}]`},
		{"a\tb\n", `a\x09b\x0a`},
		{`^arn\:aws\/\-$`, `^arn\:aws\/\-$`},
	} {
		if got, err := goPattern(c.java); got != c.want || err != nil {
			t.Errorf("goPattern(%s) = %s, %v, want %s", c.java, got, err, c.want)
		}
	}
}

func TestPatternIsLeftOut(t *testing.T) {
	for _, c := range []struct{ java, reason string }{
		{`(?!x)a`, "invalid or unsupported Perl syntax"},
		{`(a)\1`, "invalid escape sequence"},
		{`a{1,2048}`, "invalid repeat count"},
		{`a++`, "invalid nested repetition"},
		{`[a-z&&[^b]]`, "intersection of classes"},
		{`[a[bc]]`, "a class within a class"},
		{`[]a]`, "] begins a class"},
		{`[^]a]`, "] begins a class"},
		{`[\P{Alnum}]`, "the complement"},
		{`\uD800`, "a lone surrogate"},
		{`\u12`, "a \\u without four digits"},
		{`[a`, "missing closing ]"},
		{`\p{Nonsense}`, "invalid character class range"},
	} {
		got, err := goPattern(c.java)
		if err == nil || !strings.Contains(err.Error(), c.reason) || got != "" {
			t.Errorf("goPattern(%s) = %q, %v, want an error of %s", c.java, got, err, c.reason)
		}
	}
}

// A pattern must hold of what AWS takes and not of what it refuses.
func TestPatternsMatchWhatAWSTakes(t *testing.T) {
	for _, c := range []struct {
		service     *aws.Service
		shape       string
		yes, no     []string
		patternText string
	}{
		{iam.Service, "userNameType", []string{"alice", "a+b=c,d.e@f-g_h"}, []string{"", "a b", "a/b", "é", "a\n"}, ""},
		{iam.Service, "policyDocumentType", []string{"{\n\t\"Version\": \"2012-10-17\"}\r", "ÿ"}, []string{"", "Ā", "\x00"},
			`[\u0009\u000A\u000D\u0020-\u00FF]+`},
		{iam.Service, "accountAliasType", []string{"abc", "a-b-c", "0"}, []string{"-a", "a-", "a--b", "A", "a\n"},
			`^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`},
		{sts.Service, "roleSessionNameType", []string{"a@b"}, []string{"a b", "a\n"}, ""},
		{kms.Service, "AliasNameType", []string{"alias/x_y"}, []string{"alias/x y"}, ""},
		{cloudtrail.Service, "PartitionKeyName", []string{"a😀\t"}, []string{"\n"}, ""},
	} {
		shape := c.service.Shape(c.shape)
		if shape == nil {
			t.Errorf("no shape %s", c.shape)
			continue
		}
		pattern := regexp.MustCompile(`\A(?:` + shape.Pattern + `)\z`)
		for _, text := range c.yes {
			if !pattern.MatchString(text) {
				t.Errorf("%s refuses %q", c.shape, text)
			}
		}
		for _, text := range c.no {
			if pattern.MatchString(text) {
				t.Errorf("%s takes %q", c.shape, text)
			}
		}
		if c.patternText != "" && shape.PatternText != c.patternText {
			t.Errorf("%s: messages would quote %s", c.shape, shape.PatternText)
		}
	}
}
