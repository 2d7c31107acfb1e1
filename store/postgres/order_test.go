package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/postgres"
)

// TestNodesThatChangeTheSameKeysDoNotDeadlock: a ring of them would stand for a second each time.
func TestNodesThatChangeTheSameKeysDoNotDeadlock(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	a, b := open(t, url, postgres.Tuning{}), open(t, url, postgres.Tuning{})
	put := func(e store.Engine, value string) error {
		return e.Update(t.Context(), func(tx store.Tx) (err error) {
			for i := range 40 {
				err = errors.Join(err, tx.Put(key(fmt.Sprint("same", i)), []byte(value)))
			}
			return err
		})
	}
	if err := put(a, "first"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, e := range []store.Engine{a, b} {
		all.Go(func() {
			for i := range 300 {
				if err := put(e, fmt.Sprint(i)); err != nil && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(a.Close(), b.Close()); err != nil { // what they counted is told
		t.Fatal(err)
	}
	if err := pgtest.Exec(url, `DO $$ DECLARE n bigint; BEGIN
		SELECT deadlocks INTO n FROM pg_stat_database WHERE datname = current_database();
		IF n > 0 THEN RAISE EXCEPTION '% deadlocks', n; END IF; END $$`); err != nil {
		t.Error(err)
	}
}
