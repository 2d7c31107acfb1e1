package policy

import (
	"iter"
	"slices"
)

// AllowsSome tells whether an Allow statement covers the action, whatever its
// resources and conditions: if none does, the policy grants no such request.
func (p *Policy) AllowsSome(action string) bool {
	for range p.covering(action, &p.allows) {
		return true
	}
	return false
}

// Covering are the statements whose Action or NotAction element covers the
// action, by their index, Allow before Deny.
func (p *Policy) Covering(action string) []int {
	var list []int
	for _, x := range [...]*actionIndex{&p.allows, &p.denies} {
		for i := range p.covering(action, x) {
			if !slices.Contains(list, i) {
				list = append(list, i)
			}
		}
	}
	return list
}

// covering yields the statements of an index that cover an action, some more than once.
func (p *Policy) covering(action string, x *actionIndex) iter.Seq[int] {
	return func(yield func(int) bool) {
		var a actionName
		if !a.set(action) {
			return
		}
		w := work(maxWork)
		for _, run := range [...][]actionRef{x.every, x.find(a.whole), x.find(a.service)} {
			tried := -1
			for i := range run {
				ref := &run[i]
				if int(ref.statement) == tried || !ref.matches(&a, &w) {
					continue
				}
				tried = int(ref.statement)
				if not := p.statements[tried].notActions; (not == nil || !not.matches(&a, &w)) && !yield(tried) {
					return
				}
			}
		}
	}
}
