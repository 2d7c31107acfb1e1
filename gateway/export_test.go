package gateway

import (
	"time"

	"github.com/garrison-security/garrison/store"
)

// RequestOf is how a net/http request reaches the path.
var RequestOf = requestOf

// Counting counts a call of an operation, each time it is run.
func Counting(g *Gateway, service, operation string) func() {
	r := &request{operation: g.operations[operationName{service, operation}]}
	return func() { g.measures.count(r, nil, time.Millisecond) }
}

// KeptAnswers is how many answers are kept for client tokens.
func KeptAnswers(tx store.Tx) (n int, err error) {
	for _, err := range answers.ListBy(tx, answersByEnd, "", nil) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
