package gateway

// RequestOf is how a net/http request reaches the path.
var RequestOf = requestOf
