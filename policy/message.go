package policy

// Message is the text of AWS's access-denied error for a denied request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (d Decision) Message(r *Request) string { return "" }
