package gateway

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/garrison-security/garrison/aws"
)

// result is what a call came to, as the metrics class it.
type result uint8

const (
	resultOK result = iota
	resultUnauthenticated
	resultDenied
	resultThrottled
	resultNotImplemented
	resultUnavailable
	resultRefused // by the service, or as malformed
	resultFailed
	results
)

var resultNames = [results]string{
	"ok", "unauthenticated", "denied", "throttled", "not_implemented", "unavailable", "refused", "failed",
}

// resultOf classes an outcome.
func resultOf(err error) result {
	if err == nil {
		return resultOK
	}
	e, ok := errors.AsType[*aws.Error](err)
	if !ok {
		if visible(err) {
			return resultRefused
		}
		return resultFailed
	}
	switch e.Kind {
	case aws.MissingAuthentication, aws.IncompleteSignature, aws.UnknownKey, aws.BadToken, aws.ExpiredToken, aws.BadSignature,
		aws.ClockSkew, aws.WrongScope:
		return resultUnauthenticated
	case aws.AccessDenied:
		return resultDenied
	case aws.Throttled:
		return resultThrottled
	case aws.NotImplemented:
		return resultNotImplemented
	case aws.Unavailable:
		return resultUnavailable
	case aws.Internal:
		return resultFailed
	}
	return resultRefused
}

// measures count calls. Everything a call touches is looked up once and kept:
// a call then costs two atomic additions and no lock.
type measures struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	// unserved are the tallies of what has no operation of its own, by service; "" is all that no model here holds.
	unserved map[string]*tally
	gauges   []prometheus.Collector
}

// tally is the counters of an operation.
type tally struct {
	service, operation string
	calls              [results]atomic.Pointer[prometheus.Counter]
	seconds            prometheus.Observer
}

// newMeasures prepares the tallies of all that g serves.
func newMeasures(g *Gateway) *measures {
	m := &measures{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "garrison_calls_total", Help: "Calls answered; operation is empty for what is not served.",
		}, []string{"service", "operation", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "garrison_call_seconds", Help: "Time from a call's header to its answer, before it is sent.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 2, 18),
		}, []string{"service"}),
		unserved: map[string]*tally{},
	}
	m.unserved[""] = m.tally("", "")
	for name := range g.models {
		m.unserved[name] = m.tally(name, "")
	}
	for name, op := range g.operations {
		op.tally = m.tally(name.service, name.operation)
	}
	for _, gauge := range []struct {
		name, help string
		held       func() int64
	}{
		{"garrison_calls_in_flight", "Calls being carried out.", g.limits.inFlight.Load},
		{"garrison_calls_waiting", "Long polls.", g.limits.waiting.Load},
		{"garrison_calls_streaming", "Calls whose bodies are received while they are carried out.", g.limits.streaming.held.Load},
		{"garrison_calls_receiving", "Calls whose bodies are on their way.", g.limits.receiving.held.Load},
		{"garrison_body_bytes", "Memory held by bodies of requests.", g.limits.bodies.held.Load},
	} {
		m.gauges = append(m.gauges, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: gauge.name, Help: gauge.help},
			func() float64 { return float64(gauge.held()) }))
	}
	return m
}

func (m *measures) tally(service, operation string) *tally {
	return &tally{service: service, operation: operation, seconds: m.seconds.WithLabelValues(service)}
}

// of is the tally that a request counts for.
func (m *measures) of(r *request) *tally {
	if r.operation != nil {
		return r.operation.tally
	}
	if r.service != nil {
		if t := m.unserved[r.service.Name]; t != nil {
			return t
		}
	}
	return m.unserved[""]
}

// count counts an answer.
func (m *measures) count(r *request, err error, took time.Duration) {
	t, result := m.of(r), resultOf(err)
	counter := t.calls[result].Load()
	if counter == nil { // the first of its kind; nobody is shown what never happened
		made := m.calls.WithLabelValues(t.service, t.operation, resultNames[result])
		counter = &made
		t.calls[result].Store(counter)
	}
	(*counter).Inc()
	t.seconds.Observe(took.Seconds())
}

// Collectors are what the gateway tells of itself, for a registry.
func (g *Gateway) Collectors() []prometheus.Collector {
	return append([]prometheus.Collector{g.measures.calls, g.measures.seconds}, g.measures.gauges...)
}
