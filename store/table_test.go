package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

type user struct {
	Name, ID string
	Groups   []string
	Created  time.Time
	Limit    *int32
	Photo    []byte
}

var (
	usersByID = &store.Index[user]{Name: "id", Unique: true,
		Of: func(u *user, add func(...string)) { add(u.ID) }}
	usersByGroup = &store.Index[user]{Name: "group",
		Of: func(u *user, add func(...string)) {
			for _, g := range u.Groups {
				add(g)
			}
		}}
	usersByAlias = &store.Index[user]{Name: "alias", Unique: true, Global: true,
		Of: func(u *user, add func(...string)) {
			if u.Photo != nil {
				add(string(u.Photo))
			}
		}}
	users = store.NewTable("test/user", usersByID, usersByGroup, usersByAlias)
)

const account = "111122223333"

func openMem(t testing.TB) store.Engine {
	t.Helper()
	e, err := mem.Open(storetest.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func update(t testing.TB, e store.Engine, fn func(store.Tx) error) {
	t.Helper()
	if err := e.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func Example() {
	type key struct{ ID, State string }
	keys := store.NewTable[key]("example/key")
	engine, _ := mem.Open(storetest.Options())
	defer engine.Close()

	err := engine.Update(ctx, func(tx store.Tx) error {
		for _, id := range []string{"b", "a", "c"} {
			if err := keys.Insert(tx, account, &key{ID: id, State: "Enabled"}, id); err != nil {
				return err
			}
		}
		return keys.Update(tx, account, func(k *key) error { k.State = "Disabled"; return nil }, "b")
	})
	fmt.Println(err)

	tokens := store.Tokens{Sealer: storetest.NewSealer()}
	listing := store.Listing{Name: "example:ListKeys", Account: account}
	for token := ""; ; {
		var page []*key
		after, err := tokens.Open(listing, token)
		if err != nil {
			fmt.Println(err)
		}
		_ = engine.View(ctx, func(tx store.Tx) (err error) {
			page, after, err = store.Page(keys.List(tx, account, after), 2, nil)
			return err
		})
		for _, k := range page {
			fmt.Println(k.ID, k.State)
		}
		if token, _ = tokens.Seal(listing, after); token == "" {
			break
		}
		fmt.Println("more")
	}
	// Output:
	// <nil>
	// a Enabled
	// b Disabled
	// more
	// c Enabled
}

func TestTableKeepsRecordsWhole(t *testing.T) {
	e := openMem(t)
	want := user{Name: "a\xff\x00b", ID: "AIDA1", Groups: []string{"g", "\xfe"}, Limit: new(int32(7)), Photo: []byte{0, 1},
		Created: time.Date(2026, 11, 24, 9, 0, 0, 123456789, time.UTC)}
	update(t, e, func(tx store.Tx) error { return users.Insert(tx, account, &want, want.Name) })
	update(t, e, func(tx store.Tx) error {
		got, err := users.Get(tx, account, want.Name)
		if err != nil {
			return err
		}
		if fmt.Sprintf("%q", fmt.Sprint(*got.Limit, got.Name, got.ID, got.Groups, got.Created, got.Photo)) !=
			fmt.Sprintf("%q", fmt.Sprint(*want.Limit, want.Name, want.ID, want.Groups, want.Created, want.Photo)) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		edit, err := users.Edit(tx, account, want.Name)
		if edit == got || &edit.Groups[0] == &got.Groups[0] {
			t.Error("Edit shares memory with Get")
		}
		return err
	})
}

func TestTableRefuses(t *testing.T) {
	alice := user{Name: "alice", ID: "1", Photo: []byte("alias")}
	for _, c := range []struct {
		name string
		do   func(store.Tx) error
		want error
	}{
		{"to insert a second record of a name", func(tx store.Tx) error {
			return users.Insert(tx, account, &user{Name: "alice", ID: "2"}, "alice")
		}, store.ErrExists},
		{"to insert a second record into a unique place", func(tx store.Tx) error {
			return users.Insert(tx, account, &user{Name: "bob", ID: "1"}, "bob")
		}, store.ErrExists},
		{"to move a record to a place that is taken", func(tx store.Tx) error {
			if err := users.Insert(tx, account, &user{Name: "bob", ID: "2"}, "bob"); err != nil {
				return err
			}
			return users.Update(tx, account, func(u *user) error { u.ID = "1"; return nil }, "bob")
		}, store.ErrExists},
		{"a global place to another account", func(tx store.Tx) error {
			return users.Insert(tx, "444455556666", &user{Name: "eve", ID: "9", Photo: []byte("alias")}, "eve")
		}, store.ErrExists},
		{"to delete what is not there", func(tx store.Tx) error { return users.Delete(tx, account, "bob") }, store.ErrNotFound},
		{"to update what is not there", func(tx store.Tx) error {
			return users.Update(tx, account, func(*user) error { return nil }, "bob")
		}, store.ErrNotFound},
		{"another account's record", func(tx store.Tx) error {
			_, err := users.Get(tx, "444455556666", "alice")
			return err
		}, store.ErrNotFound},
		{"nothing to a place in another account's index", func(tx store.Tx) error {
			return users.Insert(tx, "444455556666", &user{Name: "alice", ID: "1"}, "alice")
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := openMem(t)
			update(t, e, func(tx store.Tx) error { return users.Insert(tx, account, &alice, "alice") })
			if err := e.Update(t.Context(), c.do); !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
		})
	}
}

func TestIndexesFollowTheirRecords(t *testing.T) {
	e := openMem(t)
	names := func(tx store.Tx, group ...string) (names []string) {
		for entry, err := range users.ListBy(tx, usersByGroup, account, nil, group...) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, entry.Value.Name)
		}
		return names
	}
	put := func(tx store.Tx, name, id string, groups ...string) error {
		return users.Put(tx, account, &user{Name: name, ID: id, Groups: groups}, name)
	}
	update(t, e, func(tx store.Tx) error {
		return errors.Join(put(tx, "a", "1", "x", "y"), put(tx, "b", "2", "x"), put(tx, "c", "3", "xx"))
	})
	update(t, e, func(tx store.Tx) error {
		if got := names(tx, "x"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("in group x: %q", got)
		}
		if err := errors.Join(put(tx, "a", "4", "y"), users.Delete(tx, account, "b")); err != nil {
			t.Error(err)
		}
		if got := names(tx); !slices.Equal(got, []string{"c", "a"}) {
			t.Errorf("in any group: %q", got)
		}
		if _, err := users.Find(tx, usersByID, account, "1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the place that was left: %v", err)
		}
		entry, err := users.Find(tx, usersByID, account, "4")
		if err != nil || entry.Value.Name != "a" || !slices.Equal(entry.Parts, []string{"a"}) || entry.Scope != account {
			t.Errorf("the place that was taken: %+v, %v", entry, err)
		}
		return put(tx, "d", "1")
	})
}

