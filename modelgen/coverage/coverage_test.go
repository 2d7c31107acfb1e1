package coverage

import (
	"strings"
	"testing"
)

func TestMarkdownCounts(t *testing.T) {
	got, err := Markdown([]Served{
		{"sts", []string{"GetCallerIdentity", "AssumeRole"}},
		{"cloudtrail", nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"knows all 18378 operations of AWS's 424 services and serves 2 of them",
		"| cloudtrail | 0 | 60 |\n| sts | 2 | 11 |\n| 422 more | 0 | 18307 |\n",
		"\n## sts\nServed: AssumeRole, GetCallerIdentity.\n\nNot yet: AssumeRoleWithSAML, AssumeRoleWithWebIdentity, ",
		"\n## cloudtrail\nNot yet: AddTags, ",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the page lacks %q:\n%.1200s", want, got)
		}
	}
}

func TestMarkdownRefuses(t *testing.T) {
	for _, c := range []struct {
		served []Served
		want   string
	}{
		{[]Served{{"stt", nil}}, "no service stt"},
		{[]Served{{"sts", []string{"AssumeRol"}}}, "sts has no operation AssumeRol"},
		{[]Served{{"sts", []string{"AssumeRole", "AssumeRole"}}}, "an operation of sts is served twice"},
		{[]Served{{"sts", nil}, {"sts", nil}}, "service sts is served twice"},
	} {
		if _, err := Markdown(c.served); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Markdown = %v, want %s", err, c.want)
		}
	}
}
