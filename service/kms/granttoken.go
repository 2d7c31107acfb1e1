package kms

import (
	"encoding/base64"
	"strings"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/store"
)

// A grant token is the grant's place, sealed, so that only who was given it has
// it. Grants take effect at once here, so that a token permits nothing more
// than its grant does; one that is none is refused.
const grantTokenFormat = 1

// grantTokenKey is what grant tokens are sealed under. No table has that name.
var grantTokenKey = store.Key("kms/grant-token", "")

func (s *Service) grantToken(g *Grant) (string, error) {
	place := strings.Join([]string{g.Account, g.Region, g.KeyID, g.ID}, " ")
	token, err := s.Sealer.Seal([]byte{grantTokenFormat}, "", grantTokenKey, []byte(place))
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(token), nil
}

// grantPlace is the place of the grant that a token is for.
func (s *Service) grantPlace(token string) (account, region, keyID, id string, err error) {
	bad := &kms.InvalidGrantTokenException{Message: "Invalid grant token."}
	b, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil || len(b) == 0 || b[0] != grantTokenFormat {
		return "", "", "", "", bad
	}
	place, err := s.Sealer.Open([]byte{}, "", grantTokenKey, b[1:])
	if err != nil {
		return "", "", "", "", bad
	}
	parts := strings.Split(string(place), " ")
	if len(parts) != 4 {
		return "", "", "", "", bad
	}
	return parts[0], parts[1], parts[2], parts[3], nil
}

// checkTokens refuses tokens that were not given out here.
func (s *Service) checkTokens(tokens []string) error {
	for _, token := range tokens {
		if _, _, _, _, err := s.grantPlace(token); err != nil {
			return err
		}
	}
	return nil
}
