package policy

import "strings"

// resourceText is a request's resource, cut once for all patterns it is compared with.
type resourceText struct {
	all    string
	any    bool      // "*": the action names no resource
	isARN  bool      // parts are set
	parts  [5]string // "arn", partition, service, region, account
	rest   string    // after the fifth colon
	colons bool      // rest has one
}

func cutResource(s string) resourceText {
	r := resourceText{all: s, any: s == "*"}
	rest := s
	for i := range r.parts {
		end := strings.IndexByte(rest, ':')
		if end < 0 {
			return r
		}
		r.parts[i], rest = rest[:end], rest[end+1:]
	}
	r.isARN = r.parts[0] == "arn"
	r.rest, r.colons = rest, strings.IndexByte(rest, ':') >= 0
	return r
}

// account is the account in the ARN, "" if it has none.
func (r *resourceText) account() string {
	if r.isARN {
		return r.parts[4]
	}
	return ""
}

// resource is a compiled entry of a Resource or NotResource element.
type resource struct {
	form  resourceForm
	count int       // of parts: 5, fewer if an open one stands for those missing
	parts [5]string // patterns, lower-case
	open  [5]bool   // the part ends with anyText, which may run across colons
	cross bool      // colons of the two need not stand opposite each other
	rest  template
}

type resourceForm uint8

const (
	noResource   resourceForm = iota // matches nothing
	allResource                      // "*"
	arnResource                      // parts, then rest
	textResource                     // no ARN: rest is compared with the whole
)

// resources compiles an entry, and appends what it stands for. Wildcards may
// be in every part of an ARN, and one that ends a part may run across colons.
// Variables count after the fifth colon only; before it they are text, which no
// ARN has there. An ARN of fewer than six parts stands for all that begin so in
// policies of the caller's side, and with a wildcard in those of resources and
// endpoints; anywhere for what its wildcards make of it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (c *compiler) resources(to []resource, s string) []resource {
	if s == "*" {
		return append(to, resource{form: allResource})
	}
	if !strings.HasPrefix(s, "arn:") {
		return append(to, resource{form: textResource, rest: c.template(s, true)})
	}
	count := min(strings.Count(s, ":"), 5)
	if count == 5 {
		return append(to, c.arn(s, count))
	}
	if c.completesARNs(s) {
		to = append(to, c.arn(s+strings.Repeat(":*", 5-count), 5))
	}
	return append(to, c.arn(s, count))
}

// completesARNs tells the policies in which a short ARN stands for all that begin so.
func (c *compiler) completesARNs(s string) bool {
	switch c.kind {
	case Identity, Boundary, Session:
		return true
	case Resource, Endpoint:
		return strings.Contains(s, "*")
	}
	return false
}

// arn compiles an ARN whose first count parts are compared part by part.
func (c *compiler) arn(s string, count int) resource {
	r := resource{form: arnResource, count: count, cross: count < 5}
	for i := range count {
		part, rest, _ := strings.Cut(s, ":")
		s = rest
		r.parts[i] = c.intern(marked(lowerASCII(part)))
		r.open[i] = strings.HasSuffix(r.parts[i], allText)
		r.cross = r.cross || r.open[i]
	}
	if r.rest = c.template(s, true); count < 5 && r.rest.parts != nil {
		return resource{form: noResource}
	}
	return r
}

// matches tells whether the entry covers the request's resource. An entry with
// a variable that has no value covers nothing, in NotResource too.
func (r *resource) matches(t *resourceText, ctx *Context, w *work) bool {
	switch r.form {
	case allResource:
		return true
	case noResource:
		return false
	}
	if t.any {
		return r.form == textResource && r.rest.parts == nil && r.rest.pattern == allText
	}
	if r.form == arnResource && (!t.isARN || !r.cross && !r.matchesParts(t, w)) {
		return false
	}
	if r.rest.parts == nil {
		return matchResource(r, t, r.rest.pattern, w)
	}
	var buf [expandSize]byte
	rest, ok := r.rest.expand(buf[:0], ctx)
	return ok && matchResource(r, t, rest, w)
}

// matchesParts compares the five parts before the rest, colon by colon.
func (r *resource) matchesParts(t *resourceText, w *work) bool {
	for i := 4; i >= 1; i-- {
		p := r.parts[i]
		if p != allText && !glob(p, t.parts[i], true, w) {
			return false
		}
	}
	return glob(r.parts[0], t.parts[0], true, w)
}

// matchResource compares t with r, whose rest has become the given pattern.
func matchResource[P ~string | ~[]byte](r *resource, t *resourceText, rest P, w *work) bool {
	if r.form == textResource {
		return glob(rest, t.all, false, w)
	}
	if !r.cross {
		return glob(rest, t.rest, false, w) // matchesParts held
	}
	if r.count < len(r.parts) {
		return crossMatch(r, t.all, rest, w)
	}
	return r.matchesParts(t, w) && glob(rest, t.rest, false, w) || t.colons && crossMatch(r, t.all, rest, w)
}

// crossMatch compares the parts in turn, where each that ends with anyText may
// have run across any number of colons. Going back to the last such part is
// enough, for it can take in whatever an earlier one would have.
func crossMatch[P ~string | ~[]byte](r *resource, text string, rest P, w *work) bool {
	part, pos := 0, 0
	backPart, back := -1, 0 // the part after the last open one, and the colon it was tried behind
	for {
		ok := true
		for ; part < r.count; part++ {
			end := strings.IndexByte(text[pos:], ':')
			if end < 0 {
				return false // nor is there a colon to go on from
			}
			if !glob(r.parts[part], text[pos:pos+end], true, w) {
				ok = false
				break
			}
			pos += end + 1
			if r.open[part] {
				backPart, back = part+1, pos-1
			}
		}
		if ok {
			literal := literalTo(rest)
			n, match := globPrefix(rest[:literal], text[pos:], w)
			if match && literal == len(rest) && pos+n == len(text) {
				return true
			}
			if match && literal < len(rest) {
				// The rest goes on with anyText: what fails from here fails from any later colon.
				return glob(rest[literal:], text[pos+n:], false, w)
			}
		}
		if backPart < 0 {
			return false
		}
		next := strings.IndexByte(text[back+1:], ':')
		if next < 0 {
			return false
		}
		back += next + 1
		part, pos = backPart, back+1
	}
}

// literalTo is the length of the pattern before its first anyText.
func literalTo[P ~string | ~[]byte](pattern P) int {
	for i := range len(pattern) {
		if pattern[i] == anyText {
			return i
		}
	}
	return len(pattern)
}

// arnLike compares two ARNs as the Arn operators do: each of the six parts on
// its own, the sixth being all after the fifth colon.
func arnLike[P ~string | ~[]byte](pattern P, text string, w *work) bool {
	p, t := 0, 0
	for range 5 {
		pEnd, tEnd := p, t
		for pEnd < len(pattern) && pattern[pEnd] != ':' {
			pEnd++
		}
		for tEnd < len(text) && text[tEnd] != ':' {
			tEnd++
		}
		if pEnd == len(pattern) || tEnd == len(text) || !glob(pattern[p:pEnd], text[t:tEnd], false, w) {
			return false
		}
		p, t = pEnd+1, tEnd+1
	}
	return glob(pattern[p:], text[t:], false, w)
}
