package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// keys measures KMS beside a call that only says who calls: with a few keys in
// the account, and with many.
func (b *bench) keys() error {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := b.garrison(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer s.kill()
	uses, err := s.uses()
	if err != nil {
		return err
	}
	fmt.Printf("## Keys: 1 KiB, a context of two pairs, 64 connections\n\n")
	fmt.Println("| call | keys | calls/s | p50 | p99 | CPU µs a call | × GetCallerIdentity |")
	fmt.Println("|---|---|---|---|---|---|---|")
	have := 3
	for _, count := range []int{10, b.entities} {
		if err := s.makeKeys(count - have); err != nil {
			return err
		}
		have = max(have, count)
		if err := s.settle(); err != nil {
			return err
		}
		var identity float64
		for _, use := range uses {
			f, err := s.measure(64, b.span, func(int) []byte { return use.request })
			if err != nil {
				return fmt.Errorf("%s: %w", use.name, err)
			}
			if identity == 0 {
				identity = us(f.cpu)
			}
			fmt.Printf("| %s | %d | %.0f | %.2f ms | %.2f ms | %.1f | %.2f |\n", use.name, have, f.rate, ms(f.p50), ms(f.p99), us(f.cpu), us(f.cpu)/identity)
		}
	}
	fmt.Println()
	return nil
}

// use is a call of KMS, ready to be sent.
type use struct {
	name    string
	request []byte
}

// uses makes the keys that are measured, and the calls that use them.
func (s *server) uses() (all []use, err error) {
	identity, err := s.query(root, "sts", "Action", "GetCallerIdentity")
	all = append(all, use{"sts:GetCallerIdentity", identity})
	add := func(operation, what string, body map[string]any) {
		var text, request []byte
		if err == nil {
			text, err = json.Marshal(body)
		}
		if err == nil {
			request, err = s.kms(root, operation, string(text))
		}
		all = append(all, use{"kms:" + operation + what, request})
	}
	key := func(body string) (id string) {
		var answer struct{ KeyMetadata struct{ KeyId string } }
		if err == nil {
			err = s.answer("CreateKey", body, &answer)
		}
		return answer.KeyMetadata.KeyId
	}
	context := map[string]string{"tenant": "blue", "purpose": "bench"}
	plaintext := make([]byte, 1024)
	symmetric := key("{}")
	var sealed struct{ CiphertextBlob []byte }
	if err == nil {
		err = s.answer("Encrypt", `{"KeyId":"`+symmetric+`","Plaintext":"`+base64.StdEncoding.EncodeToString(plaintext)+`","EncryptionContext":{"tenant":"blue","purpose":"bench"}}`, &sealed)
	}
	add("Encrypt", "", map[string]any{"KeyId": symmetric, "Plaintext": plaintext, "EncryptionContext": context})
	add("Decrypt", "", map[string]any{"CiphertextBlob": sealed.CiphertextBlob, "EncryptionContext": context})
	add("GenerateDataKey", "", map[string]any{"KeyId": symmetric, "KeySpec": "AES_256", "EncryptionContext": context})
	message := make([]byte, 32)
	curve := key(`{"KeySpec":"ECC_NIST_P256","KeyUsage":"SIGN_VERIFY"}`)
	add("Sign", ", P-256", map[string]any{"KeyId": curve, "Message": message, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"})
	rsa := key(`{"KeySpec":"RSA_2048","KeyUsage":"SIGN_VERIFY"}`)
	add("Sign", ", RSA-2048", map[string]any{"KeyId": rsa, "Message": message, "MessageType": "DIGEST", "SigningAlgorithm": "RSASSA_PSS_SHA_256"})
	return all, err
}

// answer makes a call of KMS and reads its answer.
func (s *server) answer(operation, body string, into any) error {
	request, err := s.kms(root, operation, body)
	if err != nil {
		return err
	}
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if _, err := c.call(request); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return json.Unmarshal(c.body.Bytes(), into)
}

// makeKeys makes n symmetric keys.
func (s *server) makeKeys(n int) error {
	request, err := s.kms(root, "CreateKey", "{}")
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	failures := make(chan error, 64)
	for i := range cap(failures) {
		all.Go(func() {
			c, err := dial(s.addr)
			for j := i; j < n && err == nil; j += cap(failures) {
				_, err = c.call(request)
			}
			failures <- err
		})
	}
	all.Wait()
	for range cap(failures) {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}
