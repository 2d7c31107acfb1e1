package xks

// Fault is what went wrong with a request to a proxy. What the proxy itself
// said besides is dropped: it is not AWS's word, and may say anything.
type Fault uint8

// The faults: first those that a proxy names, then those that show by themselves.
const (
	Validation Fault = iota + 1
	InvalidState
	InvalidCiphertext
	InvalidKeyUsage
	AuthenticationFailed
	AccessDenied
	KeyNotFound
	InvalidURIPath
	UnsupportedOperation
	DependencyTimeout
	Throttling
	InternalFailure

	Unlisted    // the host is none that may be reached
	Unreachable // no connection
	BadTLS      // a connection, but no TLS, or another's certificate
	TimedOut    // no answer in time
	Malformed   // an answer that says nothing
	Unavailable // no external key manager behind the proxy serves
	WrongKey    // the external key is no enabled AES-256 key that encrypts and decrypts
)

// named are the faults by the names that proxies give them.
var named = map[string]Fault{
	"ValidationException": Validation, "InvalidStateException": InvalidState, "InvalidCiphertextException": InvalidCiphertext,
	"InvalidKeyUsageException": InvalidKeyUsage, "AuthenticationFailedException": AuthenticationFailed, "AccessDeniedException": AccessDenied,
	"KeyNotFoundException": KeyNotFound, "InvalidUriPathException": InvalidURIPath, "UnsupportedOperationException": UnsupportedOperation,
	"DependencyTimeoutException": DependencyTimeout, "ThrottlingException": Throttling, "InternalException": InternalFailure,
}

var faultTexts = [...]string{
	Validation: "the proxy calls the request invalid", InvalidState: "the external key is not enabled", InvalidCiphertext: "the proxy refuses the ciphertext",
	InvalidKeyUsage: "the external key does not do this", AuthenticationFailed: "the proxy refuses the credential", AccessDenied: "the proxy denies access",
	KeyNotFound: "the proxy knows no such key", InvalidURIPath: "the proxy does not serve this path", UnsupportedOperation: "the proxy does not do this",
	DependencyTimeout: "the proxy's key manager did not answer in time", Throttling: "the proxy has too many requests", InternalFailure: "the proxy failed",
	Unlisted: "the proxy's host is none that may be reached", Unreachable: "the proxy can't be reached", BadTLS: "no TLS connection to the proxy",
	TimedOut: "the proxy did not answer in time", Malformed: "the proxy's answer can't be read", Unavailable: "no external key manager is available",
	WrongKey: "the external key is no enabled AES-256 key for encryption and decryption",
}

// Error implements error.
func (f Fault) Error() string { return "xks: " + faultTexts[f] }
