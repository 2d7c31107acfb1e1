package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/garrison-security/garrison/hsm"
	"github.com/garrison-security/garrison/service/kms"
)

// clusterList are the tokens of --hsm.
func (s *Settings) clusterList() (list []hsm.Cluster, err error) {
	seen := map[string]bool{}
	for _, text := range s.HSM {
		c, err := hsm.ParseCluster(text)
		if err != nil {
			return nil, err
		}
		if seen[c.ID] {
			return nil, fmt.Errorf("%s stands twice", c.ID)
		}
		seen[c.ID] = true
		list = append(list, c)
	}
	return list, nil
}

// helper is the program that loads PKCS #11 modules.
func (s *Settings) helper() string {
	if s.HSMHelper != "" {
		return s.HSMHelper
	}
	return hsm.DefaultHelper()
}

// hsmFaults are what is wrong with the settings of hardware security modules.
func (s *Settings) hsmFaults(add func(setting, format string, args ...any)) {
	list, err := s.clusterList()
	if err != nil {
		add("hsm", "%v", err)
	}
	if len(list) > 0 && runtime.GOOS == "windows" {
		add("hsm", "modules are not loaded on Windows")
	}
	for _, c := range list {
		if err := hsm.CheckFile(c.Module); err != nil {
			add("hsm", "%v", err)
		}
	}
	if len(list) > 0 {
		if err := hsm.CheckFile(s.helper()); err != nil {
			add("hsm-helper", "%v", err)
		}
	}
	for _, name := range s.HSMVariable {
		if err := hsm.CheckVariable(name); err != nil {
			add("hsm-variable", "%v", err)
		}
	}
}

// clusters are the hardware security modules behind key stores; nil: there are none.
func (s *Settings) clusters(log *slog.Logger) (kms.Clusters, error) {
	list, err := s.clusterList()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return clusters{&hsm.Clusters{Helper: s.helper(), Variables: s.HSMVariable, Log: log, List: list}}, nil
}

// clusters implements kms.Clusters.
type clusters struct{ *hsm.Clusters }

// Open implements kms.Clusters.
func (c clusters) Open(cluster string, password []byte) (kms.HSM, error) {
	s, err := c.Clusters.Open(cluster, password)
	if err != nil {
		return nil, hsmError(err)
	}
	return token{s}, nil
}

// token implements kms.HSM.
type token struct{ *hsm.Store }

func (t token) Connect(ctx context.Context) error { return hsmError(t.Store.Connect(ctx)) }

func (t token) Generate(ctx context.Context, label string) error {
	return hsmError(t.Store.Generate(ctx, label))
}

func (t token) Encrypt(ctx context.Context, label string, plaintext, aad []byte) ([]byte, error) {
	sealed, err := t.Store.Encrypt(ctx, label, plaintext, aad)
	return sealed, hsmError(err)
}

func (t token) Decrypt(ctx context.Context, label string, sealed, aad []byte) ([]byte, error) {
	plaintext, err := t.Store.Decrypt(ctx, label, sealed, aad)
	return plaintext, hsmError(err)
}

func (t token) Destroy(ctx context.Context, label string) error {
	err := t.Store.Destroy(ctx, label)
	if errors.Is(err, hsm.ErrNoKey) {
		return nil
	}
	return hsmError(err)
}

// hsmErrors are hsm's errors as service/kms knows them.
var hsmErrors = []struct{ is, as error }{
	{hsm.ErrWrongPIN, kms.ErrHSMPassword}, {hsm.ErrPINLocked, kms.ErrHSMLocked},
	{hsm.ErrUnknown, kms.ErrHSMAbsent}, {hsm.ErrNoToken, kms.ErrHSMAbsent}, {hsm.ErrNoModule, kms.ErrHSMAbsent},
	{hsm.ErrUnavailable, kms.ErrHSMUnreachable}, {hsm.ErrNoKey, kms.ErrHSMKey}, {hsm.ErrKeyUnfit, kms.ErrHSMKey},
	{hsm.ErrUndecryptable, kms.ErrHSMCiphertext},
}

func hsmError(err error) error {
	for _, e := range hsmErrors {
		if errors.Is(err, e.is) {
			return fmt.Errorf("%w: %w", e.as, err)
		}
	}
	return err
}
