package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// maxConfig bounds the size of a configuration file.
const maxConfig = 1 << 20

// configFile is a configuration file: a flat mapping from flags' names, with
// dashes or underscores, to texts or lists of texts. It implements kong.Resolver, below the environment.
type configFile struct {
	path   string
	values map[string]configValue
}

type configValue struct {
	line  int
	value any // string or []any of string
}

// problem is what is wrong in a configuration file, and where. Line 0 is the whole file.
type problem struct {
	path string
	line int
	text string
}

func (p problem) Error() string {
	if p.line == 0 {
		return p.path + ": " + p.text
	}
	return fmt.Sprintf("%s:%d: %s", p.path, p.line, p.text)
}

// settable lists the flags that are settings: those of serve.
func settable(app *kong.Application) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	for _, node := range app.Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			if _, ok := flag.Target.Interface().(configPath); !ok {
				flags[flag.Name] = flag
			}
		}
	}
	return flags
}

// readConfig reads the file called path and checks it against the flags there
// are: names, forms and values.
func readConfig(path string, app *kong.Application) (*configFile, []problem) {
	c := &configFile{path, map[string]configValue{}}
	whole := func(err error) (*configFile, []problem) { return c, []problem{{path, 0, err.Error()}} }
	f, err := os.Open(path)
	if err != nil {
		return whole(errors.Unwrap(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return whole(err)
	}
	if len(text) > maxConfig {
		return whole(errors.New("larger than 1 MiB"))
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return c, nil
	} else if err != nil {
		return whole(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return whole(errors.New("holds more than one document"))
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		if root.Tag == "!!null" {
			return c, nil
		}
		return c, []problem{{path, root.Line, "is not a mapping of settings to values"}}
	}
	return c, c.fill(root, settable(app))
}

// fill takes the settings of the root node.
func (c *configFile) fill(root *yaml.Node, flags map[string]*kong.Flag) (problems []problem) {
	add := func(line int, format string, args ...any) {
		problems = append(problems, problem{c.path, line, fmt.Sprintf(format, args...)})
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		name := strings.ReplaceAll(key.Value, "_", "-")
		flag := flags[name]
		if flag == nil {
			add(key.Line, "%q is no setting%s", name, nearest(name, flags))
			continue
		}
		if before, ok := c.values[name]; ok {
			add(key.Line, "%s stands in line %d already", name, before.line)
			continue
		}
		value, err := plainValue(node)
		if err == nil {
			err = try(flag, value)
		}
		if err != nil {
			add(node.Line, "%s: %v", name, err)
			continue
		}
		c.values[name] = configValue{key.Line, value}
	}
	return problems
}

// plainValue is a text, or a list of texts.
func plainValue(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return nil, errors.New("has no value")
		}
		return node.Value, nil
	case yaml.SequenceNode:
		list := make([]any, 0, len(node.Content))
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				return nil, errors.New("a list of plain values is wanted")
			}
			list = append(list, item.Value)
		}
		return list, nil
	}
	return nil, errors.New("a plain value or a list of them is wanted")
}

// try parses value as flag's, without keeping it.
func try(flag *kong.Flag, value any) error {
	if _, list := value.([]any); list && flag.Target.Kind() != reflect.Slice {
		return errors.New("one value is wanted, not a list")
	}
	target := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.Scan().PushTyped(value, kong.FlagValueToken)}, target); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "--"+flag.Name+": "))
	}
	if flag.Enum != "" {
		if text := fmt.Sprint(target.Interface()); !flag.EnumMap()[text] {
			return fmt.Errorf("%q is none of %s", text, strings.Join(flag.EnumSlice(), ", "))
		}
	}
	return nil
}

// nearest suggests the setting that name may mean.
func nearest(name string, flags map[string]*kong.Flag) string {
	plain := strings.NewReplacer("_", "", "-", "")
	for known := range flags {
		a, b := plain.Replace(strings.ToLower(name)), plain.Replace(known)
		if a == b || oneApart(a, b) {
			return "; is " + known + " meant?"
		}
	}
	return ""
}

// oneApart says whether a letter dropped from one text makes the other.
func oneApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	for i := range len(b) {
		if b[:i]+b[i+1:] == a {
			return true
		}
	}
	return false
}

// Validate implements kong.Resolver.
func (c *configFile) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver: the environment outweighs the file.
func (c *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Tag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	if v, ok := c.values[flag.Name]; ok {
		return v.value, nil
	}
	return nil, nil
}

// faultErrors are usage errors that tell where each fault was made; c may be nil.
func (c *configFile) faultErrors(faults []fault) error {
	all := make([]error, len(faults))
	for i, f := range faults {
		all[i] = usageError{errors.New(c.where(f))}
	}
	return errors.Join(all...)
}

// where tells a fault together with the line that made it, if one of the file did.
func (c *configFile) where(f fault) string {
	if c != nil {
		if v, ok := c.values[f.setting]; ok {
			return problem{c.path, v.line, f.setting + ": " + f.text}.Error()
		}
	}
	return f.Error()
}
