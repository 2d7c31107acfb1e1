package sts

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/gateway"
)

var _ gateway.Denials = (*Service)(nil)

// An encoded message is the base64, for URLs, of what the sealer makes of a
// format byte and the message, bound to the account whose caller was denied.
const (
	denialFormat  = 1
	denialPurpose = "sts denial"
	// maxDenial is the model's bound on EncodedMessage.
	maxDenial = 10240
)

var denialText = base64.URLEncoding.Strict()

// SealDenial implements gateway.Denials.
func (s *Service) SealDenial(account string, message []byte) (string, error) {
	sealed, err := s.sealer.SealToken(denialPurpose, []byte(account), append([]byte{denialFormat}, message...))
	if err != nil || denialText.EncodedLen(len(sealed)) > maxDenial {
		return "", err
	}
	return denialText.EncodeToString(sealed), nil
}

// decodeAuthorizationMessage opens the encoded message of a denial in the caller's account.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
func (s *Service) decodeAuthorizationMessage(_ context.Context, call *gateway.Call, _ gateway.Anything, in *sts.DecodeAuthorizationMessageInput) (*sts.DecodeAuthorizationMessageOutput, error) {
	invalid := &sts.InvalidAuthorizationMessageException{Message: "Message is not valid"}
	if strings.ContainsAny(in.EncodedMessage, "\r\n") { // which the decoder would pass over
		return nil, invalid
	}
	sealed, err := denialText.DecodeString(in.EncodedMessage)
	if err != nil {
		return nil, invalid
	}
	plain, err := s.sealer.OpenToken(denialPurpose, []byte(call.Account), sealed)
	if err != nil || len(plain) == 0 || plain[0] != denialFormat {
		return nil, invalid
	}
	return &sts.DecodeAuthorizationMessageOutput{DecodedMessage: new(string(plain[1:]))}, nil
}
