package policy

// Policy is a compiled document. It is immutable and may be shared.
type Policy struct {
	ID   string
	Kind Kind
}

// Compile prepares a document for decisions. id is the ARN of a managed
// policy, or a name, and comes back in Decision.PolicyID.
func Compile(doc *Document, id string) *Policy { return &Policy{ID: id, Kind: doc.Kind} }
