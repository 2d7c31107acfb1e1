package policy

import "iter"

// Keys yields the condition keys that a statement reads, as they are written,
// in order and as often as they stand there: variables of its resources, and
// its conditions with the variables in their values. A variable with a default
// is among them.
func (d *Document) Keys(statement int) iter.Seq[string] {
	s := &d.Statements[statement]
	return func(yield func(string) bool) {
		for _, r := range s.Resources {
			if !d.variables(r, yield) {
				return
			}
		}
		for i := range s.Conditions {
			c := &s.Conditions[i]
			if !yield(c.Key) {
				return
			}
			for _, v := range c.Values {
				if !d.variables(v, yield) {
					return
				}
			}
		}
	}
}

// variables yields the keys of a text's variables; false if it was stopped.
func (d *Document) variables(text string, yield func(string) bool) bool {
	for d.HasVariables() {
		_, inside, rest, ok := cutVariable(text)
		if !ok {
			break
		}
		text = rest
		if isEscape(inside) {
			continue
		}
		if key, _, _ := cutDefault(inside); key != "" && !yield(key) {
			return false
		}
	}
	return true
}
