package e2e

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// recordKey is what records are compared by: an operation, its outcome, and the kind of its caller.
type recordKey struct{ Source, Name, Error, Caller string }

func keyOf(record map[string]any) recordKey {
	text := func(v any) string { s, _ := v.(string); return s }
	identity, _ := record["userIdentity"].(map[string]any)
	return recordKey{text(record["eventSource"]), text(record["eventName"]), text(record["errorCode"]), text(identity["type"])}
}

// fieldSet is a record's fields: paths ("requestParameters.tags[].key") to the kinds of their values.
type fieldSet map[string]string

// fieldsOf lists the fields of a record, but for those of its caller, who is
// compared apart from the operation.
func fieldsOf(record map[string]any) fieldSet {
	all := fieldSet{}
	for name, value := range record {
		if name == "userIdentity" {
			all[name] = "object"
			continue
		}
		all.add(name, value)
	}
	return all
}

func (f fieldSet) add(at string, value any) {
	f[at] = kindOf(value)
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			f.add(at+"."+name, inner)
		}
	case []any:
		for _, inner := range v {
			f.add(at+"[]", inner)
		}
	}
}

var (
	monthTime = regexp.MustCompile(`^[A-Z][a-z][a-z] \d+, \d{4},? \d+:\d\d:\d\d.[AP]M$`)
	number    = regexp.MustCompile(`\d+`)
)

// kindOf is a value's JSON type; of a time also how it is written.
func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		if monthTime.MatchString(v) {
			return "Mon " + strings.NewReplacer("AM", "PM").Replace(number.ReplaceAllString(v[4:], "0"))
		}
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// published is what AWS's records of a key have.
type published struct {
	every  map[string]bool            // the fields that each of them has
	kinds  map[string]map[string]bool // of each field, in records that nobody rewrote
	values map[string]map[string]bool // of the constant fields, as JSON
	sound  bool                       // there are records that nobody rewrote
}

// constants are fields whose values are the operation's, not the call's.
var constants = []string{"eventType", "eventCategory", "managementEvent", "readOnly"}

func (p *published) add(record map[string]any, fields fieldSet, sound bool) {
	if p.every == nil || sound && !p.sound {
		p.every, p.kinds, p.values = map[string]bool{}, map[string]map[string]bool{}, map[string]map[string]bool{}
		for field := range fields {
			p.every[field] = true
		}
		p.sound = sound
	}
	if p.sound && !sound {
		return
	}
	maps.DeleteFunc(p.every, func(field string, _ bool) bool { _, ok := fields[field]; return !ok })
	for field, kind := range fields {
		in(p.kinds, field)[kind] = true
	}
	for _, name := range constants {
		if value, ok := record[name]; ok {
			text, _ := json.Marshal(value)
			in(p.values, name)[string(text)] = true
		}
	}
}

func in[K comparable, V comparable](m map[K]map[V]bool, k K) map[V]bool {
	if m[k] == nil {
		m[k] = map[V]bool{}
	}
	return m[k]
}

// realRecords are AWS's own records of IAM, STS, CloudTrail and Organizations, of eventVersion
// 1.08 and later, digested.
type realRecords struct {
	byKey map[recordKey]*published
	// some are the fields that any record of an operation and outcome has, whoever called.
	some map[recordKey]map[string]bool
	// callers are the caller's fields, by callerKind.
	callers map[string]*published
}

// callerKind is what a caller's fields depend on.
func callerKind(identity map[string]any) string {
	kind, _ := identity["type"].(string)
	if session, ok := identity["sessionContext"].(map[string]any); ok {
		kind += " in a session"
		// Records before eventVersion 1.10 have these, empty, where later ones have nothing.
		for _, name := range []string{"sessionIssuer", "webIdFederationData"} {
			if object, ok := session[name].(map[string]any); ok && len(object) == 0 {
				delete(session, name)
			}
		}
	}
	return kind
}

// readRealRecords digests the published records. Those of rule tests were
// rewritten by who published them: an operation that has no others is held to
// the names of their fields alone, and not to their parameters.
func readRealRecords(t *testing.T) *realRecords {
	t.Helper()
	r := &realRecords{byKey: map[recordKey]*published{}, some: map[recordKey]map[string]bool{}, callers: map[string]*published{}}
	for _, file := range []string{"attack_sequences", "api_examples", "rule_tests_cloudtrail"} {
		f, err := os.Open(shared.Path(t, "data/detect/"+file+".jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(text)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var line struct {
				Kind  string
				Event map[string]any
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if version, _ := line.Event["eventVersion"].(string); line.Kind == "AWS.CloudTrail" && version >= "1.08" {
				r.add(line.Event, file != "rule_tests_cloudtrail")
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *realRecords) add(record map[string]any, sound bool) {
	if identity, ok := record["userIdentity"].(map[string]any); ok && sound {
		kind := callerKind(identity)
		if r.callers[kind] == nil {
			r.callers[kind] = new(published)
		}
		fields := fieldSet{}
		fields.add("userIdentity", identity)
		r.callers[kind].add(nil, fields, true)
	}
	k := keyOf(record)
	if !slices.Contains([]string{"iam.amazonaws.com", "sts.amazonaws.com", "cloudtrail.amazonaws.com", "organizations.amazonaws.com"}, k.Source) {
		return
	}
	fields := fieldsOf(record)
	if !sound {
		maps.DeleteFunc(fields, func(field, _ string) bool { return strings.ContainsAny(field, ".[") })
	}
	if r.byKey[k] == nil {
		r.byKey[k] = new(published)
	}
	r.byKey[k].add(record, fields, sound)
	k.Caller = ""
	for field := range fields {
		in(r.some, k)[field] = true
	}
}
