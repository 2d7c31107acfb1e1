package gateway

import "time"

// RequestOf is how a net/http request reaches the path.
var RequestOf = requestOf

// Counting counts a call of an operation, each time it is run.
func Counting(g *Gateway, service, operation string) func() {
	r := &request{operation: g.operations[operationName{service, operation}]}
	return func() { g.measures.count(r, nil, time.Millisecond) }
}
