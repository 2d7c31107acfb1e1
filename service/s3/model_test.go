package s3

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

// plain is what a bucket should be, told as plainly as can be: of each key its
// versions, the newest first.
type plain struct {
	versioning s3.BucketVersioningStatus
	keys       map[string][]*Version
}

func (p *plain) put(key string, v *Version) {
	if p.versioning != s3.BucketVersioningStatusEnabled { // it takes the place of the one called null
		p.keys[key] = slices.DeleteFunc(p.keys[key], func(v *Version) bool { return v.ID == nullID })
	}
	p.keys[key] = slices.Insert(p.keys[key], 0, v)
}

func (p *plain) remove(key, id string) {
	p.keys[key] = slices.DeleteFunc(p.keys[key], func(v *Version) bool { return v.ID == id })
}

// list is all versions, or all current objects, rolled up, in order.
func (p *plain) list(prefix, delimiter string, current bool) (all []string) {
	var keys []string
	for key := range p.keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		for i, v := range p.keys[key] {
			if !strings.HasPrefix(key, prefix) || current && (i > 0 || v.Marker) {
				continue
			}
			if up := rolled(key, prefix, delimiter); up != "" {
				if len(all) == 0 || all[len(all)-1] != up {
					all = append(all, up)
				}
				continue
			}
			name := key
			if !current {
				name = fmt.Sprint(key, " ", v.ID, " ", v.Marker, " ", i == 0)
			}
			all = append(all, name)
		}
	}
	return all
}

var modelKeys = []string{"a", "a/", "a/b", "a/b/c", "a/c", "a0", "b", "b/x", "b//", "é", "é/ü", " ", "a b", "a/b0", "\x01", "~"}

