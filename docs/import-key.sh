#!/bin/sh
# Imports key material into a KMS key that was made with --origin EXTERNAL, so
# that tests and migrations have keys that they know.
#
#	import-key.sh KEY-ID FILE
#
# FILE holds the secret itself for symmetric keys (32 bytes) and HMAC keys (28,
# 32, 48 or 64 bytes), and PKCS #8 in DER for pairs: openssl pkcs8 -topk8
# -nocrypt -outform DER. The AWS CLI must be configured; OpenSSL 3 wraps.
set -eu
key=$1 file=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
umask 077

# 1. A public key to wrap under, and the token that belongs to it; both hold for a day.
aws kms get-parameters-for-import --key-id "$key" --wrapping-algorithm RSA_AES_KEY_WRAP_SHA_256 --wrapping-key-spec RSA_2048 \
	--query '[PublicKey,ImportToken]' --output text >"$dir/parameters"
cut -f1 "$dir/parameters" | openssl base64 -d -A >"$dir/public.der"
cut -f2 "$dir/parameters" | openssl base64 -d -A >"$dir/token"

# 2. An AES key of this import's own wraps the material (RFC 5649); RSA-OAEP wraps the AES key, and goes first.
openssl rand 32 >"$dir/aes"
openssl pkeyutl -encrypt -pubin -keyform DER -inkey "$dir/public.der" -in "$dir/aes" -out "$dir/wrapped" \
	-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256
openssl enc -id-aes256-wrap-pad -K "$(od -An -vtx1 "$dir/aes" | tr -d ' \n')" -iv A65959A6 -in "$file" >>"$dir/wrapped"

# 3. Import. With --valid-to and KEY_MATERIAL_EXPIRES the material is gone at that time.
aws kms import-key-material --key-id "$key" --import-token "fileb://$dir/token" \
	--encrypted-key-material "fileb://$dir/wrapped" --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE
