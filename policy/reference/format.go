package reference

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// packed is the reference, as Pack writes it (go generate ./modelgen/reference): gzip over lines whose fields
// stand between tabs and the items of a list between spaces.
//
//	S prefix name            a service; what follows is its; "" for what is global
//	A name types keys        an action
//	R type arn keys          a type of resource
//	K name type              a condition key
//
//go:embed reference.gz
var packed []byte

type tables struct {
	services   map[string]*Service
	ordered    []*Service
	namespaces map[string][]Resource
	global     []Key
}

var table = sync.OnceValue(func() *tables {
	t, err := read(packed)
	if err != nil {
		panic("reference: " + err.Error()) // the build is broken: a test reads it
	}
	return t
})

func read(packed []byte) (*tables, error) {
	text, err := Inflate(packed)
	if err != nil {
		return nil, err
	}
	t := &tables{services: map[string]*Service{}, namespaces: map[string][]Resource{}}
	var s *Service
	for line := range strings.Lines(string(text)) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		f := strings.Split(rest, "\t")
		switch {
		case kind == "S" && f[0] == "":
			s = new(Service)
		case kind == "S" && len(f) == 2:
			s = &Service{Prefix: f[0], Name: f[1], actions: map[string]*Action{}}
			t.services[s.Prefix] = s
		case kind == "K" && len(f) == 2 && s.Prefix == "":
			t.global = append(t.global, Key{f[0], f[1]})
		case kind == "K" && len(f) == 2:
			s.Keys = append(s.Keys, Key{f[0], f[1]})
		case kind == "A" && len(f) == 3:
			s.Actions = append(s.Actions, Action{f[0], f[1], f[2]})
		case kind == "R" && len(f) == 3:
			s.Resources = append(s.Resources, Resource{s.Prefix, f[0], f[1], f[2]})
		default:
			return nil, fmt.Errorf("unreadable line %q", line)
		}
	}
	for _, s := range t.services {
		for i := range s.Actions {
			s.actions[strings.ToLower(s.Actions[i].Name)] = &s.Actions[i]
		}
		for _, r := range s.Resources {
			if part := strings.SplitN(r.ARN, ":", 6); len(part) == 6 {
				field := part[2]
				if strings.HasPrefix(field, "${") { // the service whose resource was backed up, or the service itself
					field = s.Prefix
				}
				t.namespaces[field] = append(t.namespaces[field], r)
			}
		}
	}
	t.ordered = slices.SortedFunc(maps.Values(t.services), func(a, b *Service) int { return cmp.Compare(a.Prefix, b.Prefix) })
	return t, nil
}

// source is what Pack reads of service-authorization.json and service-authorization-all.json.gz.
type source struct {
	GlobalConditionKeys map[string]string
	Services            map[string]struct {
		Name    string
		Actions map[string]struct {
			Resources []struct {
				Type          string
				ConditionKeys []string
			}
			ConditionKeys []string
		}
		ResourceTypes map[string]struct {
			ARN           string `json:"arn"`
			ConditionKeys []string
		}
		ConditionKeys map[string]string
	}
}

// Pack packs the contents of service-authorization.json, of which it takes
// what is global and the services' names, and of service-authorization-all.json.gz.
func Pack(planned, all []byte) ([]byte, error) {
	var global, src source
	if err := json.Unmarshal(planned, &global); err != nil {
		return nil, err
	}
	text, err := Inflate(all)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &src); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	tagKey := strings.NewReplacer("/tag-key", "/${TagKey}") // of two spellings of the placeholder, the commoner
	line := func(fields ...string) { fmt.Fprintln(z, tagKey.Replace(strings.Join(fields, "\t"))) }
	line("S", "")
	for _, name := range slices.Sorted(maps.Keys(global.GlobalConditionKeys)) {
		line("K", name, global.GlobalConditionKeys[name])
	}
	for _, prefix := range slices.Sorted(maps.Keys(src.Services)) {
		s := src.Services[prefix]
		line("S", prefix, global.Services[prefix].Name)
		for _, name := range slices.Sorted(maps.Keys(s.Actions)) {
			a := s.Actions[name]
			var types []string
			keys := a.ConditionKeys
			for _, r := range a.Resources {
				types, keys = append(types, r.Type), slices.Concat(keys, r.ConditionKeys)
			}
			slices.Sort(keys)
			line("A", name, strings.Join(types, " "), strings.Join(slices.Compact(keys), " "))
		}
		for _, name := range slices.Sorted(maps.Keys(s.ResourceTypes)) {
			r := s.ResourceTypes[name]
			line("R", name, r.ARN, strings.Join(r.ConditionKeys, " "))
		}
		for _, name := range slices.Sorted(maps.Keys(s.ConditionKeys)) {
			line("K", name, s.ConditionKeys[name])
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Inflate is the text of what is packed.
func Inflate(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
