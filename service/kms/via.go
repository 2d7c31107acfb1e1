package kms

import (
	"context"
	"fmt"
	"strings"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
)

// viaService is kms:ViaService of a call that another service makes in its
// caller's name: "s3.eu-west-1.amazonaws.com".
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func viaService(call *gateway.Call) string {
	service, domain, _ := strings.Cut(call.Via, ".")
	return service + "." + call.Region + "." + domain
}

// Keys is what another service of Garrison does with keys in its callers'
// names: it states the methods that it needs as an interface of its own.
type Keys struct {
	service *Service
	via     string // "s3.amazonaws.com"
	alias   string // of the AWS managed key, "alias/aws/s3"
	dataKey gateway.Operation
	decrypt gateway.Operation
}

// For makes the part of KMS that a service uses, "s3": its calls are recorded
// as the caller's, invoked by it, and policies see kms:ViaService. Where no key
// is named its AWS managed key is used, which appears on first use.
func (s *Service) For(service string) *Keys {
	k := &Keys{service: s, via: service + ".amazonaws.com", alias: reservedAliases + service}
	for _, op := range s.encryptionOperations() {
		switch op.Row().Name {
		case "GenerateDataKey":
			k.dataKey = op
		case "Decrypt":
			k.decrypt = op
		}
	}
	return k
}

// DataKey makes a 256-bit key for the caller of call, sealed under a key that
// the caller names by id, ARN or alias ("": the service's AWS managed key) with
// an encryption context. KeyARN is the key that sealed it. Errors are KMS's own,
// as a caller of KMS sees them.
func (k *Keys) DataKey(ctx context.Context, call *gateway.Call, key string, encryptionContext map[string]string) (plaintext, sealed []byte, keyARN string, err error) {
	if key == "" {
		key = k.alias
	}
	if key == k.alias {
		if err := k.service.ensureManaged(call, k.alias); err != nil {
			return nil, nil, "", err
		}
	}
	out, err := k.dataKey.Forward(ctx, call, k.via, &kms.GenerateDataKeyInput{
		KeyId: key, KeySpec: new(kms.DataKeySpecAes256), EncryptionContext: encryptionContext,
	})
	if err != nil {
		return nil, nil, "", err
	}
	made, ok := out.(*kms.GenerateDataKeyOutput)
	if !ok {
		return nil, nil, "", fmt.Errorf("kms: GenerateDataKey answers a %T", out)
	}
	return made.Plaintext, made.CiphertextBlob, *made.KeyId, nil
}

// OpenDataKey opens what DataKey sealed, for a caller who may use the key.
func (k *Keys) OpenDataKey(ctx context.Context, call *gateway.Call, sealed []byte, encryptionContext map[string]string) (plaintext []byte, err error) {
	out, err := k.decrypt.Forward(ctx, call, k.via, &kms.DecryptInput{CiphertextBlob: sealed, EncryptionContext: encryptionContext})
	if err != nil {
		return nil, err
	}
	opened, ok := out.(*kms.DecryptOutput)
	if !ok {
		return nil, fmt.Errorf("kms: Decrypt answers a %T", out)
	}
	return opened.Plaintext, nil
}
