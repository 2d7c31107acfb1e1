package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/garrison-security/garrison/store"
)

func TestSealedValuesOpenWhereTheyWereSealedAndNowhereElse(t *testing.T) {
	h, root := loaded(t, "111111111111", "222222222222")
	key := store.Key("iam/user", "111111111111", "alice")
	sealed, err := h.now.Seal([]byte("before"), "111111111111", key, []byte("secret"))
	check(t, err)
	if !bytes.HasPrefix(sealed, []byte("before")) {
		t.Fatal("Seal did not append")
	}
	sealed = sealed[len("before"):]
	if len(sealed) != len("secret")+sealedOverhead || sealed[0] != sealedVersion {
		t.Fatalf("sealed form: %d bytes, version %d", len(sealed), sealed[0])
	}
	check(t, h.restart(t, root))
	plain, err := h.now.Open([]byte("x"), "111111111111", key, sealed)
	check(t, err)
	if string(plain) != "xsecret" {
		t.Fatalf("opened %q", plain)
	}
	for name, c := range map[string]struct {
		scope string
		key   []byte
	}{
		"another row":           {"111111111111", store.Key("iam/user", "111111111111", "bob")},
		"another table":         {"111111111111", store.Key("iam/role", "111111111111", "alice")},
		"another account":       {"222222222222", key},
		"the installation":      {"", key},
		"another account's row": {"222222222222", store.Key("iam/user", "222222222222", "alice")},
		"an unknown account":    {"333333333333", key},
	} {
		if _, err := h.now.Open(nil, c.scope, c.key, sealed); !errors.Is(err, store.ErrSealed) {
			t.Errorf("opened in %s: %v", name, err)
		}
	}
	token, err := h.now.SealToken("", []byte("key"), []byte("secret"))
	check(t, err)
	if _, err := h.now.Open(nil, "", []byte("key"), token); !errors.Is(err, store.ErrSealed) {
		t.Errorf("a token opened as a value: %v", err)
	}
}

