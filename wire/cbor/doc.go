// Package cbor is the protocol rpcv2Cbor: operations called by a path, inputs,
// outputs and errors as maps in CBOR (RFC 8949), in both directions, with the
// header that services with a query past add to their errors.
//
// Of CBOR it reads what the protocol uses: a schema says what each item must
// become, so that bytes go straight into the fields of the generated structs
// and nothing is made that no member asks for. That is why the reader and the
// writer are this package's own: a general decoder knows bounds of its own
// making, goes through maps of any, and takes what the protocol refuses
// (integers for strings, a key twice). Canonical forms, tags other than 1, and
// CBOR sequences are not its subject.
package cbor
