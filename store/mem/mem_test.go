package mem_test

import (
	"testing"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/mem"
	"github.com/garrison-security/garrison/store/storetest"
)

// medium is a new engine in memory: it keeps nothing to open again.
func medium(testing.TB) storetest.Medium {
	return storetest.Medium{Volatile: true, Open: func(o store.Options) (store.Engine, error) { return mem.Open(o) }}
}

func TestContract(t *testing.T) { storetest.Run(t, medium) }
