package bucket

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Scheme begins the text of a Location.
const Scheme = "s3://"

// Location is a place in a bucket, as text s3://BUCKET[/PREFIX][?region=REGION&endpoint=URL].
type Location struct {
	Bucket string
	Prefix string // ends in "/"; "": the whole bucket
	Region string // "": what the environment says
	// Endpoint is another object store than AWS's, addressed by path; "": AWS's.
	Endpoint string
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixPart = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// maxPrefix leaves room for a blob's name in a key.
const maxPrefix = 512

// Parse reads a location. Its errors repeat nothing of a text in which credentials may stand.
func Parse(text string) (Location, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "" {
		return Location{}, errors.New("is not s3://BUCKET[/PREFIX][?region=REGION&endpoint=URL]")
	}
	if u.User != nil {
		return Location{}, errors.New("holds credentials: they come from the environment, AWS's files or the machine's role, never from here")
	}
	l := Location{Bucket: u.Host}
	if !bucketName.MatchString(l.Bucket) {
		return Location{}, errors.New("names no bucket")
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		for part := range strings.SplitSeq(prefix, "/") {
			if !prefixPart.MatchString(part) || len(prefix) > maxPrefix {
				return Location{}, errors.New("has a prefix that is not letters, digits, '-', '_' and '.', between single slashes")
			}
		}
		l.Prefix = prefix + "/"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Location{}, errors.New("has a malformed query")
	}
	for name, values := range query {
		switch {
		case len(values) != 1 || name != "region" && name != "endpoint":
			return Location{}, errors.New("takes region and endpoint, each once, and nothing else after the question mark")
		case name == "region":
			l.Region = values[0]
		default:
			l.Endpoint = values[0]
		}
	}
	if l.Region != "" && !regionName.MatchString(l.Region) {
		return Location{}, errors.New("names no region")
	}
	return l, checkEndpoint(l.Endpoint)
}

// checkEndpoint refuses plain HTTP to other machines: who can answer in the store's
// place could acknowledge what nobody keeps.
func checkEndpoint(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return errors.New("has an endpoint that is not https://HOST[:PORT]")
	case u.User != nil:
		return errors.New("has an endpoint with credentials")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("has an endpoint of plain HTTP, which is for this machine alone")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("has an endpoint that is not https://HOST[:PORT]")
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
