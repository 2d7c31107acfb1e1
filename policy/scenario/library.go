package scenario

import (
	"errors"
	"fmt"

	"github.com/garrison-security/garrison/policy"
)

// maxKept bounds a library, in bytes of policies' text: compiled policies take a few times that.
const maxKept = 16 << 20

// library keeps compiled policies by kind, name and text.
type library struct {
	kept  map[libraryKey]*compiled
	bytes int
}

type libraryKey struct {
	kind       policy.Kind
	name, text string
}

type compiled struct {
	document *policy.Document
	policy   *policy.Policy
}

// Compile reads and compiles a document.
func (d *Document) Compile(kind policy.Kind) (*policy.Document, *policy.Policy, error) {
	doc, err := policy.Read(d.Text, kind)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.Name, described(err))
	}
	return doc, policy.Compile(doc, d.Name), nil
}

// get reads and compiles a document, once.
func (l *library) get(d *Document, kind policy.Kind) (*compiled, error) {
	if c := l.kept[libraryKey{kind, d.Name, string(d.Text)}]; c != nil { // the key does not allocate
		return c, nil
	}
	doc, decides, err := d.Compile(kind)
	if err != nil {
		return nil, err
	}
	c := &compiled{document: doc, policy: decides}
	if l.bytes += len(d.Text); l.bytes > maxKept || l.kept == nil {
		l.kept, l.bytes = map[libraryKey]*compiled{}, len(d.Text)
	}
	l.kept[libraryKey{kind, d.Name, string(d.Text)}] = c
	return c, nil
}

// described adds the reason to IAM's text, which alone tells little.
func described(err error) error {
	if bad, ok := errors.AsType[*policy.Malformed](err); ok && bad.Reason != "" {
		return fmt.Errorf("%w (%s)", err, bad.Reason)
	}
	return err
}

func (l *library) compile(d *Document, kind policy.Kind) (*policy.Policy, error) {
	c, err := l.get(d, kind)
	if err != nil {
		return nil, err
	}
	return c.policy, nil
}

func (l *library) compileAll(to []*policy.Policy, from []Document, kind policy.Kind) ([]*policy.Policy, error) {
	for i := range from {
		p, err := l.compile(&from[i], kind)
		if err != nil {
			return nil, err
		}
		to = append(to, p)
	}
	return to, nil
}
