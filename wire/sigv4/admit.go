package sigv4

import (
	"fmt"
	"slices"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Scope is where a signature is valid.
type Scope struct {
	// Services are the signing names of the service the request was routed to, the usual one first.
	Services []string
	// Regions are those that are served, the service's own first.
	Regions []string
}

func badDate(got string) string {
	return "Date must be in ISO-8601 'basic format'. Got '" + clip(got) + "'. See http://en.wikipedia.org/wiki/ISO_8601"
}

// headerDate finds the timestamp of the header form: X-Amz-Date, or else Date.
func (s *Signature) headerDate() (string, time.Time, *aws.Error) {
	const s3 = "AWS authentication requires a valid Date or x-amz-date header"
	value, err := one(s.req, s.rules, "X-Amz-Date")
	if err != nil {
		return "", time.Time{}, err
	}
	if value != "" {
		if t, ok := parseTimestamp(value); ok {
			return value, t, nil
		}
	} else {
		if value, err = one(s.req, s.rules, "Date"); err != nil {
			return "", time.Time{}, err
		}
		if timestamp, t, ok := parseDate(value); ok {
			return timestamp, t, nil
		}
	}
	switch {
	case s.rules.S3:
		return "", time.Time{}, &aws.Error{Kind: aws.AccessDenied, Message: s3}
	case value == "":
		return "", time.Time{}, incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return "", time.Time{}, incomplete("%s", badDate(value))
}

// Admit checks the signature's time against now, and its service and Region
// against scope. For V4a it chooses the Region.
func (s *Signature) Admit(now time.Time, scope Scope) error {
	if err := s.checkClock(now); err != nil {
		return err
	}
	if err := s.checkScope(scope); err != nil {
		return err
	}
	s.admitted = true
	return nil
}

// checkClock holds the timestamp within the skew. A presigned request of S3 is
// good until it expires, a form as long as a signing key, which is seven days; elsewhere AWS takes no notice of X-Amz-Expires, and
// the skew is all the time that such a link has (aws-iam-authenticator and
// Vault rely on that).
func (s *Signature) checkClock(now time.Time) *aws.Error {
	skew := s.rules.Skew
	if skew <= 0 {
		skew = DefaultSkew
	}
	early, late := s.Time.After(now.Add(skew)), s.Time.Before(now.Add(-skew))
	if s.rules.S3 && (s.Presigned || s.Post) {
		ends := s.Time.Add(s.Expires)
		switch {
		case early:
			return &aws.Error{Kind: aws.AccessDenied, Message: "Request is not valid yet"}
		case now.After(ends):
			return &aws.Error{Kind: aws.AccessDenied, Message: "Request has expired", Fields: []aws.Field{
				{Name: "X-Amz-Expires", Value: fmt.Sprint(int(s.Expires / time.Second))},
				{Name: "Expires", Value: ends.Format(time.RFC3339)},
				{Name: "ServerTime", Value: now.UTC().Format(time.RFC3339)},
			}}
		}
		return nil
	}
	if !early && !late {
		return nil
	}
	if s.rules.S3 {
		return &aws.Error{Kind: aws.ClockSkew, Message: "The difference between the request time and the current time is too large.",
			Fields: []aws.Field{
				{Name: "RequestTime", Value: s.Timestamp},
				{Name: "ServerTime", Value: now.UTC().Format(time.RFC3339)},
				{Name: "MaxAllowedSkewMilliseconds", Value: fmt.Sprint(skew.Milliseconds())},
			}}
	}
	word, bound, sign := "Signature expired: %s is now earlier than %s (%s %s %s)", now.Add(-skew), "-"
	if early {
		word, bound, sign = "Signature not yet current: %s is still later than %s (%s %s %s)", now.Add(skew), "+"
	}
	return &aws.Error{Kind: aws.ClockSkew, Message: fmt.Sprintf(word, s.Timestamp, bound.UTC().Format(layout),
		now.UTC().Format(layout), sign, minutes(skew))}
}

func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min.", d/time.Minute)
	}
	return fmt.Sprintf("%d sec.", d/time.Second)
}

// checkScope compares service and Region with where the request goes.
func (s *Signature) checkScope(scope Scope) *aws.Error {
	if s.Algorithm == V4a {
		s.Region = ""
		for _, region := range scope.Regions {
			if s.CoversRegion(region) {
				s.Region = region
				break
			}
		}
	}
	own, service := "", ""
	if len(scope.Regions) > 0 {
		own = scope.Regions[0]
	}
	if len(scope.Services) > 0 {
		service = scope.Services[0]
	}
	badRegion := !slices.Contains(scope.Regions, s.Region)
	if slices.Contains(scope.Services, s.Service) {
		if badRegion {
			return s.OtherRegion(own)
		}
		return nil
	}
	text := "Credential should be scoped to correct service: '" + service + "'."
	if badRegion {
		text = s.badRegion() + " " + text
	}
	return s.scopeError(text, `incorrect service "`+clip(s.Service)+`". This endpoint belongs to "`+service+`".`)
}

// OtherRegion refuses a signature for another Region than the one that has what is asked for.
func (s *Signature) OtherRegion(own string) *aws.Error {
	return s.scopeError(s.badRegion(), "the region '"+s.shownRegion()+"' is wrong; expecting '"+own+"'", aws.Field{Name: "Region", Value: own})
}

func (s *Signature) badRegion() string {
	return "Credential should be scoped to a valid region, not '" + s.shownRegion() + "'."
}

// shownRegion is the Region, or V4a's set of them, as errors repeat it.
func (s *Signature) shownRegion() string {
	if s.Algorithm == V4a && s.Region == "" {
		return clip(s.RegionSet)
	}
	return clip(s.Region)
}

// scopeError words a scope that is not this request's. S3 has its own texts and fields.
func (s *Signature) scopeError(text, s3 string, fields ...aws.Field) *aws.Error {
	switch {
	case !s.rules.S3:
		return &aws.Error{Kind: aws.WrongScope, Message: text}
	case s.Post:
		return custom("InvalidArgument", 400, s3, append(fields, aws.Field{Name: "ArgumentName", Value: "X-Amz-Credential"},
			aws.Field{Name: "ArgumentValue", Value: clip(s.AccessKeyID + "/" + string(s.appendScope(nil)))})...)
	case s.Presigned:
		return custom("AuthorizationQueryParametersError", 400, "Error parsing the X-Amz-Credential parameter; "+s3, fields...)
	default:
		return &aws.Error{Kind: aws.WrongScope, Message: "The authorization header is malformed; " + s3, Fields: fields}
	}
}