func TestEveryAlterationOfSealedBytesIsRefused(t *testing.T) {
	h, _ := loaded(t)
	key := store.Key("t", "", "k")
	sealed, err := h.now.Seal(nil, "", key, []byte("0123456789"))
	check(t, err)
	for i := range sealed {
		for bit := range 8 {
			altered := bytes.Clone(sealed)
			altered[i] ^= 1 << bit
			if _, err := h.now.Open(nil, "", key, altered); !errors.Is(err, store.ErrSealed) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
		if _, err := h.now.Open(nil, "", key, sealed[:i]); !errors.Is(err, store.ErrSealed) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	if _, err := h.now.Open(nil, "", key, append(sealed, 0)); !errors.Is(err, store.ErrSealed) {
		t.Fatalf("a byte more: %v", err)
	}
}

func TestTokensOpenForTheirPurposeAlone(t *testing.T) {
	h, root := loaded(t)
	token, err := h.now.SealToken("sts", []byte("AKIA1"), []byte("session"))
	check(t, err)
	check(t, h.restart(t, root)) // another node, or a later process
	plain, err := h.now.OpenToken("sts", []byte("AKIA1"), token)
	check(t, err)
	if string(plain) != "session" {
		t.Fatalf("opened %q", plain)
	}
	for _, c := range [][2]string{{"page", "AKIA1"}, {"sts", "AKIA2"}, {"stsA", "KIA1"}, {"sts", ""}, {"", "stsAKIA1"}} {
		if _, err := h.now.OpenToken(c[0], []byte(c[1]), token); err != store.ErrSealed {
			t.Errorf("opened for %q: %v", c, err)
		}
	}
	for i := range token {
		altered := bytes.Clone(token)
		altered[i] ^= 0x10
		if _, err := h.now.OpenToken("sts", []byte("AKIA1"), altered); err != store.ErrSealed {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
}

func TestALockedKeyringDoesNothing(t *testing.T) {
	h, _ := loaded(t, "111111111111")
	locked := New()
	closed := h.now
	closed.Close()
	for _, k := range []*Keyring{locked, closed} {
		_, err := k.Seal(nil, "", []byte("k"), nil)
		_, err2 := k.Open(nil, "", []byte("k"), make([]byte, 64))
		_, err3 := k.SealToken("p", nil, nil)
		errs := []error{err, err2, err3, k.Ensure(t.Context(), "a"), k.Destroy(t.Context(), "a", nil), k.Verify(t.Context()), k.Rotate(t.Context(), fileRoot(t), nil, nil)}
		for i, err := range errs {
			if !errors.Is(err, ErrLocked) {
				t.Errorf("call %d: %v", i, err)
			}
		}
	}
}

func TestDestroyedScopeOpensNoMore(t *testing.T) {
	h, root := loaded(t, "111111111111", "222222222222")
	k1, k2 := store.Key("t", "111111111111"), store.Key("t", "222222222222")
	one, err := h.now.Seal(nil, "111111111111", k1, []byte("one"))
	check(t, err)
	two, err := h.now.Seal(nil, "222222222222", k2, []byte("two"))
	check(t, err)
	check(t, h.now.Destroy(t.Context(), "111111111111", nil))
	check(t, h.now.Destroy(t.Context(), "111111111111", nil)) // again is no error
	for range 2 {
		if _, err := h.now.Open(nil, "111111111111", k1, one); err != ErrDestroyed || !errors.Is(err, store.ErrSealed) {
			t.Errorf("open: %v", err)
		}
		if _, err := h.now.Seal(nil, "111111111111", k1, nil); err != ErrDestroyed {
			t.Errorf("seal: %v", err)
		}
		if err := h.now.Ensure(t.Context(), "111111111111"); err != ErrDestroyed {
			t.Errorf("made again: %v", err)
		}
		if !h.now.Destroyed("111111111111") || h.now.Destroyed("222222222222") || h.now.Destroyed("unknown") {
			t.Error("Destroyed is wrong")
		}
		if plain, err := h.now.Open(nil, "222222222222", k2, two); err != nil || string(plain) != "two" {
			t.Errorf("the other account: %q, %v", plain, err)
		}
		check(t, h.now.Verify(t.Context()))
		check(t, h.restart(t, root))
	}
	refused := errors.New("no")
	if err := h.now.Destroy(t.Context(), "222222222222", func(store.Tx) error { return refused }); !errors.Is(err, refused) || h.now.Destroyed("222222222222") {
		t.Errorf("destroyed though its record was refused: %v", err)
	}
	check(t, h.now.Destroy(t.Context(), "222222222222", func(tx store.Tx) error {
		return tx.Put(store.Key("t", "", "done"), []byte("222222222222"))
	}))
	check(t, h.engine.View(t.Context(), func(tx store.Tx) error {
		_, err := tx.Get(store.Key("t", "", "done"))
		return err
	}))
	if err := h.now.Destroy(t.Context(), "", nil); err == nil {
		t.Error("the installation's key was destroyed")
	}
	if err := h.now.Destroy(t.Context(), "unknown", nil); err != ErrUnknownScope {
		t.Errorf("destroy of an unknown scope: %v", err)
	}
}

func TestAlteredKeyringRowsAreNoticed(t *testing.T) {
	h, root := loaded(t, "111111111111", "222222222222", "333333333333")
	check(t, h.now.Destroy(t.Context(), "333333333333", nil))
	good := h.rows(t)
	if len(good) != 5 {
		t.Fatalf("%d rows", len(good))
	}
	notice := func(what string) {
		t.Helper()
		err := h.restart(t, root)
		if err == nil {
			err = h.now.Verify(t.Context())
		}
		if err == nil {
			t.Errorf("%s went unnoticed", what)
		}
	}
	for key, value := range good {
		for i := range value {
			altered := bytes.Clone(value)
			altered[i] ^= 1
			h.put(t, key, altered)
			notice(fmt.Sprintf("byte %d of %q altered", i, key))
			h.put(t, key, value[:i])
			notice(fmt.Sprintf("%q cut at %d", key, i))
		}
		h.put(t, key, value)
	}
	of := func(account string) string { return string(scopeKey(account)) }
	h.put(t, of("111111111111"), good[of("222222222222")])
	notice("a key moved to another account")
	h.put(t, of("111111111111"), good[of("333333333333")])
	notice("a proof of destruction moved to another account")
	h.put(t, of("111111111111"), good[of("111111111111")])
	h.put(t, string(scopeKey("")), nil)
	notice("the installation's key removed")
	for key := range good {
		h.put(t, key, good[key])
	}
	check(t, h.restart(t, root))
	check(t, h.now.Verify(t.Context()))
}

func TestAStoreThatLostItsMasterKeyGetsNoNewOne(t *testing.T) {
	h, root := loaded(t, "111111111111")
	h.put(t, string(store.Key("iam/user", "111111111111", "alice")), []byte("x"))
	keys := slices.Sorted(maps.Keys(h.rows(t))) // the master's first
	for _, key := range keys {
		h.put(t, key, nil)
		if err := h.restart(t, root); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d rows left: %v", len(h.rows(t)), err)
		}
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	h, root := loaded(t, "111111111111")
	words, err := Passphrase("correct horse battery staple")
	check(t, err)
	key := newSecret()
	for i := range key.b {
		key.b[i] = 'k'
	}
	m, err := newMaster(key)
	check(t, err)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for _, v := range []any{h.now, root, words, key, m.key, any(struct{ K *secret }{key})} {
		logger.Info("value", "v", v)
		text, err := json.Marshal(map[string]any{"v": v})
		fmt.Fprintf(&log, "%v %+v %#v %s %q %x %d %s %v\n", v, v, v, v, v, v, v, text, err)
	}
	for _, bad := range []string{"kkkk", "6b6b", "107 107", "horse", fmt.Sprint(root.(*fileKey).key.b[:4])} {
		if strings.Contains(log.String(), strings.Trim(bad, "[]")) {
			t.Errorf("%q was printed", bad)
		}
	}
}

func TestCopiedStoreWithoutRootKeyYieldsNothing(t *testing.T) {
	h, _ := loaded(t, "111111111111")
	secret := []byte("the secret that nobody may find on a copied disk")
	var disk bytes.Buffer
	for i := range 100 {
		sealed, err := h.now.Seal(nil, "111111111111", store.Key("t", "111111111111", fmt.Sprint(i)), secret)
		check(t, err)
		disk.Write(sealed)
	}
	for key, value := range h.rows(t) {
		disk.WriteString(key)
		disk.Write(value)
	}
	plain := [][]byte{secret, secret[:16]}
	for _, m := range h.now.masters {
		plain = append(plain, m.key.b[:])
	}
	for _, s := range h.now.scopes {
		data, err := h.now.unwrap(s)
		check(t, err)
		plain = append(plain, data.b[:])
	}
	for _, p := range plain {
		if bytes.Contains(disk.Bytes(), p[:16]) {
			t.Error("a secret or a key stands in the clear")
		}
	}
}

func TestManyAccountsAtOnce(t *testing.T) {
	h, root := loaded(t)
	var scopes []string
	for i := range 40 {
		scopes = append(scopes, fmt.Sprintf("%012d", i))
	}
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for i := range 400 {
				s := scopes[(i*7+n)%len(scopes)]
				if err := h.now.Ensure(context.Background(), s); err != nil {
					t.Error(err)
				}
				sealed, err := h.now.Seal(nil, s, []byte(s), []byte("v"))
				if err != nil {
					t.Error(err)
					return
				}
				if plain, err := h.now.Open(nil, s, []byte(s), sealed); err != nil || string(plain) != "v" {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	check(t, h.restart(t, root))
	check(t, h.now.Verify(t.Context()))
	if n := len(h.now.scopes); n != len(scopes)+1 {
		t.Errorf("%d scopes", n)
	}
}

func TestSegmentsAreBoundedInMessagesAndMemory(t *testing.T) {
	h, root := loaded(t, "111111111111")
	s := h.now.scopes["111111111111"]
	sealed := map[uint32][]byte{}
	for range 3 * scopeSegments {
		b, err := h.now.Seal(nil, s.name, []byte("k"), []byte("v"))
		check(t, err)
		seg := s.out.Load()
		if sealed[seg.id] != nil {
			t.Fatalf("segment %d outlived its budget", seg.id)
		}
		sealed[seg.id] = b
		seg.used.Store(segmentMessages)
	}
	check(t, h.restart(t, root))
	s = h.now.scopes["111111111111"]
	for _, b := range sealed {
		if _, err := h.now.Open(nil, s.name, []byte("k"), b); err != nil {
			t.Fatal(err)
		}
		forged := bytes.Clone(b)
		forged[1] ^= 0xFF
		h.now.Open(nil, s.name, []byte("k"), forged)
	}
	if n := len(*s.in.Load()); n != scopeSegments {
		t.Errorf("%d segments kept", n)
	}
	h.now.cache.live.Store(cacheSegments)
	h.now.cache.added(h.now)
	h.now.cache.live.Store(cacheSegments)
	h.now.cache.added(h.now)
	if s.in.Load() != nil || h.now.cache.live.Load() != 0 {
		t.Errorf("segments that nobody used stayed: %d", h.now.cache.live.Load())
	}
}
