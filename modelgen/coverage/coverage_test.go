package coverage

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/garrison-security/garrison/api/catalog"
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

func TestMarkdownExplains(t *testing.T) {
	file := func(text string) fstest.MapFS { return fstest.MapFS{"reasons/sts.yaml": {Data: []byte(text)}} }
	served := []Served{{"sts", []string{"AssumeRole"}}}
	got, err := markdown(served, file("- because: Nobody asks.\n  operations: [GetSessionToken, AssumeRoot]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n\nNot served, and why:\n\n- AssumeRoot, GetSessionToken: Nobody asks.\n"; !strings.HasSuffix(string(got), want) {
		t.Errorf("the page ends %.300q, want %q", got[len(got)-300:], want)
	}
	if strings.Contains(string(got), "Not yet: AssumeRoleWithSAML, AssumeRoleWithWebIdentity, AssumeRoot") {
		t.Error("what is explained is listed as not yet served")
	}
	for text, want := range map[string]string{
		"- because: x\n  operations: [AssumeRole]":            "sts:AssumeRole is served, and has a reason",
		"- because: x\n  operations: [AssumeRol]":             "sts has no operation AssumeRol",
		"- because: x\n  operations: [AssumeRoot,AssumeRoot]": "sts:AssumeRoot has two reasons",
		"- operations: [AssumeRoot]":                          "a reason of sts is empty",
		"- because: x":                                        "a reason of sts is empty",
		"- cause: x":                                          "field cause not found",
	} {
		if _, err := markdown(served, file(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestReasonsAreOfServices: each file of reasons is of a service that AWS has, by the name that finds it.
func TestReasonsAreOfServices(t *testing.T) {
	files, err := written.ReadDir("reasons")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".yaml")
		if catalog.Lookup(name) == nil {
			t.Errorf("reasons/%s: AWS has no service %s", file.Name(), name)
		}
		if all, err := readReasons(written, name); err != nil || len(all) == 0 {
			t.Errorf("reasons/%s holds no reason: %v", file.Name(), err)
		}
	}
}
