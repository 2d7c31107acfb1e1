package postgres_test

import (
	"os"
	"testing"

	"github.com/garrison-security/garrison/internal/pgtest"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/postgres"
	"github.com/garrison-security/garrison/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// medium is a new database.
func medium(t testing.TB) storetest.Medium {
	url := pgtest.URL(t)
	return storetest.Medium{
		Shared:  true,
		Open:    func(o store.Options) (store.Engine, error) { return postgres.Open(t.Context(), url, o) },
		Restore: func(o store.Options) (store.Restoration, error) { return postgres.Restore(t.Context(), url, o) },
	}
}

func inMemory(testing.TB) storetest.Medium {
	return storetest.Medium{Volatile: true, Open: func(o store.Options) (store.Engine, error) { return mem.Open(o) }}
}

func TestContract(t *testing.T) { storetest.Run(t, medium) }

func TestRandomOperationsAgreeWithMem(t *testing.T) { storetest.Compare(t, medium, inMemory, 5) }
