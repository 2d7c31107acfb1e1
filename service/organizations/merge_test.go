package organizations

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Whatever documents are laid over each other, nothing breaks, and what is
// written is JSON.
func FuzzMerge(f *testing.F) {
	f.Add(`{"tags":{"a":{"@@assign":"x"}}}`, `{"tags":{"a":{"@@append":["y"]},"@@operators_allowed_for_child_policies":["@@none"]}}`)
	f.Add(`{"a":{"@@assign":["x",1,true]}}`, `{"a":{"@@remove":["x",1,true]},"b":{}}`)
	f.Add(`{"a":{"@@assign":"x"}}`, `{"a":{"b":{"@@assign":"y"}}}`)
	f.Fuzz(func(t *testing.T, above, below string) {
		sum := merged()
		for _, text := range []string{above, below, above} {
			doc, err := parseTree(text)
			if err != nil {
				return
			}
			sum.merge(doc)
			sum.descend()
		}
		var out bytes.Buffer
		if sum.write(&out) != (out.Len() > 0) {
			t.Fatalf("%q", &out)
		}
		if out.Len() > 0 && !json.Valid(out.Bytes()) {
			t.Errorf("%s and %s make %s", above, below, &out)
		}
	})
}
