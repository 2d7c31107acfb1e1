package route

import "strings"

// hostName is a Host header's name: lower case, without its port.
func hostName(host string) string {
	if strings.HasPrefix(host, "[") { // IPv6
		return ""
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".")
	for i := range len(host) {
		if 'A' <= host[i] && host[i] <= 'Z' {
			return strings.ToLower(host)
		}
	}
	return host
}

// isHostName says whether s is a host's name in lower case.
func isHostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return len(s) < 254
}

// byHost are the services whose endpoint prefix the host begins with; several
// share one here and there.
func (r *Router) byHost(host string) []*entry {
	name := hostName(host)
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if of := r.hosts[name[:i]]; of != nil {
			return of
		}
		if strings.Count(name[:i], ".") == 2 {
			return nil
		}
	}
	return nil
}

// bucketOf is the bucket that the host names, or "".
//
//	<bucket>.<base>, <bucket>.s3.<base>, <bucket>.s3.<region>.<base>, <bucket>.s3-<region>.<base>,
//	<bucket>.s3.dualstack.<region>.<base>, <bucket>.s3-accelerate.<base>
func (r *Router) bucketOf(host string) string {
	name := hostName(host)
	for _, base := range r.bases {
		rest, ok := strings.CutSuffix(name, base)
		if ok && rest == "" {
			return ""
		}
		if rest, ok = strings.CutSuffix(rest, "."); !ok || rest == "" {
			continue
		}
		return beforeEndpoint(rest)
	}
	return ""
}

// beforeEndpoint takes S3's own labels from the end of a host's name.
func beforeEndpoint(name string) string {
	rest, last := cutLabel(name)
	if strings.HasPrefix(last, "s3-") || last == "s3" { // s3-eu-west-1, s3-accelerate, s3-fips
		return rest
	}
	before, word := cutLabel(rest)
	if word == "dualstack" && (isRegion(last)) {
		if front, s3 := cutLabel(before); s3 == "s3" || s3 == "s3-fips" {
			return front
		}
	}
	if last == "dualstack" && word == "s3-accelerate" {
		return before
	}
	if isRegion(last) && (word == "s3" || word == "s3-fips" || word == "s3express" || word == "s3-control") {
		return before
	}
	return name
}

func cutLabel(name string) (before, last string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}

// isRegion says whether s has the form of a Region's name: words, then a digit.
func isRegion(s string) bool {
	dashes := strings.Count(s, "-")
	if dashes < 2 || len(s) < 6 || s[len(s)-2] != '-' {
		return false
	}
	return '0' <= s[len(s)-1] && s[len(s)-1] <= '9'
}

// isAccountHost says whether the host begins with an account's id: S3 Control's endpoints do.
func isAccountHost(host string) bool {
	if len(host) < 14 || host[12] != '.' {
		return false
	}
	for i := range 12 {
		if host[i] < '0' || host[i] > '9' {
			return false
		}
	}
	return true
}
