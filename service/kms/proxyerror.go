package kms

import (
	"context"
	"errors"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/xks"
)

// proxies is what reaches external key store proxies.
func (s *Service) proxies() *xks.Client {
	if s.Proxies == nil {
		return unreached
	}
	return s.Proxies
}

// unreached reaches no proxy.
var unreached = xks.New(xks.Options{})

// proxyTexts are what AWS says to what goes wrong with a proxy.
//
// https://github.com/aws/aws-kms-xksproxy-api-spec, "Error codes"
var proxyTexts = map[xks.Fault]string{
	xks.Validation:           unreadableProxy,
	xks.Malformed:            unreadableProxy,
	xks.InvalidState:         "The external key associated with this KMS key in an external key store is not enabled in the external key manager. Enable the external key in the external key manager and retry the request.",
	xks.InvalidCiphertext:    "The external key store proxy rejected the request because the specified ciphertext or encryption context is corrupted, missing, or otherwise invalid.",
	xks.InvalidKeyUsage:      "The external key associated with this KMS key in an external key store does not support the requested operation. Enable the operation on the key in your external key manager, and try the request again.",
	xks.AuthenticationFailed: "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS proxy authentication credentials for your external key store and update if necessary.",
	xks.AccessDenied:         "The external key store proxy denied access to the operation. Verify that the user and the external key are both authorized for this operation, and try the request again.",
	xks.KeyNotFound:          "The external key associated with this KMS key in an external key store was not found in its external key manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the correct external key ID.",
	xks.InvalidURIPath:       "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your external key store and update if necessary.",
	xks.UnsupportedOperation: "The external key store proxy rejected the request because it does not support the requested operation. If you see this error repeatedly, report it to your external key store proxy administrator.",
	xks.DependencyTimeout:    "The external key store proxy did not respond to the request in the time allotted. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.",
	xks.Throttling:           "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of your calls using KMS keys in this external key store.",
	xks.InternalFailure:      "The external key store proxy rejected the request because it cannot communicate with the external key manager. Verify that the external key store proxy configuration is correct and that the external key manager is available.",
	xks.Unlisted:             "This installation does not communicate with the host of the external key store proxy: its operator lists the hosts that it may reach (xks-proxy).",
	xks.Unreachable:          "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you see this error repeatedly, verify that your external key store proxy is active and is connected to the network, and that its endpoint URI is correct in your external key store.",
	xks.BadTLS:               "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, including its certificate.",
	xks.TimedOut:             "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.",
	xks.Unavailable:          "The external key store proxy reports that all external key manager instances are unavailable.",
	xks.WrongKey:             "The external key must be an AES-256 symmetric key that is enabled and performs encryption and decryption.",
}

const (
	unreadableProxy  = "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, report it to your external key store proxy administrator."
	unconnectedProxy = "This KMS key is in a custom key store that is not connected to its external key store proxy. Connect the external key store and try the request again."
	garbledProxy     = "The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is corrupted, missing, or otherwise invalid."
)

// managing words what goes wrong when a store is made or changed.
func managing(err error) error {
	fault, ok := errors.AsType[xks.Fault](err)
	if !ok {
		return err
	}
	text := proxyTexts[fault]
	switch fault {
	case xks.AuthenticationFailed:
		return &kms.XksProxyIncorrectAuthenticationCredentialException{Message: text}
	case xks.InvalidURIPath, xks.AccessDenied, xks.UnsupportedOperation:
		return &kms.XksProxyInvalidConfigurationException{Message: text}
	case xks.DependencyTimeout, xks.Throttling, xks.Unlisted, xks.Unreachable, xks.BadTLS, xks.TimedOut, xks.Unavailable:
		return &kms.XksProxyUriUnreachableException{Message: text}
	}
	return &kms.XksProxyInvalidResponseException{Message: text}
}

// making words what goes wrong with the external key of a KMS key that is made.
func making(err error) error {
	fault, ok := errors.AsType[xks.Fault](err)
	if !ok {
		return err
	}
	text := proxyTexts[fault]
	switch fault {
	case xks.InvalidState, xks.InvalidKeyUsage, xks.UnsupportedOperation, xks.WrongKey:
		return &kms.XksKeyInvalidConfigurationException{Message: text}
	case xks.KeyNotFound:
		return &kms.XksKeyNotFoundException{Message: text}
	case xks.AccessDenied:
		return &kms.KMSInvalidStateException{Message: text}
	}
	return &kms.CustomKeyStoreInvalidStateException{Message: text}
}

// using words what goes wrong when a key in an external key store is used.
func using(err error) error {
	if fault, ok := errors.AsType[xks.Fault](err); ok {
		return &kms.KMSInvalidStateException{Message: proxyTexts[fault]}
	}
	return err
}

// proxyErrorCode says why a proxy can't be connected to; "" for no error.
func proxyErrorCode(err error) kms.ConnectionErrorCodeType {
	if err == nil {
		return ""
	}
	fault, ok := errors.AsType[xks.Fault](err)
	if !ok {
		return kms.ConnectionErrorCodeTypeInternalError
	}
	switch fault {
	case xks.AuthenticationFailed:
		return kms.ConnectionErrorCodeTypeInvalidCredentials
	case xks.AccessDenied:
		return kms.ConnectionErrorCodeTypeXksProxyAccessDenied
	case xks.InvalidURIPath:
		return kms.ConnectionErrorCodeTypeXksProxyInvalidConfiguration
	case xks.BadTLS:
		return kms.ConnectionErrorCodeTypeXksProxyInvalidTlsConfiguration
	case xks.TimedOut, xks.DependencyTimeout:
		return kms.ConnectionErrorCodeTypeXksProxyTimedOut
	case xks.Unlisted, xks.Unreachable, xks.Unavailable, xks.Throttling:
		return kms.ConnectionErrorCodeTypeXksProxyNotReachable
	}
	return kms.ConnectionErrorCodeTypeXksProxyInvalidResponse
}

// usingHSM words what goes wrong when an HSM is asked to do something with a key.
func usingHSM(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrHSMCiphertext):
		return errCiphertext
	case errors.Is(err, ErrHSMKey):
		return invalidState("The key material of this KMS key was not found in the AWS CloudHSM cluster of its key store.")
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return invalidState("The AWS CloudHSM cluster of this key store did not respond in time.")
	}
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e
	}
	return invalidState("The AWS CloudHSM cluster of this key store could not carry out the operation.")
}

// checkProxy asks a store's proxy whether it serves, for a call that makes or changes the store.
func (s *Service) checkProxy(ctx context.Context, call *gateway.Call, k *KeyStore, secret string) error {
	proxy := &xks.Proxy{Host: k.host(), Path: k.Path, Region: k.Region, AccessKeyID: k.AccessKeyID, Secret: []byte(secret)}
	defer clear(proxy.Secret)
	return managing(s.proxies().Health(ctx, proxy, xks.Metadata{Operation: call.Operation.Name, RequestID: call.RequestID}))
}
