package estate

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// published are the known paths, as modelgen/escalation writes them.
//
//go:embed paths.txt
var published string

// path is a published way to more rights, and how it is walked.
type path struct {
	id      string
	actions []string // that it needs, as published
	route
}

// route is how a path is walked.
type route interface {
	// walk tries the path, from p to t: to t's rights, or where raises is true
	// to an administrator's. Where nobody but p is raised, t is p. Nil: it is closed.
	walk(s *search, p, t *principal) *walked
	// targets are those whom p might get to, a superset: walk decides.
	targets(s *search, p *principal) []*principal
	raises() bool
}

// walked is a path that is open.
type walked struct {
	on          string // what is changed, taken or passed: the ARN of a role, user, group or policy
	service     string // that runs as the role
	workload    string // the service's resource that does
	assumed     bool   // the workload is one that the estate does not know of
	permissions []Permission
}

// name is the path's, as it is published.
func (x *path) name() string { return strings.Join(x.actions, " + ") }

// paths are all of them, in the catalogue's order.
var paths = sync.OnceValue(func() []*path {
	var list []*path
	for line := range strings.Lines(published) {
		if f := strings.Fields(line); f[0] != "#" {
			r := routes[f[0]]
			if r == nil {
				panic(fmt.Sprintf("estate: nothing says how %s is walked", f[0])) // a test sees it
			}
			list = append(list, &path{f[0], f[1:], r})
		}
	}
	return list
})
