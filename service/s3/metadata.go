package s3

import (
	"encoding/base64"
	"mime"
	"strings"
)

// decodedMetadata is user metadata as it is kept: what clients wrote as RFC 2047's
// encoded words, since a header has no other way, is the text that they meant.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
func decodedMetadata(given map[string]string) map[string]string {
	var words mime.WordDecoder
	kept := make(map[string]string, len(given))
	for name, value := range given {
		if strings.Contains(value, "=?") {
			if text, err := words.DecodeHeader(value); err == nil {
				value = text
			}
		}
		kept[name] = value
	}
	return kept
}

// encodedMetadata is user metadata as headers can have it.
func encodedMetadata(kept map[string]string) map[string]string {
	given := make(map[string]string, len(kept))
	for name, value := range kept {
		given[name] = encodedWord(value)
	}
	return given
}

// encodedWord is a text as a header can have it: as RFC 2047's encoded word if it
// must be, in whichever of its two encodings most of the text's characters suit.
func encodedWord(text string) string {
	plain, others := 0, 0
	for _, r := range text {
		if r >= 0x7f || r < ' ' && r != '\t' {
			others++
		} else {
			plain++
		}
	}
	if others == 0 {
		return text
	}
	if others > plain {
		return "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?="
	}
	const hex = "0123456789ABCDEF"
	b := []byte("=?UTF-8?Q?")
	for _, c := range []byte(text) {
		switch {
		case c == ' ':
			b = append(b, '_')
		case c < ' ' || c >= 0x7f || strings.IndexByte("=_?", c) >= 0:
			b = append(b, '=', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, "?="...))
}
