package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/garrison-security/garrison/front"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// lagTime bounds the look at the followers' places.
const lagTime = time.Second

// metrics is the page in Prometheus's text format, of all that the rooms tell.
func (s *server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(s.gateway.Collectors()...)
	registry.MustRegister(connectionCollectors(s.front)...)
	registry.MustRegister(lags{s.house.record})
	if engine, ok := s.house.engine.(store.Measured); ok {
		registry.MustRegister(engine.Measures().Collectors()...)
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "garrison_build_info", Help: "What is running.", ConstLabels: prometheus.Labels{"release": release},
	})
	build.Set(1)
	registry.MustRegister(build, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "garrison_store_free_ratio", Help: "Share of free space where the store writes.",
	}, s.house.engine.Free), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "garrison_ready", Help: "Whether calls can be answered.",
	}, func() float64 {
		if s.health.draining.Load() || s.health.ready() != nil {
			return 0
		}
		return 1
	}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, DisableCompression: true,
	})
}

// connectionCollectors are what front counts.
func connectionCollectors(f *front.Server) (all []prometheus.Collector) {
	counter := func(name, help string, labels prometheus.Labels, value func(front.Stats) int64) {
		all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value(f.Stats())) }))
	}
	all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "garrison_connections", Help: "Connections open."},
		func() float64 { return float64(f.Stats().Open) }))
	counter("garrison_connections_accepted_total", "Connections accepted.", nil, func(s front.Stats) int64 { return s.Accepted })
	counter("garrison_connections_evicted_total", "Connections closed to make room for others.", nil, func(s front.Stats) int64 { return s.Evicted })
	for reason, value := range map[string]func(front.Stats) int64{
		"full":          func(s front.Stats) int64 { return s.Full },
		"source_full":   func(s front.Stats) int64 { return s.Source },
		"silent":        func(s front.Stats) int64 { return s.Silent },
		"slow_body":     func(s front.Stats) int64 { return s.Slow },
		"proxy_unread":  func(s front.Stats) int64 { return s.Malformed },
		"plain_refused": func(s front.Stats) int64 { return s.Plain },
	} {
		counter("garrison_connections_refused_total", "Connections refused, by reason.", prometheus.Labels{"reason": reason}, value)
	}
	return all
}

// lags collects how far followers of the record are behind, and which of them
// this node is. While the store
// does not tell, there is nothing to show.
type lags struct{ record *trail.Trail }

var (
	lagDescription  = prometheus.NewDesc("garrison_follower_lag_events", "Events that a follower of the record has yet to handle.", []string{"follower"}, nil)
	heldDescription = prometheus.NewDesc("garrison_follower_held", "Whether this node is the one that does a follower's work.", []string{"follower"}, nil)
)

// Describe implements prometheus.Collector.
func (l lags) Describe(to chan<- *prometheus.Desc) {
	to <- lagDescription
	to <- heldDescription
}

// Collect implements prometheus.Collector.
func (l lags) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lagTime)
	defer cancel()
	behind, err := l.record.Lags(ctx)
	if err != nil {
		return
	}
	for follower, events := range behind {
		to <- prometheus.MustNewConstMetric(lagDescription, prometheus.GaugeValue, float64(events), follower)
		held := 0.0
		if l.record.Holds(follower) {
			held = 1
		}
		to <- prometheus.MustNewConstMetric(heldDescription, prometheus.GaugeValue, held, follower)
	}
}
