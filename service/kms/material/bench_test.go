package material

import "testing"

func BenchmarkSeal1KiB(b *testing.B) {
	secret, plaintext := make([]byte, 32), make([]byte, 1024)
	context := Context{"tenant": "blue", "purpose": "test"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Seal(secret, someHeader, context, plaintext); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenPairAndSign(b *testing.B) {
	for spec, algorithm := range map[Spec]string{RSA2048: "RSASSA_PSS_SHA_256", P256: "ECDSA_SHA_256"} {
		secret, err := Generate(spec)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(spec)+"/open", func(b *testing.B) {
			for b.Loop() {
				if _, err := OpenPair(spec, secret); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(spec)+"/sign", func(b *testing.B) {
			pair, _ := OpenPair(spec, secret)
			for b.Loop() {
				if _, err := pair.Sign(algorithm, Raw, []byte("a message")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
