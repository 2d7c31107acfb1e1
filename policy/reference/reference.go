// Package reference is AWS's Service Authorization Reference: every service's
// actions, types of resource and condition keys, and the global condition
// keys. It is read-only and costs nothing until it is first asked.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
package reference

import (
	"slices"
	"strings"
)

// Service is a service by its prefix in actions and condition keys.
type Service struct {
	Prefix    string // "s3"
	Name      string // "Amazon S3"; "" where it is not known
	Actions   []Action
	Resources []Resource
	Keys      []Key

	actions map[string]*Action // by name in lower case
}

// Action is an action of a service.
type Action struct {
	Name        string
	types, keys string // lists, a space between; keys are those besides its types' of resource
}

// Resource is a type of resource.
type Resource struct {
	Service, Type string
	ARN           string // "arn:${Partition}:s3:::${BucketName}"

	keys string
}

// Key is a condition key. A placeholder in its name (${TagKey}) stands for any text.
type Key struct {
	Name string
	Type string // String, ARN, Bool, Numeric, Date, IPAddress, or ArrayOf one of them
}

// MultiValued says whether requests may hold several values of the key.
func (k Key) MultiValued() bool { return strings.HasPrefix(k.Type, "ArrayOf") }

// ElementType is the type of one value.
func (k Key) ElementType() string { return strings.TrimPrefix(k.Type, "ArrayOf") }

// Find is the service of a prefix; nil: there is none.
func Find(prefix string) *Service { return table().services[prefix] }

// Services are all services, by prefix.
func Services() []*Service { return table().ordered }

// Namespace are the types of resource whose ARNs have a service field.
func Namespace(field string) []Resource { return table().namespaces[field] }

// Global is a global condition key, and those of services that hold in calls to others.
func Global(name string) (Key, bool) {
	t := table()
	return find(t.global, name)
}

// Action is the service's action of a name, in whatever case; nil: there is none.
func (s *Service) Action(name string) *Action { return s.actions[strings.ToLower(name)] }

// Key is the service's condition key of a name, in whatever case.
func (s *Service) Key(name string) (Key, bool) { return find(s.Keys, name) }

// Takes says whether a condition key is in the context of an action: its own
// or one of its types of resource.
func (s *Service) Takes(a *Action, key string) bool {
	if anyNames(a.keys, key) {
		return true
	}
	for kind := range strings.FieldsSeq(a.types) {
		for i := range s.Resources {
			if s.Resources[i].Type == kind && anyNames(s.Resources[i].keys, key) {
				return true
			}
		}
	}
	return false
}

// Formats are the ARNs of the types of resource that an action takes.
func (s *Service) Formats(a *Action) (list []string) {
	for kind := range strings.FieldsSeq(a.types) {
		for i := range s.Resources {
			if s.Resources[i].Type == kind {
				list = append(list, s.Resources[i].ARN)
			}
		}
	}
	return list
}

func anyNames(keys, name string) bool {
	for key := range strings.FieldsSeq(keys) {
		if names(key, name) {
			return true
		}
	}
	return false
}

func find(keys []Key, name string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return names(k.Name, name) })
	if i < 0 {
		return Key{}, false
	}
	return keys[i], true
}

// names tells whether a key, placeholders filled, has a name. Keys' case does not count.
func names(key, name string) bool {
	at := strings.IndexAny(key, "$<")
	if at < 0 {
		return strings.EqualFold(key, name)
	}
	if len(name) <= at || !strings.EqualFold(key[:at], name[:at]) {
		return false
	}
	end := strings.IndexAny(key, "}>")
	rest := key[end+1:]
	return len(name)-at > len(rest) && strings.EqualFold(name[len(name)-len(rest):], rest)
}
