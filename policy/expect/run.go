package expect

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/garrison-security/garrison/policy/scenario"
)

// Report is what came of a suite.
type Report struct {
	Cases  int `json:"cases"`
	Failed int `json:"failed"`
	// Failures are the first of them, in the file's order.
	Failures []Failure `json:"failures"`
	// Statements counts those of all policies that the file names;
	// Unexercised are those that applied to no case.
	Statements  int         `json:"statements"`
	Unexercised []Statement `json:"unexercised"`
}

// Failure is a case that was decided otherwise than expected.
type Failure struct {
	Test      string            `json:"test"`
	Line      int               `json:"line"` // of the test in its file
	Principal string            `json:"principal"`
	Action    string            `json:"action"`
	Resource  string            `json:"resource"`
	Want      string            `json:"want"`
	Verdict   *scenario.Verdict `json:"verdict,omitempty"` // with its explanation
	Error     string            `json:"error,omitempty"`   // why the case could not be decided

	index int
}

// Statement is a statement of a policy's file.
type Statement struct {
	Policy string `json:"policy"`
	Index  int    `json:"statement"`
	Sid    string `json:"sid,omitempty"`
	Line   int    `json:"line"`
}

const (
	maxFailures = 1000
	chunk       = 4096 // cases that a worker takes at once
)

// Run decides all cases, on a number of workers.
func (s *Suite) Run(workers int) *Report {
	report := &Report{}
	for i := range s.expectations {
		report.Cases += s.expectations[i].cases()
	}
	var (
		group sync.WaitGroup
		mu    sync.Mutex // guards report and seen
		next  atomic.Int64
		seen  = scenario.Coverage{}
	)
	for range workers {
		group.Go(func() {
			w := worker{suite: s, seen: scenario.Coverage{}}
			for {
				end := int(next.Add(chunk))
				if end-chunk >= report.Cases {
					break
				}
				w.run(end-chunk, min(end, report.Cases))
			}
			mu.Lock()
			defer mu.Unlock()
			report.Failed += w.failed
			report.Failures = append(report.Failures, w.failures...)
			seen.Merge(w.seen)
		})
	}
	group.Wait()
	slices.SortFunc(report.Failures, func(a, b Failure) int { return a.index - b.index })
	report.Failures = report.Failures[:min(len(report.Failures), maxFailures)]
	s.unexercised(report, seen)
	return report
}

func (s *Suite) unexercised(report *Report, seen scenario.Coverage) {
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		doc := s.files[path]
		for i := range doc.Statements {
			report.Statements++
			if !seen.Has(path, i) {
				report.Unexercised = append(report.Unexercised, Statement{path, i, doc.Statements[i].Sid, doc.Line(doc.Statements[i].Offset)})
			}
		}
	}
}

// cases counts an expectation's combinations.
func (e *expectation) cases() int { return len(e.principals) * len(e.test.Action) * len(e.resources) }

// worker decides cases on one goroutine.
type worker struct {
	suite    *Suite
	judge    scenario.Judge
	seen     scenario.Coverage
	failed   int
	failures []Failure
	to       scenario.Scenario // used again
}

// run decides the cases from start to end, counted through all expectations.
func (w *worker) run(start, end int) {
	base := 0
	for i := range w.suite.expectations {
		e := &w.suite.expectations[i]
		n := e.cases()
		for k := max(start, base); k < min(end, base+n); k++ {
			w.decide(e, k-base, k)
		}
		if base += n; base >= end {
			return
		}
	}
}

func (w *worker) decide(e *expectation, k, index int) {
	w.scenario(e, k)
	v, err := w.judge.Exercise(&w.to, w.seen)
	if err == nil && e.want.meets(v) {
		return
	}
	w.failed++
	if len(w.failures) >= maxFailures {
		return
	}
	r := &w.to.Request
	f := Failure{Test: e.test.Name, Line: e.test.line, Principal: r.Principal, Action: r.Action, Resource: r.Resource, Want: e.want.String(), index: index}
	if err == nil {
		f.Verdict, err = w.judge.Explain(&w.to)
	}
	if err != nil {
		f.Error = err.Error()
	}
	w.failures = append(w.failures, f)
}

// scenario makes the k-th combination.
func (w *worker) scenario(e *expectation, k int) {
	resource := &e.resources[k%len(e.resources)]
	k /= len(e.resources)
	action := e.test.Action[k%len(e.test.Action)]
	principal := &e.principals[k/len(e.test.Action)]
	to := &w.to
	to.Policies = principal.policies
	to.Resource, to.RCPs, to.Endpoint = resource.policies.Resource, resource.policies.RCPs, e.endpoint
	keys := append(to.Request.Context[:0], principal.context...)
	keys = append(append(keys, resource.context...), e.context...)
	to.Request = scenario.Request{Principal: principal.name, Action: action, Resource: resource.name, ResourceAccount: resource.account, Context: keys}
}

// meets tells whether a verdict is the expected one.
func (w *want) meets(v *scenario.Verdict) bool {
	return slices.Contains(w.decisions, v.Decision) && (w.by == "" || w.by == v.DecidedBy || w.by == v.Policy)
}

// String is the expectation in words.
func (w *want) String() string {
	s := strings.Join(w.decisions, " or ")
	if w.by != "" {
		s += " by " + w.by
	}
	return s
}