// A bucket and the plain one are given the same random changes, and then the
// same questions, page by page.
func TestVersionsAndListingsAgreeWithAPlainModel(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 7))
		engine, err := mem.Open(storetest.Options())
		if err != nil {
			t.Fatal(err)
		}
		b := &Bucket{Name: "bucket", Account: "111122223333", ID: newID()}
		other := &Bucket{Name: "other", Account: b.Account, ID: b.ID + "0"}
		p := &plain{keys: map[string][]*Version{}}
		now := time.Unix(1_800_000_000, 0)
		change := func(f func(*gateway.Call) error) {
			if err := engine.Update(t.Context(), func(tx store.Tx) error { return f(&gateway.Call{Tx: tx, Time: now}) }); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for step := range 200 {
			now = now.Add(time.Duration(random.IntN(3)-1) * time.Millisecond) // clocks go back, too
			key := modelKeys[random.IntN(len(modelKeys))]
			switch n := random.IntN(20); {
			case n == 0 && step > 20:
				b.Versioning = []s3.BucketVersioningStatus{s3.BucketVersioningStatusEnabled, s3.BucketVersioningStatusSuspended}[random.IntN(2)]
				p.versioning = b.Versioning
			case n < 10:
				v := &Version{Size: int64(step)}
				change(func(c *gateway.Call) error {
					return jointly(b.keep(c.Tx, v, &received{small: []byte{1}}), b.place(c, key, v), other.place(c, key, &Version{}))
				})
				p.put(key, v)
			case n < 14:
				var marker bool
				var id string
				change(func(c *gateway.Call) (err error) {
					marker, id, err = (&onBucket{Bucket: b}).delete(c, key, nil, nil)
					return err
				})
				if marker != (b.Versioning != "") {
					t.Errorf("a marker was made: %t", marker)
				}
				if marker {
					p.put(key, &Version{ID: id, Marker: true})
				} else {
					p.remove(key, nullID)
				}
			default:
				if list := p.keys[key]; len(list) > 0 {
					v := list[random.IntN(len(list))]
					change(func(c *gateway.Call) error {
						_, _, err := (&onBucket{Bucket: b}).delete(c, key, &v.ID, nil)
						return err
					})
					p.remove(key, v.ID)
				}
			}
		}
		err = engine.View(t.Context(), func(tx store.Tx) error {
			for range 60 {
				prefix := []string{"", "", "a", "a/", "b/", "é", "nothing"}[random.IntN(7)]
				delimiter := []string{"", "/", "b", "//"}[random.IntN(4)]
				compare(t, tx, b, p, prefix, delimiter, 1+random.IntN(5))
			}
			return p.check(tx, b)
		})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		engine.Close()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func jointly(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// compare lists the bucket by pages of limit and compares with the plain one.
func compare(t *testing.T, tx store.Tx, b *Bucket, p *plain, prefix, delimiter string, limit int) {
	t.Helper()
	var got []string
	marker := ""
	for {
		page, more, err := b.page(tx, prefix, delimiter, marker, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page {
			got = append(got, f.name)
		}
		if more != (len(page) == limit && len(got) < len(p.list(prefix, delimiter, true))) {
			t.Errorf("more = %t after %q", more, got)
		}
		if !more {
			break
		}
		marker = page[len(page)-1].name
	}
	if want := p.list(prefix, delimiter, true); !slices.Equal(got, want) {
		t.Errorf("objects below %q by %q, %d a page: %q, want %q", prefix, delimiter, limit, got, want)
	}
	got, marker = nil, ""
	var after *Version
	for {
		page, more, err := b.versionPage(tx, prefix, delimiter, marker, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if e.v == nil {
				got = append(got, e.key)
			} else {
				got = append(got, fmt.Sprint(e.key, " ", e.v.ID, " ", e.v.Marker, " ", e.latest))
			}
		}
		if !more {
			break
		}
		last := page[len(page)-1]
		marker, after = last.key, last.v
	}
	if want := p.list(prefix, delimiter, false); !slices.Equal(got, want) {
		t.Errorf("versions below %q by %q, %d a page:\n%q, want\n%q", prefix, delimiter, limit, got, want)
	}
}

// check finds every version by its name, and no row that belongs to none.
func (p *plain) check(tx store.Tx, b *Bucket) error {
	alive, null := 0, 0
	for key, list := range p.keys {
		for i, v := range list {
			found, err := b.find(tx, key, &v.ID)
			if err != nil || found.Marker != v.Marker || found.Size != v.Size {
				return fmt.Errorf("%s %s: %+v, %w", key, v.ID, found, err)
			}
			if !v.Marker {
				alive++
			}
			if v.ID == nullID && (i > 0 || v.Marker) {
				null++
			}
		}
		v, err := b.find(tx, key, nil)
		if err != nil || (v == nil) != (len(list) == 0) || v != nil && v.ID != list[0].ID {
			return fmt.Errorf("%s shows %+v, %w", key, v, err)
		}
	}
	rows := 0
	for _, err := range contents.List(tx, b.Account, nil, b.ID) {
		if err != nil {
			return err
		}
		rows++
	}
	places := 0
	for _, err := range nulls.List(tx, b.Account, nil, b.ID) {
		if err != nil {
			return err
		}
		places++
	}
	if rows != alive || places != null {
		return fmt.Errorf("%d contents of %d objects, %d places of %d null versions", rows, alive, places, null)
	}
	return nil
}

func TestAVersionsNameIsItsPlace(t *testing.T) {
	id := newVersionID(42)
	if len(id) != 32 {
		t.Errorf("%q", id)
	}
	if n, ok := sequenceOf(id); !ok || n != 42 {
		t.Error(n, ok)
	}
	for _, id := range []string{"", "null", id[:31], id + "A", id[:31] + "\n", strings.Repeat("=", 32)} {
		if _, ok := sequenceOf(id); ok {
			t.Errorf("%q is taken for a name", id)
		}
	}
}

func TestRanges(t *testing.T) {
	v := &Version{Size: 10}
	for spec, want := range map[string]part{
		"bytes=0-4": {0, 5, true}, "bytes=5-": {5, 5, true}, "bytes=-3": {7, 3, true}, "bytes=-30": {0, 10, true}, "bytes=8-100": {8, 2, true},
		"bytes=9-9": {9, 1, true}, "": {0, 10, false}, "bytes=5-4": {0, 10, false}, "bytes=0-1,3-4": {0, 10, false}, "items=0-4": {0, 10, false},
		"bytes=x-": {0, 10, false}, "bytes=--1": {0, 10, false}, "bytes=1": {0, 10, false},
	} {
		got, err := reading{byteRange: &spec}.part(v)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", spec, got, err, want)
		}
	}
	for _, spec := range []string{"bytes=10-", "bytes=11-12", "bytes=-0"} {
		if _, err := (reading{byteRange: &spec}).part(v); !isFault(err, "InvalidRange") {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

func TestBucketNames(t *testing.T) {
	for name, want := range map[string]bool{
		"abc": true, "a-b.c": true, "123": true, strings.Repeat("a", 63): true, "ab": false, strings.Repeat("a", 64): false, "Abc": false, "a_b": false,
		"-abc": false, "abc-": false, "a..b": false, "192.168.1.1": false, "xn--abc": false, "abc-s3alias": false, "_garrison": false, "a/b": false, "": false,
	} {
		if validBucketName(name) != want {
			t.Errorf("%q: valid = %t", name, !want)
		}
	}
}

func TestWhatPoliciesArePublic(t *testing.T) {
	statement := func(rest string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",` + rest + `}}`
	}
	for rest, want := range map[string]bool{
		`"Principal":"*"`: true, `"Principal":{"AWS":"*"}`: true, `"Principal":{"AWS":"111122223333"}`: false,
		`"Principal":{"Service":"logging.s3.amazonaws.com"}`:                                                  false,
		`"Principal":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`:                              false,
		`"Principal":"*","Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}}`:                                true,
		`"Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`:                           true,
		`"Principal":"*","Condition":{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"}}`:                      true,
		`"Principal":"*","Condition":{"StringEquals":{"aws:SourceVpc":"${aws:PrincipalTag/vpc}"}}`:            true,
		`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`:                             false,
		`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`:                              true,
		`"Principal":"*","Condition":{"StringEquals":{"s3:prefix":"public"}}`:                                 true,
		`"Principal":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`:     false,
		`"Principal":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`:                true,
		`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}`:                  false,
		`"Principal":"*","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-a/r-b/ou-c/"}}`: true,
		`"NotPrincipal":{"AWS":"111122223333"}`:                                                               true,
	} {
		if got := public([]byte(statement(rest))); got != want {
			t.Errorf("%s: public = %t", rest, got)
		}
	}
	deny := `{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`
	if public([]byte(deny)) {
		t.Error("a denial is public")
	}
	if !public([]byte(`{`)) {
		t.Error("what can't be read is not public")
	}
}
