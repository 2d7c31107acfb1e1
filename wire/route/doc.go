// Package route finds out which service and operation a request means, before
// anybody is believed to have signed it. It reads method, escaped path, query,
// Host, headers and a form's Action, and nothing else of a body.
//
// The order of its questions is fixed, and each question has one answer: what
// could be read in two ways is refused, in the shape of the protocol that the
// request speaks. A signature is never re-routed: where it is scoped to another
// service than the one routed to, authentication refuses it.
package route
