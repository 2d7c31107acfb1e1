package validate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/policy/internal/strictjson"
)

// canonical is a statement as text that is the same for statements that say
// the same in another order; Sids do not count.
func canonical(n *strictjson.Node) string {
	var b strings.Builder
	write(&b, n, true)
	return b.String()
}

func write(b *strings.Builder, n *strictjson.Node, statement bool) {
	switch n.Kind {
	case strictjson.Object:
		members := slices.Clone(n.Members)
		slices.SortFunc(members, func(x, y strictjson.Member) int { return strings.Compare(x.Name, y.Name) })
		b.WriteByte('{')
		for i := range members {
			if statement && members[i].Name == "Sid" {
				continue
			}
			fmt.Fprintf(b, "%q:", members[i].Name)
			write(b, &members[i].Value, false)
		}
		b.WriteByte('}')
	case strictjson.Array:
		items := make([]string, len(n.Items))
		for i := range n.Items {
			var item strings.Builder
			write(&item, &n.Items[i], false)
			items[i] = item.String()
		}
		slices.Sort(items)
		items = slices.Compact(items)
		if len(items) == 1 { // a list of one is that one
			b.WriteString(items[0])
			return
		}
		b.WriteString("[" + strings.Join(items, ",") + "]")
	case strictjson.Text:
		fmt.Fprintf(b, "%q", n.Text)
	default:
		b.WriteString(n.Text)
	}
}

// redundant are the items that another covers, and of equal ones all but the first.
func (c *checker) redundant(items []text, fold bool) (list []text) {
	names := make([]string, len(items))
	first := map[string]int{}
	var patterns []int
	for i, t := range items {
		names[i] = t.value
		if fold {
			names[i] = strings.ToLower(t.value)
		}
		if _, twice := first[names[i]]; !twice {
			first[names[i]] = i
			if wild(t.value) {
				patterns = append(patterns, i)
			}
		}
	}
	for i, t := range items {
		if first[names[i]] != i || slices.ContainsFunc(patterns, func(p int) bool {
			return p != i && c.covers(names[p], names[i], false) &&
				!(p > i && c.covers(names[i], names[p], false)) // of two that cover each other the first stays
		}) {
			list = append(list, t)
		}
		if c.left < 0 {
			return nil
		}
	}
	return list
}

func (c *checker) redundantActions(e *element) {
	if list := c.redundant(e.items, true); len(list) > 0 {
		c.say(redundantAction, places(list), "redundantActionCount", strconv.Itoa(len(list)), "redundantAction", list[0].value)
	}
}

func (c *checker) redundantResources(e *element) {
	if list := c.redundant(e.items, false); len(list) > 0 {
		c.say(redundantResource, places(list), "redundantResourceCount", strconv.Itoa(len(list)))
	}
}

func places(list []text) []place {
	at := make([]place, len(list))
	for i := range list {
		at[i] = list[i].at
	}
	return at
}
