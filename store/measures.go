package store

import "github.com/prometheus/client_golang/prometheus"

// Measured is an Engine that tells of its work.
type Measured interface {
	Measures() *Measures
}

// Measures are what an engine tells of its work, for the metrics page. What an
// engine does not have stays nil. Engines have names in common, whatever they
// measure; what one alone can tell it adds to More.
type Measures struct {
	// Commits is how long a group of transactions takes, in seconds, from being closed to being durable.
	Commits prometheus.Histogram
	// Groups is how many transactions a group holds.
	Groups prometheus.Histogram
	// RoundTrips is how long a networked engine waits for an answer, in seconds.
	RoundTrips prometheus.Histogram
	// Conflicts counts attempts that met others' writes and were run again.
	Conflicts prometheus.Counter
	// Cache is how many Loads found their value decoded, and how many did not, since the engine was opened.
	Cache func() (hits, misses uint64)
	// More are an engine's own.
	More []prometheus.Collector
}

// NewMeasures makes Commits, Groups and Conflicts.
func NewMeasures() *Measures {
	return &Measures{
		Commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "garrison_store_commit_seconds", Help: "Time from the closing of a group of transactions to its being durable.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 18),
		}),
		Groups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "garrison_store_group_transactions", Help: "Transactions committed together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		Conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "garrison_store_conflicts_total", Help: "Attempts at transactions that met others' writes and were run again.",
		}),
	}
}

// NewRoundTrips makes what RoundTrips holds.
func NewRoundTrips() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "garrison_store_round_trip_seconds", Help: "Time from a request to the database to its answer.",
		Buckets: prometheus.ExponentialBuckets(100e-6, 2, 17),
	})
}

// Collectors are what there is, for a registry.
func (m *Measures) Collectors() []prometheus.Collector {
	all := m.More[:len(m.More):len(m.More)]
	for _, h := range []prometheus.Histogram{m.Commits, m.Groups, m.RoundTrips} {
		if h != nil {
			all = append(all, h)
		}
	}
	if m.Conflicts != nil {
		all = append(all, m.Conflicts)
	}
	if m.Cache == nil {
		return all
	}
	for _, c := range []struct {
		name, help string
		value      func() uint64
	}{
		{"garrison_store_cache_hits_total", "Values that were found decoded.", func() uint64 { hits, _ := m.Cache(); return hits }},
		{"garrison_store_cache_misses_total", "Values that were read, opened and decoded.", func() uint64 { _, misses := m.Cache(); return misses }},
	} {
		value := c.value
		all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help}, func() float64 { return float64(value()) }))
	}
	return all
}
