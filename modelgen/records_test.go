package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
)

// record is what a real CloudTrail event says of its operation.
type record struct {
	EventSource, EventName    string
	ReadOnly, ManagementEvent any // a few records hold text
}

// records reads the real events of all services.
func records(t *testing.T) []record {
	t.Helper()
	dir := filepath.Dir(shared.Path(t, "data/detect/MANIFEST.json"))
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var all []record
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(unzipped)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var line struct{ Event record }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Event.EventSource != "" {
				all = append(all, line.Event)
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// notAPI are names in the records, real or made up by who wrote them, that are
// no operation of the service's API, or that say something else of it.
var notAPI = map[string][]string{
	"iam.amazonaws.com": {"DescribePolicy", "DetachUserGroup", "NotCreateUser"},
	"s3.amazonaws.com":  {"CreateServiceLinkedRole", "GetStorageLensDashboardDataInternal"},
}

// TestRowsAgreeWithRecords compares the rows of the services that are
// generated with real records: each recorded event has its operation, and the
// same readOnly, and is data where the record says so.
func TestRowsAgreeWithRecords(t *testing.T) {
	src := testSources(t)
	services, err := readServices("services.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[[2]string]*row{}
	sources := map[string]bool{}
	for _, service := range services {
		m, err := src.service(service)
		if err != nil {
			t.Fatal(err)
		}
		sources[m.identity.EventSource] = true
		for _, op := range m.operations {
			rows[[2]string{m.identity.EventSource, firstOf(op.eventName, op.Name)}] = op
		}
	}
	compared := 0
	for _, r := range records(t) {
		if !sources[r.EventSource] || slices.Contains(notAPI[r.EventSource], r.EventName) {
			continue
		}
		op := rows[[2]string{r.EventSource, r.EventName}]
		if op == nil {
			t.Errorf("%s records %s, which no row has", r.EventSource, r.EventName)
			continue
		}
		compared++
		if readOnly, ok := r.ReadOnly.(bool); ok && readOnly != op.readOnly {
			t.Errorf("%s %s: the record says readOnly %v, the row %v", r.EventSource, r.EventName, readOnly, op.readOnly)
		}
		if management, ok := r.ManagementEvent.(bool); ok && management == op.dataEvent {
			t.Errorf("%s %s: the record says managementEvent %v, the row dataEvent %v", r.EventSource, r.EventName, management, op.dataEvent)
		}
	}
	if compared < 600 {
		t.Errorf("only %d records compared", compared)
	}
}

// TestEventSourcesAgreeWithRecords holds every event source of the records
// that one of our models has against that model.
func TestEventSourcesAgreeWithRecords(t *testing.T) {
	src := testSources(t)
	known := map[string]bool{}
	for _, service := range allServices(t, src) {
		m, err := src.service(service)
		if err != nil {
			t.Fatal(err)
		}
		known[m.identity.EventSource] = true
	}
	for _, want := range []string{"ec2", "ssm", "s3", "iam", "secretsmanager", "rds", "kms", "sts", "health", "cloudtrail", "lambda",
		"logs", "guardduty", "securityhub", "wafv2", "organizations", "events", "sns", "sso", "monitoring", "config", "acm-pca", "support"} {
		if !known[want+".amazonaws.com"] {
			t.Errorf("no service records as %s.amazonaws.com", want)
		}
	}
}
