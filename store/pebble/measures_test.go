package pebble

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/store/storetest"
)

// measured are the values of an engine's measures, of histograms the counts.
func measured(t *testing.T, e *Engine) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(e.Measures().Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.Metric[0]
		values[f.GetName()] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return values
}

func TestMeasures(t *testing.T) {
	e, err := Open(t.TempDir(), storetest.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	before := measured(t, e)
	key := store.Key("t", "", "k")
	for range 3 {
		if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put(key, []byte("v")) }); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := e.View(t.Context(), func(tx store.Tx) error {
			_, err := tx.Load(key, func(v []byte) (any, error) { return string(v), nil })
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	// One that reads what another writes before it commits is run again.
	if err := e.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Get(key); err != nil {
			return err
		}
		if tx.Attempt() == 1 {
			if err := e.Update(t.Context(), func(other store.Tx) error { return other.Put(key, []byte("w")) }); err != nil {
				return err
			}
		}
		return tx.Put(store.Key("t", "", "l"), nil)
	}); err != nil {
		t.Fatal(err)
	}
	after := measured(t, e)
	for name, want := range map[string]float64{
		"garrison_store_commit_seconds": 5, "garrison_store_group_transactions": 5, "garrison_store_cache_hits_total": 2,
		"garrison_store_cache_misses_total": 1, "garrison_store_conflicts_total": 1,
	} {
		if got := after[name] - before[name]; got != want {
			t.Errorf("%s rose by %g, want %g", name, got, want)
		}
	}
}