func TestDeleteAllTakesWhatIsBelowAPrefix(t *testing.T) {
	photos := store.NewTable[user]("test/photo")
	update(t, openMem(t), func(tx store.Tx) error {
		for _, at := range [][]string{{"a"}, {"a", "1"}, {"a", "2"}, {"ab", "1"}, {"b", "1"}} {
			if err := photos.Put(tx, account, &user{}, at...); err != nil {
				return err
			}
		}
		if err := errors.Join(photos.Put(tx, "", &user{}, "a", "1"), photos.DeleteAll(tx, account, "a"), photos.DeleteAll(tx, account, "none")); err != nil {
			return err
		}
		var left []string
		for entry, err := range photos.List(tx, account, nil) {
			if err != nil {
				return err
			}
			left = append(left, strings.Join(entry.Parts, "/"))
		}
		if other, err := photos.Has(tx, "", "a", "1"); err != nil || !other || !slices.Equal(left, []string{"ab/1", "b/1"}) {
			t.Errorf("left %v, another scope's %t, %v", left, other, err)
		}
		return nil
	})
}

func TestPagesJoinToTheWhole(t *testing.T) {
	e := openMem(t)
	update(t, e, func(tx store.Tx) error {
		for i := range 2500 {
			name := fmt.Sprintf("u%04d", i)
			if err := users.Insert(tx, account, &user{Name: name, ID: name, Groups: []string{"all"}}, name); err != nil {
				return err
			}
		}
		return users.Insert(tx, "444455556666", &user{Name: "other", ID: "o", Groups: []string{"all"}}, "other")
	})
	odd := func(u *user) bool { return strings.HasSuffix(u.Name, "1") }
	rare := func(u *user) bool { return u.Name == "u2400" }
	for _, c := range []struct {
		name        string
		keep        func(*user) bool
		limit, want int
		pages       int
		by          bool
	}{
		{"all", nil, 100, 2500, 25, false},
		{"all by an index", nil, 100, 2500, 25, true},
		{"those that a filter keeps", odd, 30, 250, 9, false},
		{"one that is far off, in pages that end before they fill", rare, 5, 1, 3, false},
		{"one a page", rare, 1, 1, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got, pages int
			for after := []byte(nil); ; pages++ {
				var page []*user
				if err := e.View(t.Context(), func(tx store.Tx) (err error) {
					list := users.List(tx, account, after)
					if c.by {
						list = users.ListBy(tx, usersByGroup, account, after)
					}
					page, after, err = store.Page(list, c.limit, c.keep)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				if got += len(page); after == nil {
					break
				}
			}
			if pages++; got != c.want || pages != c.pages {
				t.Errorf("%d entries in %d pages, want %d in %d", got, pages, c.want, c.pages)
			}
		})
	}
}

func TestTokensRefuse(t *testing.T) {
	tokens := store.Tokens{Sealer: storetest.NewSealer()}
	of := store.Listing{Name: "iam:ListUsers", Account: account, Filter: "/eng/"}
	at := []byte(strings.Repeat("n", 128))
	token, err := tokens.Seal(of, at)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tokens.Open(of, token); err != nil || string(got) != string(at) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if len(token) > 320 {
		t.Errorf("a token of %d characters; IAM's Marker has at most 320", len(token))
	}
	for _, c := range []struct {
		name  string
		of    store.Listing
		token string
	}{
		{"another account", store.Listing{Name: of.Name, Account: "444455556666", Filter: of.Filter}, token},
		{"another operation", store.Listing{Name: "iam:ListRoles", Account: account, Filter: of.Filter}, token},
		{"another filter", store.Listing{Name: of.Name, Account: account}, token},
		{"an edited token", of, token[:20] + string(token[20]^1) + token[21:]},
		{"a cut token", of, token[:len(token)-4]},
		{"a padded token", of, token + "="},
		{"bytes that are not base64", of, "\xff\x00"},
		{"a huge token", of, strings.Repeat("A", 1<<20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := tokens.Open(c.of, c.token); !errors.Is(err, store.ErrToken) {
				t.Errorf("Open = %q, %v", got, err)
			}
		})
	}
}
