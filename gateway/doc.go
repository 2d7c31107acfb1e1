// Package gateway is the path of a call, from the wire to the commit, and the
// only way in: an operation can't be registered without saying what its caller
// is authorised on, and a handler is given the very resource that was checked.
//
//	route → authenticate → decode ─┐
//	                               │ one transaction
//	encode ← commit (durable)  ◄───┤  target → authorise → handle → append the event
//
// Services are tables of rows made by Op and its sisters. What the gateway
// needs to know of identities it asks of a Directory; it knows no service.
package gateway
