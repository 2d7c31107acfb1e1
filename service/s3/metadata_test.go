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
		"plain =?_ ascii\t":                "plain =?_ ascii\t",
		"test_—_file%é_.pdf":               "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%=C3=A9=5F.pdf?=",
		"\x00\x01\x02":                     "=?UTF-8?B?AAEC?=",
		"a\r\nX-Evil: 1":                   "=?UTF-8?Q?a=0D=0AX-Evil:_1?=",
		"=?UTF-8?Q?line=0D=0Ainjected?=":   "=?UTF-8?Q?line=0D=0Ainjected?=",
	} {
		if got := encodedMetadata(decodedMetadata(map[string]string{"k": sent}))["k"]; got != answered {
			t.Errorf("%q is answered as %q, want %q", sent, got, answered)
		}
	}
}
