package s3

import "testing"

func TestMetadataIsAnsweredAsS3DoesIt(t *testing.T) {
	for sent, answered := range map[string]string{
		"plain text, 100% of it":           "plain text, 100% of it",
		"=?UTF-8?B?YWJj?=":                 "abc",
		"=?UTF-8?Q?actually-ascii?=":       "actually-ascii",
		"=?UTF-8?Q?=C3=84M=C3=84Z_S3?=":    "=?UTF-8?Q?=C3=84M=C3=84Z_S3?=",
		"=?utf-8?b?w4RNw4RaIFMz?=":         "=?UTF-8?Q?=C3=84M=C3=84Z_S3?=",
		"=?UTF-8?Q?a=5F=E2=80=94=3F.pdf?=": "=?UTF-8?Q?a=5F=E2=80=94=3F.pdf?=",
		"=?UTF-8?B?AAECAw==?=":             "=?UTF-8?B?AAECAw==?=",
		"=?UTF-8?B?=GGG?=":                 "=?UTF-8?B?=GGG?=",
		"=?UTF-8?Q?line=0D=0Ainjected?=":   "=?UTF-8?Q?line=0D=0Ainjected?=",
	} {
		if got := encodedMetadata(decodedMetadata(map[string]string{"k": sent}))["k"]; got != answered {
			t.Errorf("%q is answered as %q, want %q", sent, got, answered)
		}
	}
}
