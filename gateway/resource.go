package gateway

import "github.com/garrison-security/garrison/policy"

// Governed is a Resource with a policy of its own, or of the resource it lies in.
type Governed interface{ ResourcePolicy() *policy.Policy }

// Granting is a Resource whose grants may permit what its policy does not. It
// is asked only where the policies deny, and none of them explicitly; a grant
// counts as an Allow of the resource's policy that names the caller.
type Granting interface {
	// Granted tells whether a grant permits the call's principal to perform action, as the call does.
	Granted(call *Call, action string) (bool, error)
}

// Described is a Resource with condition keys of its own beside its tags (kms:KeySpec).
type Described interface{ Describe(x *policy.Context) }

// Owned is a Resource that may belong to another account than the caller's.
type Owned interface{ ResourceAccount() string }

// Shown is a Resource that denials name otherwise than policies match it: AWS
// names "arn:aws:iam::1:user/" where ListUsers is matched with "*".
type Shown interface{ ShownARN() string }

// Compound is a Resource of a call that needs more than one authorisation.
// All of them must be allowed; they are decided in order, after the
// operation's own.
type Compound interface{ Further() []Authorization }

// Asking is a Resource that says itself what its call asks permission for,
// instead of the operation's own actions: of a version, GetObject asks for
// s3:GetObjectVersion and nothing else.
type Asking interface{ Asks() []Authorization }

// Authorization is one more question to the policies.
type Authorization struct {
	Action string // "iam:PassRole"
	On     Resource
	// Conditions are keys that hold for this question alone, as name, value, name, value …
	Conditions []string
}

// Anything is the Resource of an action that takes none. Its text is the ARN that denials name; "" names none.
type Anything string

// ARN implements Resource.
func (Anything) ARN() string { return "*" }

// ShownARN implements Shown.
func (a Anything) ShownARN() string {
	if a == "" {
		return "*"
	}
	return string(a)
}

// Account is the Target of operations on the account as a whole.
func Account[In any](*Call, *In) (Anything, error) { return "", nil }
